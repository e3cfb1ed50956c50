/* Truncation, to nothing or to a part. */
#include "truncate.h"

#include "change.h"
#include "handle.h"
#include "model/value.h"
#include "scratch/scratch.h"
#include "working.h"

#include <errno.h>
#include <utlist.h>

/* What other open files hold back behind the new end is gone. */
static void cut_others(struct fs_node *node, const struct fs_handle *by, size_t old_size,
                       size_t size)
{
    struct fs_handle *other;

    DL_FOREACH (node->busy->open.handles, other) {
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
    bool changes = size < node->busy->working.image->bytes.len || fs_held_any(held);
    size_t old_size = node->busy->working.image->bytes.len;
    struct fs_commit commit = node->busy->working.commit;
    struct fs_image *before = NULL;
    int err = fs_change_copy(node, &before);

    if (err == 0)
        err = fs_held_truncate(held, node->busy->working.image, size);
    fs_held_clear(&none);
    if (err == 0 || (err == -EAGAIN && handle != NULL))
        cut_others(node, handle, old_size, size);
    if (err != 0 || !changes || later)
        fs_change_free_copy(before);
    if (err == -EAGAIN)
        return handle != NULL ? fs_change_hold_back(request, handle) : -EILSEQ;
    if (err != 0 || !changes)
        return err;
    fs_commit_wrote(&node->busy->working.commit, 0);
    fs_value_diverge(fs, node);
    if (later) {
        fs_working_gather(fs, node);
        return 0;
    }
    return fs_change_commit(request, node, &commit, before);
}

/* With fs->lock and the key lock; `size` is not 0 or the node is detached. */
static int truncate_now(struct fs_request *request, struct fs_node *node, size_t size, bool open)
{
    struct fs *fs = request->fs;
    struct fs_handle *handle = open ? fs_handle_of(request) : NULL;
    size_t old_size;
    int err = fs_change_begin(request, node);

    if (err != 0)
        return err;
    old_size = fs_working_size(node);
    if (size > old_size)
        err = -EILSEQ;
    else if (size < old_size)
        err = shorten(request, node, size, handle, open && fs->options->commit_at_close);
    if (err == 0 && open && size < old_size)
        fs_handle_truncated(node, handle);
    fs_change_drop_idle(node);
    if (node->busy->working.commit.refused) /* as before: the old value is the one to be seen */
        fs_change_give_up_pending(fs, node);
    return err == -EILSEQ ? fs_working_not_text(request, node) : err;
}

int fs_truncate(struct fs_request *request, struct fs_node *node, size_t size, bool open)
{
    struct fs *fs = request->fs;
    int err = 0;

    if (node->busy->scratch != NULL)
        return fs_scratch_truncate(request, node, size);
    if (!open)
        fs_value_distrust(node); /* like an open, it starts from what the store holds now */
    if (size > 0 || !node->attached)
        return truncate_now(request, node, size, open);
    if (node->busy->working.commit
            .gathered) /* should the new data be refused, this is what stays */
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
