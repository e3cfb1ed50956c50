/* The tables of inodes, and the key locks. */
#include "node.h"

#include "attr.h"
#include "cleanup.h"
#include "due.h"
#include "file/working.h"
#include "kernel/loop.h"
#include "kernel/pages.h"
#include "kernel/request.h"
#include "record.h"
#include "scratch/scratch.h"
#include "times.h"
#include "value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

static uint64_t number_of(const struct fs *fs, enum fs_node_kind kind,
                          const struct fs_dataset *dataset, const char *key)
{
    return fs_times_number(fs, dataset->name, key,
                           kind == FS_NODE_INFO ? FS_NUMBER_INFO : FS_NUMBER_NAME);
}

/* False when there is no memory. */
static bool enter(struct fs *fs, struct fs_node *node, struct fs_dataset *dataset)
{
    HASH_ADD(hh, fs->nodes, ino, sizeof(node->ino), node);
    if (!FS_HASH_HAS(hh, node))
        return false;
    if (dataset == NULL || node->key == NULL)
        return true;
    HASH_ADD_KEYPTR(hh_key, dataset->entries, node->key, strlen(node->key), node);
    if (!FS_HASH_HAS(hh_key, node))
        HASH_DELETE(hh, fs->nodes, node);
    return FS_HASH_HAS(hh_key, node);
}

struct fs_node *fs_node_new(struct fs *fs, enum fs_node_kind kind, struct fs_dataset *dataset,
                            const char *key)
{
    struct fs_node *node = calloc(1, sizeof(*node));

    if (node == NULL)
        return NULL;
    if (key != NULL) {
        node->key = strdup(key);
        if (node->key == NULL) {
            free(node);
            return NULL;
        }
    }
    node->ino = ++fs->last_ino;
    node->kind = kind;
    node->pins = 1;
    node->seen.version = ++fs->last_version;
    node->seen.mtime = fs->start;
    node->number = dataset == NULL ? node->ino : number_of(fs, kind, dataset, key);
    if (!enter(fs, node, dataset)) {
        free(node->key);
        free(node);
        return NULL;
    }
    if (dataset != NULL) {
        node->dataset = dataset;
        fs_record_ref(dataset);
    }
    node->attached = dataset != NULL && key != NULL;
    return node;
}

static void lose_key(struct fs_node *node)
{
    if (!node->attached)
        return;
    HASH_DELETE(hh_key, node->dataset->entries, node);
    node->attached = false;
    node->keys_lost++;
    memset(&node->working.commit, 0, sizeof(node->working.commit));
    node->working.grown = false;
}

/* The key is another's or nobody's from now on. */
static void give_up_key(struct fs *fs, struct fs_node *node)
{
    fs_attr_take(fs, node);
    if (node->kind == FS_NODE_ENTRY && !fs_value_is_local(node) && node->dataset->exists) {
        fs_times_gone(fs, node->dataset, node->key);
        fs_times_removed(fs, node->dataset, node->key);
    }
    lose_key(node);
}

static void free_node(struct fs *fs, struct fs_node *node)
{
    fs_times_keep(fs, node);
    fs_attr_keep(fs, node);
    fs_scratch_free(fs, node);
    if (node->kind == FS_NODE_LOCK)
        fs_scratch_uncount_name(fs);
    fs_due_set(fs, node, 0);
    fs_pages_drop(fs, node);
    lose_key(node); /* what was set on it stays with the key */
    if (node->taken != NULL)
        fs_attr_forget(fs, node);
    HASH_DELETE(hh, fs->nodes, node);
    fs_value_drop(fs, node);
    fs_value_drop_had(node);
    if (node->working.image != NULL)
        fs_image_clear(node->working.image);
    free(node->working.image);
    ds_buf_free(&node->working.tail);
    if (node->dataset != NULL) {
        if (node->dataset->node == node)
            node->dataset->node = NULL;
        if (node->dataset->info_node == node)
            node->dataset->info_node = NULL;
        fs_record_unref(fs, node->dataset);
    }
    free(node->key);
    free(node);
}

bool fs_node_is_written(const struct fs_node *node)
{
    return node->open.writers > 0;
}

bool fs_node_is_kept(const struct fs_node *node)
{
    return node->attached &&
           (node->scratch != NULL || node->withheld != NULL || node->kind == FS_NODE_LOCK ||
            node->due.at_ms != 0 || fs_working_waits(node));
}

static void free_if_unused(struct fs *fs, struct fs_node *node)
{
    if (node->pins == 0 && node->lookups == 0 && !fs_node_is_kept(node))
        free_node(fs, node);
}

struct fs_node *fs_node_find(struct fs *fs, fuse_ino_t ino)
{
    struct fs_node *node;

    HASH_FIND(hh, fs->nodes, &ino, sizeof(ino), node);
    if (node != NULL)
        node->pins++;
    return node;
}

