/* Writes, appends and truncation. */
#include "write.h"

#include "cleanup.h"
#include "control.h"
#include "handle.h"
#include "record.h"
#include "scratch.h"
#include "utf8.h"
#include "value.h"
#include "working.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

/* A write to a part of a value that is older than that reads it again first. */
enum { PARTIAL_WRITE_AGE_MS = 1000 };

/* Makes the image: of what waits, else of the store's value. */
static int make_image(struct fs_request *request, struct fs_node *node)
{
    struct fs *fs = request->fs;
    bool empty = node->commit.pending != FS_PENDING_NONE; /* its first data was refused */
    int err = 0;

    if (!empty && node->attached &&
        (node->value == NULL || !fs_value_younger(node, PARTIAL_WRITE_AGE_MS))) {
        pthread_mutex_unlock(&fs->lock);
        err = fs_value_fetch(request, node, true, true);
        pthread_mutex_lock(&fs->lock);
        if (err == -ENOENT)
            err = -ESTALE; /* the other side removed the key under the open file */
    }
    if (err != 0)
        return err;
    node->image = calloc(1, sizeof(*node->image));
    if (node->image == NULL)
        return -ENOMEM;
    return empty || node->value == NULL
               ? 0
               : fs_image_load(node->image, node->value->data, node->value->len);
}

/* What could not be committed of the tail goes on in the image: a cut code point, and all that was
 * appended to a removed key. */
static int move_tail(struct fs_node *node)
{
    int err;

    if (node->tail.len == 0)
        return 0;
    err = fs_image_write(node->image, node->image->bytes.len, node->tail.data, node->tail.len);
    if (err == 0) {
        fs_working_drop_tail(node);
        fs_commit_wrote(&node->commit, 0, false);
    }
    return err;
}

/* Makes sure that there is an image to change, which is all of the working value. */
static int need_image(struct fs_request *request, struct fs_node *node)
{
    bool fresh;
    int err = 0;

    if (node->tail.len > 0 && node->attached)
        err = fs_working_commit_tail(request, node, FS_COMMIT_ON_WRITE);
    if (err != 0)
        return err;
    fresh = node->image == NULL; /* the commit has dropped it, perhaps */
    if (fresh)
        err = make_image(request, node);
    if (err == 0)
        err = move_tail(node);
    if (err != 0 && fresh)
        fs_working_drop_image(request->fs, node);
    return err;
}

/* Where an appending write ends, or another. */
static size_t end_of_write(const struct fs_request *request, const struct fs_node *node,
                           bool at_end)
{
    size_t size = fs_value_size(node);
    size_t end = (at_end ? size : (size_t)request->offset) + request->size;

    return end > size ? end : size;
}

/* True if this write is to be committed before it returns. */
static bool goes_through(const struct fs_request *request, const struct fs_handle *handle,
                         const struct fs_node *node, bool at_end)
{
    return fs_commit_through(&node->commit, &handle->budget, request->size,
                             end_of_write(request, node, at_end),
                             request->fs->options->commit_at_close);
}

/* True if the write is one for the store's own append: it serves a value that nobody is changing,
 * or a key not yet there. */
static bool is_plain_append(const struct fs_request *request, const struct fs_node *node)
{
    bool plain = node->image == NULL
                     ? node->commit.pending != FS_PENDING_TRUNCATE
                     : node->commit.pending == FS_PENDING_CREATE && node->image->bytes.len == 0;

    return plain && (request->fi.flags & O_APPEND) != 0 && node->attached && !request->fi.writepage;
}

/* True if the write only puts data in memory: it waits for nobody. */
static bool is_quick(const struct fs_request *request, const struct fs_handle *handle,
                     const struct fs_node *node)
{
    bool at_end = (request->fi.flags & O_APPEND) != 0;

    if (node->locked || node->lock_waiters != NULL || goes_through(request, handle, node, at_end))
        return false;
    if (is_plain_append(request, node))
        return end_of_write(request, node, true) <= DS_VALUE_MAX_BYTES;
    return node->image != NULL && node->tail.len == 0;
}

/* Puts the data behind node->tail and counts what of it is a piece of a code point. */
static int add_to_tail(struct fs_request *request, struct fs_node *node)
{
    size_t whole_before = node->tail.len - node->tail_piece, rest, whole;
    bool incomplete = false;

    if (ds_buf_append(&node->tail, request->data, request->size) != 0)
        return -ENOMEM;
    rest = node->tail.len - whole_before;
    whole = ds_utf8_prefix(node->tail.data + whole_before, rest, &incomplete);
    if (whole < rest && !incomplete) {
        node->tail.len -= request->size;
        return fs_working_not_text(request, node);
    }
    node->tail_piece = (unsigned)(rest - whole);
    return 0;
}

/* What a write that waited for its commit ends with. Interrupted before anything was sent it is a
 * gathered one: to be repeated, its data would have to be taken out again. */
static int waited(int err)
{
    return err == -EINTR ? 0 : err;
}

