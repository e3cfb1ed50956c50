/* Attributes of inodes. */
#include "kept_attributes.h"

#include "key_history.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum remembered { HAS_MODE = 1, HAS_UID = 2, HAS_GID = 4, HAS_TIMES = 8 };

struct fs_volatile {
    char *path; /* the machine, the DataSet's name, NUL, the key: see path_of(); NULL: a node has
                   taken it */
    size_t path_len;
    UT_hash_handle hh;
    unsigned has; /* enum remembered */
    mode_t mode;
    uid_t uid;
    gid_t gid;
    struct timespec atime, mtime;
    uint64_t version; /* the times hold while the content is this one */
    uint64_t digest;  /* and of that, for an inode that comes after (times.h); 0: not known */
};

/* Neither names nor keys hold a NUL, so it may divide them. Before them stands whose machine's they
 * are. */
static char *path_of(const struct fs_dataset *dataset, const char *key, size_t *len)
{
    size_t name_len = strlen(dataset->name), key_len = key != NULL ? strlen(key) : 0;
    size_t start = sizeof(dataset->vm->seed);
    char *path = malloc(start + name_len + key_len + 2);

    if (path == NULL)
        return NULL;
    memcpy(path, &dataset->vm->seed, start);
    memcpy(path + start, dataset->name, name_len + 1);
    if (key != NULL)
        memcpy(path + start + name_len + 1, key, key_len);
    *len = start + name_len + (key != NULL ? 1 + key_len : 0);
    return path;
}

static struct fs_volatile *find(struct fs *fs, const struct fs_dataset *dataset, const char *key)
{
    struct fs_volatile *found = NULL;
    size_t len;
    char *path;

    if (fs->volatiles.all == NULL)
        return NULL;
    path = path_of(dataset, key, &len);
    if (path != NULL)
        HASH_FIND(hh, fs->volatiles.all, path, len, found);
    free(path);
    return found;
}

/* What was set on the node; an entry without a key has it with it. */
static struct fs_volatile *find_of(struct fs *fs, const struct fs_node *node)
{
    if (node->kind != FS_NODE_ENTRY && node->kind != FS_NODE_DATASET)
        return NULL;
    if (node->kind == FS_NODE_ENTRY && !node->attached)
        return node->busy->carried;
    return find(fs, node->dataset, node->key);
}

static void drop(struct fs *fs, struct fs_volatile *item)
{
    /* All in the table have one, which no analyzer knows. */
    if (item->path != NULL)
        HASH_DEL(fs->volatiles.all, item); // NOLINT(clang-analyzer-unix.Malloc)
    fs->volatiles.count--;
    free(item->path);
    free(item);
}

/* Enters the item under the node's key; without memory it is dropped. */
static void enter(struct fs *fs, struct fs_node *node, struct fs_volatile *item)
{
    item->path = path_of(node->dataset, node->key, &item->path_len);
    if (item->path != NULL) {
        HASH_ADD_KEYPTR(hh, fs->volatiles.all, item->path, item->path_len, item);
        if (FS_HASH_HAS(hh, item))
            return;
        free(item->path);
        item->path = NULL;
    }
    drop(fs, item);
}

/* NULL when there is no memory. */
static struct fs_volatile *add(struct fs *fs, struct fs_node *node)
{
    bool keyless = node->kind == FS_NODE_ENTRY && !node->attached;
    struct fs_volatile *item = NULL;

    if (!keyless || fs_node_make_busy(fs, node) == 0)
        item = calloc(1, sizeof(*item));
    if (item == NULL)
        return NULL;
    fs->volatiles.count++;
    if (keyless)
        node->busy->carried = item;
    else
        enter(fs, node, item);
    return find_of(fs, node);
}

void fs_attr_apply(struct fs *fs, const struct fs_node *node, struct stat *attr)
{
    const struct fs_volatile *item = find_of(fs, node);

    if (item == NULL)
        return;
    if (item->has & HAS_MODE)
        attr->st_mode &= item->mode | S_IFMT;
    if (item->has & HAS_UID)
        attr->st_uid = item->uid;
    if (item->has & HAS_GID)
        attr->st_gid = item->gid;
    if (item->has & HAS_TIMES && item->version == node->seen.version) {
        attr->st_atim = item->atime;
        attr->st_mtim = item->mtime;
    }
}

void fs_attr_recognise(struct fs *fs, struct fs_node *node)
{
    struct fs_volatile *item = find_of(fs, node);

    if (item != NULL && (item->has & HAS_TIMES) && item->digest != 0 &&
        item->digest == fs_history_digest(fs, node->seen.value->data, node->seen.value->len))
        item->version = node->seen.version;
}

