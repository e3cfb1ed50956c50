/* Values fetched ahead of readers that follow a listing.
 *
 * Who follows one (walk.h) will want the next values too: they are fetched together, as many as one
 * get takes, or as the reader will have used before they are too old. A value that came this way
 * may serve those readers for a while (open_ticket.h); without that every batch would be too old
 * when its turn comes. Everybody else asks. readahead=N: at most N at once, 0: none.
 *
 * What comes in vain: of a reader that listed, the rest of its batch; of another one that stops,
 * at most twice as many values as it had used, or a sixteenth of what a get takes. */
#ifndef FS_READ_AHEAD_H
#define FS_READ_AHEAD_H

#include "kernel/request.h"
#include "model/datasets.h"
#include "model/node.h"
#include "model/open_ticket.h"
#include "walk.h"

#include <stdbool.h>
#include <stddef.h>

/* The caller comes to the entry, whose value is not known well enough for that use. True if it
 * follows a listing and memory answers, or was filled by a request for this value and the next
 * ones: then `*err` is the answer, 0 or -ENOENT; or the request failed so that no other makes
 * sense. Without fs->lock. */
bool fs_ahead_serves(struct fs_request *request, struct fs_node *node, enum fs_ticket_use use,
                     int *err);

/* With fs->lock: the same caller, where memory knows enough. */
void fs_ahead_passes(struct fs_request *request, const struct fs_node *node);

/* Fetches the values of the `size` names from that step on, but for those that have come anyway
 * since the walk began, and keeps their nodes for a while. Without fs->lock; the caller
 * holds a reference to the listing. The store's errors; FS_REQUEUE. */
int fs_ahead_fetch(struct fs_request *request, struct fs_dataset *dataset,
                   const struct fs_step *step, size_t size);

/* With fs->lock: how many may be fetched at once; 0: none ever. */
size_t fs_ahead_most(const struct fs_dataset *dataset);

/* With fs->lock: lets go of what came ahead, and of who followed. */
void fs_ahead_drop(struct fs *fs, struct fs_dataset *dataset);

#endif
