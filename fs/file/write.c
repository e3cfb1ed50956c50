/* Writes. */
#include "write.h"

#include "append.h"
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

/* True if the write only puts data in memory: it waits for nobody. */
static bool is_quick(const struct fs_request *request, const struct fs_handle *handle,
                     const struct fs_node *node)
{
    bool at_end = (request->fi.flags & O_APPEND) != 0;

    if (node->busy->key_lock.locked || node->busy->key_lock.waiters != NULL ||
        fs_change_goes_through(request, handle, node, at_end))
        return false;
    if (fs_append_suits(request, handle, node))
        return fs_change_end_of_write(request, node, true) <= DS_VALUE_MAX_BYTES;
    return node->busy->working.image != NULL && node->busy->working.tail.len == 0;
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
    through = !mapped && node->attached && fs_change_goes_through(request, handle, node, at_end);
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
        return fs_change_refused(request, node, err);
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
        err = fs_request_may_block_locked(request);
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
        err = fs_append_suits(request, handle, node) ? fs_append(request, handle, node)
                                                     : overwrite(request, handle, node);
    /* Whatever it failed with: without its data nothing is published. */
    if (err < 0 && node->busy->working.commit.pending != FS_PENDING_NONE)
        fs_change_give_up_pending(fs, node);
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
