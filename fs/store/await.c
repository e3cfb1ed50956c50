/* Who waits for what comes ahead. */
#include "await.h"

#include "kernel/loop.h"
#include "model/fs.h"

#include <utlist.h>

int fs_await(struct fs_request *request, fs_await_check *is_awaited, const void *what)
{
    struct fs *fs = request->fs;
    int err;

    if (!is_awaited(what))
        return 0;
    err = fs_request_may_block_locked(request);
    if (err != 0)
        return err;
    DL_APPEND(fs->awaiting, request);
    while (err == 0 && is_awaited(what))
        err = fs_request_sleep(request, ds_call_now_ms() + FS_SILENT_MS);
    DL_DELETE(fs->awaiting, request); // NOLINT(clang-analyzer-core.NullDereference)
    return err;
}

void fs_await_tell(struct fs *fs)
{
    struct fs_request *waiter;

    DL_FOREACH (fs->awaiting, waiter) {
        pthread_cond_signal(&waiter->worker->wake);
    }
}
