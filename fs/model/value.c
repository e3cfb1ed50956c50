/* The value cache, its versions, and how fresh it is. */
#include "value.h"

#include "attr.h"
#include "cleanup.h"
#include "file/handle.h"
#include "kernel/memory.h"
#include "kernel/request.h"
#include "record.h"
#include "scratch/scratch.h"
#include "store/ask.h"
#include "times.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <utlist.h>

struct fs_value *fs_value_new(const char *a, size_t a_len, const char *b, size_t b_len)
{
    struct fs_value *value = malloc(sizeof(*value) + a_len + b_len);

    if (value == NULL)
        return NULL;
    atomic_init(&value->refs, 1);
    value->len = a_len + b_len;
    if (a_len > 0)
        memcpy(value->data, a, a_len);
    if (b_len > 0)
        memcpy(value->data + a_len, b, b_len);
    return value;
}

struct fs_value *fs_value_ref(struct fs_value *value)
{
    atomic_fetch_add_explicit(&value->refs, 1, memory_order_relaxed);
    return value;
}

void fs_value_unref(struct fs_value *value)
{
    if (value != NULL && atomic_fetch_sub_explicit(&value->refs, 1, memory_order_acq_rel) == 1)
        free(value);
}

void fs_value_drop(struct fs *fs, struct fs_node *node)
{
    node->seen.digest = 0;
    if (node->seen.value == NULL)
        return;
    DL_DELETE2(fs->lru, node, seen.newer, seen.older);
    fs->cached_bytes -= node->seen.value->len;
    fs_value_unref(node->seen.value);
    node->seen.value = NULL;
}

/* Drops the values used longest ago until the rest fits; those of open files stay. */
static void evict(struct fs *fs)
{
    struct fs_node *node = fs->lru != NULL ? fs->lru->seen.newer : NULL;

    while (node != NULL && fs->cached_bytes > fs->options->cache_bytes) {
        struct fs_node *newer = node == fs->lru ? NULL : node->seen.newer;

        if (node->open.handles == NULL && node->pins == node->ahead.walkers) {
            uint64_t digest = fs_times_digest(fs, node->seen.value->data, node->seen.value->len);

            fs_value_drop(fs, node);
            node->seen.digest = digest;
        }
        node = newer;
    }
}

void fs_value_touch(struct fs *fs, struct fs_node *node)
{
    node->told.ticket.tid = 0;
    node->ahead.stat = node->ahead.open = false;
    node->seen.version = ++fs->last_version;
    node->seen.sighted = ++fs->last_question;
    clock_gettime(CLOCK_REALTIME, &node->seen.mtime);
}

void fs_value_diverge(struct fs *fs, struct fs_node *node)
{
    if (!node->seen.diverges) {
        node->seen.diverges = true;
        node->seen.stored_version = node->seen.version;
        node->seen.stored_mtime = node->seen.mtime;
    }
    fs_value_touch(fs, node);
}

void fs_value_show_stored(struct fs_node *node)
{
    if (!node->seen.diverges)
        return;
    node->seen.diverges = false;
    node->seen.version = node->seen.stored_version;
    node->seen.mtime = node->seen.stored_mtime;
    node->told.page_version = 0; /* the kernel's may be of the other one */
}

/* True if the node was last seen to hold the same. */
static bool holds(const struct fs *fs, const struct fs_node *node, const struct fs_value *value)
{
    if (node->seen.presence != FS_PRESENT)
        return false;
    if (node->seen.value == NULL)
        return node->seen.digest != 0 &&
               node->seen.digest == fs_times_digest(fs, value->data, value->len);
    return node->seen.value->len == value->len &&
           memcmp(node->seen.value->data, value->data, value->len) == 0;
}

/* It is another value by now, also behind one that may yet be given up. */
static void store_changed(struct fs *fs, struct fs_node *node)
{
    fs_value_touch(fs, node);
    node->seen.stored_version = node->seen.version;
    node->seen.stored_mtime = node->seen.mtime;
}

