/* Values fetched ahead of a reader that walks a directory.
 *
 * A thread that has listed a DataSet and now looks its names up in that order, or in that of the
 * inode numbers (cp -r, and find or du where there are very many), will want the next ones too:
 * their values are fetched together, as many as one get takes. A value that came this way may serve
 * that thread for a while (open_ticket.h); without that every batch would be too old when its turn
 * comes. Everybody else asks. */
#ifndef FS_READ_AHEAD_H
#define FS_READ_AHEAD_H

#include "kernel/request.h"
#include "model/datasets.h"
#include "model/node.h"

#include <stdbool.h>
#include <stddef.h>

/* With fs->lock: the thread `tid` has just listed the DataSet and may begin to walk. */
void fs_ahead_listed(struct fs *fs, struct fs_dataset *dataset, pid_t tid);

/* With fs->lock: true if the thread walks the last listing and has now come to `key`; `*index` is
 * its place in `*listing`, which is the DataSet's and in the order of the walk. */
bool fs_ahead_follows(struct fs_dataset *dataset, pid_t tid, const char *key,
                      struct fs_listing **listing, size_t *index);

/* Fetches the values of a listing's names from `index` on and keeps their nodes until the next
 * walk. Without fs->lock; the caller holds a reference to both. The store's errors; FS_REQUEUE. */
int fs_ahead_fetch(struct fs_request *request, struct fs_dataset *dataset,
                   struct fs_listing *listing, size_t index);

/* With fs->lock: lets go of the nodes of the last walk. */
void fs_ahead_drop(struct fs *fs, struct fs_dataset *dataset);

#endif
