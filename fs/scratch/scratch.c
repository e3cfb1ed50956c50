/* Scratch content: a memory file, and how it becomes a key. */
#include "scratch.h"

#include "cleanup.h"
#include "file/handle.h"
#include "file/working.h"
#include "model/due.h"
#include "model/record.h"
#include "model/times.h"
#include "model/value.h"
#include "store/send.h"
#include "utf8.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The node at the other end of a withheld removal, or NULL. */
static struct fs_node *tied_to(const struct fs_node *node)
{
    if (node == NULL)
        return NULL;
    return node->scratch != NULL ? node->scratch->origin : node->withheld;
}

static void add_lock(struct fs_scratch_locks *locks, struct fs_node *node)
{
    unsigned i = locks->count;

    for (unsigned j = 0; j < locks->count; j++)
        if (locks->nodes[j] == node)
            return;
    if (node == NULL)
        return;
    fs_node_pin(node);
    for (; i > 0 && locks->nodes[i - 1]->ino > node->ino; i--)
        locks->nodes[i] = locks->nodes[i - 1];
    locks->nodes[i] = node;
    locks->count++;
}

static int lock_all(struct fs_request *request, struct fs_scratch_locks *locks)
{
    for (unsigned i = 0; i < locks->count; i++) {
        int err = fs_key_lock(request, locks->nodes[i]);

        if (err == 0)
            continue;
        while (i > 0)
            fs_key_unlock(locks->nodes[--i]);
        for (unsigned j = 0; j < locks->count; j++)
            fs_node_unpin(request->fs, locks->nodes[j]);
        return err;
    }
    return 0;
}

int fs_scratch_lock(struct fs_request *request, struct fs_node *a, struct fs_node *b,
                    struct fs_scratch_locks *locks)
{
    unsigned lost_by_a = a->keys_lost, lost_by_b = b != NULL ? b->keys_lost : 0;

    for (;;) {
        struct fs_node *of_a = tied_to(a), *of_b = tied_to(b);
        bool same_keys;
        int err;

        locks->count = 0;
        add_lock(locks, a);
        add_lock(locks, b);
        add_lock(locks, of_a);
        add_lock(locks, of_b);
        err = lock_all(request, locks);
        if (err != 0)
            return err;
        same_keys = a->keys_lost == lost_by_a && (b == NULL || b->keys_lost == lost_by_b);
        if (same_keys && of_a == tied_to(a) && of_b == tied_to(b))
            return 0;
        fs_scratch_unlock(request->fs, locks);
        if (!same_keys)
            return -ESTALE;
    }
}

void fs_scratch_unlock(struct fs *fs, struct fs_scratch_locks *locks)
{
    for (unsigned i = 0; i < locks->count; i++)
        fs_key_unlock(locks->nodes[i]);
    for (unsigned i = 0; i < locks->count; i++)
        fs_node_unpin(fs, locks->nodes[i]);
    locks->count = 0;
}

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
    node->scratch->origin = origin;
    node->scratch->origin_value = fs_value_ref(value);
    origin->withheld = node;
    fs->scratch_bytes += value->len;
}

static void untie(struct fs *fs, struct fs_scratch *scratch)
{
    if (scratch->origin == NULL)
        return;
    fs->scratch_bytes -= scratch->origin_value->len;
    scratch->origin->withheld = NULL;
    scratch->origin = NULL;
    fs_value_unref(scratch->origin_value);
    scratch->origin_value = NULL;
}

void fs_scratch_untie(struct fs *fs, struct fs_node *node)
{
    if (node->scratch != NULL)
        untie(fs, node->scratch);
    if (node->withheld != NULL)
        untie(fs, node->withheld->scratch);
}

enum fs_scratch_kind fs_scratch_creates(const struct fs_request *request,
                                        const struct fs_node *node)
{
    if (node->withheld != NULL)
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
    node->scratch = scratch;
    node->number = fs_times_number_unnamed(fs, node->ino);
    node->seen.presence = FS_PRESENCE_UNKNOWN; /* soon, what the store was just seen to lack */
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
    node->scratch = scratch;
    fs->scratch_bytes += FS_SCRATCH_NAME_BYTES;
    fs_value_drop(fs, node);
    node->seen.presence = FS_PRESENCE_UNKNOWN;
    return 0;
}

void fs_scratch_free(struct fs *fs, struct fs_node *node)
{
    if (node->scratch == NULL)
        return;
    fs_scratch_untie(fs, node);
    fs_due_set(fs, node, 0);
    allocate(fs, &node->scratch->bytes, 0);
    fs_scratch_uncount_name(fs);
    free(node->scratch);
    node->scratch = NULL;
}

bool fs_scratch_takes_data(struct fs *fs, struct fs_node *node, int *err)
{
    *err = 0;
    if (node->scratch->kind != FS_SCRATCH_PROBE || !node->attached)
        return true;
    fs_scratch_free(fs, node);
    *err = fs_working_pend(fs, node, FS_PENDING_CREATE);
    return false;
}

void fs_scratch_delay(struct fs *fs, struct fs_node *node)
{
    struct fs_scratch *scratch = node->scratch;

    scratch->since_ms = ds_call_now_ms();
    scratch->error = 0;
    scratch->retry_ms = 0;
    if (node->attached && (scratch->renamed || !fs_handle_any_writes(node)))
        fs_due_set(fs, node, scratch->since_ms + fs->options->scratch_delay_ms);
}

