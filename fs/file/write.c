/* Writes and appends. */
#include "write.h"

#include "change.h"
#include "cleanup.h"
#include "handle.h"
#include "kernel/forget.h"
#include "kernel/reply.h"
#include "model/datasets.h"
#include "model/value.h"
#include "scratch/scratch.h"
#include "store/key_lock.h"
#include "working.h"

#include <errno.h>
#include <fcntl.h>

/* Where an appending write ends, or another. */
static size_t end_of_write(const struct fs_request *request, const struct fs_node *node,
                           bool at_end)
{
    size_t size = fs_working_size(node);
    size_t end = (at_end ? size : (size_t)request->offset) + request->size;

    return end > size ? end : size;
}

/* True if this write is to be committed before it returns. */
static bool goes_through(const struct fs_request *request, const struct fs_handle *handle,
                         const struct fs_node *node, bool at_end)
{
    return fs_commit_through(&node->busy->working.commit, &handle->budget, request->size,
                             end_of_write(request, node, at_end),
                             request->fs->options->commit_at_close);
}

/* True if the write is one for the store's own append: it serves a value that nobody is changing,
 * or a key not yet there. */
static bool is_plain_append(const struct fs_request *request, const struct fs_handle *handle,
                            const struct fs_node *node)
{
    const struct fs_held *held = &handle->held;
    bool plain = node->busy->working.image == NULL
                     ? node->busy->working.commit.pending != FS_PENDING_TRUNCATE
                     : node->busy->working.commit.pending == FS_PENDING_CREATE &&
                           node->busy->working.image->bytes.len == 0;

    return plain && (!fs_held_any(held) || held->appends) && (request->fi.flags & O_APPEND) != 0 &&
           node->attached && !request->fi.writepage;
}

/* True if the write only puts data in memory: it waits for nobody. */
static bool is_quick(const struct fs_request *request, const struct fs_handle *handle,
                     const struct fs_node *node)
{
    bool at_end = (request->fi.flags & O_APPEND) != 0;

    if (node->busy->key_lock.locked || node->busy->key_lock.waiters != NULL ||
        goes_through(request, handle, node, at_end))
        return false;
    if (is_plain_append(request, handle, node))
        return end_of_write(request, node, true) <= DS_VALUE_MAX_BYTES;
    return node->busy->working.image != NULL && node->busy->working.tail.len == 0;
}

/* The old value stays if what failed was the first data after a creation or truncation. */
static void give_up_pending(struct fs *fs, struct fs_node *node)
{
    if (node->attached && !node->busy->working.commit.dirty && !fs_handle_any_held(node))
        fs_working_give_up(fs, node);
}

/* The write's own data was refused. Nobody else has lost data by that. */
static int refused(struct fs_request *request, struct fs_node *node, int err)
{
    give_up_pending(request->fs, node);
    fs_change_drop_idle(node);
    fs_request_about(request, node->dataset->name, node->key);
    if (err == -EFBIG)
        return ds_call_fail(&request->call, err, "a value has at most %d bytes",
                            DS_VALUE_MAX_BYTES);
    return err == -EILSEQ ? fs_working_not_text(request, node) : err;
}

/* Commits the tail, whose last `len` bytes are the write's. */
static int append_through(struct fs_request *request, struct fs_node *node,
                          const struct fs_commit *before, size_t len)
{
    int err;

    fs_working_hide_end(node, len);
    err = fs_change_waited(request, fs_working_commit_tail(request, node, FS_COMMIT_ON_WRITE));
    if (err != 0 && node->busy->working.tail.len > 0) { /* else it is in doubt, and gone */
        fs_working_cut_end(node);
        fs_change_take_back(request, node, before, err);
    }
    if (err != 0 && node->busy->working.tail.len == 0)
        fs_working_give_up(request->fs, node);
    fs_working_hide_end(node, 0);
    return err;
}

/* Adds to the end with the store's own append. */
static int append(struct fs_request *request, struct fs_handle *handle, struct fs_node *node)
{
    struct fs *fs = request->fs;
    struct fs_commit before;
    struct ds_buf whole DS_CLEANUP(ds_buf_free) = {0};
    bool through = goes_through(request, handle, node, true);
    const char *data = request->data;
    size_t len = request->size;
    int err = 0;

    if (end_of_write(request, node, true) > DS_VALUE_MAX_BYTES) {
        /* The store may know of a shorter value, and is asked about these bytes alone. */
        through = true;
        if (node->busy->working.tail.len > 0)
            err = fs_working_commit_tail(request, node, FS_COMMIT_ON_WRITE);
    }
    if (err == 0)
        err = fs_held_append(&handle->held, data, len, &whole);
    if (err == -EAGAIN)
        return fs_change_hold_back(request, handle);
    if (err == 0 && whole.len > 0) {
        data = whole.data;
        len = whole.len;
    }
    if (err == 0)
        err = fs_working_append(node, data, len);
    if (err != 0)
        return refused(request, node, err);
    handle->unsent = true;
    before = node->busy->working.commit;
    fs_commit_wrote(&node->busy->working.commit, len);
    fs_value_diverge(fs, node);
    if (through) {
        handle->budget.commits++;
        request->taken = true;
        err = append_through(request, node, &before, len);
    } else {
        fs_working_gather(fs, node);
    }
    if (err == 0)
        fs_held_clear(&handle->held);
    return err;
}

