/* What a request is and whom it may keep waiting. */
#include "request.h"

#include "waits.h"

#include <stdlib.h>
#include <string.h>

/* What a piece of work gets after one that the store has left unanswered. */
enum { SHORT_TRY_MS = 1000 };
/* So much of the timeout is left for all such tries: whoever stops us waits for the whole. */
enum { OVERTIME_PART = 4 };

void fs_request_init(struct fs_request *request, struct fs_kernel *kernel, fuse_req_t req,
                     enum fs_opcode opcode, fuse_ino_t ino)
{
    const struct fuse_ctx *context = fuse_req_ctx(req);

    memset(request, 0, sizeof(*request));
    request->fs = kernel->fs;
    request->kernel = kernel;
    request->req = req;
    request->opcode = opcode;
    request->tid = context->pid;
    request->uid = context->uid;
    request->ino = ino;
    request->worker = fs_loop_worker();
    ds_call_init(&request->call, kernel->timeout_ms);
    request->deadline_ms = request->call.deadline_ms;
    atomic_fetch_add_explicit(&kernel->requests[opcode], 1, memory_order_relaxed);
    fs_waits_count(kernel, opcode, request->tid);
}

void fs_request_init_internal(struct fs_request *request, struct fs_kernel *kernel)
{
    memset(request, 0, sizeof(*request));
    request->fs = kernel->fs;
    request->kernel = kernel;
    request->settled = true;
    request->overtime_ms = kernel->timeout_ms / OVERTIME_PART;
    ds_call_init(&request->call, kernel->timeout_ms);
}

void fs_request_next(struct fs_request *request)
{
    int64_t timeout_ms = request->kernel->timeout_ms, try_ms = SHORT_TRY_MS;

    if (ds_call_now_ms() < request->call.deadline_ms) {
        request->overtime_ms = timeout_ms / OVERTIME_PART;
        ds_call_init(&request->call, timeout_ms);
        return;
    }
    if (try_ms > request->overtime_ms)
        try_ms = request->overtime_ms;
    request->overtime_ms -= try_ms;
    ds_call_init(&request->call, try_ms);
}

static void interrupted(fuse_req_t req, void *data)
{
    struct fs_request *request = data;
    int64_t now_ms = ds_call_now_ms();

    (void)req;
    request->interrupted_ms = now_ms;
    fs_timer_set(request->kernel->timer, &request->job.look, now_ms);
}

void fs_request_watch(struct fs_request *request)
{
    request->watched = true;
    fuse_req_interrupt_func(request->req, interrupted, request);
}

int fs_request_may_block(struct fs_request *request)
{
    if (request->local_only)
        return FS_REQUEUE;
    if (request->worker == NULL || request->blocking)
        return 0;
    if (!fs_loop_may_block(request->worker))
        return FS_REQUEUE;
    request->blocking = true;
    ds_call_set_cancel_fd(&request->call, request->worker->cancel_fd);
    if (!request->watched && request->req != NULL)
        fs_request_watch(request);
    return 0;
}

int fs_request_may_block_locked(struct fs_request *request)
{
    int err;

    pthread_mutex_unlock(request->kernel->lock);
    err = fs_request_may_block(request);
    pthread_mutex_lock(request->kernel->lock);
    return err;
}

int fs_request_sleep(struct fs_request *request, int64_t until_ms)
{
    int64_t ms = until_ms < request->call.deadline_ms ? until_ms : request->call.deadline_ms;
    struct timespec until = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    int err = ds_call_check(&request->call);

    if (err != 0)
        return err;
    request->sleeps = true;
    pthread_cond_timedwait(&request->worker->wake, request->kernel->lock, &until);
    request->sleeps = false;
    return 0;
}

static void clear_about(struct fs_request *request)
{
    free(request->dataset);
    free(request->key);
    request->dataset = NULL;
    request->key = NULL;
}

void fs_request_clear(struct fs_request *request)
{
    clear_about(request);
    free(request->machine);
    request->machine = NULL;
}

void fs_request_below(struct fs_request *request, const char *machine)
{
    free(request->machine);
    request->machine = strdup(machine);
}

void fs_request_about(struct fs_request *request, const char *dataset, const char *key)
{
    clear_about(request);
    /* Without memory the report names less; that must not fail the request. */
    request->dataset = dataset != NULL ? strdup(dataset) : NULL;
    request->key = key != NULL ? strdup(key) : NULL;
}
