/* Keys that a thread has just been told are missing. With fs->lock.
 *
 * cp, install and editors look for a name two or three times before they make it. What a thread was
 * told answers it again for FS_FRESH_MS, as with values, but only as long as it has waited for
 * nothing but us: whatever makes a key elsewhere, another process, host or mount, must be waited
 * for by who wants to see it afterwards. */
#ifndef FS_ABSENT_KEYS_H
#define FS_ABSENT_KEYS_H

#include "node.h"

#include <stdbool.h>

/* The thread comes to a key of which memory knows nothing. True if it was told just now that there
 * is none. */
bool fs_absent_answers(struct fs *fs, const struct fs_node *node, pid_t tid);

/* The store has said that there is none, and the thread is about to be told. */
void fs_absent_tell(struct fs *fs, const struct fs_node *node, pid_t tid);

#endif