/* A write into the working value. */
static int overwrite(struct fs_request *request, struct fs_handle *handle, struct fs_node *node)
{
    struct fs *fs = request->fs;
    bool mapped = request->fi.writepage, at_end = (request->fi.flags & O_APPEND) != 0;
    bool through;
    struct fs_commit commit;
    struct fs_image *before = NULL;
    size_t offset = (size_t)request->offset;
    int err = fs_change_begin(request, node);

    if (err != 0)
        return err;
    through = !mapped && node->attached && goes_through(request, handle, node, at_end);
    if (through)
        err = fs_change_copy(node, &before);
    if (err != 0)
        return err;
    if (mapped)
        err = fs_image_write_page(node->busy->working.image, offset, request->data, request->size);
    else
        err = fs_held_write(&handle->held, node->busy->working.image, at_end, offset, request->data,
                            request->size);
    if (err != 0)
        fs_change_free_copy(before);
    if (err == -EAGAIN)
        return fs_change_hold_back(request, handle);
    if (err != 0)
        return refused(request, node, err);
    handle->unsent = true;
    commit = node->busy->working.commit;
    fs_commit_wrote(&node->busy->working.commit, request->size);
    fs_value_diverge(fs, node);
    if (through) {
        handle->budget.commits++;
        request->taken = true;
        err = fs_change_commit(request, node, &commit, before);
    } else if (!mapped && node->attached) {
        fs_working_gather(fs, node);
    }
    if (err == 0 && !mapped)
        fs_held_clear(&handle->held);
    return err;
}

void fs_write_dropped(struct fs_request *request)
{
    struct fs *fs = request->fs;
    struct fs_node *node = fs_handle_of(request)->node;

    if (node->kind != FS_NODE_ENTRY)
        return;
    DS_LOCK_SCOPE(&fs->lock);
    if (fs_handle_of(request)->unsent && !node->busy->key_lock.locked && node->attached &&
        !node->busy->working.commit.dirty && node->busy->working.tail.len == 0 &&
        node->busy->scratch == NULL)
        fs_working_give_up(fs, node);
}

/* With fs->lock, released meanwhile where the write has to wait. */
static int write_entry(struct fs_request *request, struct fs_handle *handle, bool *turn)
{
    struct fs *fs = request->fs;
    struct fs_node *node = handle->node;
    int err;

    if (!is_quick(request, handle, node)) {
        pthread_mutex_unlock(&fs->lock);
        err = fs_request_may_block(request);
        pthread_mutex_lock(&fs->lock);
        if (err != 0)
            return err;
    }
    err = fs_key_lock(request, node);
    if (err != 0)
        return err;
    err = fs_handle_take_error(handle); /* also of the commit that it waited for */
    if (err != 0) {
        fs_key_unlock(node);
        return err;
    }
    *turn = true;
    if (fs_scratch_is_probe(node)) {
        fs_scratch_free(fs, node);
        err = fs_working_pend(fs, node, FS_PENDING_CREATE);
    }
    if (node->busy->scratch != NULL)
        err = fs_scratch_write(request, node);
    else if (err == 0 && request->size > 0)
        err = is_plain_append(request, handle, node) ? append(request, handle, node)
                                                     : overwrite(request, handle, node);
    /* Whatever it failed with: without its data nothing is published. */
    if (err < 0 && node->busy->working.commit.pending != FS_PENDING_NONE)
        give_up_pending(fs, node);
    fs_key_unlock(node);
    if (err < 0 && (request->fi.flags & O_ACCMODE) == O_RDWR)
        fs_forget_soon(&fs->kernel,
                       &node->busy->stale); /* the kernel has put the data there already */
    return err;
}

int fs_write(struct fs_request *request, struct fs_handle *handle)
{
    struct fs *fs = request->fs;
    bool turn = false;
    int err;

    pthread_mutex_lock(&fs->lock);
    err = write_entry(request, handle, &turn);
    pthread_mutex_unlock(&fs->lock);
    if (err < 0 && !turn)
        fs_write_dropped(request);
    if (err != 0)
        return err;
    fs_reply_write(request, request->size);
    return 0;
}

/* What the file holds back may be text by now: somebody else has cut it. */
int fs_write_settle(struct fs_request *request, struct fs_handle *handle)
{
    struct fs_node *node = handle->node;
    int err = 0;

    if (!node->attached || !fs_held_any(&handle->held))
        return 0;
    if (!handle->held.appends) {
        err = fs_change_begin(request, node);
        if (err != 0)
            return err;
        err = fs_held_settle(&handle->held, node->busy->working.image);
        if (err == 0)
            fs_commit_wrote(&node->busy->working.commit, 0);
        fs_change_drop_idle(node);
    }
    return fs_held_any(&handle->held) && err != -ENOMEM ? fs_working_not_text(request, node) : err;
}
