/* Directory handles and listings. */
#include "dir.h"

#include "cleanup.h"
#include "control/control.h"
#include "entry.h"
#include "file/content.h"
#include "kernel/reply.h"
#include "model/marks.h"
#include "model/node.h"
#include "model/told.h"
#include "model/value.h"
#include "store/access.h"
#include "store/ahead.h"
#include "store/list.h"
#include "text/name.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

/* "." and ".." come before the names. */
enum { FIRST_NAME = 2 };

/* One opendir(3). */
struct fs_dir {
    struct fs_node *node;       /* pinned */
    struct fs_dir *prev, *next; /* fs->dirs, with fs->lock */
    /* With fs->lock; replaced when the handle is rewound. */
    struct fs_listing *listing;
    struct ds_names created; /* keys that wait for their first data and are not in the store */
};

static const char *const control_names[] = {"stats", "errors", "scratch", "info"};
static const fuse_ino_t control_inos[] = {FS_INO_STATS, FS_INO_ERRORS, FS_INO_SCRATCH, FS_INO_INFO};
enum { CONTROL_COUNT = sizeof(control_names) / sizeof(control_names[0]) };

static void clear(struct fs_dir *dir)
{
    fs_listing_unref(dir->listing);
    dir->listing = NULL;
    ds_names_clear(&dir->created);
}

/* True if the store lists the key: somebody else has made what is held back here. */
static bool lists(const struct fs_dir *dir, const char *key)
{
    return dir->listing != NULL && fs_listing_has(dir->listing, key);
}

/* With fs->lock: keys that exist in this mount only so far. */
static int add_created(struct fs_dir *dir)
{
    struct fs_node *node, *next;
    int err = 0;

    if (dir->node->kind != FS_NODE_DATASET)
        return 0;
    HASH_ITER (hh_key, dir->node->dataset->entries, node, next) {
        if (err == 0 && node->seen.presence != FS_PRESENT && fs_value_exists(node) &&
            !(fs_node_is_local(node) && lists(dir, node->key)))
            err = ds_names_add(&dir->created, node->key);
    }
    return err;
}

/* Lists anew. */
static int rewind_dir(struct fs_request *request, struct fs_dir *dir)
{
    struct fs *fs = request->fs;
    struct fs_listing *listing = NULL;
    int err = 0;

    if (dir->node->kind == FS_NODE_DATASET)
        err = fs_access_allow(request, dir->node->dataset, NULL, FS_NEED_READ);
    if (err != 0)
        return err;
    DS_LOCK_SCOPE(&fs->lock);
    if (dir->node->kind != FS_NODE_CONTROL && dir->node->kind != FS_NODE_LOCK)
        err = fs_list_locked(request, dir->node->dataset, &listing);
    if (err != 0)
        return err;
    clear(dir);
    dir->listing = listing;
    return add_created(dir);
}

/* A listing may have shown that the directory was modified: with a negative offset this is safe in
 * a handler. */
static void tell_times(struct fs *fs, const struct fs_node *node)
{
    bool stale;

    pthread_mutex_lock(&fs->lock);
    stale = node->told.version != node->seen.version;
    pthread_mutex_unlock(&fs->lock);
    if (stale)
        fuse_lowlevel_notify_inval_inode(fs->kernel.session, node->ino, -1, 0);
}

int fs_dir_open(struct fs_request *request)
{
    struct fs *fs = request->fs;
    struct fs_node *node = fs_node_acquire(fs, request->ino);
    struct fs_dir *dir = NULL;
    int err = node == NULL ? -ESTALE : fs_control_allow(request, node);

    if (err == 0 && node->kind == FS_NODE_DATASET)
        err = fs_access_allow(request, node->dataset, NULL, FS_NEED_READ);
    if (err == 0) {
        dir = calloc(1, sizeof(*dir));
        err = dir != NULL ? 0 : -ENOMEM;
    }
    if (err != 0) {
        if (node != NULL)
            fs_node_release(fs, node);
        return err;
    }
    dir->node = node; /* with the pin */
    pthread_mutex_lock(&fs->lock);
    DL_APPEND(fs->dirs, dir);
    pthread_mutex_unlock(&fs->lock);
    request->fi.fh = (uintptr_t)dir;
    if (fs_reply_open(request) != 0) {
        DS_LOCK_SCOPE(&fs->lock);
        fs_dir_free(fs, dir);
    }
    return 0;
}

static struct fs_dir *dir_of(const struct fs_request *request)
{
    return (struct fs_dir *)(uintptr_t)request->fi.fh; // NOLINT(performance-no-int-to-ptr)
}

