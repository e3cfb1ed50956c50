/* Changes of the working value that may be refused: begun, committed, taken back. */
#include "change.h"

#include "kernel/interrupt.h"
#include "model/due_work.h"
#include "model/value.h"
#include "store/fetch_value.h"
#include "working.h"

#include <errno.h>
#include <stdlib.h>

/* A write to a part of a value that is older than that reads it again first. */
enum { PARTIAL_WRITE_AGE_MS = 1000 };

/* Makes the image: of what waits, else of the store's value. */
static int make_image(struct fs_request *request, struct fs_node *node)
{
    struct fs *fs = request->fs;
    bool empty =
        node->busy->working.commit.pending != FS_PENDING_NONE; /* its first data was refused */
    int err = 0;

    if (!empty && node->attached &&
        (node->seen.value == NULL || !fs_value_younger(node, PARTIAL_WRITE_AGE_MS))) {
        pthread_mutex_unlock(&fs->lock);
        err = fs_fetch_value(request, node, true, true);
        pthread_mutex_lock(&fs->lock);
        if (err == -ENOENT)
            err = -ESTALE; /* the other side removed the key under the open file */
    }
    if (err != 0)
        return err;
    err = fs_working_new_image(node);
    if (err != 0)
        return err;
    return empty || node->seen.value == NULL
               ? 0
               : fs_image_load(node->busy->working.image, node->seen.value->data,
                               node->seen.value->len);
}

/* What was appended to a removed key goes on in the image. */
static int move_tail(struct fs_node *node)
{
    int err;

    if (node->busy->working.tail.len == 0)
        return 0;
    err = fs_image_write(node->busy->working.image, node->busy->working.image->bytes.len,
                         node->busy->working.tail.data, node->busy->working.tail.len);
    if (err == 0) {
        fs_working_drop_tail(node);
        fs_commit_wrote(&node->busy->working.commit, 0);
    }
    return err;
}

int fs_change_begin(struct fs_request *request, struct fs_node *node)
{
    bool fresh;
    int err = 0;

    if (node->busy->working.tail.len > 0 && node->attached)
        err = fs_working_commit_tail(request, node, FS_COMMIT_ON_WRITE);
    if (err != 0)
        return err;
    fresh = node->busy->working.image == NULL; /* the commit has dropped it, perhaps */
    if (fresh)
        err = make_image(request, node);
    if (err == 0)
        err = move_tail(node);
    if (err != 0 && fresh)
        fs_working_drop_image(node);
    return err;
}

void fs_change_drop_idle(struct fs_node *node)
{
    if (node->attached && !node->busy->working.commit.dirty &&
        node->busy->working.commit.pending == FS_PENDING_NONE)
        fs_working_drop_image(node);
}

int fs_change_hold_back(struct fs_request *request, struct fs_handle *handle)
{
    struct fs_node *node = handle->node;

    fs_change_drop_idle(node);
    handle->unsent = true;
    fs_value_diverge(request->fs, node);
    return 0;
}

int fs_change_waited(const struct fs_request *request, int err)
{
    if (err != -EINTR || request->granted)
        return err == -EINTR ? 0 : err;
    return atomic_load(&request->settled) || fs_interrupt_is_dying(request) ? err : 0;
}

void fs_change_take_back(struct fs_request *request, struct fs_node *node,
                         const struct fs_commit *before, int err)
{
    struct fs *fs = request->fs;

    if (err == -EINTR && before->dirty)
        fs_commit_put_back(&node->busy->working.commit, before); /* nothing was refused */
    else
        fs_commit_take_back(&node->busy->working.commit, before, fs_working_in_doubt(request, err),
                            ds_call_now_ms());
    if (!node->busy->working.commit.dirty)
        fs_working_drop_image(node);
    fs_due_set(fs, node,
               fs->options->commit_at_close ? 0 : fs_commit_idle_ms(&node->busy->working.commit),
               fs_working_idle);
    fs_working_show_left(fs, node);
}

void fs_change_free_copy(struct fs_image *image)
{
    if (image != NULL)
        fs_image_clear(image);
    free(image);
}

int fs_change_copy(const struct fs_node *node, struct fs_image **out)
{
    struct fs_image *copy = calloc(1, sizeof(*copy));

    if (copy == NULL || fs_image_copy(copy, node->busy->working.image) != 0) {
        free(copy);
        return -ENOMEM;
    }
    *out = copy;
    return 0;
}

int fs_change_commit(struct fs_request *request, struct fs_node *node,
                     const struct fs_commit *commit, struct fs_image *before)
{
    struct fs_image *changed = node->busy->working.image;
    int err;

    fs_working_show_before(node, before);
    err = fs_working_commit(request, node, FS_COMMIT_ON_WRITE);
    fs_working_show_before(node, NULL);
    if (request->opcode == FS_WRITE)
        err = fs_change_waited(request, err);
    if (err != 0 && node->busy->working.image == changed) {
        fs_working_put_back_take(node, before);
        before = NULL;
        fs_change_take_back(request, node, commit, err);
    }
    fs_change_free_copy(before);
    return err;
}

size_t fs_change_end_of_write(const struct fs_request *request, const struct fs_node *node,
                              bool at_end)
{
    size_t size = fs_working_size(node);
    size_t end = (at_end ? size : (size_t)request->offset) + request->size;

    return end > size ? end : size;
}

bool fs_change_goes_through(const struct fs_request *request, const struct fs_handle *handle,
                            const struct fs_node *node, bool at_end)
{
    return fs_commit_through(&node->busy->working.commit, &handle->budget, request->size,
                             fs_change_end_of_write(request, node, at_end),
                             request->fs->options->commit_at_close);
}

void fs_change_give_up_pending(struct fs *fs, struct fs_node *node)
{
    if (node->attached && !node->busy->working.commit.dirty && !fs_handle_any_held(node))
        fs_working_give_up(fs, node);
}

int fs_change_refused(struct fs_request *request, struct fs_node *node, int err)
{
    fs_change_give_up_pending(request->fs, node);
    fs_change_drop_idle(node);
    fs_request_about(request, node->dataset->name, node->key);
    if (err == -EFBIG)
        return ds_call_fail(&request->call, err, "a value has at most %d bytes",
                            DS_VALUE_MAX_BYTES);
    return err == -EILSEQ ? fs_working_not_text(request, node) : err;
}
