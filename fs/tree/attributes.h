/* Attributes: stat, chmod, truncate, access and statfs. */
#ifndef FS_ATTRIBUTES_H
#define FS_ATTRIBUTES_H

#include "kernel/request.h"
#include "model/node.h"

/* Handlers, for nodes of any kind. */
int fs_attributes_get(struct fs_request *request, struct fs_node *node);
int fs_attributes_set(struct fs_request *request, struct fs_node *node);
int fs_attributes_access(struct fs_request *request, struct fs_node *node);
int fs_attributes_statfs(struct fs_request *request, struct fs_node *node);

/* What stat(2) shows of kinds of nodes, and whether that is known (kind.h); with fs->lock. */
void fs_attributes_show_root(const struct fs *fs, const struct fs_node *node,
                             struct fuse_entry_param *entry);
void fs_attributes_show_dataset(const struct fs *fs, const struct fs_node *node,
                                struct fuse_entry_param *entry);
void fs_attributes_show_entry(const struct fs *fs, const struct fs_node *node,
                              struct fuse_entry_param *entry);
bool fs_attributes_known_dataset(const struct fs_request *request, const struct fs_node *node);
bool fs_attributes_known_entry(const struct fs_request *request, const struct fs_node *node);
bool fs_attributes_known_lock(const struct fs_request *request, const struct fs_node *node);

/* What kinds of nodes have to know first, how they are truncated, and whom they refuse (kind.h). */
int fs_attributes_know_entry(struct fs_request *request, struct fs_node *node);
int fs_attributes_know_dataset(struct fs_request *request, struct fs_node *node);
int fs_attributes_resize_entry(struct fs_request *request, struct fs_node *node);
int fs_attributes_access_entry(struct fs_request *request, struct fs_node *node);
int fs_attributes_access_dataset(struct fs_request *request, struct fs_node *node);
int fs_attributes_access_lock(struct fs_request *request, struct fs_node *node);

#endif
