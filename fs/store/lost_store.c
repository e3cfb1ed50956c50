/* A store that does not answer at all. */
#include "lost_store.h"

#include <errno.h>

static bool always_waits(const struct fs_request *request)
{
    return request->req == NULL || request->opcode == FS_FLUSH || request->opcode == FS_FSYNC ||
           request->opcode == FS_RELEASE;
}

bool fs_lost_refuses(const struct fs_vm *vm, const struct fs_request *request)
{
    return !always_waits(request) && fs_vm_rests(vm, ds_call_now_ms());
}

void fs_lost_enter(struct fs_vm *vm, struct fs_request *request)
{
    struct fs_lost *lost = &vm->lost;

    request->probe = lost->lost && !always_waits(request);
    if (request->probe)
        lost->probing = true;
}

void fs_lost_leave(struct fs_vm *vm, struct fs_request *request)
{
    struct fs_lost *lost = &vm->lost;
    int64_t now_ms = ds_call_now_ms();
    bool answered = ds_call_sent(&request->call) == DS_SENT_ANSWERED;
    bool was_lost = lost->lost;
    int err = request->call.error;

    if (answered)
        lost->answered_ms = now_ms;
    /* A connection that is refused is no answer, but nobody waits for it. */
    if (answered || err == -EHOSTUNREACH || err == -EIO)
        lost->lost = false;
    else if (err == -ETIMEDOUT && now_ms >= request->call.last_deadline_ms &&
             now_ms - request->wait_start_ms >= FS_SILENT_MS &&
             lost->answered_ms < request->wait_start_ms)
        lost->lost = true;
    if (request->probe)
        lost->probing = false;
    request->probe = false;
    /* Perhaps it was that connection alone: who comes next finds out at once. */
    lost->probe_ms = was_lost ? now_ms + FS_LOST_PROBE_MS : now_ms;
}
