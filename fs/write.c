/* Writes, appends, truncation and commits. */
#include "write.h"

#include "cleanup.h"
#include "control.h"
#include "errors.h"
#include "handle.h"
#include "record.h"
#include "utf8.h"
#include "value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A write to a part of a value that is older than that reads it again first. */
enum { PARTIAL_WRITE_AGE_MS = 1000 };

static void drop_image(struct fs *fs, struct fs_node *node)
{
    if (node->image == NULL)
        return;
    fs_image_clear(node->image);
    free(node->image);
    node->image = NULL;
    fs_value_touch(fs, node);
}

/* The data or the commit was refused: the working value is the store's again. */
static void give_up(struct fs *fs, struct fs_node *node)
{
    fs_commit_failed(&node->commit);
    drop_image(fs, node);
}

int fs_write_pend(struct fs *fs, struct fs_node *node, enum fs_pending pending)
{
    if (node->image == NULL) {
        node->image = calloc(1, sizeof(*node->image));
        if (node->image == NULL)
            return -ENOMEM;
    }
    fs_image_clear(node->image);
    node->tail_len = 0;
    fs_commit_pend(&node->commit, pending);
    fs_value_touch(fs, node);
    return 0;
}

bool fs_write_waits(const struct fs_node *node)
{
    return node->attached && (fs_commit_waits(&node->commit) || node->tail_len > 0);
}

bool fs_write_drop_held(struct fs *fs, struct fs_node *node)
{
    bool held = node->attached && (node->tail_len > 0 || node->commit.dirty);

    node->tail_len = 0;
    if (node->attached && node->image != NULL)
        give_up(fs, node);
    return held;
}

/* What the store holds now as far as we know, for the repeat policy; NULL if we do not. */
static const struct ds_previous *previous_of(const struct fs_node *node,
                                             struct ds_previous *previous)
{
    if (node->presence == FS_PRESENCE_UNKNOWN ||
        (node->presence == FS_PRESENT && node->value == NULL))
        return NULL;
    previous->exists = node->presence == FS_PRESENT;
    previous->data = previous->exists ? node->value->data : NULL;
    previous->len = previous->exists ? node->value->len : 0;
    return previous;
}

/* After a failed change: the store has refused it, or we cannot know what it holds. */
static void change_failed(struct fs_request *request, struct fs_node *node, int err)
{
    /* A value that goes in parts may have arrived in part although the last word was an answer. */
    if (ds_call_sent(&request->call) == DS_SENT_MAYBE || err == -EIO || err == -EPROTO)
        fs_value_unknown(request->fs, node, node->size_bytes);
    if (err == -EACCES)
        fs_record_distrust(node->dataset);
    if (err == -ENOENT)
        fs_record_gone(request->fs, node->dataset);
}

/* Sends the first `len` bytes of the image as the whole value. */
static int send_set(struct fs_request *request, struct fs_node *node, size_t len)
{
    struct fs *fs = request->fs;
    struct ds_previous previous;
    const struct ds_previous *known = previous_of(node, &previous);
    /* A creation without data must not empty what the other side has created meanwhile: to append
     * nothing makes the key and leaves what is there. */
    bool only_create = node->commit.pending == FS_PENDING_CREATE && len == 0;
    struct fs_value *before = node->value != NULL ? fs_value_ref(node->value) : NULL;
    struct fs_value *value = fs_value_new(node->image->bytes.data, len, NULL, 0);
    int err = value == NULL ? -ENOMEM : 0;

    fs_request_about(request, node->dataset->name, node->key);
    if (err == 0 && (request->dataset == NULL || request->key == NULL))
        err = -ENOMEM;
    if (err == 0) {
        fs_value_change_begin(node);
        pthread_mutex_unlock(&fs->lock);
        err = fs_store_begin(request, true);
        if (err == 0) {
            err = only_create ? ds_client_append(fs->client, &request->call, request->dataset,
                                                 request->key, "", 0, known)
                              : ds_client_set(fs->client, &request->call, request->dataset,
                                              request->key, value->data, len, known);
            fs_store_end(request);
        }
        pthread_mutex_lock(&fs->lock);
        fs_value_change_end(node);
    }
    fs_value_unref(before);
    if (err != 0) {
        fs_value_unref(value);
        change_failed(request, node, err);
        return err;
    }
    fs_value_learn(fs, node, value, !only_create);
    return 0;
}

