/* Keys whose removal is withheld (scratch.h): the locks that go with them, and the end of the
 * withholding. All with fs->lock, which is released while the store is asked or a lock is awaited.
 */
#ifndef FS_WITHHELD_H
#define FS_WITHHELD_H

#include "kernel/request.h"
#include "model/node.h"

/* Key locks of one or two nodes and of those that a withheld removal ties to them. */
struct fs_withheld_locks {
    struct fs_node *nodes[4]; /* pinned, in the order of inode numbers */
    unsigned count;
};

/* For who found the nodes by their keys; `b` may be NULL. 0; as fs_key_lock(); -ESTALE if a key was
 * taken away while we waited: the kernel looks the name up again. On failure nothing is locked. */
int fs_withheld_lock(struct fs_request *request, struct fs_node *a, struct fs_node *b,
                     struct fs_withheld_locks *locks);
void fs_withheld_unlock(struct fs *fs, struct fs_withheld_locks *locks);

/* The rest: with these locks. */

/* Sees whether the store still holds what was renamed away: the value in memory will not do, it may
 * be gone or somebody else's by now. 0 if it does, -ENOENT if it holds nothing, -EEXIST if somebody
 * else has given the key a new value; the store's errors. */
int fs_withheld_check(struct fs_request *request, const struct fs_node *node);

/* Ends the withholding: the origin's key is removed, unless it was made again, here or by the other
 * side. The store's errors, and then nothing has changed. Harmless on a node that withholds none.
 */
int fs_withheld_remove(struct fs_request *request, struct fs_node *node);

#endif
