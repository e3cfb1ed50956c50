/* Waiting for what was asked ahead, of a DataSet or of an inventory, and is on its way. With
 * fs->lock. */
#ifndef FS_AWAIT_H
#define FS_AWAIT_H

#include "kernel/request.h"

#include <stdbool.h>

/* True while `what` is on its way and worth waiting for. */
typedef bool fs_await_check(const void *what);

/* Waits for as long as that, with the lock released meanwhile; looks again after each
 * fs_await_tell(), and FS_SILENT_MS after the last look. 0, FS_REQUEUE, -EINTR or -ETIMEDOUT. */
int fs_await(struct fs_request *request, fs_await_check *is_awaited, const void *what);

/* Something has come, or will not. */
void fs_await_tell(struct fs *fs);

#endif
