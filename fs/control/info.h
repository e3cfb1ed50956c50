/* .datasetfs/info: a file for each DataSet with its attributes as JSON. One write is one complete
 * object; creating one makes the DataSet with it (kind.h). */
#ifndef FS_INFO_H
#define FS_INFO_H

#include "kernel/request.h"
#include "model/kind.h"

/* The files. */
void fs_info_show(const struct fs *fs, const struct fs_node *node, struct fuse_entry_param *entry);
int fs_info_know(struct fs_request *request, struct fs_node *node);
int fs_info_resize(struct fs_request *request, struct fs_node *node);
int fs_info_open(struct fs_request *request, struct fs_node *node);
int fs_info_write(struct fs_request *request, struct fs_handle *handle);

/* The directory. */
int fs_info_lookup(struct fs_request *request, struct fs_node *parent);
int fs_info_create(struct fs_request *request, struct fs_node *parent);
int fs_info_list(struct fs_request *request, struct fs_node *node, struct fs_listing **listing,
                 struct ds_names *more);
void fs_info_item(struct fs *fs, const struct fs_node *node, const char *name,
                  struct fs_item *item);
uint64_t fs_info_parent(const struct fs *fs, const struct fs_node *node);

#endif
