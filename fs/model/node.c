/* The tables of inodes. */
#include "node.h"

#include "cleanup.h"
#include "key_history.h"
#include "text/digest.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

static uint64_t number_of(enum fs_node_kind kind, const struct fs_dataset *dataset, const char *key)
{
    return fs_history_number(dataset->vm, dataset->name, key,
                             kind == FS_NODE_INFO ? FS_NUMBER_INFO : FS_NUMBER_NAME);
}

static struct fs_node *with_ino(const struct fs_link *link)
{
    return (struct fs_node *)((const char *)link - offsetof(struct fs_node, by_ino));
}

static struct fs_node *with_key(const struct fs_link *link)
{
    return (struct fs_node *)((const char *)link - offsetof(struct fs_node, by_key));
}

static uint64_t ino_hash(const struct fs_link *link)
{
    return with_ino(link)->ino;
}

static uint64_t hash_of(const struct fs_dataset *dataset, const char *key)
{
    return fs_digest((uintptr_t)dataset, key, strlen(key));
}

static uint64_t key_hash(const struct fs_link *link)
{
    return hash_of(with_key(link)->dataset, with_key(link)->key);
}

/* Shared by all that are idle. */
static const struct fs_busy idle;

bool fs_node_is_busy(const struct fs_node *node)
{
    return node->busy != &idle;
}

int fs_node_make_busy(struct fs *fs, struct fs_node *node)
{
    struct fs_busy *busy;

    if (fs_node_is_busy(node))
        return 0;
    busy = calloc(1, sizeof(*busy));
    if (busy == NULL)
        return -ENOMEM;
    busy->node = node;
    node->busy = busy;
    DL_APPEND(fs->busy, busy);
    return 0;
}

static void make_idle(struct fs *fs, struct fs_node *node)
{
    if (fs_node_is_busy(node)) {
        DL_DELETE(fs->busy, node->busy);
        free(node->busy);
    }
    node->busy = (struct fs_busy *)&idle;
}

/* The node is the key's from now on. */
static void get_key(struct fs_node *node)
{
    fs_index_add(&node->dataset->entries, &node->by_key, key_hash);
    node->attached = true;
}

struct fs_node *fs_node_new(struct fs *fs, enum fs_node_kind kind, struct fs_dataset *dataset,
                            const char *key)
{
    struct fs_node *node = malloc(sizeof(*node));

    if (node == NULL)
        return NULL;
    *node = (struct fs_node){
        .kind = kind,
        .pins = 1,
        .busy = (struct fs_busy *)&idle,
        .seen = {.version = fs_clock_version(&fs->clock), .mtime = fs->start},
    };
    node->key = key != NULL ? strdup(key) : NULL;
    if ((key != NULL && node->key == NULL) ||
        (kind != FS_NODE_ENTRY && fs_node_make_busy(fs, node) != 0)) {
        free(node->key);
        free(node);
        return NULL;
    }
    node->ino = ++fs->last_ino;
    node->number = dataset == NULL ? node->ino : number_of(kind, dataset, key);
    fs_index_add(&fs->nodes, &node->by_ino, ino_hash);
    if (dataset != NULL) {
        node->dataset = dataset;
        fs_dataset_ref(dataset);
    }
    if (dataset != NULL && key != NULL)
        get_key(node);
    return node;
}

static const enum fs_node_kind vm_kinds[] = {
    [FS_VM_DIRECTORY] = FS_NODE_MACHINE,
    [FS_VM_LINK] = FS_NODE_MACHINE_LINK,
    [FS_VM_CONTROL] = FS_NODE_CONTROL,
    [FS_VM_INFO] = FS_NODE_INFO_DIR,
};

struct fs_node *fs_node_of_vm(struct fs_vm *vm, enum fs_vm_inode which)
{
    struct fs_node **node = &vm->machine.inodes[which];

    if (*node != NULL) {
        (*node)->pins++;
        return *node;
    }
    *node = fs_node_new(vm->fs, vm_kinds[which], NULL, NULL);
    if (*node == NULL)
        return NULL;
    (*node)->busy->vm = vm;
    (*node)->number = fs_history_number_of_vm(vm, which);
    if (which == FS_VM_DIRECTORY)
        vm->ino = (*node)->ino;
    return *node;
}

struct fs_vm *fs_node_vm(const struct fs *fs, const struct fs_node *node)
{
    if (node->dataset != NULL)
        return node->dataset->vm;
    return node->busy->vm != NULL ? node->busy->vm : fs->vm;
}

/* The machine does without its node. */
static void leave_vm(const struct fs_node *node)
{
    struct fs_vm *vm = node->busy->vm;

    for (size_t i = 0; vm != NULL && i < FS_VM_INODES; i++) {
        if (vm->machine.inodes[i] == node)
            vm->machine.inodes[i] = NULL;
    }
    if (vm != NULL && vm->ino == node->ino)
        vm->ino = 0;
}

static void lose_key(struct fs_node *node)
{
    if (!node->attached)
        return;
    fs_index_remove(&node->dataset->entries, &node->by_key, key_hash);
    node->attached = false;
    node->keys_lost++;
}

