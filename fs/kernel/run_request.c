/* A request's life: it is run, queued where it would block, and looked after until it ends. */
#include "run_request.h"

#include "interrupt.h"
#include "memory.h"
#include "reply.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How often we look whether an interrupted caller is dying; the kernel interrupts only once. */
enum { LOOK_MS = 20 };

static struct fs_request *request_of(struct fs_job *job)
{
    return (struct fs_request *)((char *)job - offsetof(struct fs_request, job));
}

static void finish(struct fs_request *request)
{
    uint64_t count;

    fs_reply_claim(request); /* also when it was replied to by somebody else */
    if (request->worker != NULL && atomic_load(&request->call.cancelled) && request->blocking)
        while (read(request->worker->cancel_fd, &count, sizeof(count)) < 0 && errno == EINTR)
            continue;
    fs_request_clear(request);
    fs_memory_settle();
    if (request->heap)
        free(request);
}

/* The handler will not run to its end: what it was to do beside its reply. */
static void abandon(struct fs_request *request)
{
    if (request->dropped != NULL)
        request->dropped(request);
}

static void drop(struct fs_job *job, int error)
{
    struct fs_request *request = request_of(job);

    abandon(request);
    fs_reply_error(request, error);
    fs_request_clear(request);
    free(request);
}

/* A copy that owns its strings and data, which stand behind it in one block. */
static struct fs_request *copy(const struct fs_request *request)
{
    size_t name_size = request->name != NULL ? strlen(request->name) + 1 : 0;
    size_t new_name_size = request->new_name != NULL ? strlen(request->new_name) + 1 : 0;
    size_t data_size = request->data != NULL ? request->size : 0;
    struct fs_request *new = malloc(sizeof(*new) + name_size + new_name_size + data_size);
    char *end = (char *)(new + 1);

    if (new == NULL)
        return NULL;
    memcpy(new, request, sizeof(*new));
    new->heap = true;
    new->worker = NULL;
    if (request->name != NULL)
        new->name = memcpy(end, request->name, name_size);
    if (request->new_name != NULL)
        new->new_name = memcpy(end + name_size, request->new_name, new_name_size);
    if (request->data != NULL)
        new->data = memcpy(end + name_size + new_name_size, request->data, data_size);
    return new;
}

/* When a queued request is looked at first; 0: never, since nobody waits for a RELEASE. */
static int64_t first_look_ms(const struct fs_request *request)
{
    int64_t silent_ms = ds_call_now_ms() + FS_SILENT_MS + LOOK_MS;
    bool asks = request->opcode == FS_LOOKUP || request->opcode == FS_GETATTR ||
                request->opcode == FS_READDIR || request->opcode == FS_READDIRPLUS;

    if (request->opcode == FS_RELEASE)
        return 0;
    return asks && silent_ms < request->deadline_ms ? silent_ms : request->deadline_ms;
}

static void queue(struct fs_request *request)
{
    struct fs_request *new = copy(request);
    int err;

    if (new == NULL) {
        abandon(request);
        fs_reply_failure(request, -ENOMEM);
        fs_request_clear(request);
        return;
    }
    fs_request_watch(new);
    err = fs_loop_queue(new->kernel->loop, &new->job, first_look_ms(new));
    if (err != 0)
        drop(&new->job, err);
}

static void run(struct fs_request *request)
{
    int err = request->handler(request);

    if (err == FS_REQUEUE) {
        queue(request);
        return;
    }
    if (err < 0)
        fs_reply_failure(request, err);
    finish(request);
}

static void resume(struct fs_job *job)
{
    struct fs_request *request = request_of(job);

    request->worker = fs_loop_worker();
    run(request);
}

/* A queued request that has waited until the store counts as silent may be answered from memory. On
 * the timer's thread, which must not block. */
static void run_locally(struct fs_request *request)
{
    int err;

    request->local_only = true;
    err = request->handler(request);
    request->local_only = false;
    if (err == FS_REQUEUE) {
        err = fs_loop_queue(request->kernel->loop, &request->job, request->deadline_ms);
        if (err == 0)
            return;
    }
    if (err < 0)
        fs_reply_failure(request, err);
    finish(request);
}

/* Looks after an interrupted request, or one that waits in the queue, until it ends or must. */
static void look(struct fs_timer_entry *entry)
{
    struct fs_job *job = (struct fs_job *)((char *)entry - offsetof(struct fs_job, look));
    struct fs_request *request = request_of(job);
    struct fs_kernel *kernel = request->kernel;
    int64_t now_ms = ds_call_now_ms();
    bool interrupted = request->interrupted_ms != 0;

    if (now_ms >= request->deadline_ms && fs_loop_unqueue(kernel->loop, job)) {
        drop(job, -ETIMEDOUT);
        return;
    }
    if (!interrupted) {
        if (fs_loop_unqueue(kernel->loop, job))
            run_locally(request);
        return;
    }
    if (fs_interrupt_is_due(request)) {
        if (fs_loop_unqueue(kernel->loop, job)) {
            drop(job, -EINTR);
            return;
        }
        if (fs_interrupt_end(request))
            return;
    }
    fs_timer_set(kernel->timer, entry, now_ms + LOOK_MS);
}

void fs_run_start(struct fs_request *request, fs_handler *handler)
{
    request->handler = handler;
    request->job = (struct fs_job){.run = resume, .drop = drop, .look = {.fire = look}};
    run(request);
}

int fs_run_internal(struct fs_kernel *kernel, fs_handler *handler, fs_dropped *dropped,
                    fuse_ino_t ino, void *task)
{
    struct fs_request *request = calloc(1, sizeof(*request));
    int err;

    if (request == NULL)
        return -ENOMEM;
    fs_request_init_internal(request, kernel);
    request->heap = true;
    request->handler = handler;
    request->job = (struct fs_job){.run = resume, .drop = drop};
    request->dropped = dropped;
    request->ino = ino;
    request->task = task;
    err = fs_loop_queue(kernel->loop, &request->job, 0);
    if (err != 0)
        free(request);
    return err;
}
