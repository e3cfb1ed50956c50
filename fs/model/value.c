/* The value cache, its versions, and how fresh it is. */
#include "value.h"

#include "call.h"
#include "datasets.h"
#include "kept_attributes.h"
#include "kernel/memory.h"
#include "key_history.h"
#include "open_ticket.h"
#include "times.h"
#include "told_kernel.h"

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
    DL_DELETE2(fs->cache.lru, node, seen.newer, seen.older);
    fs->cache.bytes -= node->seen.value->len;
    fs_value_unref(node->seen.value);
    node->seen.value = NULL;
}

/* Drops the values used longest ago until the rest fits; those of open files stay. */
static void evict(struct fs *fs)
{
    struct fs_node *node = fs->cache.lru != NULL ? fs->cache.lru->seen.newer : NULL;

    while (node != NULL && fs->cache.bytes > fs->options->cache_bytes) {
        struct fs_node *newer = node == fs->cache.lru ? NULL : node->seen.newer;

        if (node->busy->open.handles == NULL && node->pins == node->walkers) {
            uint64_t digest = fs_history_digest(fs, node->seen.value->data, node->seen.value->len);

            fs_value_drop(fs, node);
            node->seen.digest = digest;
        }
        node = newer;
    }
}

void fs_value_touch(struct fs *fs, struct fs_node *node)
{
    fs_ticket_void(node);
    node->seen.version = fs_clock_version(&fs->clock);
    node->seen.sighted = fs_clock_moment(&fs->clock);
    clock_gettime(CLOCK_REALTIME, &node->seen.mtime);
}

void fs_value_diverge(struct fs *fs, struct fs_node *node)
{
    if (!node->busy->stored.diverges) {
        node->busy->stored.diverges = true;
        node->busy->stored.version = node->seen.version;
        node->busy->stored.mtime = node->seen.mtime;
    }
    fs_value_touch(fs, node);
}

void fs_value_agree(struct fs_node *node)
{
    if (node->busy->stored.diverges)
        node->busy->stored.diverges = false;
}

struct fs_modified fs_value_modified(const struct fs_node *node)
{
    return (struct fs_modified){.version = node->seen.version, .mtime = node->seen.mtime};
}

void fs_value_set_modified(struct fs_node *node, const struct fs_modified *modified)
{
    node->seen.version = modified->version;
    node->seen.mtime = modified->mtime;
    fs_value_agree(node);
}

void fs_value_set_mtime(struct fs_node *node, const struct timespec *mtime)
{
    node->seen.mtime = *mtime;
}

void fs_value_set_size(struct fs_node *node, size_t size_bytes)
{
    node->seen.size_bytes = (uint32_t)size_bytes;
}

void fs_value_distrust(struct fs_node *node)
{
    node->seen.fetched_ms = 0;
}

void fs_value_sighted(struct fs *fs, struct fs_node *node)
{
    node->seen.sighted = fs_clock_moment(&fs->clock);
}

void fs_value_answered(struct fs_node *node, uint64_t question)
{
    node->seen.learned = question;
}

void fs_value_unseen(struct fs_node *node)
{
    node->seen.presence = FS_PRESENCE_UNKNOWN;
}

void fs_value_show_stored(struct fs_node *node)
{
    if (!node->busy->stored.diverges)
        return;
    node->busy->stored.diverges = false;
    node->seen.version = node->busy->stored.version;
    node->seen.mtime = node->busy->stored.mtime;
    fs_told_mix_pages(node); /* the kernel's may be of the other one */
}

/* True if the node was last seen to hold the same. */
static bool holds(const struct fs *fs, const struct fs_node *node, const struct fs_value *value)
{
    if (node->seen.presence != FS_PRESENT)
        return false;
    if (node->seen.value == NULL)
        return node->seen.digest != 0 &&
               node->seen.digest == fs_history_digest(fs, value->data, value->len);
    return node->seen.value->len == value->len &&
           memcmp(node->seen.value->data, value->data, value->len) == 0;
}

/* It is another value by now, also behind one that may yet be given up. */
static void store_changed(struct fs *fs, struct fs_node *node)
{
    fs_value_touch(fs, node);
    if (node->busy->stored.diverges) {
        node->busy->stored.version = node->seen.version;
        node->busy->stored.mtime = node->seen.mtime;
    }
}

