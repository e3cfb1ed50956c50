/* Asking the store: when a call may begin, who waits for it, and what its end tells of the store.
 */
#ifndef FS_ASK_H
#define FS_ASK_H

#include "kernel/request.h"
#include "model/vm.h"

#include <stdbool.h>

/* Brackets a call of ds_client_*() with request->call for the machine's store. `change` tells that
 * it changes the store. 0, FS_REQUEUE, or -EINTR or -ETIMEDOUT when it is too late already or the
 * store is lost (lost_store.h). Without fs->lock. */
int fs_ask_begin(struct fs_request *request, struct fs_vm *vm, bool change);
void fs_ask_end(struct fs_request *request, struct fs_vm *vm);

/* Cancels the calls under way that change nothing: the mount ends. */
void fs_ask_cancel_reads(struct fs_vm *vm);

#endif
