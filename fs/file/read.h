/* Reading an open file. */
#ifndef FS_READ_H
#define FS_READ_H

#include "handle.h"
#include "kernel/request.h"

/* READ of an entry (kind.h). */
int fs_read(struct fs_request *request, struct fs_handle *handle);

#endif
