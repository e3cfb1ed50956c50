/* What the kernel is told of an inode, and for how long it may believe that. With fs->lock. */
#ifndef FS_TOLD_H
#define FS_TOLD_H

#include "node.h"

/* The reply to a lookup of the node, or to a question for its attributes; notes that the kernel is
 * being told of this version. */
void fs_told_entry(struct fs *fs, struct fs_node *node, struct fuse_entry_param *entry);

#endif
