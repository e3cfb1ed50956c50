/* Asking the store: when a call may begin, who waits for it, and what its end tells of the store.
 */
#ifndef FS_ASK_H
#define FS_ASK_H

#include "kernel/request.h"

#include <stdbool.h>

/* Brackets a call of ds_client_*() with request->call. `change` tells that it changes the store.
 * 0, FS_REQUEUE, or -EINTR or -ETIMEDOUT when it is too late already or the store is lost (lost.h).
 * Without fs->lock. */
int fs_store_begin(struct fs_request *request, bool change);
void fs_store_end(struct fs_request *request);

/* Cancels the calls under way that change nothing: the mount ends. */
void fs_ask_cancel_reads(struct fs *fs);

#endif