/* True if the store is known to hold just these bytes already. */
static bool is_stored(const struct fs_node *node, size_t len)
{
    return node->commit.pending == FS_PENDING_NONE && node->presence == FS_PRESENT &&
           node->value != NULL && node->value->len == len &&
           memcmp(node->value->data, node->image->bytes.data, len) == 0;
}

/* What part of the image can be committed for the event. 0 with `*len`, or -EAGAIN if it must be
 * held back, or -EILSEQ. */
static int committable(const struct fs_node *node, enum fs_commit_event event, size_t *len)
{
    int err = fs_image_committable(node->image, len);
    bool only_a_piece = err == 0 && *len == 0 && node->image->bytes.len > 0;

    if (err == 0 && !only_a_piece)
        return 0;
    return event == FS_COMMIT_ON_WRITE ? -EAGAIN : -EILSEQ;
}

static int not_text(struct fs_request *request, const struct fs_node *node)
{
    fs_request_about(request, node->dataset->name, node->key);
    return ds_call_fail(&request->call, -EILSEQ, "a value is UTF-8 text without NUL bytes");
}

int fs_write_commit(struct fs_request *request, struct fs_node *node, enum fs_commit_event event)
{
    struct fs *fs = request->fs;
    bool closing = event == FS_COMMIT_ON_RELEASE || event == FS_COMMIT_ON_UNMOUNT;
    size_t len = 0;
    int err;

    if (!node->attached)
        return 0;
    if (node->tail_len > 0 && event != FS_COMMIT_ON_WRITE)
        return not_text(request, node);
    if (node->image == NULL || !fs_commit_due(&node->commit, event))
        return 0;
    err = committable(node, event, &len);
    if (err == -EAGAIN)
        return 0;
    if (err != 0) {
        /* Another write may still complete a cut code point; a mapped page will not change. */
        if (closing || node->commit.mapped)
            give_up(fs, node);
        return not_text(request, node);
    }
    if (!is_stored(node, len))
        err = send_set(request, node, len);
    if (err != 0) {
        give_up(fs, node);
        return err;
    }
    bool held = len < node->image->bytes.len;
    fs_commit_done(&node->commit, held);
    if (!held)
        drop_image(fs, node);
    else if (event != FS_COMMIT_ON_WRITE)
        return not_text(request, node);
    return 0;
}

/* Makes sure that there is a working value to change: what waits, else the store's. */
static int need_image(struct fs_request *request, struct fs_node *node)
{
    struct fs *fs = request->fs;
    bool empty = node->commit.pending != FS_PENDING_NONE; /* its first data was refused */
    int err = 0;

    if (node->image != NULL)
        return 0;
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
    if (!empty && node->value != NULL)
        err = fs_image_load(node->image, node->value->data, node->value->len);
    if (err != 0)
        drop_image(fs, node);
    return err;
}

/* Adds to the end with the store's own append. Bytes of a cut code point at the end are held back
 * in the node for the next append. */
