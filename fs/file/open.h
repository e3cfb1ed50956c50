/* Opening and creating entries. */
#ifndef FS_OPEN_H
#define FS_OPEN_H

#include "kernel/request.h"
#include "model/node.h"

/* Opens an entry, or creates one in the directory of a DataSet (kind.h). */
int fs_open_entry(struct fs_request *request, struct fs_node *node);
int fs_open_create(struct fs_request *request, struct fs_node *parent);

#endif
