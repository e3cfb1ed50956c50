/* libfuse's callbacks. */
#ifndef FS_OPS_H
#define FS_OPS_H

#include <fuse_lowlevel.h>
#include <stdbool.h>

/* The operations for fuse_session_new(), whose user data is a struct fs. Without `xattr` the kernel
 * is told that there are no extended attributes, which saves a request per write. */
void fs_ops_init(struct fuse_lowlevel_ops *ops, bool xattr);

#endif