/* Adds to the end with the store's own append. */
static int append(struct fs_request *request, struct fs_handle *handle, struct fs_node *node)
{
    struct fs *fs = request->fs;
    bool through = goes_through(request, handle, node, true);
    int err = 0;

    if (end_of_write(request, node, true) > DS_VALUE_MAX_BYTES) {
        /* The store may know of a shorter value, and is asked about these bytes alone. */
        through = true;
        if (node->tail.len > node->tail_piece)
            err = fs_working_commit_tail(request, node, FS_COMMIT_ON_WRITE);
    }
    if (err == 0)
        err = add_to_tail(request, node);
    if (err != 0) {
        if (node->commit.pending != FS_PENDING_NONE && !node->commit.dirty && node->tail.len == 0)
            fs_working_give_up(request->fs, node);
        return err;
    }
    handle->unsent = true;
    if (node->tail.len == node->tail_piece)
        return 0;
    fs_commit_wrote(&node->commit, request->size, false);
    fs_value_touch(fs, node);
    if (!through) {
        fs_working_gather(fs, node);
        return 0;
    }
    handle->budget.commits++;
    request->taken = true;
    return waited(fs_working_commit_tail(request, node, FS_COMMIT_ON_WRITE));
}

/* A write into the working value. */
static int overwrite(struct fs_request *request, struct fs_handle *handle, struct fs_node *node)
{
    struct fs *fs = request->fs;
    bool mapped = request->fi.writepage, at_end = (request->fi.flags & O_APPEND) != 0, through;
    int err = need_image(request, node);
    size_t offset;

    if (err != 0)
        return err;
    through = goes_through(request, handle, node, at_end);
    offset = at_end ? node->image->bytes.len : (size_t)request->offset;
    if (mapped)
        err = fs_image_write_page(node->image, offset, request->data, request->size);
    else
        err = fs_image_write(node->image, offset, request->data, request->size);
    if (err != 0) {
        if (!node->commit.dirty && node->attached)
            fs_working_give_up(fs, node); /* nobody else has lost data by that */
        fs_request_about(request, node->dataset->name, node->key);
        if (err == -EFBIG)
            return ds_call_fail(&request->call, err, "a value has at most %d bytes",
                                DS_VALUE_MAX_BYTES);
        return err == -EILSEQ ? fs_working_not_text(request, node) : err;
    }
    handle->unsent = true;
    fs_commit_wrote(&node->commit, request->size, mapped);
    fs_value_touch(fs, node);
    if (mapped || !node->attached)
        return 0;
    if (!through) {
        fs_working_gather(fs, node);
        return 0;
    }
    handle->budget.commits++;
    request->taken = true;
    return waited(fs_working_commit(request, node, FS_COMMIT_ON_WRITE));
}

void fs_write_dropped(struct fs_request *request)
{
    struct fs *fs = request->fs;
    struct fs_node *node = fs_handle_of(request)->node;

    if (node->kind != FS_NODE_ENTRY)
        return;
    DS_LOCK_SCOPE(&fs->lock);
    if (fs_handle_of(request)->unsent && !node->locked && node->attached && !node->commit.dirty &&
        node->tail.len == 0 && node->scratch == NULL)
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
    if (node->scratch != NULL && fs_scratch_takes_data(fs, node, &err))
        err = fs_scratch_write(request, node);
    else if (err == 0 && request->size > 0)
        err = is_plain_append(request, node) ? append(request, handle, node)
                                             : overwrite(request, handle, node);
    fs_key_unlock(node);
    return err;
}

static int write_handle(struct fs_request *request, struct fs_handle *handle)
{
    struct fs *fs = request->fs;
    bool turn = false;
    int err;

    if (handle->node->kind != FS_NODE_ENTRY) {
        err = fs_request_may_block(request);
        return err != 0 ? err : fs_control_write(request, handle);
    }
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

int fs_write_handle(struct fs_request *request)
{
    struct fs_handle *handle = fs_handle_use(request);
    int err = write_handle(request, handle);

    fs_handle_unuse(request->fs, handle);
    return err;
}

/* With fs->lock and the key lock; `size` is not 0 or no handle is open. */
static int truncate_now(struct fs_request *request, struct fs_node *node, size_t size, bool open)
{
    struct fs *fs = request->fs;
    bool had_image = node->image != NULL;
    int err = need_image(request, node);

    if (err != 0)
        return err;
    if (size == node->image->bytes.len) {
        if (!had_image && !node->commit.dirty && node->attached)
            fs_working_drop_image(fs, node);
        return 0;
    }
    err = fs_image_truncate(node->image, size);
    if (err != 0) {
        if (!had_image && !node->commit.dirty && node->attached)
            fs_working_drop_image(fs, node);
        return fs_working_not_text(request, node);
    }
    fs_commit_wrote(&node->commit, 0, false);
    if (open)
        fs_handle_truncated(node, fs_handle_of(request));
    fs_value_touch(fs, node);
    if (open && fs->options->commit_at_close) {
        fs_working_gather(fs, node);
        return 0;
    }
    return fs_working_commit(request, node, FS_COMMIT_ON_WRITE);
}

int fs_write_truncate(struct fs_request *request, struct fs_node *node, size_t size, bool open)
{
    struct fs *fs = request->fs;
    int err = 0;

    if (node->scratch != NULL)
        return fs_scratch_truncate(request, node, size);
    if (!open)
        node->fetched_ms = 0; /* like an open, it starts from what the store holds now */
    if (size > 0 || !node->attached)
        return truncate_now(request, node, size, open);
    if (node->commit.gathered) /* should the new data be refused, this is what stays */
        err = fs_working_commit(request, node, FS_COMMIT_ON_OPEN);
    if (err == -EILSEQ) /* a piece of a code point, which is cut off now */
        err = 0;
    if (err == 0)
        err = fs_working_pend(fs, node, FS_PENDING_TRUNCATE);
    if (err == 0 && open)
        fs_handle_truncated(node, fs_handle_of(request));
    if (err == 0 && !open)
        err = fs_working_commit(request, node, FS_COMMIT_ON_FSYNC);
    return err;
}