void fs_value_learn(struct fs *fs, struct fs_node *node, struct fs_value *value, bool trusted)
{
    bool first = node->seen.presence == FS_PRESENCE_UNKNOWN;

    if (first)
        node->seen.version = fs_clock_version(&fs->clock);
    else if (!holds(fs, node, value) || fs_times_missed(fs, node))
        store_changed(fs, node);
    else if (node->seen.value == NULL)
        fs_told_mix_pages(node); /* a digest is too little to keep pages by */
    fs_value_drop(fs, node);
    fs_value_drop_had(node);
    node->seen.presence = FS_PRESENT;
    node->seen.value = value;
    node->seen.size_bytes = (uint32_t)value->len;
    node->seen.fetched_ms = trusted ? ds_call_now_ms() : 0;
    DL_PREPEND2(fs->cache.lru, node, seen.newer, seen.older);
    fs->cache.bytes += value->len;
    fs_memory_came(value->len);
    node->seen.sighted = fs_clock_moment(&fs->clock);
    if (first && fs_times_recognise(fs, node, &node->seen.mtime))
        fs_attr_recognise(fs, node);
    evict(fs);
}

void fs_value_learn_shown(struct fs *fs, struct fs_node *node, struct fs_value *value, bool trusted)
{
    struct fs_modified modified = fs_value_modified(node);

    node->seen.presence = FS_PRESENT; /* it is not seen for the first time */
    fs_value_learn(fs, node, value, trusted);
    fs_value_set_modified(node, &modified);
}

void fs_value_unknown(struct fs *fs, struct fs_node *node, size_t size_bytes)
{
    fs_value_drop(fs, node);
    store_changed(fs, node);
    node->seen.presence = FS_PRESENT;
    node->seen.size_bytes = (uint32_t)size_bytes;
    node->seen.fetched_ms = 0;
}

void fs_value_unreadable(struct fs *fs, struct fs_node *node)
{
    if (node->seen.presence != FS_PRESENT || node->seen.value != NULL || node->seen.size_bytes != 0)
        fs_value_unknown(fs, node, 0);
}

bool fs_value_is_shown(const struct fs_node *node)
{
    return !node->busy->stored.diverges && node->busy->stored.had == NULL;
}

void fs_value_drop_had(struct fs_node *node)
{
    if (node->busy->stored.had == NULL)
        return;
    fs_value_unref(node->busy->stored.had);
    node->busy->stored.had = NULL;
}

bool fs_value_was_had(const struct fs_node *node)
{
    return node->busy->stored.had != NULL && node->seen.presence == FS_ABSENT &&
           node->busy->working.image == NULL && node->busy->scratch == NULL &&
           node->busy->working.tail.len == 0;
}

void fs_value_absent(struct fs *fs, struct fs_node *node)
{
    if (node->seen.presence != FS_ABSENT)
        store_changed(fs, node);
    if (node->busy->open.handles != NULL && node->seen.value != NULL) {
        fs_value_drop_had(node);
        node->busy->stored.had = fs_value_ref(node->seen.value);
    }
    fs_value_drop(fs, node);
    node->seen.presence = FS_ABSENT;
    node->seen.size_bytes = 0;
    node->seen.fetched_ms = ds_call_now_ms();
}

bool fs_value_exists(const struct fs_node *node)
{
    if (node->busy->working.image != NULL || node->busy->working.commit.dirty || !node->attached ||
        fs_node_is_local(node))
        return true;
    return node->seen.presence == FS_PRESENT && node->busy->withheld == NULL;
}

bool fs_value_younger(const struct fs_node *node, int64_t age_ms)
{
    return node->seen.fetched_ms != 0 && ds_call_now_ms() - node->seen.fetched_ms < age_ms;
}

bool fs_value_answers(const struct fs *fs, const struct fs_node *node)
{
    int64_t age_ms = fs->options->ttl_ms > FS_FRESH_MS ? fs->options->ttl_ms : FS_FRESH_MS;

    if (!node->attached || node->busy->working.image != NULL || node->busy->withheld != NULL ||
        fs_node_is_local(node))
        return true;
    if (node->seen.presence == FS_PRESENCE_UNKNOWN)
        return false;
    return (node->seen.presence == FS_PRESENT && fs_value_younger(node, age_ms)) ||
           fs_vm_is_silent(node->dataset->vm);
}

void fs_value_change_begin(struct fs_node *node)
{
    node->seen.changes++;
    fs_dataset_key_change_begin(node->dataset);
}

void fs_value_change_end(struct fs_node *node)
{
    node->seen.changes++;
    fs_dataset_key_change_end(node->dataset);
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

bool fs_value_unchanged(const struct fs_node *node, uint64_t changes)
{
    return changes == node->seen.changes && changes % 2 == 0;
}

bool fs_value_believes(const struct fs_node *node, uint64_t changes, uint64_t question)
{
    return fs_value_unchanged(node, changes) && question >= node->seen.learned;
}
