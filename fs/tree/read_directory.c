/* Directory handles, and reading them. */
#include "read_directory.h"

#include "cleanup.h"
#include "kernel/reply.h"
#include "model/kind.h"
#include "model/machines.h"
#include "model/node.h"
#include "model/told_kernel.h"
#include "store/list_names.h"
#include "store/read_ahead.h"

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
    struct ds_names more; /* names that the listing lacks */
};

static void clear(struct fs_dir *dir)
{
    fs_listing_unref(dir->listing);
    dir->listing = NULL;
    ds_names_clear(&dir->more);
}

static const struct fs_kind *kind_of(const struct fs *fs, const struct fs_dir *dir)
{
    return &fs->kinds[dir->node->kind];
}

/* Lists anew. */
static int rewind_dir(struct fs_request *request, struct fs_dir *dir)
{
    struct fs *fs = request->fs;
    struct fs_listing *listing = NULL;
    struct ds_names more = {0};
    int err;

    pthread_mutex_lock(&fs->lock);
    fs_machines_below(request, fs_node_vm(fs, dir->node));
    pthread_mutex_unlock(&fs->lock);
    err = kind_of(fs, dir)->list(request, dir->node, &listing, &more);
    DS_LOCK_SCOPE(&fs->lock);
    if (err != 0) {
        fs_listing_unref(listing);
        ds_names_clear(&more);
        return err;
    }
    clear(dir);
    dir->listing = listing;
    dir->more = more;
    return 0;
}

/* A listing may have shown that the directory was modified: with a negative offset this is safe in
 * a handler. */
static void tell_times(const struct fs_request *request, const struct fs_node *node)
{
    struct fs *fs = request->fs;
    bool stale;

    pthread_mutex_lock(&fs->lock);
    stale = fs_told_is_stale(request, node);
    pthread_mutex_unlock(&fs->lock);
    if (stale)
        fuse_lowlevel_notify_inval_inode(fs->kernel.session, node->ino, -1, 0);
}

int fs_dir_open(struct fs_request *request, struct fs_node *node)
{
    struct fs *fs = request->fs;
    const struct fs_kind *kind = &fs->kinds[node->kind];
    struct fs_dir *dir;
    int err = kind->list == NULL ? -ENOTDIR : kind->enter != NULL ? kind->enter(request, node) : 0;

    if (err != 0)
        return err;
    dir = calloc(1, sizeof(*dir));
    if (dir == NULL)
        return -ENOMEM;
    dir->node = node;
    pthread_mutex_lock(&fs->lock);
    fs_node_pin(node);
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

/* With fs->lock: the item at `index`; false behind the last one. */
static bool item_at(struct fs *fs, const struct fs_dir *dir, size_t index, struct fs_item *item)
{
    const struct fs_kind *kind = kind_of(fs, dir);
    const struct ds_names *names = dir->listing != NULL ? &dir->listing->names : NULL;
    size_t listed = names != NULL ? names->count : 0;

    *item = (struct fs_item){.type = S_IFDIR};
    if (index < FIRST_NAME) {
        snprintf(item->name, sizeof(item->name), "%s", index == 0 ? "." : "..");
        item->number = dir->node->number;
        if (index > 0)
            item->number = kind->parent != NULL ? kind->parent(fs, dir->node) : FS_INO_ROOT;
        return true;
    }
    index -= FIRST_NAME;
    if (index < listed)
        kind->item(fs, dir->node, names->names[index], item);
    else if (index - listed < dir->more.count)
        kind->item(fs, dir->node, dir->more.names[index - listed], item);
    else
        return false;
    return true;
}

/* With fs->lock: true if the kernel may be given the whole entry without a request to the store. */
static bool is_known(const struct fs_request *request, const struct fs_node *node)
{
    const struct fs_kind *kind = node != NULL ? &request->fs->kinds[node->kind] : NULL;

    return kind != NULL && kind->known != NULL && kind->known(request, node);
}

/* With fs->lock: adds an item to the buffer. Its size, or 0 if it does not fit. */
static size_t add_item(struct fs_request *request, const struct fs_item *item, off_t next,
                       bool plus, char *to, size_t room)
{
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
        fs_told_entry(request, item->node, &entry);
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
    struct fs_item item;

    for (; *index < names->count && *index < end; (*index)++) {
        item = (struct fs_item){0};
        kind_of(fs, dir)->item(fs, dir->node, names->names[*index], &item);
        if (!is_known(request, item.node) && !item.hidden)
            return true;
    }
    return false;
}

/* A READDIRPLUS beyond the first is sent to whoever looked the names of the first one up: it wants
 * whole entries. Fetches what they need, unless that was done already. */
static int fetch_ahead(struct fs_request *request, struct fs_dir *dir)
{
    struct fs *fs = request->fs;
    struct fs_step step = {.index = (size_t)request->offset - FIRST_NAME};
    size_t most;
    int err;

    pthread_mutex_lock(&fs->lock);
    most = fs_ahead_most(dir->node->dataset);
    if (most > 0 && dir->listing != NULL && !fs_vm_is_silent(dir->node->dataset->vm) &&
        find_unknown(request, dir, &step.index)) {
        step.listing = dir->listing;
        step.listing->refs++;
        step.since_ms = fs_walk_listed_ms(dir->node->dataset, request->tid);
    }
    pthread_mutex_unlock(&fs->lock);
    if (step.listing == NULL)
        return 0;
    err = fs_ahead_fetch(request, dir->node->dataset, &step, most);
    fs_list_put(fs, step.listing);
    return err == FS_REQUEUE || err == -EINTR ? err : 0; /* names can be told without values */
}

int fs_dir_read(struct fs_request *request)
{
    struct fs *fs = request->fs;
    struct fs_dir *dir = dir_of(request);
    bool plus = request->opcode == FS_READDIRPLUS;
    char *buffer DS_AUTO_FREE = NULL;
    size_t used = 0, index = (size_t)request->offset;
    struct fs_item item;
    int err = 0;

    if (request->offset == 0) {
        err = rewind_dir(request, dir);
        if (err == 0)
            tell_times(request, dir->node);
    } else if (plus && request->offset >= FIRST_NAME && kind_of(fs, dir)->walked)
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
