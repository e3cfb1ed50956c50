/* Appends: `>>`, by the store's own append. */
#include "append.h"

#include "change.h"
#include "cleanup.h"
#include "model/value.h"
#include "working.h"

#include <errno.h>
#include <fcntl.h>

bool fs_append_suits(const struct fs_request *request, const struct fs_handle *handle,
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

int fs_append(struct fs_request *request, struct fs_handle *handle, struct fs_node *node)
{
    struct fs *fs = request->fs;
    struct fs_commit before;
    struct ds_buf whole DS_CLEANUP(ds_buf_free) = {0};
    bool through = fs_change_goes_through(request, handle, node, true);
    const char *data = request->data;
    size_t len = request->size;
    int err = 0;

    if (fs_change_end_of_write(request, node, true) > DS_VALUE_MAX_BYTES) {
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
        return fs_change_refused(request, node, err);
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
