/* The tables of inodes. */
#include "node.h"

#include "cleanup.h"
#include "marks.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static uint64_t number_of(const struct fs *fs, enum fs_node_kind kind,
                          const struct fs_dataset *dataset, const char *key)
{
    return fs_marks_number(fs, dataset->name, key,
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
    node->seen.version = fs_clock_version(&fs->clock);
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
}

static void free_node(struct fs *fs, struct fs_node *node)
{
    fs->owners->end(fs, node);
    lose_key(node);
    HASH_DELETE(hh, fs->nodes, node);
    if (node->dataset != NULL) {
        if (node->dataset->node == node)
            node->dataset->node = NULL;
        if (node->dataset->info_node == node)
            node->dataset->info_node = NULL;
        fs_record_unref(node->dataset);
    }
    free(node->key);
    free(node);
}

bool fs_node_is_written(const struct fs_node *node)
{
    return node->open.writers > 0;
}

bool fs_node_is_local(const struct fs_node *node)
{
    return node->scratch != NULL || node->kind == FS_NODE_LOCK;
}

static void free_if_unused(struct fs *fs, struct fs_node *node)
{
    if (node->pins == 0 && node->lookups == 0 && !fs->owners->keep(node))
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

bool fs_node_forgotten(const struct fs_stale *stale, struct fs_forgotten *what)
{
    const struct fs_node *node =
        (const struct fs_node *)((const char *)stale - offsetof(struct fs_node, stale));

    what->ino = node->ino;
    what->name[0] = '\0';
    if (node->kind != FS_NODE_DATASET)
        return true;
    what->ino = node->dataset->vm->ino;
    fs_name_encode(FS_NAME_IN_ROOT, node->dataset->name, what->name);
    return !node->dataset->exists; /* or it was made again */
}

void fs_node_detach(struct fs *fs, struct fs_node *node)
{
    if (!node->attached)
        return;
    fs->owners->lose_key(fs, node, false);
    lose_key(node);
}

void fs_node_take_key(struct fs *fs, struct fs_node *node, struct fs_dataset *dataset, char *key)
{
    struct fs_node *old;

    HASH_FIND(hh_key, dataset->entries, key, strlen(key), old);
    if (old != NULL)
        fs_node_detach(fs, old);
    if (node->attached) {
        fs->owners->lose_key(fs, node, true);
        lose_key(node);
    } else { /* it had none yet */
        node->number = number_of(fs, node->kind, dataset, key);
    }
    fs_record_ref(dataset);
    fs_record_unref(node->dataset);
    free(node->key);
    node->dataset = dataset;
    node->key = key;
    FS_HASH_ADD_SURELY(hh_key, dataset->entries, node->key, strlen(node->key), node);
    node->attached = true;
    fs->owners->get_key(fs, node);
}

int fs_node_move(struct fs *fs, struct fs_node *node, struct fs_dataset *dataset, const char *key)
{
    char *copy = strdup(key);

    if (copy == NULL)
        return -ENOMEM;
    fs_node_take_key(fs, node, dataset, copy);
    return 0;
}
