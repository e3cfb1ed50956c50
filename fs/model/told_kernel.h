/* What the kernel is told of an inode, and for how long it may believe that. With fs->lock.
 *
 * A reply is taken note of by the thread that has asked, and that may be slow: until it is known to
 * have happened, nobody else may rely on it. */
#ifndef FS_TOLD_KERNEL_H
#define FS_TOLD_KERNEL_H

#include "kernel/request.h"
#include "node.h"

#include <stdbool.h>

/* What a lookup of the node, or a question for its attributes, is answered. */
void fs_told_show(struct fs *fs, struct fs_node *node, struct fuse_entry_param *entry);

/* The same, and the request's caller is going to be told so. */
void fs_told_entry(const struct fs_request *request, struct fs_node *node,
                   struct fuse_entry_param *entry);

/* True if the attributes that the kernel has for the request's caller may be wrong now. */
bool fs_told_is_stale(const struct fs_request *request, const struct fs_node *node);

/* The node is opened, and pages will be of what a reader sees now. True if those that the kernel
 * has already are so too; else it is told to drop them. `*version` is what to say of it by: */
bool fs_told_keeps_pages(struct fs_node *node, uint64_t *version);

/* Somebody reads who has opened that version: what he was told to drop is gone. */
void fs_told_reads_pages(struct fs_node *node, uint64_t version);

/* The kernel's pages may be of something else. */
void fs_told_mix_pages(struct fs_node *node);

#endif