struct fs_node *fs_node_of_key(struct fs_dataset *dataset, const char *key)
{
    struct fs_node *node;

    HASH_FIND(hh_key, dataset->entries, key, strlen(key), node);
    if (node != NULL)
        node->pins++;
    return node;
}

struct fs_node *fs_node_get_key(struct fs *fs, struct fs_dataset *dataset, const char *key)
{
    struct fs_node *node = fs_node_of_key(dataset, key);

    return node != NULL ? node : fs_node_new(fs, FS_NODE_ENTRY, dataset, key);
}

void fs_node_pin(struct fs_node *node)
{
    node->pins++;
}

void fs_node_unpin(struct fs *fs, struct fs_node *node)
{
    node->pins--;
    free_if_unused(fs, node);
}

void fs_node_looked_up(struct fs_node *node)
{
    node->lookups++;
}

struct fs_node *fs_node_acquire(struct fs *fs, fuse_ino_t ino)
{
    DS_LOCK_SCOPE(&fs->lock);
    return fs_node_find(fs, ino);
}

void fs_node_release(struct fs *fs, struct fs_node *node)
{
    DS_LOCK_SCOPE(&fs->lock);
    fs_node_unpin(fs, node);
}

void fs_node_forget(struct fs *fs, fuse_ino_t ino, uint64_t count)
{
    struct fs_node *node;

    DS_LOCK_SCOPE(&fs->lock);
    HASH_FIND(hh, fs->nodes, &ino, sizeof(ino), node);
    if (node == NULL)
        return;
    node->lookups -= count < node->lookups ? count : node->lookups;
    free_if_unused(fs, node);
}

void fs_node_detach(struct fs *fs, struct fs_node *node)
{
    if (!node->attached)
        return;
    give_up_key(fs, node);
    fs_scratch_untie(fs, node);
}

void fs_node_take_key(struct fs *fs, struct fs_node *node, struct fs_dataset *dataset, char *key)
{
    struct fs_node *old;
    struct fs_commit commit = node->working.commit;

    HASH_FIND(hh_key, dataset->entries, key, strlen(key), old);
    if (old != NULL)
        fs_node_detach(fs, old);
    if (node->attached)
        give_up_key(fs, node);
    else /* it had none yet */
        node->number = number_of(fs, node->kind, dataset, key);
    fs_record_ref(dataset);
    fs_record_unref(fs, node->dataset);
    free(node->key);
    node->dataset = dataset;
    node->key = key;
    FS_HASH_ADD_SURELY(hh_key, dataset->entries, node->key, strlen(node->key), node);
    node->attached = true;
    node->seen.sighted = ++fs->last_question;
    node->working.commit = commit; /* a truncation whose first data was refused is the file's */
    fs_times_bring(fs, node);
    fs_attr_put(fs, node);
}

int fs_node_move(struct fs *fs, struct fs_node *node, struct fs_dataset *dataset, const char *key)
{
    char *copy = strdup(key);

    if (copy == NULL)
        return -ENOMEM;
    fs_node_take_key(fs, node, dataset, copy);
    return 0;
}

int fs_key_lock(struct fs_request *request, struct fs_node *node)
{
    struct fs *fs = request->fs;
    int err;

    if (!node->key_lock.locked && node->key_lock.waiters == NULL) {
        node->key_lock.locked = true;
        return 0;
    }
    pthread_mutex_unlock(&fs->lock);
    err = fs_request_may_block(request);
    pthread_mutex_lock(&fs->lock);
    if (err != 0)
        return err;
    DL_APPEND(node->key_lock.waiters, request);
    request->sleeps = true;
    for (;;) {
        struct timespec until = {.tv_sec = request->call.deadline_ms / 1000,
                                 .tv_nsec = request->call.deadline_ms % 1000 * 1000000};

        if (!node->key_lock.locked && node->key_lock.waiters == request) {
            node->key_lock.locked = true;
            break;
        }
        err = ds_call_check(&request->call);
        if (err != 0)
            break;
        pthread_cond_timedwait(&request->worker->wake, &fs->lock, &until);
    }
    request->sleeps = false;
    DL_DELETE(node->key_lock.waiters, request); // NOLINT(clang-analyzer-core.NullDereference)
    if (err != 0 && !node->key_lock.locked && node->key_lock.waiters != NULL)
        pthread_cond_signal(&node->key_lock.waiters->worker->wake);
    return err;
}

void fs_key_unlock(struct fs_node *node)
{
    node->key_lock.locked = false;
    if (node->key_lock.waiters != NULL)
        pthread_cond_signal(&node->key_lock.waiters->worker->wake);
}

int fs_key_lock_named(struct fs_request *request, struct fs_node *node)
{
    unsigned keys_lost = node->keys_lost;
    int err = fs_key_lock(request, node);

    if (err != 0 || node->keys_lost == keys_lost)
        return err;
    fs_key_unlock(node);
    return -ESTALE;
}
