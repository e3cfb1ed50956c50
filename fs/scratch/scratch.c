/* Scratch content: a memory file. */
#include "scratch.h"

#include "cleanup.h"
#include "kernel/reply.h"
#include "model/datasets.h"
#include "model/due_work.h"
#include "model/value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static size_t room(const struct fs *fs)
{
    if (fs->scratch_bytes >= FS_SCRATCH_MAX_BYTES)
        return 0; /* renames at one time may exceed it a little */
    return FS_SCRATCH_MAX_BYTES - fs->scratch_bytes;
}

static int no_room(struct fs_request *request, const struct fs_node *node)
{
    fs_request_about(request, node->dataset->name, node->key);
    return ds_call_fail(&request->call, -ENOSPC, "temporary files have at most %d bytes in all",
                        FS_SCRATCH_MAX_BYTES);
}

int fs_scratch_count_name(struct fs_request *request, const struct fs_node *node)
{
    if (room(request->fs) < FS_SCRATCH_NAME_BYTES)
        return no_room(request, node);
    request->fs->scratch_bytes += FS_SCRATCH_NAME_BYTES;
    return 0;
}

void fs_scratch_uncount_name(struct fs *fs)
{
    fs->scratch_bytes -= FS_SCRATCH_NAME_BYTES;
}

bool fs_scratch_can_hold(const struct fs *fs)
{
    /* The content, to be changed, and what the store held. */
    return room(fs) > FS_SCRATCH_NAME_BYTES + 2 * DS_VALUE_MAX_BYTES;
}

void fs_scratch_tie(struct fs *fs, struct fs_node *node, struct fs_node *origin,
                    struct fs_value *value)
{
    node->busy->scratch->origin = origin;
    node->busy->scratch->origin_value = fs_value_ref(value);
    origin->busy->withheld = node;
    fs->scratch_bytes += value->len;
}

static void untie(struct fs *fs, struct fs_scratch *scratch)
{
    if (scratch->origin == NULL)
        return;
    fs->scratch_bytes -= scratch->origin_value->len;
    scratch->origin->busy->withheld = NULL;
    scratch->origin = NULL;
    fs_value_unref(scratch->origin_value);
    scratch->origin_value = NULL;
}

void fs_scratch_untie(struct fs *fs, struct fs_node *node)
{
    if (node->busy->scratch != NULL)
        untie(fs, node->busy->scratch);
    if (node->busy->withheld != NULL)
        untie(fs, node->busy->withheld->busy->scratch);
}

void fs_scratch_tie_instead(struct fs *fs, struct fs_node *node, struct fs_node *old)
{
    struct fs_node *origin = old->busy->scratch->origin;
    struct fs_value *value = fs_value_ref(old->busy->scratch->origin_value);

    fs_scratch_untie(fs, old);
    fs_scratch_tie(fs, node, origin, value);
    fs_value_unref(value);
    node->busy->scratch->renamed = true;
    node->busy->scratch->changed = true;
}

enum fs_scratch_kind fs_scratch_creates(const struct fs_request *request,
                                        const struct fs_node *node)
{
    if (node->busy->withheld != NULL)
        return FS_SCRATCH_NONE;
    return fs_scratch_name_kind(request->fs->options->scratch, request->name,
                                fs_scratch_name_made(request->fi.flags, request->attr.st_mode));
}

int fs_scratch_make(struct fs_request *request, struct fs_node *node, enum fs_scratch_kind kind)
{
    struct fs *fs = request->fs;
    struct fs_scratch *scratch = calloc(1, sizeof(*scratch));
    int err = scratch != NULL ? fs_scratch_count_name(request, node) : -ENOMEM;

    if (err != 0) {
        free(scratch);
        return err;
    }
    scratch->kind = kind;
    scratch->since_ms = ds_call_now_ms();
    node->busy->scratch = scratch;
    fs_node_unname(fs, node);
    fs_value_unseen(node); /* soon, what the store was just seen to lack */
    fs_value_touch(fs, node);
    return 0;
}

/* What has to be allocated for content of `size` bytes: as in any ds_buf, a NUL stands behind it.
 */
static size_t needed(size_t size)
{
    return size > 0 ? size + 1 : 0;
}

/* Allocates as much for the content, not less than it needs. 0 or -ENOMEM. */
static int allocate(struct fs *fs, struct ds_buf *bytes, size_t capacity)
{
    char *data;

    if (capacity == bytes->capacity)
        return 0;
    if (capacity == 0) {
        fs->scratch_bytes -= bytes->capacity;
        ds_buf_free(bytes);
        return 0;
    }
    data = realloc(bytes->data, capacity);
    if (data == NULL)
        return capacity < bytes->capacity ? 0 : -ENOMEM;
    fs->scratch_bytes = fs->scratch_bytes - bytes->capacity + capacity;
    bytes->data = data;
    bytes->capacity = capacity;
    return 0;
}

