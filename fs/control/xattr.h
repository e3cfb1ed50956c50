/* With -o xattr: a DataSet's attributes as user.dataset.* of its directory. */
#ifndef FS_XATTR_H
#define FS_XATTR_H

#include "kernel/request.h"

/* Handlers. Entries have no extended attributes. */
int fs_xattr_get(struct fs_request *request);
int fs_xattr_set(struct fs_request *request);
int fs_xattr_list(struct fs_request *request);
int fs_xattr_remove(struct fs_request *request);

#endif
