/* Temporary files as programs make them. */
#ifndef TEMPORARY_H
#define TEMPORARY_H

#include <stdbool.h>
#include <sys/types.h>

/* Creates a file as mkstemp(3) does and writes the text; fails the test if that fails. The
 * descriptor. */
int temporary_make(const char *path, const char *text);

/* The same, closed. */
void temporary_leave(const char *path, const char *text);

/* Lengthens the file until the limit of all temporary files does not let it; its size then. */
off_t temporary_fill(int fd);

/* True if m/.datasetfs/scratch has these words, one after the other, in a line or across lines. */
bool temporary_listed(const char *words);

#endif
