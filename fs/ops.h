/* Which function does what for which kind of inode. */
#ifndef FS_OPS_H
#define FS_OPS_H

#include "kernel/request.h"
#include "model/kind.h"

/* By enum fs_node_kind. */
extern const struct fs_kind fs_ops_kinds[];

/* Handlers, where kinds differ: each finds the inode, or the handle, and calls the function of its
 * kind. */
int fs_ops_lookup(struct fs_request *request);
int fs_ops_getattr(struct fs_request *request);
int fs_ops_readlink(struct fs_request *request);
int fs_ops_statfs(struct fs_request *request);
int fs_ops_setattr(struct fs_request *request);
int fs_ops_access(struct fs_request *request);
int fs_ops_open(struct fs_request *request);
int fs_ops_create(struct fs_request *request);
int fs_ops_read(struct fs_request *request);
int fs_ops_write(struct fs_request *request);
int fs_ops_flush(struct fs_request *request);
int fs_ops_fsync(struct fs_request *request);
int fs_ops_release(struct fs_request *request);
int fs_ops_unlink(struct fs_request *request);
int fs_ops_rename(struct fs_request *request);
int fs_ops_mkdir(struct fs_request *request);
int fs_ops_rmdir(struct fs_request *request);
int fs_ops_opendir(struct fs_request *request);
int fs_ops_getxattr(struct fs_request *request);
int fs_ops_setxattr(struct fs_request *request);
int fs_ops_listxattr(struct fs_request *request);
int fs_ops_removexattr(struct fs_request *request);

#endif
