/* libfuse's callbacks: each fills in a request and names its handler (ops.h). */
#ifndef FS_CALLBACKS_H
#define FS_CALLBACKS_H

#include <fuse_lowlevel.h>
#include <stdbool.h>

/* The operations for fuse_session_new(), whose user data is a struct fs_kernel. Without `xattr` the
 * kernel is told that there are no extended attributes, which saves a request per write. */
void fs_callbacks_init(struct fuse_lowlevel_ops *ops, bool xattr);

#endif
