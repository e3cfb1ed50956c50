/* Attributes: stat, chmod, truncate, access and statfs. */
#include "attributes.h"

#include "cleanup.h"
#include "file/content.h"
#include "file/truncate.h"
#include "file/working.h"
#include "file_name.h"
#include "kernel/reply.h"
#include "know_value.h"
#include "model/datasets.h"
#include "model/kept_attributes.h"
#include "model/kind.h"
#include "model/machines.h"
#include "model/open_ticket.h"
#include "model/told_kernel.h"
#include "model/value.h"
#include "store/access.h"
#include "store/column.h"
#include "store/key_lock.h"
#include "store/walk.h"

#include <errno.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* st_blocks counts in units of 512 bytes, whatever st_blksize says. */
enum { STAT_BLOCK_BYTES = 512 };

static int reply_attr(struct fs_request *request, struct fs_node *node)
{
    struct fs *fs = request->fs;
    struct fuse_entry_param entry;

    pthread_mutex_lock(&fs->lock);
    fs_told_entry(request, node, &entry);
    if (!fs_value_answers(fs, node))
        entry.attr_timeout = 0; /* for this reader, and nobody else's stat(2) */
    pthread_mutex_unlock(&fs->lock);
    fs_reply_attr(request, &entry.attr, entry.attr_timeout);
    return 0;
}

int fs_attributes_know_entry(struct fs_request *request, struct fs_node *node)
{
    struct fs *fs = request->fs;
    struct fs_dataset *dataset = NULL;
    int err = 0;

    /* A rename may give the node another key and DataSet meanwhile. */
    pthread_mutex_lock(&fs->lock);
    if (node->attached && request->fi.fh == 0) {
        dataset = node->dataset;
        fs_dataset_ref(dataset);
    }
    pthread_mutex_unlock(&fs->lock);
    if (dataset != NULL) {
        err = fs_column_comes_node(request, node);
        if (err == 0)
            err = fs_access_show(request, dataset, false);
        fs_dataset_release(dataset);
    }
    if (err == 0)
        err = fs_know(request, node);
    if (err == -ENOENT && request->opcode == FS_GETATTR && request->fi.fh != 0) {
        /* For a reader whose key is gone: it goes on to the end of what it had. */
        DS_LOCK_SCOPE(&fs->lock);
        err = fs_value_was_had(node) ? 0 : err;
    }
    return err;
}

int fs_attributes_know_dataset(struct fs_request *request, struct fs_node *node)
{
    int err = fs_column_comes(request, node->dataset, NULL);

    if (err == -ENOENT)
        return -ESTALE; /* so it is looked up once more */
    return err != 0 ? err : fs_access_show(request, node->dataset, true);
}

int fs_attributes_resize_entry(struct fs_request *request, struct fs_node *node)
{
    struct fs *fs = request->fs;
    bool open, attached;
    int err;

    pthread_mutex_lock(&fs->lock);
    attached = node->attached;
    pthread_mutex_unlock(&fs->lock);
    err = attached ? fs_access_allow_node(request, node, FS_NEED_WRITE) : 0;
    if (err == 0)
        err = fs_request_may_block(request);
    if (err != 0)
        return err;

    DS_LOCK_SCOPE(&fs->lock);
    if (request->attr.st_size < 0 ||
        (request->attr.st_size > DS_VALUE_MAX_BYTES && node->busy->scratch == NULL))
        return -EFBIG;
    err = fs_key_lock(request, node);
    if (err != 0)
        return err;
    open = fs_node_is_written(node);
    err = fs_truncate(request, node, (size_t)request->attr.st_size, open);
    if (!open && err != 0) /* nobody is there who could try again */
        fs_working_give_up(fs, node);
    if (!open)
        fs_commit_closed(&node->busy->working.commit);
    fs_key_unlock(node);
    return err;
}

static mode_t access_bits(enum ds_access access)
{
    switch (access) {
    case DS_ACCESS_NONE:
        return 0;
    case DS_ACCESS_READ_ONLY:
        return 0444;
    case DS_ACCESS_READ_WRITE:
    case DS_ACCESS_UNKNOWN: /* the store's refusal decides */
        break;
    }
    return 0666;
}

void fs_attributes_show_root(const struct fs *fs, const struct fs_node *node,
                             struct fuse_entry_param *entry)
{
    (void)node;
    entry->attr.st_mode = S_IFDIR | (0777 & ~fs->options->umask);
    entry->attr_timeout = entry->entry_timeout = FS_DIR_TIMEOUT_S;
}

void fs_attributes_show_dataset(const struct fs *fs, const struct fs_node *node,
                                struct fuse_entry_param *entry)
{
    enum ds_access access = fs_dataset_access(node->dataset);
    mode_t bits = access_bits(access);

    entry->attr.st_mode = S_IFDIR | ((bits | (bits & 0444) >> 2) & ~fs->options->umask);
    entry->entry_timeout = FS_ENTRY_TIMEOUT_S;
    /* Where the kernel judges by the mode, access that is given back is to be seen at once. */
    entry->attr_timeout = fs->options->allow_other && access != DS_ACCESS_READ_WRITE
                              ? FS_ATTR_TIMEOUT_S
                              : FS_DIR_TIMEOUT_S;
}

void fs_attributes_show_entry(const struct fs *fs, const struct fs_node *node,
                              struct fuse_entry_param *entry)
{
    struct stat *attr = &entry->attr;

