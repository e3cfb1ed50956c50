/* Asking a store or an inventory: when a question may begin, who waits for the answer, and what its
 * end tells of whom was asked. */
#ifndef FS_TURN_H
#define FS_TURN_H

#include "kernel/request.h"
#include "model/vm.h"

#include <stdbool.h>

/* Brackets a call with request->call that asks the machine's store; of fs->vm in an inventory,
 * that. `change` tells that it changes something. 0, FS_REQUEUE, or -EINTR or -ETIMEDOUT when it is
 * too late already or the store is lost (lost_store.h). Without fs->lock. */
int fs_turn_begin(struct fs_request *request, struct fs_vm *vm, bool change);
void fs_turn_end(struct fs_request *request, struct fs_vm *vm);

/* Cancels the calls under way that change nothing: the mount ends. */
void fs_turn_cancel_reads(struct fs *fs);

#endif
