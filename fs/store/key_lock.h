/* The lock of a key, which whoever changes or commits its value holds. It belongs to the inode, and
 * goes with it when that is renamed. With fs->lock. */
#ifndef FS_KEY_LOCK_H
#define FS_KEY_LOCK_H

#include "kernel/request.h"
#include "model/node.h"

/* Takes the node's key lock, waiting in the order of arrival. Releases fs->lock while it waits. 0;
 * FS_REQUEUE; -EINTR, -ETIMEDOUT, -ENOMEM. */
int fs_key_lock(struct fs_request *request, struct fs_node *node);
void fs_key_unlock(struct fs_node *node);

/* The same for who found the node by its key. -ESTALE, with nothing locked, if the key was taken
 * away while we waited: the kernel looks the name up again. Several: fs_withheld_lock(). */
int fs_key_lock_named(struct fs_request *request, struct fs_node *node);

#endif
