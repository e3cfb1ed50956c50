/* Writes, appends and truncation. */
#include "write.h"

#include "cleanup.h"
#include "control.h"
#include "due.h"
#include "handle.h"
#include "pages.h"
#include "record.h"
#include "scratch.h"
#include "value.h"
#include "working.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <utlist.h>

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

/* What was appended to a removed key goes on in the image. */
static int move_tail(struct fs_node *node)
{
    int err;

    if (node->tail.len == 0)
        return 0;
    err = fs_image_write(node->image, node->image->bytes.len, node->tail.data, node->tail.len);
    if (err == 0) {
        fs_working_drop_tail(node);
        fs_commit_wrote(&node->commit, 0);
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
static bool is_plain_append(const struct fs_request *request, const struct fs_handle *handle,
                            const struct fs_node *node)
{
    const struct fs_held *held = &handle->held;
    bool plain = node->image == NULL
                     ? node->commit.pending != FS_PENDING_TRUNCATE
                     : node->commit.pending == FS_PENDING_CREATE && node->image->bytes.len == 0;

    return plain && (!fs_held_any(held) || held->appends) && (request->fi.flags & O_APPEND) != 0 &&
           node->attached && !request->fi.writepage;
}

/* True if the write only puts data in memory: it waits for nobody. */
static bool is_quick(const struct fs_request *request, const struct fs_handle *handle,
                     const struct fs_node *node)
{
    bool at_end = (request->fi.flags & O_APPEND) != 0;

    if (node->locked || node->lock_waiters != NULL || goes_through(request, handle, node, at_end))
        return false;
    if (is_plain_append(request, handle, node))
        return end_of_write(request, node, true) <= DS_VALUE_MAX_BYTES;
    return node->image != NULL && node->tail.len == 0;
}

/* What a write that waited for its commit ends with. Interrupted before anything was sent it is a
 * gathered one, since few repeat it; but not that of one who dies, or was told of a failure. */
static int waited(const struct fs_request *request, int err)
{
    if (err != -EINTR || request->granted)
        return err == -EINTR ? 0 : err;
    return atomic_load(&request->settled) || fs_request_is_dying(request) ? err : 0;
}

/* An image that is the store's value is not kept. */
static void drop_idle_image(struct fs *fs, struct fs_node *node)
{
    if (node->attached && !node->commit.dirty && node->commit.pending == FS_PENDING_NONE)
        fs_working_drop_image(fs, node);
}

/* The write's own data was refused. Nobody else has lost data by that: if it was the first, the old
 * value stays. */
static int refused(struct fs_request *request, struct fs_node *node, int err)
{
    if (node->attached && !node->commit.dirty && !fs_handle_any_held(node))
        fs_working_give_up(request->fs, node);
    drop_idle_image(request->fs, node);
    fs_request_about(request, node->dataset->name, node->key);
    if (err == -EFBIG)
        return ds_call_fail(&request->call, err, "a value has at most %d bytes",
                            DS_VALUE_MAX_BYTES);
    return err == -EILSEQ ? fs_working_not_text(request, node) : err;
}

/* The write's data waits with the handle for the rest of its text. */
static int hold_back(struct fs_request *request, struct fs_handle *handle, struct fs_node *node)
{
    drop_idle_image(request->fs, node);
    handle->unsent = true;
    fs_value_touch(request->fs, node);
    return 0;
}

/* Takes the data of a write that failed with its commit out again; what else waits stays. */
static void take_back(struct fs_request *request, struct fs_node *node,
                      const struct fs_commit *before, int err)
{
    struct fs *fs = request->fs;

    if (err == -EINTR && before->dirty)
        node->commit = *before; /* nothing was refused */
    else
        fs_commit_take_back(&node->commit, before, fs_working_in_doubt(request, err),
                            ds_call_now_ms());
    if (!node->commit.dirty)
        fs_working_drop_image(fs, node);
    fs_due_set(fs, node, fs->options->commit_at_close ? 0 : fs_commit_idle_ms(&node->commit));
    fs_value_touch(fs, node);
}

/* Commits the tail, whose last `len` bytes are the write's. */
static int append_through(struct fs_request *request, struct fs_node *node,
                          const struct fs_commit *before, size_t len)
{
    int err;

    node->tail_fresh = len;
    err = waited(request, fs_working_commit_tail(request, node, FS_COMMIT_ON_WRITE));
    if (err != 0 && node->tail.len > 0) { /* else it is in doubt, and gone */
        node->tail.len -= len;
        take_back(request, node, before, err);
    }
    if (err != 0 && node->tail.len == 0)
        fs_working_give_up(request->fs, node);
    node->tail_fresh = 0;
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
        if (node->tail.len > 0)
            err = fs_working_commit_tail(request, node, FS_COMMIT_ON_WRITE);
    }
    if (err == 0)
        err = fs_held_append(&handle->held, data, len, &whole);
    if (err == -EAGAIN)
        return hold_back(request, handle, node);
    if (err == 0 && whole.len > 0) {
        data = whole.data;
        len = whole.len;
    }
    if (err == 0)
        err = ds_buf_append(&node->tail, data, len);
    if (err != 0)
        return refused(request, node, err);
    handle->unsent = true;
    before = node->commit;
    fs_commit_wrote(&node->commit, len);
    fs_value_touch(fs, node);
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

static void free_image(struct fs_image *image)
{
    if (image != NULL)
        fs_image_clear(image);
    free(image);
}

static int copy_image(const struct fs_node *node, struct fs_image **out)
{
    struct fs_image *copy = calloc(1, sizeof(*copy));

    if (copy == NULL || fs_image_copy(copy, node->image) != 0) {
        free(copy);
        return -ENOMEM;
    }
    *out = copy;
    return 0;
}

/* Commits the image after a change of which nobody is to see anything if it is refused: `before` is
 * what it was (taken). */
static int change_through(struct fs_request *request, struct fs_node *node,
                          const struct fs_commit *commit, struct fs_image *before)
{
    struct fs_image *changed = node->image;
    int err;

    node->before = before;
    err = fs_working_commit(request, node, FS_COMMIT_ON_WRITE);
    node->before = NULL;
    if (request->opcode == FS_WRITE)
        err = waited(request, err);
    if (err != 0 && node->image == changed) {
        fs_working_drop_image(request->fs, node);
        node->image = before;
        before = NULL;
        take_back(request, node, commit, err);
    }
    free_image(before);
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
    int err = need_image(request, node);

    if (err != 0)
        return err;
    through = !mapped && node->attached && goes_through(request, handle, node, at_end);
    if (through)
        err = copy_image(node, &before);
    if (err != 0)
        return err;
    if (mapped)
        err = fs_image_write_page(node->image, offset, request->data, request->size);
    else
        err =
            fs_held_write(&handle->held, node->image, at_end, offset, request->data, request->size);
    if (err != 0)
        free_image(before);
    if (err == -EAGAIN)
        return hold_back(request, handle, node);
    if (err != 0)
        return refused(request, node, err);
    handle->unsent = true;
    commit = node->commit;
    fs_commit_wrote(&node->commit, request->size);
    fs_value_touch(fs, node);
    if (through) {
        handle->budget.commits++;
        request->taken = true;
        err = change_through(request, node, &commit, before);
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
        err = is_plain_append(request, handle, node) ? append(request, handle, node)
                                                     : overwrite(request, handle, node);
    fs_key_unlock(node);
    if (err < 0 && (request->fi.flags & O_ACCMODE) == O_RDWR)
        fs_pages_forget(fs, node); /* the kernel has put the data there already */
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

/* What other open files hold back behind the new end is gone. */
static void cut_others(struct fs_node *node, const struct fs_handle *by, size_t old_size,
                       size_t size)
{
    struct fs_handle *other;

    DL_FOREACH (node->handles, other) {
        if (other != by)
            fs_held_cut(&other->held, old_size, size);
    }
}

/* Shortens the image, which is less than its value, and commits that. `handle` asks, or NULL. */
static int shorten(struct fs_request *request, struct fs_node *node, size_t size,
                   struct fs_handle *handle, bool later)
{
    struct fs *fs = request->fs;
    struct fs_held none = {0}, *held = handle != NULL ? &handle->held : &none;
    bool changes = size < node->image->bytes.len || fs_held_any(held);
    size_t old_size = node->image->bytes.len;
    struct fs_commit commit = node->commit;
    struct fs_image *before = NULL;
    int err = copy_image(node, &before);

    if (err == 0)
        err = fs_held_truncate(held, node->image, size);
    fs_held_clear(&none);
    if (err == 0 || (err == -EAGAIN && handle != NULL))
        cut_others(node, handle, old_size, size);
    if (err != 0 || !changes || later)
        free_image(before);
    if (err == -EAGAIN)
        return handle != NULL ? hold_back(request, handle, node) : -EILSEQ;
    if (err != 0 || !changes)
        return err;
    fs_commit_wrote(&node->commit, 0);
    fs_value_touch(fs, node);
    if (later) {
        fs_working_gather(fs, node);
        return 0;
    }
    return change_through(request, node, &commit, before);
}

/* With fs->lock and the key lock; `size` is not 0 or the node is detached. */
static int truncate_now(struct fs_request *request, struct fs_node *node, size_t size, bool open)
{
    struct fs *fs = request->fs;
    struct fs_handle *handle = open ? fs_handle_of(request) : NULL;
    size_t old_size;
    int err = need_image(request, node);

    if (err != 0)
        return err;
    old_size = fs_value_size(node);
    if (size > old_size)
        err = -EILSEQ;
    else if (size < old_size)
        err = shorten(request, node, size, handle, open && fs->options->commit_at_close);
    if (err == 0 && open && size < old_size)
        fs_handle_truncated(node, handle);
    drop_idle_image(fs, node);
    return err == -EILSEQ ? fs_working_not_text(request, node) : err;
}

/* What the file holds back may be text by now: somebody else has cut it. */
int fs_write_settle(struct fs_request *request, struct fs_handle *handle)
{
    struct fs_node *node = handle->node;
    int err = 0;

    if (!node->attached || !fs_held_any(&handle->held))
        return 0;
    if (!handle->held.appends) {
        err = need_image(request, node);
        if (err != 0)
            return err;
        err = fs_held_settle(&handle->held, node->image);
        if (err == 0)
            fs_commit_wrote(&node->commit, 0);
        drop_idle_image(request->fs, node);
    }
    return fs_held_any(&handle->held) && err != -ENOMEM ? fs_working_not_text(request, node) : err;
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
    if (err == -EILSEQ) /* mapped pages, which are cut off now */
        err = 0;
    if (err == 0)
        err = fs_working_pend(fs, node, FS_PENDING_TRUNCATE);
    if (err == 0 && open)
        fs_handle_truncated(node, fs_handle_of(request));
    if (err == 0 && !open)
        err = fs_working_commit(request, node, FS_COMMIT_ON_FSYNC);
    return err;
}
