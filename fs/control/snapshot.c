/* Snapshots: opened, measured and read. */
#include "snapshot.h"

#include "cleanup.h"
#include "file/close.h"
#include "kernel/reply.h"
#include "model/datasets.h"
#include "model/value.h"
#include "store/query_dataset.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <utlist.h>

int fs_snapshot_allow(struct fs_request *request, struct fs_node *node)
{
    (void)node;
    return request->uid != request->fs->mounting_uid ? -EACCES : 0;
}

void fs_snapshot_show(const struct fs *fs, const struct fs_node *node,
                      struct fuse_entry_param *entry)
{
    (void)fs;
    entry->attr.st_mode = S_IFREG | 0400;
    entry->attr.st_size = (off_t)node->seen.size_bytes; /* fs_snapshot_know() */
    entry->attr_timeout = 0;
    entry->entry_timeout = FS_DIR_TIMEOUT_S;
}

int fs_snapshot_know(struct fs_request *request, struct fs_node *node, fs_snapshot_print *print)
{
    struct fs *fs = request->fs;
    struct ds_buf text DS_CLEANUP(ds_buf_free) = {0};
    const struct fs_handle *handle;
    bool open = false;
    int err;

    pthread_mutex_lock(&fs->lock);
    DL_FOREACH (node->busy->open.handles, handle) {
        fs_value_set_size(node, handle->text.len);
        open = true;
    }
    pthread_mutex_unlock(&fs->lock);
    if (open)
        return 0;
    err = print(request, node, FS_QUERY_SHOWN_MS, &text);
    if (err != 0)
        return err;
    DS_LOCK_SCOPE(&fs->lock);
    fs_value_set_size(node, text.len);
    return 0;
}

int fs_snapshot_open(struct fs_request *request, struct fs_node *node, fs_snapshot_print *print)
{
    struct fs *fs = request->fs;
    struct ds_buf text DS_CLEANUP(ds_buf_free) = {0};
    struct fs_handle *handle;
    int err = fs_snapshot_allow(request, node);

    if (err == 0 && (request->fi.flags & O_ACCMODE) != O_WRONLY)
        err = print(request, node, 0, &text);
    if (err != 0)
        return err;
    pthread_mutex_lock(&fs->lock);
    handle = fs_handle_new(node, request->fi.flags);
    if (handle != NULL) {
        handle->text = text;
        memset(&text, 0, sizeof(text));
    }
    pthread_mutex_unlock(&fs->lock);
    if (handle == NULL)
        return -ENOMEM;
    request->fi.fh = (uintptr_t)handle;
    request->fi.direct_io = 1;
    if (fs_reply_open(request) != 0)
        fs_close_abandon(fs, handle);
    return 0;
}

int fs_snapshot_read(struct fs_request *request, struct fs_handle *handle)
{
    const struct ds_buf *text = &handle->text;
    size_t start = (size_t)request->offset < text->len ? (size_t)request->offset : text->len;
    size_t len = text->len - start < request->size ? text->len - start : request->size;

    fs_reply_buf(request, text->data != NULL ? text->data + start : NULL, len);
    return 0;
}
