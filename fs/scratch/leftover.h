/* Temporary files that are left behind, and a look at them. */
#ifndef FS_LEFTOVER_H
#define FS_LEFTOVER_H

#include "kernel/request.h"
#include "model/node.h"

/* Work of due_work.h: publishes what has been left long enough. */
void fs_leftover_due(struct fs_request *request, struct fs_node *node);

/* At the end of the mount: publishes everything that is left and logs what cannot be, of which the
 * first error is returned. Without fs->lock. */
int fs_leftover_publish(struct fs_request *request);

/* The text of .datasetfs/scratch, a line for each: path in the mount, size in bytes, age in
 * seconds, "held" or "failed: " and why, separated by tabs. 0 or -ENOMEM. Without fs->lock. */
int fs_leftover_print(struct fs *fs, struct ds_buf *out);

#endif
