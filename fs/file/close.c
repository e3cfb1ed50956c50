/* The end of open files. */
#include "close.h"

#include "cleanup.h"
#include "handle.h"
#include "kernel/error_log.h"
#include "kernel/forget.h"
#include "kernel/reply.h"
#include "model/datasets.h"
#include "model/due_work.h"
#include "model/machines.h"
#include "store/key_lock.h"
#include "working.h"
#include "write.h"

#include <errno.h>
#include <utlist.h>

/* The late failure. A close leaves it to be told again: it may be that of a child, which did not
 * write and does not look. With fs->lock. */
static int late_error(struct fs_handle *handle, enum fs_commit_event event)
{
    return event == FS_COMMIT_ON_FLUSH ? handle->sticky : fs_handle_take_error(handle);
}

/* What flush and fsync have in common: the late failure first, also that of a commit under way,
 * then what the event makes due. */
static int commit_handle(struct fs_request *request, struct fs_handle *handle,
                         enum fs_commit_event event)
{
    struct fs *fs = request->fs;
    struct fs_node *node = handle->node;
    bool due;
    int err, held;

    pthread_mutex_lock(&fs->lock);
    due = handle->writes &&
          (fs_working_due(node, event) || (node->attached && fs_held_any(&handle->held)));
    err = due ? 0 : late_error(handle, event);
    pthread_mutex_unlock(&fs->lock);
    if (!due)
        return err;
    err = fs_request_may_block(request);
    if (err != 0)
        return err;
    DS_LOCK_SCOPE(&fs->lock);
    err = fs_key_lock(request, node);
    if (err != 0)
        return err;
    err = late_error(handle, event);
    held = err == 0 ? fs_write_settle(request, handle) : 0;
    if (err == 0)
        err = fs_working_commit(request, node, event);
    fs_key_unlock(node);
    return err == 0 ? held : err;
}

int fs_close_flush(struct fs_request *request, struct fs_handle *handle)
{
    int err = commit_handle(request, handle, FS_COMMIT_ON_FLUSH);

    if (err == -EINTR)
        err = -EIO; /* nobody repeats a close(2), and many take its EINTR for a success */
    if (err == 0)
        fs_reply_ok(request);
    return err;
}

int fs_close_fsync(struct fs_request *request, struct fs_handle *handle)
{
    int err = commit_handle(request, handle, FS_COMMIT_ON_FSYNC);

    if (err == 0)
        fs_reply_ok(request);
    return err;
}

/* With fs->lock: true if another handle waits for the creation or truncation to be committed. */
static bool others_wait(const struct fs_handle *handle)
{
    const struct fs_handle *other;

    DL_FOREACH (handle->node->busy->open.handles, other) {
        if (other != handle && (other->unsent || fs_held_any(&other->held)))
            return true;
    }
    return false;
}

/* With fs->lock: the handle's data is lost, and nobody is there to be told. */
static void report(const struct fs_node *node, int err, const char *text)
{
    struct fs_error_log_about about = fs_machines_about(node);

    fs_error_log_note(node->dataset->vm->fs->kernel.errors, "release", &about, err, text);
}

/* What the handle holds back will never be text. What was created or truncated for it stays as it
 * was before. With the key lock and fs->lock. */
static void drop_held(struct fs *fs, struct fs_handle *handle)
{
    struct fs_node *node = handle->node;

    fs_held_clear(&handle->held);
    fs_working_show_left(fs, node);
    if (node->attached && node->busy->working.commit.pending != FS_PENDING_NONE &&
        !node->busy->working.commit.dirty && !others_wait(handle))
        fs_working_give_up(fs, node);
    fs_forget_soon(&fs->kernel, &node->busy->stale);
}

/* The last writer is gone. What was made in memory for a creation or truncation that was refused is
 * nobody's any more. With the key lock, or nobody that has it, and fs->lock. */
static void end_writing(struct fs *fs, struct fs_node *node)
{
    if (node->busy->working.commit.refused && !node->busy->working.commit.dirty)
        fs_working_give_up(fs, node);
    fs_commit_closed(&node->busy->working.commit);
}

/* Commits what waited for the end of the handle. Nobody is told of a failure here: it is reported
 * in .datasetfs/errors. With the key lock and fs->lock. */
