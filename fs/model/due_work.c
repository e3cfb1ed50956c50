/* Nodes with work of their own: one timer entry watches them all. */
#include "due_work.h"

#include "call.h"
#include "cleanup.h"
#include "kernel/run_request.h"

#include <stddef.h>
#include <stdlib.h>
#include <utlist.h>

/* Where the loop takes nothing now, it is asked again so much later. */
enum { RETRY_MS = 50 };

static void watch_until(struct fs *fs, int64_t at_ms)
{
    if (fs->due.watched_ms != 0 && fs->due.watched_ms <= at_ms)
        return;
    fs->due.watched_ms = at_ms;
    fs_timer_set(fs->kernel.timer, &fs->due.timer, at_ms);
}

void fs_due_clear(struct fs *fs, struct fs_node *node)
{
    if (node->busy->due.at_ms == 0)
        return;
    DL_DELETE2(fs->due.nodes, node, busy->due.prev, busy->due.next);
    node->busy->due.at_ms = 0;
}

void fs_due_set(struct fs *fs, struct fs_node *node, int64_t at_ms, fs_due_work *work)
{
    fs_due_clear(fs, node);
    if (at_ms == 0 || fs->due.stopped)
        return;
    node->busy->due.at_ms = at_ms;
    node->busy->due.work = work;
    DL_APPEND2(fs->due.nodes, node, busy->due.prev, busy->due.next);
    watch_until(fs, at_ms);
}

/* On a worker. */
static int run_due(struct fs_request *request)
{
    struct fs *fs = request->fs;
    struct fs_node *node;
    int err;

    ds_call_init(&request->call,
                 fs->options->store.timeout_ms); /* the time in the queue is not its own */
    err = fs_request_may_block(request);
    if (err != 0)
        return err;
    DS_LOCK_SCOPE(&fs->lock);
    node = fs_node_find(fs, request->ino);
    if (node == NULL)
        return 0;
    if (node->busy->due.work != NULL) /* else all was done meanwhile */
        node->busy->due.work(request, node);
    fs_node_unpin(fs, node);
    return 0;
}

/* With fs->lock, on the timer's thread. */
static void start(struct fs *fs, struct fs_node *node)
{
    if (fs_run_internal(&fs->kernel, run_due, NULL, node->ino, NULL) == 0)
        fs_due_clear(fs, node);
    else
        fs_due_set(fs, node, ds_call_now_ms() + RETRY_MS, node->busy->due.work);
}

static void fire(struct fs_timer_entry *entry)
{
    struct fs *fs = (struct fs *)((char *)entry - offsetof(struct fs, due.timer));
    int64_t now_ms = ds_call_now_ms(), next_ms = 0;
    struct fs_node *node, *next;

    DS_LOCK_SCOPE(&fs->lock);
    fs->due.watched_ms = 0;
    DL_FOREACH_SAFE2(fs->due.nodes, node, next, busy->due.next)
    {
        if (node->busy->due.at_ms <= now_ms)
            start(fs, node);
        else if (next_ms == 0 || node->busy->due.at_ms < next_ms)
            next_ms = node->busy->due.at_ms;
    }
    if (next_ms != 0)
        watch_until(fs, next_ms);
}

void fs_due_init(struct fs *fs)
{
    fs->due.timer.fire = fire;
}

void fs_due_stop(struct fs *fs)
{
    pthread_mutex_lock(&fs->lock);
    fs->due.stopped = true;
    while (fs->due.nodes != NULL)
        fs_due_clear(fs, fs->due.nodes);
    pthread_mutex_unlock(&fs->lock);
    fs_timer_cancel(fs->kernel.timer, &fs->due.timer);
}
