/* The working value of an inode: what waits, and how it gets to the store. */
#include "working.h"

#include "cleanup.h"
#include "handle.h"
#include "kernel/error_log.h"
#include "kernel/forget.h"
#include "model/datasets.h"
#include "model/due_work.h"
#include "model/machines.h"
#include "model/value.h"
#include "scratch/scratch.h"
#include "store/key_lock.h"
#include "store/send.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int fs_working_new_image(struct fs_node *node)
{
    node->busy->working.image = calloc(1, sizeof(*node->busy->working.image));
    return node->busy->working.image != NULL ? 0 : -ENOMEM;
}

void fs_working_put_back_take(struct fs_node *node, struct fs_image *image)
{
    fs_working_drop_image(node);
    node->busy->working.image = image;
}

void fs_working_show_before(struct fs_node *node, struct fs_image *before)
{
    node->busy->working.before = before;
}

int fs_working_append(struct fs_node *node, const char *data, size_t len)
{
    return ds_buf_append(&node->busy->working.tail, data, len);
}

void fs_working_hide_end(struct fs_node *node, size_t len)
{
    node->busy->working.tail_fresh = len;
}

void fs_working_cut_end(struct fs_node *node)
{
    node->busy->working.tail.len -= node->busy->working.tail_fresh;
    node->busy->working.tail_fresh = 0;
}

void fs_working_drop_image(struct fs_node *node)
{
    if (node->busy->working.image == NULL)
        return;
    fs_image_clear(node->busy->working.image);
    free(node->busy->working.image);
    node->busy->working.image = NULL;
}

void fs_working_show_left(struct fs *fs, struct fs_node *node)
{
    if (node->busy->working.commit.dirty || node->busy->working.image != NULL ||
        node->busy->working.tail.len > 0 || fs_handle_any_held(node))
        fs_value_touch(fs, node);
    else
        fs_value_show_stored(node);
}

void fs_working_drop_tail(struct fs_node *node)
{
    ds_buf_free(&node->busy->working.tail);
    node->busy->working.tail_fresh = 0;
}

/* The data or the commit was refused: the working value is the store's again. */
void fs_working_give_up(struct fs *fs, struct fs_node *node)
{
    fs_commit_give_up(&node->busy->working.commit);
    fs_due_clear(fs, node);
    fs_working_drop_tail(node);
    fs_working_drop_image(node);
    fs_working_show_left(fs, node);
}

int fs_working_pend(struct fs *fs, struct fs_node *node, enum fs_pending pending)
{
    if (node->busy->working.image == NULL && fs_working_new_image(node) != 0)
        return -ENOMEM;
    fs_image_clear(node->busy->working.image);
    fs_working_drop_tail(node);
    fs_send_forget(node);
    fs_handle_drop_held(node);
    if (node->busy->working.commit.pending == FS_PENDING_NONE || node->busy->working.commit.refused)
        fs_handle_committed(node); /* what waits now is none of theirs */
    fs_commit_pend(&node->busy->working.commit, pending);
    fs_value_diverge(fs, node);
    return 0;
}

bool fs_working_is_empty(const struct fs_node *node)
{
    const struct fs_working *working = &node->busy->working;

    return working->image == NULL && working->tail.len == 0 && fs_commit_is_over(&working->commit);
}

bool fs_working_waits(const struct fs_node *node)
{
    return node->attached &&
           (fs_commit_waits(&node->busy->working.commit) || node->busy->working.tail.len > 0);
}

size_t fs_working_size(const struct fs_node *node)
{
    const struct fs_image *image =
        node->busy->working.before != NULL ? node->busy->working.before : node->busy->working.image;

    if (fs_value_was_had(node))
        return node->busy->stored.had->len;
    return fs_handle_held_size(node, (image != NULL ? image->bytes.len : node->seen.size_bytes) +
                                         node->busy->working.tail.len -
                                         node->busy->working.tail_fresh);
}