void fs_value_learn(struct fs *fs, struct fs_node *node, struct fs_value *value, bool trusted)
{
    bool first = node->seen.presence == FS_PRESENCE_UNKNOWN;

    if (first)
        node->seen.version = ++fs->last_version;
    else if (!holds(fs, node, value) || fs_times_missed(fs, node))
        store_changed(fs, node);
    else if (node->seen.value == NULL)
        node->told.page_version = 0; /* a digest is too little to keep pages by */
    fs_value_drop(fs, node);
    fs_value_drop_had(node);
    node->seen.presence = FS_PRESENT;
    node->seen.value = value;
    node->seen.size_bytes = value->len;
    node->seen.fetched_ms = trusted ? ds_call_now_ms() : 0;
    DL_PREPEND2(fs->lru, node, seen.newer, seen.older);
    fs->cached_bytes += value->len;
    fs_memory_came(value->len);
    node->seen.sighted = ++fs->last_question;
    if (first && fs_times_recognise(fs, node))
        fs_attr_recognise(fs, node);
    evict(fs);
}

void fs_value_unknown(struct fs *fs, struct fs_node *node, size_t size_bytes)
{
    fs_value_drop(fs, node);
    store_changed(fs, node);
    node->seen.presence = FS_PRESENT;
    node->seen.size_bytes = size_bytes;
    node->seen.fetched_ms = 0;
}

void fs_value_unreadable(struct fs *fs, struct fs_node *node)
{
    if (node->seen.presence != FS_PRESENT || node->seen.value != NULL || node->seen.size_bytes != 0)
        fs_value_unknown(fs, node, 0);
}

void fs_value_drop_had(struct fs_node *node)
{
    fs_value_unref(node->seen.had);
    node->seen.had = NULL;
}

bool fs_value_was_had(const struct fs_node *node)
{
    return node->seen.had != NULL && node->seen.presence == FS_ABSENT &&
           node->working.image == NULL && node->scratch == NULL && node->working.tail.len == 0;
}

void fs_value_absent(struct fs *fs, struct fs_node *node)
{
    if (node->seen.presence != FS_ABSENT)
        store_changed(fs, node);
    if (node->open.handles != NULL && node->seen.value != NULL) {
        fs_value_drop_had(node);
        node->seen.had = fs_value_ref(node->seen.value);
    }
    fs_value_drop(fs, node);
    node->seen.presence = FS_ABSENT;
    node->seen.size_bytes = 0;
    node->seen.fetched_ms = ds_call_now_ms();
}

bool fs_value_is_local(const struct fs_node *node)
{
    return node->scratch != NULL || node->kind == FS_NODE_LOCK;
}

bool fs_value_exists(const struct fs_node *node)
{
    if (node->working.image != NULL || node->working.commit.dirty || !node->attached ||
        fs_value_is_local(node))
        return true;
    return node->seen.presence == FS_PRESENT && node->withheld == NULL;
}

size_t fs_value_size(const struct fs_node *node)
{
    const struct fs_image *image =
        node->working.before != NULL ? node->working.before : node->working.image;

    if (node->scratch != NULL)
        return node->scratch->bytes.len;
    if (fs_value_was_had(node))
        return node->seen.had->len;
    return fs_handle_held_size(node, (image != NULL ? image->bytes.len : node->seen.size_bytes) +
                                         node->working.tail.len - node->working.tail_fresh);
}

bool fs_value_younger(const struct fs_node *node, int64_t age_ms)
{
    return node->seen.fetched_ms != 0 && ds_call_now_ms() - node->seen.fetched_ms < age_ms;
}

bool fs_value_answers(const struct fs *fs, const struct fs_node *node)
{
    int64_t age_ms = fs->options->ttl_ms > FS_FRESH_MS ? fs->options->ttl_ms : FS_FRESH_MS;

    if (!node->attached || node->working.image != NULL || node->withheld != NULL ||
        fs_value_is_local(node))
        return true;
    if (node->seen.presence == FS_PRESENCE_UNKNOWN)
        return false;
    return (node->seen.presence == FS_PRESENT && fs_value_younger(node, age_ms)) || fs_silent(fs);
}

void fs_value_change_begin(struct fs_node *node)
{
    node->seen.changes++;
}

void fs_value_change_end(struct fs_node *node)
{
    node->seen.changes++;
}

void fs_value_change_failed(struct fs_request *request, struct fs_node *node, int err)
{
    /* A value that goes in parts may have arrived in part although the last word was an answer. */
    if (ds_call_sent(&request->call) == DS_SENT_MAYBE || err == -EIO || err == -EPROTO ||
        err == -ENOMEM)
        fs_value_unknown(request->fs, node, node->seen.size_bytes);
    if (err == -EACCES || err == -ENOENT)
        fs_record_distrust(node->dataset); /* perhaps it is gone: the next decision will query */
}