static int append(struct fs_request *request, struct fs_node *node)
{
    struct fs *fs = request->fs;
    struct ds_buf data DS_CLEANUP(ds_buf_free) = {0};
    struct ds_previous previous;
    const struct ds_previous *known = previous_of(node, &previous);
    struct fs_value *before = node->value != NULL ? fs_value_ref(node->value) : NULL;
    struct fs_value *after = NULL;
    bool incomplete = false;
    size_t whole;
    int err = 0;

    if (ds_buf_append(&data, node->tail, node->tail_len) != 0 ||
        ds_buf_append(&data, request->data, request->size) != 0) {
        fs_value_unref(before);
        return -ENOMEM;
    }
    whole = ds_utf8_prefix(data.data, data.len, &incomplete);
    if (whole < data.len && !incomplete) {
        fs_value_unref(before);
        return not_text(request, node);
    }
    if (whole > 0) {
        fs_request_about(request, node->dataset->name, node->key);
        fs_value_change_begin(node);
        pthread_mutex_unlock(&fs->lock);
        err = request->dataset == NULL || request->key == NULL ? -ENOMEM
                                                               : fs_store_begin(request, true);
        if (err == 0) {
            err = ds_client_append(fs->client, &request->call, request->dataset, request->key,
                                   data.data, whole, known);
            fs_store_end(request);
        }
        if (err == 0 && known != NULL)
            after = fs_value_new(known->data, known->len, data.data, whole);
        pthread_mutex_lock(&fs->lock);
        fs_value_change_end(node);
    }
    fs_value_unref(before);
    if (err != 0) {
        change_failed(request, node, err);
        return err;
    }
    node->tail_len = (unsigned)(data.len - whole);
    memcpy(node->tail, data.data + whole, node->tail_len);
    if (whole == 0)
        return 0;
    fs_commit_done(&node->commit, false);
    drop_image(fs, node);
    /* The other side may have appended before us: the next question goes to the store. */
    if (after != NULL)
        fs_value_learn(fs, node, after, false);
    else
        fs_value_unknown(fs, node, node->size_bytes + whole);
    return 0;
}

/* A write into the working value. */
static int overwrite(struct fs_request *request, struct fs_node *node, bool at_end)
{
    struct fs *fs = request->fs;
    bool mapped = request->fi.writepage;
    int err = need_image(request, node);
    size_t offset;

    if (err != 0)
        return err;
    offset = at_end ? node->image->bytes.len : (size_t)request->offset;
    if (mapped)
        err = fs_image_write_page(node->image, offset, request->data, request->size);
    else
        err = fs_image_write(node->image, offset, request->data, request->size);
    if (err != 0) {
        if (!node->commit.dirty && node->attached)
            give_up(fs, node);
        fs_request_about(request, node->dataset->name, node->key);
        if (err == -EFBIG)
            return ds_call_fail(&request->call, err, "a value has at most %d bytes",
                                DS_VALUE_MAX_BYTES);
        return err == -EILSEQ ? not_text(request, node) : err;
    }
    fs_commit_wrote(&node->commit, mapped);
    fs_value_touch(fs, node);
    return fs_write_commit(request, node, mapped ? FS_COMMIT_ON_MAPPED_WRITE : FS_COMMIT_ON_WRITE);
}

/* With fs->lock and the key lock. */
static int write_locked(struct fs_request *request, struct fs_node *node)
{
    bool at_end = (request->fi.flags & O_APPEND) != 0;
    /* The store's append serves a value that nobody is changing, or a key not yet there. */
    bool plain = node->image == NULL
                     ? node->commit.pending != FS_PENDING_TRUNCATE
                     : node->commit.pending == FS_PENDING_CREATE && !node->commit.dirty;
    int err;

    if (!at_end || !node->attached || !plain || request->fi.writepage)
        return overwrite(request, node, at_end);
    err = append(request, node);
    if (err != 0 && node->commit.pending != FS_PENDING_NONE)
        give_up(request->fs, node);
    return err;
}

void fs_write_dropped(struct fs_request *request)
{
    struct fs *fs = request->fs;
    struct fs_node *node = fs_handle_of(request)->node;

    if (node->kind != FS_NODE_ENTRY)
        return;
    DS_LOCK_SCOPE(&fs->lock);
    if (!node->locked && node->attached && !node->commit.dirty)
        give_up(fs, node);
}