void fs_attr_keep(struct fs *fs, struct fs_node *node)
{
    struct fs_volatile *item = find_of(fs, node);

    if (item != NULL && node->kind == FS_NODE_ENTRY && node->seen.presence != FS_PRESENCE_UNKNOWN &&
        item->version != node->seen.version)
        item->has &= ~(unsigned)HAS_TIMES;
}

static struct timespec time_of(const struct timespec *given, bool now)
{
    struct timespec current;

    clock_gettime(CLOCK_REALTIME, &current);
    return now ? current : *given;
}

int fs_attr_remember(struct fs *fs, struct fs_node *node, const struct stat *attr, int to_set,
                     uint64_t digest)
{
    struct fs_volatile *item;

    if ((to_set & (FUSE_SET_ATTR_MODE | FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID | FS_ATTR_TIMES)) ==
        0)
        return 0;
    if (node->kind == FS_NODE_ROOT || node->kind == FS_NODE_MACHINES ||
        node->kind == FS_NODE_MACHINE)
        return 0; /* the mount's own options decide */
    if (node->kind != FS_NODE_ENTRY && node->kind != FS_NODE_DATASET)
        return -EPERM;
    item = find_of(fs, node);
    if (item == NULL && fs->volatiles.count >= FS_ATTR_REMEMBERED_MAX)
        return 0;
    if (item == NULL)
        item = add(fs, node);
    if (item == NULL)
        return -ENOMEM;
    if (to_set & FUSE_SET_ATTR_MODE) {
        item->has |= HAS_MODE;
        item->mode = attr->st_mode & 07777;
    }
    if (to_set & FUSE_SET_ATTR_UID) {
        item->has |= HAS_UID;
        item->uid = attr->st_uid;
    }
    if (to_set & FUSE_SET_ATTR_GID) {
        item->has |= HAS_GID;
        item->gid = attr->st_gid;
    }
    if (to_set & FS_ATTR_TIMES) {
        if (!(item->has & HAS_TIMES) || item->version != node->seen.version)
            item->atime = item->mtime = node->seen.mtime;
        if (to_set & (FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_ATIME_NOW))
            item->atime = time_of(&attr->st_atim, to_set & FUSE_SET_ATTR_ATIME_NOW);
        if (to_set & (FUSE_SET_ATTR_MTIME | FUSE_SET_ATTR_MTIME_NOW))
            item->mtime = time_of(&attr->st_mtim, to_set & FUSE_SET_ATTR_MTIME_NOW);
        item->has |= HAS_TIMES;
        item->version = node->seen.version;
        item->digest = digest;
    }
    return 0;
}

void fs_attr_forget(struct fs *fs, struct fs_node *node)
{
    struct fs_volatile *item = find_of(fs, node);

    if (item != NULL)
        drop(fs, item);
    if (fs_node_is_busy(node))
        node->busy->carried = NULL;
}

void fs_attr_take(struct fs *fs, struct fs_node *node)
{
    struct fs_volatile *item = find_of(fs, node);

    if (item == NULL || item == node->busy->carried)
        return;
    if (fs_node_make_busy(fs, node) != 0) {
        drop(fs, item);
        return;
    }
    HASH_DEL(fs->volatiles.all, item);
    free(item->path);
    item->path = NULL;
    node->busy->carried = item;
}

void fs_attr_put(struct fs *fs, struct fs_node *node)
{
    struct fs_volatile *item = node->busy->carried;

    fs_attr_forget(fs, node);
    if (item != NULL)
        enter(fs, node, item);
}

static bool is_of(const struct fs_volatile *item, const struct fs_dataset *dataset)
{
    size_t start = sizeof(dataset->vm->seed);

    return memcmp(item->path, &dataset->vm->seed, start) == 0 &&
           strcmp(item->path + start, dataset->name) == 0;
}

void fs_attr_forget_dataset(struct fs *fs, const struct fs_dataset *dataset)
{
    struct fs_volatile *item, *next;

    HASH_ITER (hh, fs->volatiles.all, item, next) {
        if (is_of(item, dataset))
            drop(fs, item);
    }
}

void fs_attr_clear(struct fs *fs)
{
    struct fs_volatile *item, *next;

    HASH_ITER (hh, fs->volatiles.all, item, next) {
        drop(fs, item);
    }
}

bool fs_attr_permits(const struct stat *attr, int mask)
{
    mode_t wanted = (mode_t)(mask & 7) << 6;

    return (attr->st_mode & wanted) == wanted;
}
