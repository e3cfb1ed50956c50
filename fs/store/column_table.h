/* The columns that are followed (column.h), and what was asked ahead of their machines. All with
 * fs->lock. */
#ifndef FS_COLUMN_TABLE_H
#define FS_COLUMN_TABLE_H

#include "model/datasets.h"
#include "model/listing.h"
#include "model/node.h"
#include "model/open_ticket.h"
#include "reader.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* So many cells of a column are kept, more than twice what is asked for at once. */
#define FS_COLUMN_CELLS 96

/* What was asked ahead of one machine. */
struct fs_cell {
    struct fs_column *column;
    struct fs_dataset *dataset; /* held by reference; NULL: the cell is free */
    struct fs_node *node;       /* of the key, pinned; NULL: of the DataSet itself */
    bool coming;                /* it is on its way */
    bool absent;                /* it has come: there is none */
    bool used;                  /* the reader has come to it */
    int64_t asked_ms, came_ms;
    pid_t stat_by;   /* the thread whose stat it has served, */
    int64_t stat_ms; /* and when */
};

struct fs_column {
    char *dataset;
    char *key;                  /* NULL: the DataSet itself */
    struct fs_listing *listing; /* the order of machines that is followed, referenced */
    unsigned char *lacking;     /* of each machine in it: it was found missing there */
    struct fs_readers readers;
    struct fs_cell cells[FS_COLUMN_CELLS]; /* a ring */
    size_t next;                           /* whose place the next one takes */
    unsigned coming;                       /* cells on their way */
    struct fs_column *newer, *older;       /* the list, the latest used first */
};

struct fs_columns {
    struct fs_reader_sessions sessions;
    struct fs_column *list;
    unsigned count;
};

/* NULL: there is no such column. */
struct fs_column *fs_columns_find(const struct fs_columns *columns, const char *dataset,
                                  const char *key);

/* The column, made if it is missing, as the latest used. NULL when there is no memory or room, or
 * the thread cannot follow any. */
struct fs_column *fs_columns_enter(struct fs *fs, pid_t tid, const char *dataset, const char *key);

/* Lets go of what came ahead that long ago. */
void fs_columns_trim(struct fs *fs, int64_t age_ms);

/* Lets go of all. Nothing may be on its way. */
void fs_columns_end(struct fs *fs);

/* The column follows the machines as listed last. False when there is no memory, or no listing. */
bool fs_column_take_listing(struct fs *fs, struct fs_column *column);

/* The latest cell of that machine, or NULL. */
struct fs_cell *fs_column_cell(struct fs_column *column, const struct fs_vm *vm);

/* True if the entry's value came ahead for the thread, who has not had that use of it: it is had
 * thereby. `columns`: or NULL. */
bool fs_columns_serve(const struct fs_columns *columns, pid_t tid, struct fs_node *node,
                      enum fs_ticket_use use);

/* Makes the cell, which is empty, that machine's. False when there is no memory. */
bool fs_cell_fill(struct fs *fs, struct fs_cell *cell, struct fs_column *column, struct fs_vm *vm);
void fs_cell_empty(struct fs *fs, struct fs_cell *cell);

#endif
