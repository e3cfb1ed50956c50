/* Reading an open file. */
#ifndef FS_READ_H
#define FS_READ_H

#include "kernel/request.h"

/* Handler of READ. */
int fs_read(struct fs_request *request);

#endif
