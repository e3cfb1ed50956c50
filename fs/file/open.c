/* Opening and creating entries. */
#include "open.h"

#include "cleanup.h"
#include "close.h"
#include "file_name.h"
#include "handle.h"
#include "kernel/error_log.h"
#include "kernel/fuse_compat.h"
#include "kernel/reply.h"
#include "model/datasets.h"
#include "model/directory_times.h"
#include "model/kept_attributes.h"
#include "model/machines.h"
#include "model/open_ticket.h"
#include "model/told_kernel.h"
#include "model/value.h"
#include "prefill.h"
#include "scratch/scratch.h"
#include "store/access.h"
#include "store/column.h"
#include "store/fetch_value.h"
#include "store/key_lock.h"
#include "store/read_ahead.h"
#include "working.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

/* Commits what others' handles wait for, with the key lock and fs->lock. If that fails it is their
 * failure, which they hear of, and not this request's; what the store said is reported at once. A
 * cut code point may still be completed. -EINTR: the caller was interrupted, and has its answer
 * perhaps; others wait on. */
static int commit_for_others(struct fs_request *request, struct fs_node *node)
{
    int err = fs_working_commit(request, node, FS_COMMIT_ON_OPEN);

    if (err != 0 && err != -EILSEQ && err != -EINTR) {
        struct fs_error_log_about about = fs_machines_about(node);

        fs_error_log_note(request->fs->kernel.errors, "commit", &about, err, request->call.text);
    }
    request->call.text[0] = '\0';
    return atomic_load(&request->settled) ? -EINTR : err;
}

/* Makes the value that the open file will show current: what waits is committed, else the store is
 * asked unless the caller's own LOOKUP just did. With the node pinned, without fs->lock. */
static int bring_up_to_date(struct fs_request *request, struct fs_node *node)
{
    struct fs *fs = request->fs;
    bool reads = (request->fi.flags & O_ACCMODE) != O_WRONLY;
    bool attached, ticket, waits, young, gone, local;
    int err;

    pthread_mutex_lock(&fs->lock);
    attached = node->attached;
    ticket = fs_ticket_take(node, request->tid);
    waits = fs_working_waits(node) || node->busy->working.image != NULL;
    young = node->seen.presence == FS_PRESENT && node->seen.value != NULL &&
            fs_value_younger(node, fs->options->ttl_ms);
    gone = node->busy->withheld != NULL && !fs_value_exists(node);
    local = !attached || fs_node_is_local(node);
    pthread_mutex_unlock(&fs->lock);

    if (gone)
        return -ENOENT;
    if (local)
        return 0;
    if (!waits && (ticket || young))
        return 0;
    if (!waits)
        return fs_ahead_serves(request, node, FS_TICKET_OPEN, &err)
                   ? err
                   : fs_fetch_value(request, node, reads, false);

    err = fs_request_may_block(request);
    if (err != 0)
        return err;
    DS_LOCK_SCOPE(&fs->lock);
    err = fs_key_lock(request, node);
    if (err != 0)
        return err;
    err = commit_for_others(request, node);
    fs_key_unlock(node);
    if (err == -EINTR)
        return err;
    if (node->busy->working.image == NULL && node->busy->working.tail.len == 0 &&
        (err != 0 || node->seen.fetched_ms == 0)) {
        /* What was created may have been written by the other side already, and what was refused
         * has left the store's value, whatever that is. */
        pthread_mutex_unlock(&fs->lock);
        err = fs_fetch_value(request, node, reads, false);
        pthread_mutex_lock(&fs->lock);
        return err;
    }
    return fs_value_exists(node) ? 0 : -ENOENT;
}

