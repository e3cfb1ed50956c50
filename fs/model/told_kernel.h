/* What the kernel is told of an inode, and for how long it may believe that. With fs->lock. */
#ifndef FS_TOLD_KERNEL_H
#define FS_TOLD_KERNEL_H

#include "node.h"

#include <stdbool.h>

/* The reply to a lookup of the node, or to a question for its attributes; notes that the kernel is
 * being told of this version. */
void fs_told_entry(struct fs *fs, struct fs_node *node, struct fuse_entry_param *entry);

/* True if the attributes that the kernel was told are wrong now. */
bool fs_told_is_stale(const struct fs_node *node);

/* The node is opened, and pages will be of what a reader sees now. True if those that the kernel
 * has already are so too. */
bool fs_told_keeps_pages(struct fs_node *node);

/* The kernel's pages may be of something else. */
void fs_told_mix_pages(struct fs_node *node);

#endif
