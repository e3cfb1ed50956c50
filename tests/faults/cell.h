/* A cell of the table: the words for all that was seen of one operation under one fault. */
#ifndef FAULTS_CELL_H
#define FAULTS_CELL_H

#include "operation.h"

#include "buf.h"

enum { CELL_WORDS = 8, CELL_WORD_BYTES = 32 };

struct cell {
    char words[CELL_WORDS][CELL_WORD_BYTES]; /* in order, none twice */
    size_t count;
    unsigned long attempts;
    uint64_t fired; /* how often the fault struck in them */
};

/* Adds "ok", or what was told and, if the store holds something else than before, that. */
void cell_add(struct cell *cell, int told, enum after after);

/* "ok, EIO (done)"; "." if there is nothing. For the caller to free. */
char *cell_text(const struct cell *cell);

/* True if all of its words are among those of the text of another one. */
bool cell_is_within(const struct cell *cell, const char *text);

/* What an errno or one of TOLD_… is called. */
const char *cell_told(int told);

#endif
