/* The directory of a DataSet: its entries (kind.h). They are looked up in lookup.h, created in
 * file/open.h and renamed in rename.h. */
#ifndef FS_ENTRIES_H
#define FS_ENTRIES_H

#include "kernel/request.h"
#include "model/kind.h"

/* Removes the entry request->name. */
int fs_entries_unlink(struct fs_request *request, struct fs_node *parent);

/* Reading the directory. */
int fs_entries_enter(struct fs_request *request, struct fs_node *node);
int fs_entries_list(struct fs_request *request, struct fs_node *node, struct fs_listing **listing,
                    struct ds_names *more);
void fs_entries_item(struct fs *fs, const struct fs_node *node, const char *name,
                     struct fs_item *item);

#endif
