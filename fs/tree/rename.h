/* Renaming an entry. */
#ifndef FS_RENAME_H
#define FS_RENAME_H

#include "kernel/request.h"
#include "model/node.h"

/* Between directories of DataSets (kind.h). The new key is set, then the old one removed; if the
 * second step fails both keys remain and the error is reported. */
int fs_rename(struct fs_request *request, struct fs_node *parent, struct fs_node *new_parent);

#endif