/* O_TRUNC: asks nothing, sends nothing yet. */
static int open_truncating(struct fs_request *request, struct fs_node *node)
{
    struct fs *fs = request->fs;
    int err;

    DS_LOCK_SCOPE(&fs->lock);
    err = fs_key_lock(request, node);
    if (err != 0)
        return err;
    if (node->busy->working.commit.gathered) {
        err = fs_request_may_block_locked(request);
        if (err != 0) {
            fs_key_unlock(node);
            return err;
        }
        /* Should the new data be refused, this is what stays. */
        err = commit_for_others(request, node);
        if (err == -EINTR || (err != 0 && err != -EILSEQ && node->busy->working.commit.gathered)) {
            fs_key_unlock(node); /* it waits on, and nobody has been told of its loss */
            return err;
        }
    }
    err = node->busy->scratch != NULL ? fs_scratch_truncate(request, node, 0)
                                      : fs_working_pend(fs, node, FS_PENDING_TRUNCATE);
    fs_key_unlock(node);
    return err;
}

/* Tells the kernel with the reply what it may keep. With fs->lock. `*stale_attr`: what it was told
 * of the file is wrong now. */
static void decide_caching(struct fs_request *request, struct fs_handle *handle, bool *stale_attr)
{
    struct fs_node *node = handle->node;

    *stale_attr = fs_told_is_stale(request, node);
    request->fi.keep_cache = fs_told_keeps_pages(node, &handle->pages);
    /* An append goes to the store's end, not to where the kernel believes it; and others are not to
     * read from its pages what the store may refuse: who only writes fills none. */
    request->fi.direct_io = (request->fi.flags & O_ACCMODE) == O_WRONLY;
    fs_fuse_set_noflush(&request->fi, (request->fi.flags & O_ACCMODE) == O_RDONLY);
}

/* With fs->lock: true if an open of this thread was told ESTALE just before; that is over now. */
static bool take_stale(struct fs_stale_opens *opens, const struct fs_request *request)
{
    int64_t since_ms = ds_call_now_ms() - request->fs->options->store.timeout_ms;

    for (size_t i = 0; i < sizeof(opens->latest) / sizeof(opens->latest[0]); i++) {
        if (opens->latest[i].tid != request->tid || request->tid == 0)
            continue;
        opens->latest[i].tid = 0;
        return opens->latest[i].at_ms > since_ms;
    }
    return false;
}

/* The key is gone. ESTALE makes the kernel look the name up again, once for each open(2), whatever
 * it finds on that way: where it is gone once more, a reader is told what it would have been told
 * by then, and not the kernel's own word. One that creates is told it again, since ENOENT would be
 * no answer to it. */
static int gone(const struct fs_request *request, bool write)
{
    struct fs_stale_opens *opens = &request->fs->stale_opens;

    DS_LOCK_SCOPE(&request->fs->lock);
    if (take_stale(opens, request) && !write)
        return -ENOENT;
    opens->latest[opens->next].tid = request->tid;
    opens->latest[opens->next].at_ms = ds_call_now_ms();
    opens->next = (opens->next + 1) % (sizeof(opens->latest) / sizeof(opens->latest[0]));
    return -ESTALE;
}

int fs_open_entry(struct fs_request *request, struct fs_node *node)
{
    struct fs *fs = request->fs;
    bool truncate = (request->fi.flags & O_TRUNC) != 0;
    bool write = truncate || (request->fi.flags & O_ACCMODE) != O_RDONLY;
    bool stale_attr = false, attached;
    /* Before anything is truncated, which nobody would see to without it. */
    struct fs_handle *spare DS_AUTO_FREE = calloc(1, sizeof(*spare)), *handle = spare;
    int err = 0;

    if (handle == NULL)
        return -ENOMEM;
    pthread_mutex_lock(&fs->lock);
    err = fs_node_make_busy(fs, node);
    attached = node->attached;
    pthread_mutex_unlock(&fs->lock);
    if (err == 0 && attached && !truncate)
        err = fs_column_comes_node(request, node);
    if (err == 0 && attached)
        err = fs_access_allow_node(request, node, write ? FS_NEED_WRITE : FS_NEED_READ);
    if (err == 0)
        err = truncate ? open_truncating(request, node) : bring_up_to_date(request, node);
    if (err == -ENOENT)
        return gone(request, write);
    if (err != 0)
        return err;

    pthread_mutex_lock(&fs->lock);
    spare = NULL;
    fs_handle_attach(handle, node, request->fi.flags);
    handle->unsent = truncate;
    fs_handle_show(request, handle);
    decide_caching(request, handle, &stale_attr);
    fs_prefill(request, handle, !stale_attr);
    take_stale(&fs->stale_opens, request);
    pthread_mutex_unlock(&fs->lock);
    request->fi.fh = (uintptr_t)handle;
    /* The kernel sends GETATTR then before it uses the size it knows. With a negative offset this
     * is safe in a handler; an inode that it does not have is no failure. */
    if (stale_attr && !truncate)
        fuse_lowlevel_notify_inval_inode(fs->kernel.session, node->ino, -1, 0);
    if (fs_reply_open(request) != 0)
        fs_close_abandon(fs, handle);
    return 0;
}