void fs_working_lose_key(struct fs_node *node, bool moves)
{
    struct fs_working *working = &node->busy->working;

    if (!fs_node_is_busy(node))
        return;
    fs_send_forget(node);
    if (!moves)
        memset(&working->commit, 0, sizeof(working->commit));
}

/* After these nothing more may come: what was sent in pieces is seen to. */
static bool may_be_last(enum fs_commit_event event)
{
    return event != FS_COMMIT_ON_WRITE && event != FS_COMMIT_ON_IDLE && event != FS_COMMIT_ON_OPEN;
}

bool fs_working_due(const struct fs_node *node, enum fs_commit_event event)
{
    return node->attached &&
           (node->busy->working.tail.len > 0 || fs_commit_due(&node->busy->working.commit, event) ||
            (node->busy->sent.grown && may_be_last(event)));
}

/* The handle whose user is told by the failure of this request, or NULL. A close tells too, but
 * perhaps not the one who wrote: each child that ends closes what it has inherited. */
static struct fs_handle *acting_handle(const struct fs_request *request)
{
    bool tells =
        request->opcode == FS_WRITE || request->opcode == FS_FSYNC || request->opcode == FS_SETATTR;

    return tells && !atomic_load(&request->settled) ? fs_handle_of(request) : NULL;
}

int fs_working_not_text(struct fs_request *request, const struct fs_node *node)
{
    fs_request_about(request, node->dataset->name, node->key);
    return ds_call_fail(&request->call, -EILSEQ, "a value is UTF-8 text without NUL bytes");
}

/* True if what is no text may still become some. */
static bool may_complete_later(enum fs_commit_event event)
{
    return event == FS_COMMIT_ON_WRITE || event == FS_COMMIT_ON_IDLE;
}

void fs_working_lose(struct fs_request *request, struct fs_node *node, int err)
{
    bool gathered = node->busy->working.commit.gathered;

    fs_working_give_up(request->fs, node);
    fs_handle_lost(node, err, acting_handle(request));
    if (gathered)
        fs_forget_soon(request->kernel, &node->busy->stale);
}

bool fs_working_in_doubt(const struct fs_request *request, int err)
{
    enum ds_sent sent = ds_call_sent(&request->call);

    return sent == DS_SENT_MAYBE ||
           (sent != DS_SENT_NO && (err == -EIO || err == -EPROTO || err == -ENOMEM));
}

/* A creation or truncation alone was refused: it is tried again, but until then it is nothing that
 * a reader should see instead of what the store keeps. */
static void hide_refused(struct fs_request *request, struct fs_node *node)
{
    if (node->busy->working.commit.dirty || node->busy->working.commit.pending == FS_PENDING_NONE)
        return;
    fs_working_drop_image(node);
    fs_working_show_left(request->fs, node);
}

/* It is tried again. */
static int show_refused(struct fs_request *request, struct fs_node *node)
{
    if (node->busy->working.image != NULL || !node->busy->working.commit.stuck ||
        node->busy->working.commit.pending == FS_PENDING_NONE)
        return 0;
    if (fs_working_new_image(node) != 0)
        return -ENOMEM;
    fs_value_diverge(request->fs, node);
    return 0;
}

/* A commit has failed: all waits on as it was, but an append in doubt, which is lost. -EINTR from
 * here means that nothing was sent. */
static int commit_failed(struct fs_request *request, struct fs_node *node,
                         enum fs_commit_event event, int err)
{
    struct fs *fs = request->fs;
    bool append = node->busy->working.tail.len > 0, doubt = fs_working_in_doubt(request, err);