const struct ds_previous *fs_value_previous(const struct fs_node *node,
                                            struct ds_previous *previous)
{
    if (node->seen.presence == FS_PRESENCE_UNKNOWN ||
        (node->seen.presence == FS_PRESENT && node->seen.value == NULL))
        return NULL;
    previous->exists = node->seen.presence == FS_PRESENT;
    previous->data = previous->exists ? node->seen.value->data : NULL;
    previous->len = previous->exists ? node->seen.value->len : 0;
    return previous;
}

/* False if one of our changes was on its way when the question was asked, or began since. */
static bool unchanged(const struct fs_node *node, uint64_t changes)
{
    return changes == node->seen.changes && changes % 2 == 0;
}

bool fs_value_believes(const struct fs_node *node, uint64_t changes, uint64_t question)
{
    return unchanged(node, changes) && question >= node->seen.learned;
}

/* One question. `*believed` is false if one of our changes may have overtaken the answer. An answer
 * that a later question's has overtaken is dropped: what is in memory is newer. */
static int ask(struct fs_request *request, struct fs_node *node, bool *believed)
{
    struct fs *fs = request->fs;
    struct ds_buf data = {0};
    struct fs_value *value = NULL;
    uint64_t changes, question;
    int err;

    *believed = true;
    pthread_mutex_lock(&fs->lock);
    fs_request_about(request, node->dataset->name, node->key);
    changes = node->seen.changes;
    question = ++fs->last_question;
    pthread_mutex_unlock(&fs->lock);
    if (request->dataset == NULL || request->key == NULL)
        return -ENOMEM;

    err = fs_store_begin(request, false);
    if (err != 0)
        return err;
    err = ds_client_get_one(fs->client, &request->call, request->dataset, request->key, &data);
    fs_store_end(request);
    if (err == 0) {
        value = fs_value_new(data.data, data.len, NULL, 0);
        ds_buf_free(&data);
        if (value == NULL)
            return -ENOMEM;
    }

    DS_LOCK_SCOPE(&fs->lock);
    if (err == -EACCES)
        fs_record_distrust(node->dataset);
    if (!unchanged(node, changes)) {
        fs_value_unref(value);
        *believed = false;
    } else if (question < node->seen.learned && (err == 0 || err == -ENOENT)) {
        fs_value_unref(value);
        err = fs_value_exists(node) ? 0 : -ENOENT;
    } else if (err == 0) {
        node->seen.learned = question;
        fs_value_learn(fs, node, value, true);
    } else if (err == -ENOENT) {
        node->seen.learned = question;
        fs_value_absent(fs, node);
    } else if (err == -EBADMSG) {
        node->seen.learned = question;
        fs_value_unreadable(fs, node);
    }
    if (err == -EBADMSG)
        err = request->opcode == FS_LOOKUP || request->opcode == FS_GETATTR ? 0 : -EPROTO;
    return err;
}

int fs_value_fetch(struct fs_request *request, struct fs_node *node, bool strict,
                   bool have_key_lock)
{
    struct fs *fs = request->fs;
    bool believed, known;
    int err;

    pthread_mutex_lock(&fs->lock);
    known = node->seen.presence == FS_PRESENT;
    pthread_mutex_unlock(&fs->lock);
    err = ask(request, node, &believed);
    /* Perhaps not only the key is gone. What the DataSet's record says then is for others to use.
     */
    if (believed && known && err == -ENOENT) {
        int gone = fs_record_refresh(request, node->dataset, 0);

        if (gone == FS_REQUEUE || gone == -ENODEV)
            return gone;
    }
    if (believed || err == FS_REQUEUE)
        return err;
    pthread_mutex_lock(&fs->lock);
    if (!strict && node->seen.presence != FS_PRESENCE_UNKNOWN) {
        err = fs_value_exists(node) ? 0 : -ENOENT;
        pthread_mutex_unlock(&fs->lock);
        return err;
    }
    err = have_key_lock ? 0 : fs_key_lock(request, node);
    pthread_mutex_unlock(&fs->lock);
    if (err != 0)
        return err;
    err = ask(request, node, &believed);
    if (!have_key_lock) {
        DS_LOCK_SCOPE(&fs->lock);
        fs_key_unlock(node);
    }
    return err;
}