/* With the key lock and fs->lock: makes or opens the key in memory. */
static int create_locked(struct fs_request *request, struct fs_node *node)
{
    bool truncate = (request->fi.flags & O_TRUNC) != 0;
    enum fs_scratch_kind kind;
    int err;

    if (!fs_value_exists(node)) {
        /* The kernel has looked the name up for this very call, and was told that it is missing. */
        if (node->seen.presence == FS_PRESENCE_UNKNOWN)
            fs_value_absent(request->fs, node);
        fs_attr_forget(request->fs, node); /* they were another file's of that name */
        kind = fs_scratch_creates(request, node);
        if (kind != FS_SCRATCH_NONE)
            err = fs_scratch_make(request, node, kind);
        else /* the store still has a key whose removal is withheld */
            err = fs_working_pend(request->fs, node,
                                  node->busy->withheld != NULL ? FS_PENDING_TRUNCATE
                                                               : FS_PENDING_CREATE);
        if (err == 0)
            fs_directory_modified(request->fs, node->dataset);
        return err;
    }
    /* Another process of this mount was faster. */
    if (request->fi.flags & O_EXCL)
        return -EEXIST;
    if (node->kind != FS_NODE_ENTRY)
        return -EISDIR;
    if (truncate && node->busy->scratch != NULL)
        return fs_scratch_truncate(request, node, 0);
    if (truncate)
        return fs_working_pend(request->fs, node, FS_PENDING_TRUNCATE);
    return 0;
}

int fs_open_create(struct fs_request *request, struct fs_node *parent)
{
    struct fs *fs = request->fs;
    struct fs_dataset *dataset = parent->dataset;
    char *key DS_AUTO_FREE = NULL;
    struct fuse_entry_param entry;
    struct fs_handle *spare DS_AUTO_FREE = calloc(1, sizeof(*spare)), *handle = spare;
    struct fs_node *node;
    bool stale_attr;
    int err = handle == NULL ? -ENOMEM
                             : ds_file_name_decode(DS_FILE_NAME_IN_DATASET, request->name, &key);

    if (err == 0)
        err = fs_access_allow(request, dataset, key, FS_NEED_WRITE);
    if (err != 0)
        return err;
    pthread_mutex_lock(&fs->lock);
    node = fs_node_get_key(fs, dataset, key);
    if (node == NULL) {
        pthread_mutex_unlock(&fs->lock);
        return -ENOMEM;
    }
    err = fs_key_lock_named(request, node);
    if (err == 0) {
        err = create_locked(request, node);
        if (err == 0) {
            spare = NULL;
            fs_handle_attach(handle, node, request->fi.flags);
            handle->unsent = node->busy->working.commit.pending != FS_PENDING_NONE;
        }
        fs_key_unlock(node);
    }
    if (err == 0) {
        decide_caching(request, handle, &stale_attr);
        take_stale(&fs->stale_opens, request);
        fs_told_entry(request, node, &entry);
        fs_node_looked_up(node);
    }
    pthread_mutex_unlock(&fs->lock);
    if (err == 0) {
        request->fi.fh = (uintptr_t)handle;
        if (fs_reply_create(request, &entry) != 0) {
            fs_close_abandon(fs, handle);
            fs_node_forget(fs, node->ino, 1);
        }
    }
    fs_node_release(fs, node);
    return err;
}
