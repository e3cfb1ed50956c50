/* Every question begins and ends here. */
#include "turn.h"

#include "cleanup.h"
#include "lost_store.h"
#include "model/fs.h"

#include <errno.h>
#include <utlist.h>

/* -ETIMEDOUT if the store is lost. */
static int refuse_lost(struct fs_request *request, const struct fs_vm *vm)
{
    bool refuses;

    pthread_mutex_lock(&request->fs->lock);
    refuses = fs_lost_refuses(vm, request);
    pthread_mutex_unlock(&request->fs->lock);
    return refuses ? ds_call_fail(&request->call, -ETIMEDOUT,
                                  "the store does not answer; it is asked once a second")
                   : 0;
}

int fs_turn_begin(struct fs_request *request, struct fs_vm *vm, bool change)
{
    int err;

    ds_call_set_sent(&request->call, DS_SENT_NO);
    err = refuse_lost(request, vm);
    if (err == 0)
        err = fs_request_may_block(request);
    if (err == 0)
        err = ds_call_check(&request->call);
    if (err != 0)
        return err;
    request->call.text[0] = '\0';
    request->change = change;
    request->wait_start_ms = ds_call_now_ms();

    DS_LOCK_SCOPE(&request->fs->lock);
    fs_lost_enter(vm, request);
    DL_APPEND2(vm->waiting, request, wait_prev, wait_next);
    return 0;
}

void fs_turn_end(struct fs_request *request, struct fs_vm *vm)
{
    int64_t now_ms = ds_call_now_ms();
    bool answered = ds_call_sent(&request->call) == DS_SENT_ANSWERED;

    request->change = false;
    DS_LOCK_SCOPE(&request->fs->lock);
    fs_lost_leave(vm, request);
    DL_DELETE2(vm->waiting, request, wait_prev, wait_next);
    if (answered)
        vm->silent_until_ms = 0;
    else if (now_ms - request->wait_start_ms >= FS_SILENT_MS)
        vm->silent_until_ms = now_ms + FS_SILENCE_TRUST_MS;
}

static void cancel_reads(const struct fs_vm *vm)
{
    struct fs_request *request;

    DL_FOREACH2(vm->waiting, request, wait_next)
    {
        if (!request->change)
            ds_call_cancel(&request->call);
    }
}

void fs_turn_cancel_reads(struct fs *fs)
{
    DS_LOCK_SCOPE(&fs->lock);
    cancel_reads(fs->vm);
    for (const struct fs_vm *vm = fs->machines.by_id; vm != NULL; vm = vm->machine.by_id.next)
        cancel_reads(vm);
}
