/* The attributes that chmod, chown and utimens left.
 *
 * A store keeps no owner, mode or time. What people set is remembered per key until the mount ends,
 * at most FS_ATTR_REMEMBERED_MAX of them, and never shows an execute bit nor lets in more than the
 * DataSet's access and the mount's umask. All functions: with fs->lock. */
#ifndef FS_KEPT_ATTRIBUTES_H
#define FS_KEPT_ATTRIBUTES_H

#include "node.h"

#include <sys/stat.h>

#define FS_ATTR_REMEMBERED_MAX 65536

#define FS_ATTR_TIMES                                                                              \
    (FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_MTIME | FUSE_SET_ATTR_ATIME_NOW | FUSE_SET_ATTR_MTIME_NOW)

/* Puts into `attr`, which is filled in, what was set on the node; of the mode only what it allows.
 */
void fs_attr_apply(struct fs *fs, const struct fs_node *node, struct stat *attr);

/* Remembers what SETATTR asks for, size apart; for control files -EPERM. 0 or -ENOMEM; beyond the
 * limit nothing is remembered and that is no error. `digest`, where one of FS_ATTR_TIMES is set: of
 * what a reader sees now, whose times they are (key_history.h). */
int fs_attr_remember(struct fs *fs, struct fs_node *node, const struct stat *attr, int to_set,
                     uint64_t digest);

/* The first value seen of a new inode: if the kernel had forgotten one with this key and content,
 * the times that were set on that hold. */
void fs_attr_recognise(struct fs *fs, struct fs_node *node);

/* The node is about to be freed: times set on it are over if its content has changed since. */
void fs_attr_keep(struct fs *fs, struct fs_node *node);

/* The entry is about to lose its key: what was set on it goes with the inode, but is forgotten
 * where there is no memory. */
void fs_attr_take(struct fs *fs, struct fs_node *node);

/* The entry has got a key: what it took along, if anything, is all that is set under that key. */
void fs_attr_put(struct fs *fs, struct fs_node *node);

/* Forgets what was set on the node. */
void fs_attr_forget(struct fs *fs, struct fs_node *node);

/* Forgets what was set on the DataSet and its keys. */
void fs_attr_forget_dataset(struct fs *fs, const struct fs_dataset *dataset);

/* Forgets everything. */
void fs_attr_clear(struct fs *fs);

/* True if the mode bits and `uid` allow `mask` (R_OK, W_OK, X_OK) to the owner, or root, who is
 * bound by the same bits. */
bool fs_attr_permits(const struct stat *attr, int mask);

#endif
