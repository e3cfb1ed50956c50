/* Names made and removed: entries unlinked, DataSets made and destroyed. */
#ifndef FS_TREE_H
#define FS_TREE_H

#include "kernel/request.h"

/* Handlers. */
int fs_tree_unlink(struct fs_request *request);
int fs_tree_mkdir(struct fs_request *request);
int fs_tree_rmdir(struct fs_request *request);

#endif
