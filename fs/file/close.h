/* The end of open files: fsync, close, and what they leave to be committed. */
#ifndef FS_CLOSE_H
#define FS_CLOSE_H

#include "handle.h"
#include "kernel/request.h"

/* The kernel never got the handle: undoes the open. Without fs->lock. */
void fs_close_abandon(struct fs *fs, struct fs_handle *handle);

/* The handler of this RELEASE will not run: frees the handle, and what it leaves is committed
 * without it. Without fs->lock. */
void fs_close_dropped(struct fs_request *request);

/* The end of an entry's handle (kind.h). */
int fs_close_flush(struct fs_request *request, struct fs_handle *handle);
int fs_close_fsync(struct fs_request *request, struct fs_handle *handle);
int fs_close_release(struct fs_request *request, struct fs_handle *handle);

#endif
