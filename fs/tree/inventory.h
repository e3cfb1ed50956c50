/* The root of an inventory: machines, each a directory, or a link to one (kind.h). */
#ifndef FS_TREE_INVENTORY_H
#define FS_TREE_INVENTORY_H

#include "model/kind.h"

/* What request->name stands for in the root: a machine's directory or a link to it. */
int fs_inventory_lookup(struct fs_request *request, struct fs_node *root);

/* Reading the root. */
int fs_inventory_list(struct fs_request *request, struct fs_node *root, struct fs_listing **listing,
                      struct ds_names *more);
void fs_inventory_item(struct fs *fs, const struct fs_node *root, const char *name,
                       struct fs_item *item);

/* A machine's directory: it is told without a request for a minute, then whether it is there. */
int fs_inventory_know(struct fs_request *request, struct fs_node *machine);
bool fs_inventory_known(const struct fs_request *request, const struct fs_node *machine);

/* A machine's link, and where it leads: to the name under which it is listed. */
void fs_inventory_show_link(const struct fs *fs, const struct fs_node *link,
                            struct fuse_entry_param *entry);
int fs_inventory_readlink(struct fs_request *request, struct fs_node *link);

#endif
