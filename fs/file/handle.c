/* Open files: who has an inode open, and what is known of each of them. */
#include "handle.h"

#include "cleanup.h"
#include "model/open_ticket.h"
#include "model/value.h"
#include "scratch/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <utlist.h>

struct fs_handle *fs_handle_of(const struct fs_request *request)
{
    return (struct fs_handle *)(uintptr_t)request->fi.fh; // NOLINT(performance-no-int-to-ptr)
}

void fs_handle_attach(struct fs_handle *handle, struct fs_node *node, int open_flags)
{
    handle->node = node;
    handle->writes = (open_flags & O_ACCMODE) != O_RDONLY;
    fs_node_pin(node);
    DL_APPEND(node->busy->open.handles, handle);
    if (handle->writes)
        node->busy->open.writers++;
}

struct fs_handle *fs_handle_new(struct fs_node *node, int open_flags)
{
    struct fs_handle *handle = calloc(1, sizeof(*handle));

    if (handle != NULL)
        fs_handle_attach(handle, node, open_flags);
    return handle;
}

/* With fs->lock. */
static void free_closed(struct fs *fs, struct fs_handle *handle)
{
    fs_node_unpin(fs, handle->node);
    fs_held_clear(&handle->held);
    ds_buf_free(&handle->text);
    free(handle);
}

void fs_handle_free(struct fs *fs, struct fs_handle *handle)
{
    DL_DELETE(handle->node->busy->open.handles, handle);
    if (handle->node->busy->open.handles == NULL)
        fs_value_drop_had(handle->node);
    if (handle->writes) {
        handle->node->busy->open.writers--;
        fs_scratch_closed(fs, handle->node);
    }
    handle->closed = true;
    if (handle->uses == 0)
        free_closed(fs, handle);
}

struct fs_handle *fs_handle_use(const struct fs_request *request)
{
    struct fs_handle *handle = fs_handle_of(request);

    DS_LOCK_SCOPE(&request->fs->lock);
    handle->uses++;
    return handle;
}

void fs_handle_unuse(struct fs *fs, struct fs_handle *handle)
{
    DS_LOCK_SCOPE(&fs->lock);
    handle->uses--;
    if (handle->uses == 0 && handle->closed)
        free_closed(fs, handle);
}

bool fs_handle_is_last_writer(const struct fs_handle *handle)
{
    return handle->node->busy->open.writers == (handle->writes ? 1 : 0);
}

bool fs_handle_any_held(const struct fs_node *node)
{
    const struct fs_handle *handle;

    DL_FOREACH (node->busy->open.handles, handle) {
        if (fs_held_any(&handle->held))
            return true;
    }
    return false;
}

void fs_handle_drop_held(struct fs_node *node)
{
    struct fs_handle *handle;

    DL_FOREACH (node->busy->open.handles, handle) {
        if (!fs_held_any(&handle->held))
            continue;
        fs_held_clear(&handle->held);
        handle->unsent = false;
    }
}

size_t fs_handle_held_size(const struct fs_node *node, size_t size)
{
    const struct fs_handle *handle;

    DL_FOREACH (node->busy->open.handles, handle)
        size = fs_held_size(&handle->held, size);
    return size;
}

void fs_handle_committed(struct fs_node *node)
{
    struct fs_handle *handle;

    DL_FOREACH (node->busy->open.handles, handle) {
        handle->unsent = false;
    }
}

void fs_handle_lost(struct fs_node *node, int error, const struct fs_handle *told)
{
    struct fs_handle *handle;

    DL_FOREACH (node->busy->open.handles, handle) {
        if (handle->unsent && handle != told)
            handle->sticky = error;
        handle->unsent = false;
    }
}

void fs_handle_truncated(struct fs_node *node, const struct fs_handle *by)
{
    struct fs_handle *handle;

    DL_FOREACH (node->busy->open.handles, handle) {
        if (handle == by || (by == NULL && handle->writes))
            handle->unsent = true;
    }
}

/* For so long what an open showed may answer for it. */
enum { STEADY_MS = 1000 };

void fs_handle_show(const struct fs_request *request, struct fs_handle *handle)
{
    const struct fs_node *node = handle->node;

    handle->tid = request->tid;
    handle->fetched_ms = node->seen.fetched_ms;
    handle->walks = fs_ticket_came_ahead(node);
}

bool fs_handle_steady(const struct fs_node *node, pid_t tid)
{
    struct fs_handle *handle;

    if (tid == 0 || node->seen.presence != FS_PRESENT || node->seen.value == NULL)
        return false;
    DL_FOREACH (node->busy->open.handles, handle) {
        if (handle->tid != tid || handle->fetched_ms == 0 || !(handle->walks || handle->looks) ||
            ds_call_now_ms() - handle->fetched_ms >= STEADY_MS)
            continue;
        handle->looks = false;
        return true;
    }
    return false;
}

int fs_handle_take_error(struct fs_handle *handle)
{
    int error = handle->sticky;

    handle->sticky = 0;
    return error;
}
