/* A request's way through the threads, its interruption and its reply. */
#include "request.h"

#include "cleanup.h"
#include "errors.h"
#include "file/close.h"
#include "file/write.h"
#include "loop.h"
#include "memory.h"
#include "model/node.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <utlist.h>

/* A caller that only got a signal keeps waiting that long: Go programs interrupt themselves every
 * 10 ms and would never finish. */
enum { INTERRUPT_PATIENCE_MS = 1000 };
/* How often we look whether an interrupted caller is dying; the kernel interrupts only once. */
enum { INTERRUPT_LOOK_MS = 20 };
/* What a piece of work gets after one that the store has left unanswered. */
enum { SHORT_TRY_MS = 1000 };

void fs_request_clear(struct fs_request *request)
{
    free(request->dataset);
    free(request->key);
    request->dataset = NULL;
    request->key = NULL;
}

void fs_request_about(struct fs_request *request, const char *dataset, const char *key)
{
    fs_request_clear(request);
    /* Without memory the report names less; that must not fail the request. */
    request->dataset = dataset != NULL ? strdup(dataset) : NULL;
    request->key = key != NULL ? strdup(key) : NULL;
}

/* Claims the reply. False if it was given already. Afterwards nobody else touches the request. */
static bool settle(struct fs_request *request)
{
    bool ours = !atomic_exchange(&request->settled, true);

    if (request->watched) {
        if (ours)
            fuse_req_interrupt_func(request->req, NULL, NULL);
        fs_timer_cancel(request->fs->kernel.timer, &request->interrupt);
        request->watched = false;
    }
    return ours;
}

static void finish(struct fs_request *request)
{
    uint64_t count;

    settle(request); /* also when it was replied to by somebody else */
    if (request->worker != NULL && atomic_load(&request->call.cancelled) && request->blocking)
        while (read(request->worker->cancel_fd, &count, sizeof(count)) < 0 && errno == EINTR)
            continue;
    fs_request_clear(request);
    fs_memory_settle();
    if (request->heap)
        free(request);
}

/* True if the request is about a DataSet's file in .datasetfs/info. */
static bool is_about_info(const struct fs_request *request)
{
    struct fs *fs = request->fs;
    struct fs_node *node;
    bool info;

    if (request->ino == FS_INO_INFO)
        return true;
    DS_LOCK_SCOPE(&fs->lock);
    node = fs_node_find(fs, request->ino);
    if (node == NULL)
        return false;
    info = node->kind == FS_NODE_INFO;
    fs_node_unpin(fs, node);
    return info;
}

static void report(const struct fs_request *request, int error)
{
    struct fs_errors_about about = {.dataset = request->dataset, .key = request->key};

    if (request->call.text[0] == '\0' || error == -EINTR)
        return;
    about.info = about.dataset != NULL && is_about_info(request);
    fs_errors_note(request->fs->kernel.errors, fs_opcode_name(request->opcode), &about, error,
                   request->call.text);
}

static void reply_error(struct fs_request *request, int error)
{
    report(request, error);
    if (settle(request))
        fuse_reply_err(request->req, -error);
}

/* The kernel marks a fatal signal as a pending SIGKILL. */
bool fs_request_is_dying(const struct fs_request *request)
{
    char path[64], line[128];
    unsigned long long pending = 0;
    FILE *status;

    if (request->tid == 0)
        return false;
    snprintf(path, sizeof(path), "/proc/%d/status", (int)request->tid);
    status = fopen(path, "re");
    if (status == NULL)
        return true;
    while (fgets(line, sizeof(line), status) != NULL)
        if (sscanf(line, "SigPnd: %llx", &pending) == 1)
            break;
    fclose(status);
    return (pending & (1ULL << (SIGKILL - 1))) != 0;
}

static void wake(struct fs_request *request)
{
    DS_LOCK_SCOPE(&request->fs->lock);
    if (request->waits_for_key)
        pthread_cond_signal(&request->worker->wake);
}

/* Replies although the call goes on: its bytes have left, and its outcome only matters to those who
 * come later. A write is not "interrupted", which callers repeat: an append would stand twice. Nor
 * is a close, which they do not repeat. While a login lingers nothing of the write itself has left:
 * its data is gathered by then, or not taken yet. */
static void detach(struct fs_request *request)
{
    bool lingers = request->call.lingers, write = request->opcode == FS_WRITE;

    if (atomic_exchange(&request->settled, true))
        return;
    fuse_req_interrupt_func(request->req, NULL, NULL);
    if (write && lingers && request->taken) {
        request->granted = true;
        fuse_reply_write(request->req, request->size);
    } else {
        fuse_reply_err(request->req,
                       request->opcode == FS_FLUSH || (write && !lingers) ? EIO : EINTR);
    }
}

