/* Asking the store for a value. */
#ifndef FS_FETCH_VALUE_H
#define FS_FETCH_VALUE_H

#include "kernel/request.h"
#include "model/node.h"

#include <stdbool.h>

/* Asks the store for the node's value, without fs->lock held. An answer that one of our own changes
 * may have overtaken is not used: `strict` then waits for that change and asks again, else what is
 * in memory stands. -ENOENT; the store's errors; -EPROTO for what is no value, but 0 to LOOKUP and
 * GETATTR; FS_REQUEUE. `have_key_lock`: the caller holds it.
 */
int fs_fetch_value(struct fs_request *request, struct fs_node *node, bool strict,
                   bool have_key_lock);

#endif
