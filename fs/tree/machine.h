/* The root of a machine and what stands in it: DataSets (kind.h). */
#ifndef FS_MACHINE_H
#define FS_MACHINE_H

#include "kernel/request.h"
#include "model/kind.h"

/* Make and destroy the DataSet request->name. */
int fs_machine_mkdir(struct fs_request *request, struct fs_node *root);
int fs_machine_rmdir(struct fs_request *request, struct fs_node *root);

/* Reading the root. */
int fs_machine_list(struct fs_request *request, struct fs_node *root, struct fs_listing **listing,
                    struct ds_names *more);
void fs_machine_item(struct fs *fs, const struct fs_node *root, const char *name,
                     struct fs_item *item);

/* What stat(2) calls the number of the directory that a DataSet's stands in. */
uint64_t fs_machine_of_dataset(const struct fs *fs, const struct fs_node *node);

/* With fs->lock, for what is named after a DataSet: its file name, and what is known of it, or
 * NULL. */
const struct fs_dataset *fs_machine_name(const struct fs_vm *vm, const char *name,
                                         struct fs_item *item);

#endif