/* A queued request that has waited until the store counts as silent may be answered from memory. On
 * the timer's thread, which must not block. */
static void retry_locally(struct fs_request *request)
{
    int err;

    request->local_only = true;
    err = request->handler(request);
    request->local_only = false;
    if (err == FS_REQUEUE) {
        err = fs_loop_queue(request->fs->kernel.loop, request, request->deadline_ms);
        if (err == 0)
            return;
    }
    if (err < 0)
        reply_error(request, err);
    finish(request);
}

/* Looks after an interrupted request, or one that waits in the queue, until it ends or must. */
static void interrupt_fire(struct fs_timer_entry *entry)
{
    struct fs_request *request =
        (struct fs_request *)((char *)entry - offsetof(struct fs_request, interrupt));
    int64_t now_ms = ds_call_now_ms(), since_ms = request->interrupted_ms;
    bool late = now_ms >= request->deadline_ms;

    if (late && fs_loop_unqueue(request->fs->kernel.loop, request)) {
        fs_request_drop(request, -ETIMEDOUT);
        return;
    }
    if (since_ms == 0) {
        if (fs_loop_unqueue(request->fs->kernel.loop, request))
            retry_locally(request);
        return;
    }
    if (now_ms - since_ms >= INTERRUPT_PATIENCE_MS || fs_request_is_dying(request)) {
        if (fs_loop_unqueue(request->fs->kernel.loop, request)) {
            fs_request_drop(request, -EINTR);
            return;
        }
        ds_call_cancel(&request->call);
        wake(request);
        /* A change, or the login that a read needs first, is finished without the caller. */
        if ((request->change || request->call.lingers) &&
            ds_call_sent(&request->call) == DS_SENT_MAYBE) {
            detach(request);
            return;
        }
    }
    fs_timer_set(request->fs->kernel.timer, entry, now_ms + INTERRUPT_LOOK_MS);
}

static void interrupted(fuse_req_t req, void *data)
{
    struct fs_request *request = data;
    int64_t now_ms = ds_call_now_ms();

    (void)req;
    request->interrupted_ms = now_ms;
    fs_timer_set(request->fs->kernel.timer, &request->interrupt, now_ms);
}

static void watch(struct fs_request *request)
{
    request->watched = true;
    fuse_req_interrupt_func(request->req, interrupted, request);
}

void fs_request_init(struct fs_request *request, struct fs *fs, fuse_req_t req,
                     enum fs_opcode opcode, fuse_ino_t ino)
{
    const struct fuse_ctx *context = fuse_req_ctx(req);

    memset(request, 0, sizeof(*request));
    request->fs = fs;
    request->req = req;
    request->opcode = opcode;
    request->tid = context->pid;
    request->uid = context->uid;
    request->ino = ino;
    request->worker = fs_loop_worker();
    ds_call_init(&request->call, fs->options->timeout_ms);
    request->deadline_ms = request->call.deadline_ms;
    request->interrupt.fire = interrupt_fire;
    atomic_fetch_add_explicit(&fs->kernel.requests[opcode], 1, memory_order_relaxed);
}

void fs_request_init_internal(struct fs_request *request, struct fs *fs)
{
    memset(request, 0, sizeof(*request));
    request->fs = fs;
    request->settled = true;
    request->overtime_ms = fs->options->timeout_ms;
    ds_call_init(&request->call, fs->options->timeout_ms);
}

