/* What a lookup and a stat(2) must know of an entry. */
#ifndef FS_KNOW_VALUE_H
#define FS_KNOW_VALUE_H

#include "kernel/request.h"
#include "model/node.h"

/* Makes sure that memory knows the value of a pinned entry, with at most one request; leaves a
 * ticket for the caller's OPEN. Without fs->lock. -ENOENT; FS_REQUEUE; the store's errors. */
int fs_know(struct fs_request *request, struct fs_node *node);

#endif
