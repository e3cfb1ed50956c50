/* What the kernel is told of an inode, and for how long it may believe that. With fs->lock. */
#ifndef FS_TOLD_H
#define FS_TOLD_H

#include "node.h"

/* How long the attributes of the node hold, in seconds. */
double fs_told_timeout_s(const struct fs *fs, const struct fs_node *node);

/* The reply to a lookup of the node, of which a reader sees `size_bytes`. */
void fs_told_entry(struct fs *fs, struct fs_node *node, size_t size_bytes,
                   struct fuse_entry_param *entry);

#endif