static void free_node(struct fs *fs, struct fs_node *node)
{
    fs->owners->end(fs, node);
    lose_key(node);
    fs_index_remove(&fs->nodes, &node->by_ino, ino_hash);
    leave_vm(node);
    make_idle(fs, node);
    if (node->dataset != NULL) {
        if (node->dataset->node == node)
            node->dataset->node = NULL;
        if (node->dataset->info_node == node)
            node->dataset->info_node = NULL;
        fs_dataset_unref(node->dataset);
    }
    free(node->key);
    free(node);
}

bool fs_node_is_written(const struct fs_node *node)
{
    return node->busy->open.writers > 0;
}

bool fs_node_is_local(const struct fs_node *node)
{
    return node->busy->scratch != NULL || node->kind == FS_NODE_LOCK;
}

static void free_if_unused(struct fs *fs, struct fs_node *node)
{
    if (node->pins == 0 && node->lookups == 0 && !fs->owners->keep(node))
        free_node(fs, node);
}

static struct fs_node *find(const struct fs *fs, fuse_ino_t ino)
{
    struct fs_link *link = fs_index_chain(&fs->nodes, ino);

    while (link != NULL && with_ino(link)->ino != ino)
        link = link->next;
    return link != NULL ? with_ino(link) : NULL;
}

struct fs_node *fs_node_find(struct fs *fs, fuse_ino_t ino)
{
    struct fs_node *node = find(fs, ino);

    if (node != NULL)
        node->pins++;
    return node;
}

struct fs_node *fs_node_known(const struct fs_dataset *dataset, const char *key)
{
    struct fs_link *link = fs_index_chain(&dataset->entries, hash_of(dataset, key));

    while (link != NULL && strcmp(with_key(link)->key, key) != 0)
        link = link->next;
    return link != NULL ? with_key(link) : NULL;
}

struct fs_node *fs_node_of_key(struct fs_dataset *dataset, const char *key)
{
    struct fs_node *node = fs_node_known(dataset, key);

    if (node != NULL)
        node->pins++;
    return node;
}

struct fs_node *fs_node_any_of(const struct fs_dataset *dataset)
{
    struct fs_link *link = fs_index_any(&dataset->entries);

    return link != NULL ? with_key(link) : NULL;
}

struct fs_node *fs_node_any(const struct fs *fs)
{
    struct fs_link *link = fs_index_any(&fs->nodes);

    return link != NULL ? with_ino(link) : NULL;
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

void fs_node_pin_ahead(struct fs_node *node)
{
    node->walkers++;
    fs_node_pin(node);
}

void fs_node_unpin_ahead(struct fs *fs, struct fs_node *node)
{
    node->walkers--;
    fs_node_unpin(fs, node);
}

void fs_node_unpin(struct fs *fs, struct fs_node *node)
{
    node->pins--;
    if (node->pins == 0 && fs_node_is_busy(node) && fs->owners->idle(node))
        make_idle(fs, node);
    free_if_unused(fs, node);
}

void fs_node_looked_up(struct fs_node *node)
{
    node->lookups++;
}

void fs_node_drop(struct fs *fs, struct fs_node *node)
{
    node->lookups = 0;
    node->pins = 1;
    fs_node_unpin(fs, node);
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
    node = find(fs, ino);
    if (node == NULL)
        return;
    node->lookups -= count < node->lookups ? count : node->lookups;
    free_if_unused(fs, node);
}

bool fs_node_forgotten(const struct fs_stale *stale, struct fs_forgotten *what)
{
    const struct fs_node *node =
        ((const struct fs_busy *)((const char *)stale - offsetof(struct fs_busy, stale)))->node;

    what->ino = node->ino;
    what->name[0] = '\0';
    if (node->kind == FS_NODE_MACHINE) {
        what->ino = FS_INO_ROOT;
        snprintf(what->name, sizeof(what->name), "%s", node->busy->vm->machine.file_name);
        return !node->busy->vm->machine.shown;
    }
    if (node->kind != FS_NODE_DATASET)
        return true;
    what->ino = node->dataset->vm->ino;
    ds_file_name_encode(DS_FILE_NAME_IN_ROOT, node->dataset->name, what->name);
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
    struct fs_node *old = fs_node_known(dataset, key);

    if (old != NULL)
        fs_node_detach(fs, old);
    if (node->attached) {
        fs->owners->lose_key(fs, node, true);
        lose_key(node);
    } else { /* it had none yet */
        node->number = number_of(node->kind, dataset, key);
    }
    fs_dataset_ref(dataset);
    fs_dataset_unref(node->dataset);
    free(node->key);
    node->dataset = dataset;
    node->key = key;
    get_key(node);
    fs->owners->get_key(fs, node);
}

void fs_node_unname(struct fs *fs, struct fs_node *node)
{
    node->number = fs_history_number_unnamed(fs, node->ino);
}

int fs_node_move(struct fs *fs, struct fs_node *node, struct fs_dataset *dataset, const char *key)
{
    char *copy = strdup(key);

    if (copy == NULL)
        return -ENOMEM;
    fs_node_take_key(fs, node, dataset, copy);
    return 0;
}
