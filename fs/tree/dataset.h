/* The root of a machine and what stands in it: DataSets (kind.h). */
#ifndef FS_DATASET_H
#define FS_DATASET_H

#include "kernel/request.h"
#include "model/kind.h"

/* Make and destroy the DataSet request->name. */
int fs_dataset_mkdir(struct fs_request *request, struct fs_node *root);
int fs_dataset_rmdir(struct fs_request *request, struct fs_node *root);

/* Reading the root. */
int fs_dataset_list(struct fs_request *request, struct fs_node *root, struct fs_listing **listing,
                    struct ds_names *more);
void fs_dataset_item(struct fs *fs, const struct fs_node *root, const char *name,
                     struct fs_item *item);

#endif