    if (err == -EINTR && ds_call_sent(&request->call) != DS_SENT_MAYBE) {
        if (node->busy->working.commit.dirty)
            fs_working_gather(fs, node);
        return err;
    }
    err = err == -EINTR ? -EIO : err;
    if ((append && doubt) || event == FS_COMMIT_ON_UNMOUNT) {
        fs_working_lose(request, node, err);
        return err;
    }
    fs_commit_refused(&node->busy->working.commit, ds_call_now_ms());
    if (err == -EACCES || err == -ENOSPC)
        hide_refused(request, node);
    if (node->busy->working.commit.gathered && !fs->options->commit_at_close)
        fs_due_set(fs, node, fs_commit_idle_ms(&node->busy->working.commit), fs_working_idle);
    return err;
}

/* The store has the working value, as it was `modified` for those who could see it. */
static void committed(struct fs_request *request, struct fs_node *node,
                      const struct fs_modified *modified)
{
    fs_commit_done(&node->busy->working.commit);
    fs_due_clear(request->fs, node);
    /* The key has a new value: its old one need not be removed. */
    fs_scratch_untie(request->fs, node);
    fs_handle_committed(node);
    fs_working_drop_image(node);
    fs_value_set_modified(node, modified);
}

void fs_working_supersede(struct fs *fs, struct fs_node *node)
{
    if (node->busy->working.image != NULL || node->busy->working.tail.len > 0) {
        fs_forget_soon(&fs->kernel, &node->busy->stale);
        fs_value_touch(fs, node);
    }
    fs_value_agree(node);
    fs_commit_done(&node->busy->working.commit);
    fs_working_drop_tail(node);
    fs_working_drop_image(node);
    fs_send_forget(node);
    fs_due_clear(fs, node);
    fs_handle_committed(node);
}

int fs_working_commit_tail(struct fs_request *request, struct fs_node *node,
                           enum fs_commit_event event)
{
    struct fs_modified modified = fs_value_modified(node);
    int err = fs_send_tail(request, node);

    if (err != 0)
        return commit_failed(request, node, event, err);
    fs_working_drop_tail(node);
    committed(request, node, &modified);
    return 0;
}

static int commit_image(struct fs_request *request, struct fs_node *node,
                        enum fs_commit_event event)
{
    struct fs_modified modified = fs_value_modified(node);
    int err;

    /* Pages of a memory map: they will not change by themselves. */
    if (!fs_image_is_text(node->busy->working.image)) {
        if (may_complete_later(event))
            return 0;
        fs_working_lose(request, node, -EILSEQ);
        return fs_working_not_text(request, node);
    }
    err = fs_send_image(request, node);
    if (err != 0)
        return commit_failed(request, node, event, err);
    committed(request, node, &modified);
    return 0;
}

/* True if the first data after a creation or truncation is not text yet: without it nothing is
 * published, unless somebody who truncated too has closed the file. */
static bool waits_for_text(const struct fs_node *node)
{
    return node->busy->working.commit.pending != FS_PENDING_NONE &&
           !node->busy->working.commit.dirty && fs_handle_any_held(node);
}

int fs_working_commit(struct fs_request *request, struct fs_node *node, enum fs_commit_event event)
{
    int err = 0;

    if (!node->attached)
        return 0;
    if (node->busy->working.tail.len > 0)
        err = fs_working_commit_tail(request, node, event);
    if (err == 0 && event != FS_COMMIT_ON_RELEASE && waits_for_text(node))
        return event == FS_COMMIT_ON_RENAME ? fs_working_not_text(request, node) : 0;
    if (err == 0 && fs_commit_due(&node->busy->working.commit, event))
        err = show_refused(request, node);
    if (err == 0 && node->busy->working.image != NULL &&
        fs_commit_due(&node->busy->working.commit, event))
        err = commit_image(request, node, event);
    if (err == 0 && node->busy->sent.grown && node->busy->working.image == NULL &&
        may_be_last(event)) {
        err = fs_send_check_growth(request, node);
        if (err != 0 && err != -EINTR)
            fs_working_lose(request, node, err);
    }
    return err;
}

/* Commits for nobody who could be told: a failure is reported in .datasetfs/errors. With fs->lock
 * (released meanwhile) and the key lock. */
