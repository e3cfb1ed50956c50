/* With -o xattr: a DataSet's attributes as user.dataset.* of its directory. */
#ifndef FS_XATTR_H
#define FS_XATTR_H

#include "kernel/request.h"
#include "model/node.h"

/* Handlers, for nodes of any kind: only DataSets have extended attributes. */
int fs_xattr_get(struct fs_request *request, struct fs_node *node);
int fs_xattr_set(struct fs_request *request, struct fs_node *node);
int fs_xattr_list(struct fs_request *request, struct fs_node *node);

#endif