void fs_request_next(struct fs_request *request)
{
    int64_t timeout_ms = request->fs->options->timeout_ms, try_ms = SHORT_TRY_MS;

    if (ds_call_now_ms() < request->call.deadline_ms) {
        request->overtime_ms = timeout_ms;
        ds_call_init(&request->call, timeout_ms);
        return;
    }
    if (try_ms > request->overtime_ms)
        try_ms = request->overtime_ms;
    request->overtime_ms -= try_ms;
    ds_call_init(&request->call, try_ms);
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

/* The handler will not run to its end: what it was to do beside its reply. */
static void abandon(struct fs_request *request)
{
    if (request->opcode == FS_WRITE)
        fs_write_dropped(request);
    else if (request->opcode == FS_RELEASE)
        fs_close_dropped(request);
}

/* When a queued request is looked at first; 0: never, since nobody waits for a RELEASE. */
static int64_t first_look_ms(const struct fs_request *request)
{
    int64_t silent_ms = ds_call_now_ms() + FS_SILENT_MS + INTERRUPT_LOOK_MS;
    bool asks = request->opcode == FS_LOOKUP || request->opcode == FS_GETATTR ||
                request->opcode == FS_READDIR || request->opcode == FS_READDIRPLUS;

    if (request->opcode == FS_RELEASE)
        return 0;
    return asks && silent_ms < request->deadline_ms ? silent_ms : request->deadline_ms;
}

static void requeue(struct fs_request *request)
{
    struct fs_request *new = copy(request);
    int err;

    if (new == NULL) {
        abandon(request);
        reply_error(request, -ENOMEM);
        fs_request_clear(request);
        return;
    }
    watch(new);
    err = fs_loop_queue(new->fs->kernel.loop, new, first_look_ms(new));
    if (err != 0)
        fs_request_drop(new, err);
}

static void run(struct fs_request *request)
{
    int err = request->handler(request);

    if (err == FS_REQUEUE) {
        requeue(request);
        return;
    }
    if (err < 0)
        reply_error(request, err);
    finish(request);
}

void fs_request_start(struct fs_request *request, fs_handler *handler)
{
    request->handler = handler;
    run(request);
}

void fs_request_resume(struct fs_request *request)
{
    request->worker = fs_loop_worker();
    run(request);
}

void fs_request_drop(struct fs_request *request, int error)
{
    abandon(request);
    if (!atomic_exchange(&request->settled, true)) {
        fuse_req_interrupt_func(request->req, NULL, NULL);
        fuse_reply_err(request->req, -error);
    }
    fs_timer_cancel(request->fs->kernel.timer, &request->interrupt);
    fs_request_clear(request);
    free(request);
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
        watch(request);
    return 0;
}

/* -ETIMEDOUT if the store is lost. */
static int refuse_lost(struct fs_request *request)
{
    bool refuses;

    pthread_mutex_lock(&request->fs->lock);
    refuses = fs_lost_refuses(request);
    pthread_mutex_unlock(&request->fs->lock);
    return refuses ? ds_call_fail(&request->call, -ETIMEDOUT,
                                  "the store does not answer; it is asked once a second")
                   : 0;
}

int fs_store_begin(struct fs_request *request, bool change)
{
    int err;

    ds_call_set_sent(&request->call, DS_SENT_NO);
    err = refuse_lost(request);
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
    fs_lost_enter(request);
    DL_APPEND2(request->fs->waiting, request, wait_prev, wait_next);
    return 0;
}

void fs_request_cancel_reads(struct fs *fs)
{
    struct fs_request *request;

    DS_LOCK_SCOPE(&fs->lock);
    DL_FOREACH2(fs->waiting, request, wait_next)
    {
        if (!request->change)
            ds_call_cancel(&request->call);
    }
}

void fs_store_end(struct fs_request *request)
{
    struct fs *fs = request->fs;
    int64_t now_ms = ds_call_now_ms();
    bool answered = ds_call_sent(&request->call) == DS_SENT_ANSWERED;

    request->change = false;
    DS_LOCK_SCOPE(&fs->lock);
    fs_lost_leave(request);
    DL_DELETE2(fs->waiting, request, wait_prev, wait_next);
    if (answered)
        fs->silent_until_ms = 0;
    else if (now_ms - request->wait_start_ms >= FS_SILENT_MS)
        fs->silent_until_ms = now_ms + FS_SILENCE_TRUST_MS;
}

int fs_reply_ok(struct fs_request *request)
{
    return settle(request) ? fuse_reply_err(request->req, 0) : -ENOENT;
}

int fs_reply_entry(struct fs_request *request, const struct fuse_entry_param *entry)
{
    return settle(request) ? fuse_reply_entry(request->req, entry) : -ENOENT;
}

int fs_reply_create(struct fs_request *request, const struct fuse_entry_param *entry)
{
    return settle(request) ? fuse_reply_create(request->req, entry, &request->fi) : -ENOENT;
}

int fs_reply_attr(struct fs_request *request, const struct stat *attr, double timeout_s)
{
    return settle(request) ? fuse_reply_attr(request->req, attr, timeout_s) : -ENOENT;
}

int fs_reply_open(struct fs_request *request)
{
    return settle(request) ? fuse_reply_open(request->req, &request->fi) : -ENOENT;
}

int fs_reply_write(struct fs_request *request, size_t count)
{
    return settle(request) ? fuse_reply_write(request->req, count) : -ENOENT;
}

int fs_reply_buf(struct fs_request *request, const char *data, size_t len)
{
    return settle(request) ? fuse_reply_buf(request->req, data, len) : -ENOENT;
}

int fs_reply_xattr(struct fs_request *request, size_t count)
{
    return settle(request) ? fuse_reply_xattr(request->req, count) : -ENOENT;
}

int fs_reply_statfs(struct fs_request *request, const struct statvfs *statfs)
{
    return settle(request) ? fuse_reply_statfs(request->req, statfs) : -ENOENT;
}