int fs_write_handle(struct fs_request *request)
{
    struct fs *fs = request->fs;
    struct fs_handle *handle = fs_handle_of(request);
    struct fs_node *node = handle->node;
    bool locked = false;
    int err = fs_request_may_block(request);

    if (err != 0)
        return err;
    if (node->kind != FS_NODE_ENTRY)
        return fs_control_write(request, handle);
    pthread_mutex_lock(&fs->lock);
    err = fs_handle_take_error(handle);
    if (err == 0) {
        err = fs_key_lock(request, node);
        locked = err == 0;
    }
    if (locked) {
        err = request->size > 0 ? write_locked(request, node) : 0;
        fs_key_unlock(node);
    }
    pthread_mutex_unlock(&fs->lock);
    if (err != 0 && !locked)
        fs_write_dropped(request);
    if (err != 0)
        return err;
    fs_reply_write(request, request->size);
    return 0;
}

/* With fs->lock and the key lock; `size` is not 0 or no handle is open. */
static int truncate_now(struct fs_request *request, struct fs_node *node, size_t size)
{
    struct fs *fs = request->fs;
    bool had_image = node->image != NULL;
    int err = need_image(request, node);

    if (err != 0)
        return err;
    if (size == node->image->bytes.len) {
        if (!had_image && node->attached)
            drop_image(fs, node);
        return 0;
    }
    err = fs_image_truncate(node->image, size);
    if (err != 0) {
        if (!had_image && node->attached)
            drop_image(fs, node);
        return not_text(request, node);
    }
    fs_commit_wrote(&node->commit, false);
    fs_value_touch(fs, node);
    return fs_write_commit(request, node, FS_COMMIT_ON_WRITE);
}

int fs_write_truncate(struct fs_request *request, struct fs_node *node, size_t size, bool open)
{
    struct fs *fs = request->fs;
    int err;

    if (!open)
        node->fetched_ms = 0; /* like an open, it starts from what the store holds now */
    if (size > 0 || !node->attached)
        return truncate_now(request, node, size);
    err = fs_write_pend(fs, node, FS_PENDING_TRUNCATE);
    if (err == 0 && !open)
        err = fs_write_commit(request, node, FS_COMMIT_ON_FSYNC);
    return err;
}

/* With fs->lock: the nodes that wait, each pinned, in `*out` (the caller frees it). */
static int collect_waiting(struct fs *fs, const struct fs_dataset *dataset, struct fs_node ***out,
                           size_t *count)
{
    struct fs_node **nodes = NULL;

    *count = 0;
    for (struct fs_node *node = fs->nodes; node != NULL; node = node->hh.next) {
        if (node->kind != FS_NODE_ENTRY || !fs_write_waits(node) ||
            (dataset != NULL && node->dataset != dataset))
            continue;
        struct fs_node **more = realloc(nodes, (*count + 1) * sizeof(*nodes));
        if (more == NULL) {
            free(nodes);
            *count = 0;
            return -ENOMEM;
        }
        nodes = more;
        nodes[*count] = node;
        (*count)++;
    }
    for (size_t i = 0; i < *count; i++)
        fs_node_pin(nodes[i]);
    *out = nodes;
    return 0;
}

/* With fs->lock. */
static int commit_reported(struct fs_request *request, struct fs_node *node,
                           enum fs_commit_event event)
{
    struct fs *fs = request->fs;
    int err = fs_key_lock(request, node);

    if (err != 0)
        return err;
    err = fs_write_commit(request, node, event);
    if (err < 0 && node->dataset != NULL) {
        fs_errors_add(fs->errors, "commit", node->dataset->name, node->key, err,
                      request->call.text);
        fs_handle_fail(node, err);
    }
    fs_key_unlock(node);
    return err;
}

int fs_write_commit_all(struct fs_request *request, struct fs_dataset *dataset,
                        enum fs_commit_event event)
{
    struct fs *fs = request->fs;
    struct fs_node **nodes DS_AUTO_FREE = NULL;
    size_t count = 0;
    int first = fs_request_may_block(request);

    if (first != 0)
        return first;
    DS_LOCK_SCOPE(&fs->lock);
    first = collect_waiting(fs, dataset, &nodes, &count);
    for (size_t i = 0; i < count; i++) {
        int err = commit_reported(request, nodes[i], event);

        if (first == 0)
            first = err;
        fs_node_unpin(fs, nodes[i]);
    }
    return first;
}