void fs_dir_free(struct fs *fs, struct fs_dir *dir)
{
    DL_DELETE(fs->dirs, dir);
    clear(dir);
    fs_node_unpin(fs, dir->node);
    free(dir);
}

int fs_dir_release(struct fs_request *request)
{
    pthread_mutex_lock(&request->fs->lock);
    fs_dir_free(request->fs, dir_of(request));
    pthread_mutex_unlock(&request->fs->lock);
    fs_reply_ok(request);
    return 0;
}

/* With fs->lock: the node of the listed name, without a pin; NULL if the kernel has none. */
static struct fs_node *node_of_name(struct fs *fs, const struct fs_dir *dir, const char *name)
{
    struct fs_node *node = NULL;
    struct fs_dataset *dataset;

    if (dir->node->kind == FS_NODE_DATASET) {
        HASH_FIND(hh_key, dir->node->dataset->entries, name, strlen(name), node);
        return node;
    }
    HASH_FIND_STR(fs->datasets, name, dataset);
    if (dataset == NULL)
        return NULL;
    return dir->node->kind == FS_NODE_ROOT ? dataset->node : dataset->info_node;
}

/* One name of a directory. */
struct item {
    char name[FS_NAME_MAX_BYTES + 1];
    mode_t type;
    struct fs_node *node; /* or NULL */
    uint64_t number;
    bool hidden; /* not to be shown */
};

/* With fs->lock: true if the store lists the node, but it was renamed through this mount. */
static bool is_hidden(const struct fs_node *node)
{
    return node != NULL && node->withheld != NULL && !fs_value_exists(node);
}

static uint64_t parent_number(const struct fs *fs, const struct fs_node *node)
{
    if (node->kind == FS_NODE_LOCK)
        return fs_marks_number(fs, node->dataset->name, NULL, FS_NUMBER_NAME);
    return node->kind == FS_NODE_INFO_DIR ? FS_INO_CONTROL : FS_INO_ROOT;
}

/* With fs->lock: of one that the kernel does not know yet. */
static uint64_t number_of_name(const struct fs *fs, const struct fs_dir *dir, const char *name)
{
    if (dir->node->kind == FS_NODE_DATASET)
        return fs_marks_number(fs, dir->node->dataset->name, name, FS_NUMBER_NAME);
    return fs_marks_number(fs, name, NULL,
                           dir->node->kind == FS_NODE_ROOT ? FS_NUMBER_NAME : FS_NUMBER_INFO);
}

/* With fs->lock: the item at `index`; false behind the last one. */
static bool item_at(struct fs *fs, const struct fs_dir *dir, size_t index, struct item *item)
{
    const struct ds_names *names = dir->listing != NULL ? &dir->listing->names : NULL;
    size_t listed = names != NULL ? names->count : 0;
    const char *name;

    item->node = NULL;
    item->type = S_IFDIR;
    item->hidden = false;
    if (index < FIRST_NAME) {
        snprintf(item->name, sizeof(item->name), "%s", index == 0 ? "." : "..");
        item->number = index == 0 ? dir->node->number : parent_number(fs, dir->node);
        return true;
    }
    index -= FIRST_NAME;
    if (dir->node->kind == FS_NODE_CONTROL) {
        if (index >= CONTROL_COUNT)
            return false;
        snprintf(item->name, sizeof(item->name), "%s", control_names[index]);
        item->node = fs_node_find(fs, control_inos[index]);
        fs_node_unpin(fs, item->node); /* it is always there */
        item->number = item->node->number;
        if (control_inos[index] != FS_INO_INFO)
            item->type = S_IFREG;
        return true;
    }
    if (index < listed)
        name = names->names[index];
    else if (index - listed < dir->created.count)
        name = dir->created.names[index - listed];
    else
        return false;
    if (dir->node->kind != FS_NODE_ROOT)
        item->type = S_IFREG;
    fs_name_encode(dir->node->kind == FS_NODE_DATASET ? FS_NAME_IN_DATASET : FS_NAME_IN_ROOT, name,
                   item->name);
    item->node = node_of_name(fs, dir, name);
    item->number = item->node != NULL ? item->node->number : number_of_name(fs, dir, name);
    if (item->node != NULL && item->node->kind == FS_NODE_LOCK)
        item->type = S_IFDIR;
    item->hidden = is_hidden(item->node);
    return true;
}

