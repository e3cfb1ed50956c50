/* Listings. A directory handle shows the names of one moment; rewinding it lists again. */
#ifndef FS_READ_DIRECTORY_H
#define FS_READ_DIRECTORY_H

#include "kernel/request.h"
#include "model/node.h"

/* With fs->lock: closes an open directory. */
void fs_dir_free(struct fs *fs, struct fs_dir *dir);

/* Handlers. */
int fs_dir_open(struct fs_request *request, struct fs_node *node);
int fs_dir_read(struct fs_request *request);
int fs_dir_release(struct fs_request *request);

#endif