void fs_scratch_closed(struct fs *fs, struct fs_node *node)
{
    if (node->scratch != NULL && node->scratch->error == 0)
        fs_scratch_delay(fs, node);
    else if (node->scratch != NULL && node->scratch->retry_ms != 0 && node->attached &&
             node->due.at_ms == 0)
        fs_due_set(fs, node, ds_call_now_ms() + node->scratch->retry_ms);
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
    struct ds_buf *bytes = &node->scratch->bytes;
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
    node->scratch->changed = true;
    fs_value_touch(fs, node);
    fs_scratch_delay(fs, node);
}

int fs_scratch_write(struct fs_request *request, struct fs_node *node)
{
    struct ds_buf *bytes = &node->scratch->bytes;
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
    if (node->scratch == NULL) {
        pthread_mutex_unlock(&fs->lock);
        return false;
    }
    const struct ds_buf *bytes = &node->scratch->bytes;
    size_t start = (size_t)request->offset < bytes->len ? (size_t)request->offset : bytes->len;
    size_t len = bytes->len - start < request->size ? bytes->len - start : request->size;
    *err = len > 0 ? ds_buf_append(&part, bytes->data + start, len) : 0;
    pthread_mutex_unlock(&fs->lock);
    if (*err == 0)
        fs_reply_buf(request, part.data, part.len);
    return true;
}

static int check_content(struct fs_request *request, const struct ds_buf *bytes)
{
    if (bytes->len > DS_VALUE_MAX_BYTES)
        return ds_call_fail(&request->call, -EFBIG, "a value has at most %d bytes",
                            DS_VALUE_MAX_BYTES);
    if (!ds_utf8_valid(bytes->data, bytes->len))
        return ds_call_fail(&request->call, -EILSEQ, "a value is UTF-8 text without NUL bytes");
    return 0;
}

int fs_scratch_send(struct fs_request *request, struct fs_node *node, struct fs_node *to)
{
    const struct ds_buf *bytes = &node->scratch->bytes; /* constant while we have the key lock */
    int err;

    fs_request_about(request, to->dataset->name, to->key);
    err = check_content(request, bytes);
    if (err == 0)
        err = fs_send_value(request, to, bytes->len > 0 ? bytes->data : "", bytes->len);
    if (err != 0 && to->scratch != NULL)
        to->seen.presence = FS_PRESENCE_UNKNOWN;
    return err;
}

int fs_scratch_check_origin(struct fs_request *request, const struct fs_node *node)
{
    struct fs *fs = request->fs;
    struct fs_node *origin = node->scratch->origin;
    /* Their DataSet may be destroyed meanwhile, and then this is let go of. */
    struct fs_value *before = fs_value_ref(node->scratch->origin_value);
    int err = 0;

    if (!fs_value_younger(origin, FS_FRESH_MS) || origin->seen.value == NULL) {
        pthread_mutex_unlock(&fs->lock);
        err = fs_value_fetch(request, origin, true, true);
        pthread_mutex_lock(&fs->lock);
    }
    if (err == 0 && (origin->seen.value == NULL || origin->seen.value->len != before->len ||
                     memcmp(origin->seen.value->data, before->data, before->len) != 0))
        err = -EEXIST;
    fs_value_unref(before);
    return err;
}

int fs_scratch_remove_origin(struct fs_request *request, struct fs_node *node)
{
    struct fs_node *origin = node->scratch != NULL ? node->scratch->origin : NULL;
    int err;

    if (origin == NULL)
        return 0;
    if (origin->working.image == NULL) {
        err = fs_scratch_check_origin(request, node);
        if (err == 0)
            err = fs_send_remove(request, origin);
        if (err != 0 && err != -ENOENT && err != -EEXIST)
            return err;
        if (err != -EEXIST)
            fs_value_absent(request->fs, origin);
    }
    fs_scratch_untie(request->fs, node);
    return 0;
}

void fs_scratch_become_key(struct fs *fs, struct fs_node *node, bool trusted)
{
    struct ds_buf *bytes = &node->scratch->bytes;
    struct fs_value *value = fs_value_new(bytes->data, bytes->len, NULL, 0);
    struct timespec mtime = node->seen.mtime;
    uint64_t version = node->seen.version;
    size_t size_bytes = bytes->len;

    fs_scratch_free(fs, node);
    if (value == NULL) {
        fs_value_unknown(fs, node, size_bytes);
        return;
    }
    node->seen.presence = FS_PRESENT; /* it is not seen for the first time */
    fs_value_learn(fs, node, value, trusted);
    /* What the kernel holds and what utimens(2) left is of this very content. */
    node->seen.version = version;
    node->seen.mtime = mtime;
}

int fs_scratch_publish(struct fs_request *request, struct fs_node *node)
{
    int err = fs_scratch_send(request, node, node);

    if (err == 0)
        err = fs_scratch_remove_origin(request, node);
    if (err == 0)
        fs_scratch_become_key(request->fs, node, true);
    return err;
}

int fs_scratch_unlink(struct fs_request *request, struct fs_node *node, bool *done)
{
    *done = node->scratch != NULL;
    if (node->scratch != NULL)
        return fs_scratch_remove_origin(request, node);
    if (node->withheld == NULL)
        return 0;
    if (node->working.image == NULL)
        return -ENOENT;
    return fs_scratch_publish(request, node->withheld); /* its value is nowhere else, soon */
}