/* With fs->lock: true if the kernel may be given the whole entry without a request to the store. */
static bool is_known(const struct fs_request *request, const struct fs_node *node)
{
    const struct fs *fs = request->fs;

    if (node == NULL)
        return false;
    switch (node->kind) {
    case FS_NODE_ENTRY:
        return fs_value_exists(node) &&
               (fs_value_answers(fs, node) || fs_ahead_waits(node, request->tid));
    case FS_NODE_LOCK:
        return true;
    case FS_NODE_DATASET:
        return node->dataset->exists && node->dataset->queried_ms != 0 &&
               ds_call_now_ms() - node->dataset->queried_ms <= FS_ACCESS_TRUST_MS;
    default:
        return false;
    }
}

/* With fs->lock: adds an item to the buffer. Its size, or 0 if it does not fit. */
static size_t add_item(struct fs_request *request, const struct item *item, off_t next, bool plus,
                       char *to, size_t room)
{
    struct fs *fs = request->fs;
    struct fuse_entry_param entry = {0};
    size_t size;

    entry.attr.st_mode = item->type;
    entry.attr.st_ino = item->number;
    if (!plus) {
        size = fuse_add_direntry(request->req, to, room, item->name, &entry.attr, next);
        return size <= room ? size : 0;
    }
    /* Inode 0 names an entry without making the kernel believe anything of it. */
    bool known = is_known(request, item->node);
    if (known)
        fs_told_entry(fs, item->node, fs_content_size(item->node), &entry);
    size = fuse_add_direntry_plus(request->req, to, room, item->name, &entry, next);
    if (size > room)
        return 0;
    if (known)
        fs_node_looked_up(item->node);
    return size;
}

/* With fs->lock: the first name from `index` on, as far as one reply reaches, of which the kernel
 * cannot be told all; false if there is none. */
static bool find_unknown(const struct fs_request *request, const struct fs_dir *dir, size_t *index)
{
    struct fs *fs = request->fs;
    const struct ds_names *names = &dir->listing->names;
    size_t end = *index + request->size / sizeof(struct stat);

    for (; *index < names->count && *index < end; (*index)++) {
        const struct fs_node *node = node_of_name(fs, dir, names->names[*index]);

        if (!is_known(request, node) && !is_hidden(node))
            return true;
    }
    return false;
}

/* A READDIRPLUS beyond the first is sent to whoever looked the names of the first one up: it wants
 * whole entries. Fetches what they need, unless that was done already. */
static int fetch_ahead(struct fs_request *request, struct fs_dir *dir)
{
    struct fs *fs = request->fs;
    size_t index = (size_t)request->offset - FIRST_NAME;
    struct fs_listing *listing = NULL;
    int err;

    pthread_mutex_lock(&fs->lock);
    if (dir->listing != NULL && !fs_silent(fs) && find_unknown(request, dir, &index)) {
        listing = dir->listing;
        listing->refs++;
    }
    pthread_mutex_unlock(&fs->lock);
    if (listing == NULL)
        return 0;
    err = fs_ahead_fetch(request, dir->node->dataset, listing, index);
    fs_list_put(fs, listing);
    return err == FS_REQUEUE || err == -EINTR ? err : 0; /* names can be told without values */
}

int fs_dir_read(struct fs_request *request)
{
    struct fs *fs = request->fs;
    struct fs_dir *dir = dir_of(request);
    bool plus = request->opcode == FS_READDIRPLUS;
    char *buffer DS_AUTO_FREE = NULL;
    size_t used = 0, index = (size_t)request->offset;
    struct item item;
    int err = 0;

    if (request->offset == 0) {
        err = rewind_dir(request, dir);
        if (err == 0)
            tell_times(fs, dir->node);
    } else if (plus && request->offset >= FIRST_NAME && dir->node->kind == FS_NODE_DATASET)
        err = fetch_ahead(request, dir);
    if (err == -ENOENT)
        err = -ESTALE; /* readdir(3) would take ENOENT for the end of the directory */
    if (err != 0)
        return err;
    buffer = malloc(request->size);
    if (buffer == NULL)
        return -ENOMEM;
    pthread_mutex_lock(&fs->lock);
    while (item_at(fs, dir, index, &item)) {
        size_t size = item.hidden ? 0
                                  : add_item(request, &item, (off_t)(index + 1), plus,
                                             buffer + used, request->size - used);

        if (size == 0 && !item.hidden)
            break;
        used += size;
        index++;
    }
    pthread_mutex_unlock(&fs->lock);
    fs_reply_buf(request, buffer, used);
    return 0;
}