static int commit_reported(struct fs_request *request, struct fs_node *node,
                           enum fs_commit_event event)
{
    int err = fs_working_commit(request, node, event);

    if (err < 0 && node->dataset != NULL) {
        struct fs_error_log_about about = fs_machines_about(node);

        fs_error_log_note(request->fs->kernel.errors, "commit", &about, err, request->call.text);
    }
    return err;
}

/* What waits, such as data just put in, waits for more. */
void fs_working_gather(struct fs *fs, struct fs_node *node)
{
    fs_commit_gather(&node->busy->working.commit, ds_call_now_ms());
    if (!fs->options->commit_at_close && node->busy->due.at_ms == 0)
        fs_due_set(fs, node, fs_commit_idle_ms(&node->busy->working.commit), fs_working_idle);
}

void fs_working_idle(struct fs_request *request, struct fs_node *node)
{
    struct fs *fs = request->fs;
    int64_t now_ms = ds_call_now_ms(), idle_ms;
    int err = fs_key_lock(request, node);

    if (err != 0) {
        fs_due_set(fs, node, now_ms + FS_COMMIT_IDLE_MS, fs_working_idle);
        return;
    }
    idle_ms = fs_commit_idle_ms(&node->busy->working.commit);
    if (idle_ms > now_ms)
        fs_due_set(fs, node, idle_ms, fs_working_idle);
    else if (idle_ms != 0)
        err = commit_reported(request, node, FS_COMMIT_ON_IDLE);
    if (err != 0 && err != -EINTR && !fs_node_is_written(node)) /* nor will anybody write more */
        fs_working_lose(request, node, err);
    fs_key_unlock(node);
}

/* With fs->lock: the nodes that wait, each pinned, in `*out` (the caller frees it). */
static int collect_waiting(struct fs *fs, const struct fs_dataset *dataset,
                           enum fs_commit_event event, struct fs_node ***out, size_t *count)
{
    struct fs_node **nodes = NULL;

    *count = 0;
    for (const struct fs_busy *busy = fs->busy; busy != NULL; busy = busy->next) {
        struct fs_node *node = busy->node;

        if (node->kind != FS_NODE_ENTRY || !fs_working_due(node, event) ||
            (dataset != NULL && node->dataset != dataset))
            continue;
        struct fs_node **more = realloc(nodes, (*count + 1) * sizeof(*nodes));
        if (more == NULL) {
            free(nodes);
            *count = 0;
            return -ENOMEM;
        }
        nodes = more;
        nodes[*count] = node;
        (*count)++;
    }
    for (size_t i = 0; i < *count; i++)
        fs_node_pin(nodes[i]);
    *out = nodes;
    return 0;
}

int fs_working_commit_all(struct fs_request *request, struct fs_dataset *dataset,
                          enum fs_commit_event event)
{
    struct fs *fs = request->fs;
    struct fs_node **nodes DS_AUTO_FREE = NULL;
    size_t count = 0;
    int first = fs_request_may_block(request);

    if (first != 0)
        return first;
    DS_LOCK_SCOPE(&fs->lock);
    first = collect_waiting(fs, dataset, event, &nodes, &count);
    for (size_t i = 0; i < count; i++) {
        /* What is in vain anyway shall cost nobody else's data; the end is the end. */
        bool vain = first != 0 && first != -EILSEQ && event != FS_COMMIT_ON_UNMOUNT;
        int err = 0;

        if (event == FS_COMMIT_ON_UNMOUNT)
            fs_request_next(request);
        if (!vain)
            err = fs_key_lock(request, nodes[i]);
        if (!vain && err == 0) {
            err = commit_reported(request, nodes[i], event);
            fs_key_unlock(nodes[i]);
        }
        if (first == 0 || (first == -EILSEQ && err != 0))
            first = err;
        fs_node_unpin(fs, nodes[i]);
    }
    return first;
}
