/* Reading an open file. */
#include "read.h"

#include "cleanup.h"
#include "handle.h"
#include "kernel/reply.h"
#include "model/told_kernel.h"
#include "model/value.h"
#include "scratch/scratch.h"
#include "store/fetch_value.h"

#include <errno.h>
#include <utlist.h>

/* With fs->lock: puts what open files hold back into the value (taken). NULL: no memory. */
static struct fs_value *with_held(const struct fs_node *node, struct fs_value *value)
{
    struct ds_buf bytes DS_CLEANUP(ds_buf_free) = {0};
    const struct fs_handle *handle;
    int err = ds_buf_append(&bytes, value->data, value->len);

    fs_value_unref(value);
    DL_FOREACH (node->busy->open.handles, handle) {
        if (err == 0)
            err = fs_held_show(&handle->held, &bytes);
    }
    return err == 0 ? fs_value_new(bytes.data, bytes.len, NULL, 0) : NULL;
}

/* A truncation that waits for its data shows in the size only: a READ that was on its way before
 * the kernel knew of it would otherwise come back short, and the kernel would fill the rest with
 * NULs. Of a write that is on its way nothing shows. */
int fs_read_visible(const struct fs_node *node, struct fs_value **out)
{
    const struct fs_image *image =
        node->busy->working.before != NULL ? node->busy->working.before : node->busy->working.image;
    bool held = fs_handle_any_held(node);
    bool truncated = node->busy->working.commit.pending == FS_PENDING_TRUNCATE &&
                     !node->busy->working.commit.dirty && !held;
    size_t tail_len = node->busy->working.tail.len - node->busy->working.tail_fresh;

    if (image != NULL && (!truncated || node->seen.value == NULL))
        *out = fs_value_new(image->bytes.data, image->bytes.len, node->busy->working.tail.data,
                            tail_len);
    else if (fs_value_was_had(node))
        *out = fs_value_ref(node->busy->stored.had);
    else if (node->seen.value == NULL)
        return 0;
    else
        *out = tail_len > 0 ? fs_value_new(node->seen.value->data, node->seen.value->len,
                                           node->busy->working.tail.data, tail_len)
                            : fs_value_ref(node->seen.value);
    if (*out != NULL && held)
        *out = with_held(node, *out);
    return *out != NULL ? 0 : -ENOMEM;
}

int fs_read(struct fs_request *request, struct fs_handle *handle)
{
    struct fs *fs = request->fs;
    struct fs_node *node = handle->node;
    struct fs_value *value = NULL;
    size_t start, len;
    bool attached;
    int err;

    if (fs_scratch_read(request, node, &err))
        return err;
    pthread_mutex_lock(&fs->lock);
    err = fs_read_visible(node, &value);
    attached = node->attached;
    handle->looks = true;
    fs_told_reads_pages(node, handle->pages);
    pthread_mutex_unlock(&fs->lock);
    if (err != 0)
        return err;
    if (value == NULL) { /* after an append to a value that was not known */
        /* Another file may have the name of one that was removed. */
        err = attached ? fs_fetch_value(request, node, true, false) : -ENOENT;
        if (err != 0)
            return err == -ENOENT ? -ESTALE : err;
        pthread_mutex_lock(&fs->lock);
        err = fs_read_visible(node, &value);
        pthread_mutex_unlock(&fs->lock);
        if (err != 0)
            return err;
        if (value == NULL)
            return -ESTALE;
    }
    start = (size_t)request->offset < value->len ? (size_t)request->offset : value->len;
    len = value->len - start < request->size ? value->len - start : request->size;
    fs_reply_buf(request, value->data + start, len);
    fs_value_unref(value);
    return 0;
}
