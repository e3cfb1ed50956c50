/* Opening and creating entries. */
#ifndef FS_OPEN_H
#define FS_OPEN_H

#include "kernel/request.h"

/* With fs->lock: the caller has looked up again what was stale; its next open is another one. */
void fs_open_not_stale(const struct fs_request *request);

/* Handlers. */
int fs_open(struct fs_request *request);
int fs_open_create(struct fs_request *request);

#endif