static void commit_at_release(struct fs_request *request, struct fs_handle *handle)
{
    struct fs *fs = request->fs;
    struct fs_node *node = handle->node;
    int held = fs_write_settle(request, handle);
    int err;

    if (fs_held_any(&handle->held))
        drop_held(fs, handle);
    err = fs_working_commit(request, node, FS_COMMIT_ON_RELEASE);
    if (err == -EINTR)
        return; /* the mount ends, and commits what waits */
    if (fs_handle_is_last_writer(handle)) {
        if (err != 0)
            fs_working_lose(request, node, err);
        end_writing(fs, node);
    }
    err = err != 0 ? err : held;
    if (err != 0 && node->attached)
        report(node, err, request->call.text);
    request->call.text[0] = '\0';
}

/* With fs->lock. Of what is not its own, only the last one takes care: RELEASE comes late, and the
 * next `> k` may wait for its data already. */
static bool has_work(const struct fs_handle *handle)
{
    const struct fs_node *node = handle->node;

    return fs_held_any(&handle->held) ||
           ((handle->unsent || fs_handle_is_last_writer(handle)) &&
            (fs_working_due(node, FS_COMMIT_ON_RELEASE) || node->busy->working.commit.refused));
}

/* What the handle leaves behind uncommitted is committed without it. With fs->lock. */
static void commit_soon(struct fs *fs, struct fs_handle *handle)
{
    struct fs_node *node = handle->node;

    if (!has_work(handle) || !fs_working_waits(node))
        return;
    fs_commit_gather(&node->busy->working.commit, ds_call_now_ms());
    fs_due_set(fs, node, fs_commit_idle_ms(&node->busy->working.commit), fs_working_idle);
}

/* With fs->lock. */
static void end_handle(struct fs *fs, struct fs_handle *handle)
{
    struct fs_node *node = handle->node;

    if (fs_held_any(&handle->held)) { /* the RELEASE got no turn */
        if (!node->busy->key_lock.locked)
            drop_held(fs, handle);
        if (node->attached)
            report(node, -EILSEQ, "");
    }
    if (handle->writes && !node->busy->key_lock.locked && fs_handle_is_last_writer(handle))
        end_writing(fs, node);
    fs_handle_free(fs, handle);
}

int fs_close_release(struct fs_request *request, struct fs_handle *handle)
{
    struct fs *fs = request->fs;
    struct fs_node *node = handle->node;
    bool work;
    int err;

    ds_call_init(&request->call,
                 fs->options->store.timeout_ms); /* nobody waits: it may be queued long */
    pthread_mutex_lock(&fs->lock);
    work = (handle->writes && handle->uses > 0) || has_work(handle);
    pthread_mutex_unlock(&fs->lock);
    if (work) {
        err = fs_request_may_block(request);
        if (err != 0)
            return err;
    }

    pthread_mutex_lock(&fs->lock);
    if (work) {
        err = fs_key_lock(request, node);
        if (err == 0) {
            if (has_work(handle))
                commit_at_release(request, handle);
            fs_key_unlock(node);
        } else {
            commit_soon(fs, handle);
        }
    }
    end_handle(fs, handle);
    pthread_mutex_unlock(&fs->lock);
    fs_reply_ok(request);
    return 0;
}

void fs_close_dropped(struct fs_request *request)
{
    struct fs *fs = request->fs;
    struct fs_handle *handle = fs_handle_of(request);

    DS_LOCK_SCOPE(&fs->lock);
    commit_soon(fs, handle);
    end_handle(fs, handle);
}

void fs_close_abandon(struct fs *fs, struct fs_handle *handle)
{
    struct fs_node *node = handle->node;

    DS_LOCK_SCOPE(&fs->lock);
    /* Its caller is dead: unless others write, nobody has built on what it created or truncated. */
    if (handle->writes && fs_handle_is_last_writer(handle) && node->busy->working.image != NULL &&
        !node->busy->working.commit.dirty && node->attached && !node->busy->key_lock.locked) {
        fs_working_give_up(fs, node);
        fs_commit_closed(&node->busy->working.commit);
    }
    fs_handle_free(fs, handle);
}
