/* Columns: a DataSet, or a key, of all machines of an inventory.
 *
 * Whoever comes to the same one machine after the other, in the order of their listing (reader.h),
 * will want it of the next machines too: these are asked meanwhile, twice as many as he has come to
 * in order, up to two thirds of the requests that the inventory takes at once. What came so serves
 * that reader as a value that came ahead (open_ticket.h): nobody is told what was asked for before
 * he began to follow, or longer ago than FS_TICKET_AHEAD_MS. Everybody else asks; who comes to what
 * is on its way waits for it. readahead=N: so many at most, 0: none.
 *
 * What comes in vain: of one that stops, at most twice as much as it had used. */
#ifndef FS_COLUMN_H
#define FS_COLUMN_H

#include "kernel/request.h"
#include "model/datasets.h"

/* The thread has listed the machines. With fs->lock. */
void fs_column_lists(struct fs *fs, pid_t tid);

/* The caller comes to the DataSet, or to that key of it: the next machines are asked if it follows,
 * and what is on its way from this one is waited for. It may say so several times. -ENOENT: it was
 * found missing ahead; FS_REQUEUE, -EINTR, -ETIMEDOUT. Without fs->lock. */
int fs_column_comes(struct fs_request *request, struct fs_dataset *dataset, const char *key);

/* The same for an entry, unless it was removed. */
int fs_column_comes_node(struct fs_request *request, const struct fs_node *node);

/* With fs->lock: lets go of what came ahead and is too old to serve. */
void fs_column_trim(struct fs *fs);

/* Lets go of all. Nothing may be on its way. */
void fs_column_end(struct fs *fs);

#endif
