/* Temporary files that are left behind, and a look at them. */
#ifndef FS_SCRATCH_LEFT_H
#define FS_SCRATCH_LEFT_H

#include "kernel/request.h"
#include "model/node.h"

/* On a worker, with fs->lock, which it releases meanwhile: publishes what has been left long
 * enough; for fs/due.c. */
void fs_scratch_left_due(struct fs_request *request, struct fs_node *node);

/* At the end of the mount: publishes everything that is left and logs what cannot be, of which the
 * first error is returned. Without fs->lock. */
int fs_scratch_left_publish(struct fs_request *request);

/* The text of .datasetfs/scratch, a line for each: path in the mount, size in bytes, age in
 * seconds, "held" or "failed: " and why, separated by tabs. 0 or -ENOMEM. Without fs->lock. */
int fs_scratch_left_print(struct fs *fs, struct ds_buf *out);

#endif
