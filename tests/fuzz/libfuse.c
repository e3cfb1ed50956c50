/* In place of libfuse, of the daemon's threads and of its timer. */
#include "libfuse.h"

#include "call.h"
#include "fs/kernel/loop.h"
#include "fs/kernel/timer.h"
#include "fuzz.h"

#include <errno.h>

enum { TIMERS_MAX = 64, GIVEN_MAX = 4096 };

static struct fs_kernel *kernel;
static fuse_ino_t given[GIVEN_MAX];
static size_t given_count;
static struct fs_timer_entry *timers[TIMERS_MAX];
static size_t timer_count;
static struct fs_job *jobs;

void libfuse_begin(struct fs_kernel *of)
{
    kernel = of;
    given_count = timer_count = 0;
    jobs = NULL;
}

bool libfuse_take_given(fuse_ino_t *ino)
{
    if (!given_count)
        return false;
    *ino = given[--given_count];
    return true;
}

void libfuse_drop_jobs(void)
{
    while (jobs) {
        struct fs_job *job = jobs;
        jobs = job->next;
        job->drop(job, -EIO);
    }
}

/* libfuse's side of the daemon. */

const struct fuse_ctx *fuse_req_ctx(fuse_req_t req)
{
    return &req->context;
}

void *fuse_req_userdata(fuse_req_t req)
{
    (void)req;
    return kernel;
}

void fuse_req_interrupt_func(fuse_req_t req, fuse_interrupt_func_t func, void *data)
{
    (void)req, (void)func, (void)data;
}

static int answer(fuse_req_t req, int error)
{
    require(!req->answered && error <= 0);
    req->answered = true;
    req->error = error;
    return 0;
}

int fuse_reply_err(fuse_req_t req, int err)
{
    return answer(req, -err);
}

void fuse_reply_none(fuse_req_t req)
{
    answer(req, 0);
}

static void note_lookup(const struct fuse_entry_param *entry)
{
    require(entry->ino && given_count < GIVEN_MAX);
    given[given_count++] = entry->ino;
}

int fuse_reply_entry(fuse_req_t req, const struct fuse_entry_param *entry)
{
    if (!entry->ino) /* it is not there, and that may be kept for a while */
        return answer(req, -ENOENT);
    note_lookup(entry);
    req->entry = *entry;
    return answer(req, 0);
}

int fuse_reply_create(fuse_req_t req, const struct fuse_entry_param *entry,
                      const struct fuse_file_info *fi)
{
    note_lookup(entry);
    req->entry = *entry;
    req->fi = *fi;
    return answer(req, 0);
}

int fuse_reply_attr(fuse_req_t req, const struct stat *attr, double attr_timeout)
{
    (void)attr_timeout;
    req->attr = *attr;
    return answer(req, 0);
}

int fuse_reply_open(fuse_req_t req, const struct fuse_file_info *fi)
{
    req->fi = *fi;
    return answer(req, 0);
}

int fuse_reply_write(fuse_req_t req, size_t count)
{
    req->count = count;
    return answer(req, 0);
}

int fuse_reply_buf(fuse_req_t req, const char *buf, size_t size)
{
    require(!ds_buf_append(&req->data, buf, size));
    return answer(req, 0);
}

int fuse_reply_xattr(fuse_req_t req, size_t count)
{
    req->count = count;
    return answer(req, 0);
}

int fuse_reply_statfs(fuse_req_t req, const struct statvfs *stbuf)
{
    (void)stbuf;
    return answer(req, 0);
}

int fuse_lowlevel_notify_inval_inode(struct fuse_session *se, fuse_ino_t ino, off_t off, off_t len)
{
    (void)se, (void)ino, (void)off, (void)len;
    return 0;
}

/* The daemon's threads and its timer. */

struct fs_worker *fs_loop_worker(void)
{
    return NULL;
}

bool fs_loop_may_block(struct fs_worker *worker)
{
    (void)worker;
    return true;
}

int fs_loop_queue(struct fs_loop *loop, struct fs_job *job, int64_t look_ms)
{
    (void)loop, (void)look_ms;
    job->next = NULL;
    struct fs_job **end = &jobs;
    while (*end)
        end = &(*end)->next;
    *end = job;
    return 0;
}

bool fs_loop_unqueue(struct fs_loop *loop, struct fs_job *job)
{
    (void)loop, (void)job;
    return false;
}

void fs_timer_cancel(struct fs_timer *timer, struct fs_timer_entry *entry)
{
    size_t kept = 0;
    (void)timer;
    for (size_t i = 0; i < timer_count; i++)
        if (timers[i] != entry)
            timers[kept++] = timers[i];
    timer_count = kept;
    entry->armed = false;
}

void fs_timer_set(struct fs_timer *timer, struct fs_timer_entry *entry, int64_t due_ms)
{
    fs_timer_cancel(timer, entry);
    require(timer_count < TIMERS_MAX);
    entry->due_ms = due_ms;
    entry->armed = true;
    timers[timer_count++] = entry;
}

static struct fs_timer_entry *take_due_timer(void)
{
    for (size_t i = 0; i < timer_count; i++)
        if (timers[i]->due_ms <= ds_call_now_ms()) {
            struct fs_timer_entry *entry = timers[i];
            fs_timer_cancel(NULL, entry);
            return entry;
        }
    return NULL;
}

void libfuse_run_due(void)
{
    enum { ROUNDS = 16 };
    struct fs_timer_entry *entry;
    for (int round = 0; round < ROUNDS; round++) {
        entry = take_due_timer();
        if (entry)
            entry->fire(entry);
        while (jobs) {
            struct fs_job *job = jobs;
            jobs = job->next;
            job->run(job);
        }
    }
}