int fs_scratch_hold(struct fs *fs, struct fs_node *node, const struct fs_value *value)
{
    struct fs_scratch *scratch = calloc(1, sizeof(*scratch));

    if (scratch == NULL || allocate(fs, &scratch->bytes, needed(value->len)) != 0) {
        free(scratch);
        return -ENOMEM;
    }
    if (value->len > 0) /* then there is room for it */
        ds_buf_append(&scratch->bytes, value->data, value->len);
    scratch->kind = FS_SCRATCH_CONTENT;
    scratch->renamed = true;
    node->busy->scratch = scratch;
    fs->scratch_bytes += FS_SCRATCH_NAME_BYTES;
    fs_value_drop(fs, node);
    fs_value_unseen(node);
    return 0;
}

void fs_scratch_free(struct fs *fs, struct fs_node *node)
{
    if (node->busy->scratch == NULL)
        return;
    fs_scratch_untie(fs, node);
    fs_due_clear(fs, node);
    allocate(fs, &node->busy->scratch->bytes, 0);
    fs_scratch_uncount_name(fs);
    free(node->busy->scratch);
    node->busy->scratch = NULL;
}

bool fs_scratch_is_probe(const struct fs_node *node)
{
    return node->busy->scratch != NULL && node->busy->scratch->kind == FS_SCRATCH_PROBE &&
           node->attached;
}

void fs_scratch_delay(struct fs *fs, struct fs_node *node)
{
    struct fs_scratch *scratch = node->busy->scratch;

    scratch->since_ms = ds_call_now_ms();
    scratch->error = 0;
    scratch->retry_ms = 0;
    if (node->attached && (scratch->renamed || !fs_node_is_written(node)))
        fs_due_set(fs, node, scratch->since_ms + fs->options->scratch_delay_ms, fs->owners->left);
}

void fs_scratch_closed(struct fs *fs, struct fs_node *node)
{
    if (node->busy->scratch != NULL && node->busy->scratch->error == 0)
        fs_scratch_delay(fs, node);
    else if (node->busy->scratch != NULL && node->busy->scratch->retry_ms != 0 && node->attached &&
             node->busy->due.at_ms == 0)
        fs_due_set(fs, node, ds_call_now_ms() + node->busy->scratch->retry_ms, fs->owners->left);
}

/* How much to allocate for content that needs `need` bytes: what grows gets some more, lest each
 * write move it, and where more than half would lie idle, it is given back. */
static size_t capacity_for(const struct fs *fs, const struct ds_buf *bytes, size_t need)
{
    size_t free_bytes = room(fs);
    size_t spare = (bytes->capacity < free_bytes ? bytes->capacity : free_bytes) / 8;

    if (need > bytes->capacity)
        return need > bytes->capacity + spare ? need : bytes->capacity + spare;
    return need < bytes->capacity / 2 ? need : bytes->capacity;
}

/* Makes the content `size` bytes long; what is new is zero. */
static int resize(struct fs_request *request, struct fs_node *node, size_t size)
{
    struct fs *fs = request->fs;
    struct ds_buf *bytes = &node->busy->scratch->bytes;
    size_t before = bytes->len, need = needed(size);
    int err;

    if (need > bytes->capacity && need - bytes->capacity > room(fs))
        return no_room(request, node);
    err = allocate(fs, bytes, capacity_for(fs, bytes, need));
    if (err != 0)
        return err;
    if (size > before)
        memset(bytes->data + before, 0, size - before);
    bytes->len = size;
    if (bytes->data != NULL)
        bytes->data[size] = '\0';
    return 0;
}

static void changed(struct fs *fs, struct fs_node *node)
{
    node->busy->scratch->changed = true;
    fs_value_touch(fs, node);
    fs_scratch_delay(fs, node);
}

int fs_scratch_write(struct fs_request *request, struct fs_node *node)
{
    struct ds_buf *bytes = &node->busy->scratch->bytes;
    bool at_end = (request->fi.flags & O_APPEND) != 0;
    size_t offset = at_end ? bytes->len : (size_t)request->offset;
    size_t end = offset + request->size;
    int err = end > bytes->len ? resize(request, node, end) : 0;

    if (err != 0)
        return err;
    memcpy(bytes->data + offset, request->data, request->size);
    changed(request->fs, node);
    return 0;
}

int fs_scratch_truncate(struct fs_request *request, struct fs_node *node, size_t size)
{
    int err = resize(request, node, size);

    if (err == 0)
        changed(request->fs, node);
    return err;
}

bool fs_scratch_read(struct fs_request *request, const struct fs_node *node, int *err)
{
    struct fs *fs = request->fs;
    struct ds_buf part DS_CLEANUP(ds_buf_free) = {0};

    pthread_mutex_lock(&fs->lock);
    if (node->busy->scratch == NULL) {
        pthread_mutex_unlock(&fs->lock);
        return false;
    }
    const struct ds_buf *bytes = &node->busy->scratch->bytes;
    size_t start = (size_t)request->offset < bytes->len ? (size_t)request->offset : bytes->len;
    size_t len = bytes->len - start < request->size ? bytes->len - start : request->size;
    *err = len > 0 ? ds_buf_append(&part, bytes->data + start, len) : 0;
    pthread_mutex_unlock(&fs->lock);
    if (*err == 0)
        fs_reply_buf(request, part.data, part.len);
    return true;
}