    attr->st_mode = S_IFREG | (access_bits(fs_dataset_access(node->dataset)) & ~fs->options->umask);
    attr->st_nlink = node->attached ? 1 : 0;
    attr->st_size = (off_t)fs_content_size(node);
    attr->st_blocks = (attr->st_size + STAT_BLOCK_BYTES - 1) / STAT_BLOCK_BYTES;
    entry->attr_timeout = FS_ATTR_TIMEOUT_S;
    /* Its creation may still be refused. */
    entry->entry_timeout =
        node->seen.presence != FS_PRESENT || node->busy->withheld != NULL ? 0 : FS_ENTRY_TIMEOUT_S;
}

bool fs_attributes_known_entry(const struct fs_request *request, const struct fs_node *node)
{
    int64_t since_ms = fs_walk_listed_ms(node->dataset, request->tid);

    return fs_value_exists(node) &&
           (fs_value_answers(request->fs, node) ||
            (since_ms != 0 && fs_ticket_waits(node, FS_TICKET_STAT, since_ms)));
}

bool fs_attributes_known_dataset(const struct fs_request *request, const struct fs_node *node)
{
    (void)request;
    return node->dataset->exists && node->dataset->queried_ms != 0 &&
           ds_call_now_ms() - node->dataset->queried_ms <= FS_ACCESS_TRUST_MS;
}

bool fs_attributes_known_lock(const struct fs_request *request, const struct fs_node *node)
{
    (void)request, (void)node;
    return true;
}

static int know(struct fs_request *request, struct fs_node *node)
{
    fs_node_handler *function = request->fs->kinds[node->kind].know;

    return function != NULL ? function(request, node) : 0;
}

int fs_attributes_get(struct fs_request *request, struct fs_node *node)
{
    int err = know(request, node);

    return err != 0 ? err : reply_attr(request, node);
}

int fs_attributes_set(struct fs_request *request, struct fs_node *node)
{
    struct fs *fs = request->fs;
    fs_node_handler *resize = fs->kinds[node->kind].resize;
    uint64_t digest = 0;
    int err;

    if (request->to_set & FUSE_SET_ATTR_SIZE)
        err = resize != NULL ? resize(request, node) : -EPERM;
    else
        err = know(request, node);
    if (err == 0) {
        DS_LOCK_SCOPE(&fs->lock);
        if (request->to_set & FS_ATTR_TIMES)
            digest = fs_content_digest(fs, node);
        err = fs_attr_remember(fs, node, &request->attr, request->to_set, digest);
    }
    return err != 0 ? err : reply_attr(request, node);
}

/* 0 if the mount's side may do what is asked. */
static int allow(struct fs_request *request, const struct fs_node *node)
{
    if ((request->mask & (R_OK | W_OK)) == 0)
        return 0;
    return fs_access_allow_node(request, node, request->mask & W_OK ? FS_NEED_WRITE : FS_NEED_READ);
}

int fs_attributes_access_entry(struct fs_request *request, struct fs_node *node)
{
    int err = fs_know(request, node);

    return err != 0 ? err : allow(request, node);
}

int fs_attributes_access_dataset(struct fs_request *request, struct fs_node *node)
{
    int err = fs_access_show(request, node->dataset, true);

    return err != 0 ? err : allow(request, node);
}

int fs_attributes_access_lock(struct fs_request *request, struct fs_node *node)
{
    return allow(request, node);
}

int fs_attributes_access(struct fs_request *request, struct fs_node *node)
{
    struct fs *fs = request->fs;
    fs_node_handler *access = fs->kinds[node->kind].access;
    struct fuse_entry_param entry;
    int err = access != NULL ? access(request, node) : 0;

    if (err != 0) {
        request->call.text[0] = '\0'; /* a question, not a failure to report */
        return err;
    }
    pthread_mutex_lock(&fs->lock);
    fs_told_show(fs, node, &entry);
    pthread_mutex_unlock(&fs->lock);
    if (!fs_attr_permits(&entry.attr, request->mask))
        return -EACCES;
    fs_reply_ok(request);
    return 0;
}

enum { BLOCK_BYTES = 4096 };

/* With fs->lock: adds what is known of the machine. */
static void add_room(const struct fs_vm *vm, struct statvfs *statfs)
{
    uint64_t used = 0, free_blocks;

    for (const struct fs_dataset *dataset = vm->datasets; dataset != NULL;
         dataset = dataset->hh.next) {
        if (dataset->exists && dataset->attributes.used_known)
            used += dataset->attributes.used_bytes;
        statfs->f_files += 1 + dataset->entries.count;
    }
    free_blocks = (used < DS_TOTAL_MAX_BYTES ? DS_TOTAL_MAX_BYTES - used : 0) / BLOCK_BYTES;
    statfs->f_blocks += DS_TOTAL_MAX_BYTES / BLOCK_BYTES;
    statfs->f_bfree += free_blocks;
    /* As many more as there are blocks: nothing but bytes limits their number. */
    statfs->f_ffree += free_blocks;
    statfs->f_files += free_blocks;
}

int fs_attributes_statfs(struct fs_request *request, struct fs_node *node)
{
    struct fs *fs = request->fs;
    struct statvfs statfs = {
        .f_bsize = BLOCK_BYTES, .f_frsize = BLOCK_BYTES, .f_namemax = DS_FILE_NAME_MAX_BYTES};
    struct fs_vm *vm;

    pthread_mutex_lock(&fs->lock);
    vm = fs_node_vm(fs, node);
    if (!fs_machines_any(fs) || vm != fs->vm)
        add_room(vm, &statfs);
    else
        for (vm = fs->machines.by_id; vm != NULL; vm = vm->machine.by_id.next)
            add_room(vm, &statfs);
    pthread_mutex_unlock(&fs->lock);
    statfs.f_bavail = statfs.f_bfree;
    statfs.f_favail = statfs.f_ffree;
    fs_reply_statfs(request, &statfs);
    return 0;
}
