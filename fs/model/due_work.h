/* Work that a node wants done at a time of its own, without anybody asking: a worker does it. */
#ifndef FS_DUE_WORK_H
#define FS_DUE_WORK_H

#include "node.h"

#include <stdint.h>

/* With fs->lock: `work` is done at `at_ms` (ds_call_now_ms()) or soon after, in place of what was
 * set before; 0: nothing is. After the end of the loop nothing is done any more: the end of the
 * mount commits what waits. */
void fs_due_set(struct fs *fs, struct fs_node *node, int64_t at_ms, fs_due_work *work);
void fs_due_clear(struct fs *fs, struct fs_node *node);

/* Starts and stops looking. Without fs->lock. */
void fs_due_init(struct fs *fs);
void fs_due_stop(struct fs *fs);

#endif
