/* Lookup and attributes. */
#include "entry.h"

#include "cleanup.h"
#include "control/control.h"
#include "file/content.h"
#include "file/handle.h"
#include "file/open.h"
#include "file/truncate.h"
#include "file/working.h"
#include "kernel/reply.h"
#include "model/attr.h"
#include "model/record.h"
#include "model/told.h"
#include "model/value.h"
#include "store/access.h"
#include "store/ahead.h"
#include "store/fetch.h"
#include "store/key_lock.h"
#include "store/list.h"
#include "store/query.h"
#include "text/name.h"

#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* For so long a value that is read bit by bit stays as it was. */
enum { READ_STEADY_MS = 1000 };

int fs_entry_reply(struct fs_request *request, struct fs_node *node)
{
    struct fs *fs = request->fs;
    struct fuse_entry_param entry;

    pthread_mutex_lock(&fs->lock);
    fs_told_entry(fs, node, fs_content_size(node), &entry);
    fs_node_looked_up(node);
    pthread_mutex_unlock(&fs->lock);
    if (fs_reply_entry(request, &entry) != 0)
        fs_node_forget(fs, node->ino, 1);
    return 0;
}

/* The name in the listing that is shown as `name`, copied; NULL if there is none. */
static char *search(const struct ds_names *names, enum fs_name_place place, const char *name)
{
    char shown[FS_NAME_MAX_BYTES + 1];

    for (size_t i = 0; i < names->count; i++) {
        if (!fs_name_needs_shortening(place, names->names[i]))
            continue;
        fs_name_encode(place, names->names[i], shown);
        if (strcmp(shown, name) == 0)
            return strdup(names->names[i]);
    }
    return NULL;
}

int fs_entry_key_of_name(struct fs_request *request, struct fs_dataset *dataset, const char *name,
                         char **key)
{
    enum fs_name_place place = dataset != NULL ? FS_NAME_IN_DATASET : FS_NAME_IN_ROOT;
    struct fs *fs = request->fs;
    struct fs_listing *listing;
    int err = fs_name_decode(place, name, key);

    if (err == 0 || err == -ENOMEM)
        return err;
    if (!fs_name_is_shortened(name))
        return -ENOENT;
    pthread_mutex_lock(&fs->lock);
    listing = dataset != NULL ? dataset->listing : fs->listing;
    *key = listing != NULL ? search(&listing->names, place, name) : NULL;
    pthread_mutex_unlock(&fs->lock);
    if (*key != NULL)
        return 0;
    err = fs_list(request, dataset, &listing);
    if (err != 0)
        return err;
    *key = search(&listing->names, place, name);
    fs_list_put(fs, listing);
    return *key != NULL ? 0 : -ENOENT;
}

struct fs_node *fs_entry_directory(struct fs *fs, struct fs_dataset *dataset)
{
    if (dataset->node != NULL)
        fs_node_pin(dataset->node);
    else
        dataset->node = fs_node_new(fs, FS_NODE_DATASET, dataset, NULL);
    if (dataset->node != NULL)
        dataset->node->seen.mtime = dataset->mtime;
    return dataset->node;
}

static int lookup_dataset(struct fs_request *request, const char *name)
{
    struct fs *fs = request->fs;
    struct fs_dataset *dataset;
    struct fs_node *node = NULL;
    int err;

    dataset = fs_record_acquire(fs, name);
    if (dataset == NULL)
        return -ENOMEM;
    err = fs_query_seek(request, dataset);
    pthread_mutex_lock(&fs->lock);
    if (err == 0) {
        node = fs_entry_directory(fs, dataset);
        err = node != NULL ? 0 : -ENOMEM;
    }
    fs_record_unref(fs, dataset);
    pthread_mutex_unlock(&fs->lock);
    if (err != 0)
        return err;
    fs_entry_reply(request, node);
    fs_node_release(fs, node);
    return 0;
}

/* Asks the store. Where memory has an answer too, it serves when the store stays silent. */
static int ask(struct fs_request *request, struct fs_node *node, bool known)
{
    struct fs *fs = request->fs;
    int64_t deadline_ms = request->call.deadline_ms;
    int64_t patience_ms = ds_call_now_ms() + FS_SILENT_MS;
    int err;

    if (!known || patience_ms >= deadline_ms)
        return fs_fetch_value(request, node, false, false);
    request->call.deadline_ms = patience_ms;
    err = fs_fetch_value(request, node, false, false);
    request->call.deadline_ms = deadline_ms;
    if (err == -ETIMEDOUT) {
        DS_LOCK_SCOPE(&fs->lock);
        err = fs_value_exists(node) ? 0 : -ENOENT;
    }
    return err;
}

/* The thread walks a listing and has come to this node: fetches it and those that follow. False if
 * it does not walk, or the batch did not tell. */
static bool walks(struct fs_request *request, struct fs_node *node, int *err)
{
    struct fs *fs = request->fs;
    struct fs_dataset *dataset = node->dataset;
    struct fs_listing *listing = NULL;
    size_t index = 0;
    bool told;

    pthread_mutex_lock(&fs->lock);
    if (fs_ahead_follows(fs, dataset, request->tid, node->key, &listing, &index))
        listing->refs++;
    else
        listing = NULL;
    pthread_mutex_unlock(&fs->lock);
    if (listing == NULL)
        return false;
    *err = fs_ahead_fetch(request, dataset, listing, index);
    DS_LOCK_SCOPE(&fs->lock);
    fs_listing_unref(listing);
    if (*err == FS_REQUEUE || *err == -EINTR || *err == -ETIMEDOUT)
        return true;
    if (*err != 0)
        return false; /* perhaps another value's fault: ask for this one alone */
    told = fs_value_younger(node, FS_FRESH_MS) || node->working.image != NULL;
    *err = fs_value_exists(node) ? 0 : -ENOENT;
    fs_ahead_take(node, request->tid, FS_AHEAD_STAT);
    return told;
}

/* True if memory answers. A reader that is asked about by each read(2) on its way to the end goes
 * on with the value that it has begun with, lest it get the head of one and the tail of another. */
static bool answers(const struct fs_request *request, const struct fs_node *node)
{
    bool looks = request->opcode == FS_GETATTR, reads = looks && request->fi.fh != 0;

    return fs_value_answers(request->fs, node) ||
           (reads && (node->seen.presence == FS_PRESENT || fs_value_was_had(node)) &&
            fs_value_younger(node, READ_STEADY_MS)) ||
           (looks && fs_handle_steady(node, request->tid));
}

/* Makes sure that memory knows the value of a pinned node; leaves a ticket for the caller's OPEN.
 */
static int know(struct fs_request *request, struct fs_node *node)
{
    struct fs *fs = request->fs;
    struct fs_listing *listing;
    bool answered, known;
    size_t index;
    int err;

    pthread_mutex_lock(&fs->lock);
    answered = answers(request, node);
    if (!answered && fs_ahead_take(node, request->tid, FS_AHEAD_STAT)) {
        answered = true;
        fs_ahead_follows(fs, node->dataset, request->tid, node->key, &listing, &index);
    }
    known = node->seen.presence == FS_PRESENT;
    err = fs_value_exists(node) ? 0 : -ENOENT;
    pthread_mutex_unlock(&fs->lock);
    if (answered || walks(request, node, &err))
        return err;
    err = ask(request, node, known);
    if (err == 0) {
        DS_LOCK_SCOPE(&fs->lock);
        if (!fs_value_younger(node, FS_FRESH_MS) || request->fi.fh != 0)
            return 0; /* from memory, or after an OPEN: no ticket for the next one */
        node->told.ticket.tid = request->tid;
        node->told.ticket.until_ms = ds_call_now_ms() + FS_FRESH_MS;
    }
    return err;
}

static int lookup_entry(struct fs_request *request, struct fs_dataset *dataset, const char *key)
{
    struct fs *fs = request->fs;
    struct fs_node *node;
    int err = fs_access_allow(request, dataset, key, FS_NEED_READ);

    if (err == 0)
        err = fs_access_show(request, dataset, false);
    if (err != 0)
        return err;
    pthread_mutex_lock(&fs->lock);
    node = fs_node_get_key(fs, dataset, key);
    pthread_mutex_unlock(&fs->lock);
    if (node == NULL)
        return -ENOMEM;
    err = know(request, node);
    if (err == 0)
        fs_entry_reply(request, node);
    pthread_mutex_lock(&fs->lock);
    if (err == -ENOENT)
        fs_open_not_stale(request);
    fs_node_unpin(fs, node);
    pthread_mutex_unlock(&fs->lock);
    return err;
}

static int lookup_in(struct fs_request *request, struct fs_node *parent)
{
    bool root = parent->kind == FS_NODE_ROOT;
    char *key DS_AUTO_FREE = NULL;
    struct fs_node *node;
    int err;

    if (parent->kind != FS_NODE_DATASET && (!root || strcmp(request->name, FS_NAME_CONTROL) == 0)) {
        err = fs_control_find(request, parent, &node);
        if (err != 0)
            return err;
        err = fs_control_measure(request, node);
        if (err == 0)
            fs_entry_reply(request, node);
        fs_node_release(request->fs, node);
        return err;
    }
    err = fs_entry_key_of_name(request, root ? NULL : parent->dataset, request->name, &key);
    if (err != 0)
        return err;
    return root ? lookup_dataset(request, key) : lookup_entry(request, parent->dataset, key);
}

int fs_entry_with_node(struct fs_request *request,
                       int (*function)(struct fs_request *request, struct fs_node *node))
{
    struct fs_node *node = fs_node_acquire(request->fs, request->ino);
    int err;

    if (node == NULL)
        return -ESTALE;
    err = function(request, node);
    fs_node_release(request->fs, node);
    return err;
}

int fs_entry_lookup(struct fs_request *request)
{
    return fs_entry_with_node(request, lookup_in);
}

static int reply_attr(struct fs_request *request, struct fs_node *node)
{
    struct fs *fs = request->fs;
    struct stat attr;
    double timeout_s;

    pthread_mutex_lock(&fs->lock);
    timeout_s = fs_told_timeout_s(fs, node);
    if (node->kind == FS_NODE_ENTRY && !fs_value_answers(fs, node))
        timeout_s = 0; /* for this reader, and nobody else's stat(2) */
    fs_attr_fill(fs, node, fs_content_size(node), &attr);
    pthread_mutex_unlock(&fs->lock);
    fs_reply_attr(request, &attr, timeout_s);
    return 0;
}

static int know_entry(struct fs_request *request, struct fs_node *node)
{
    struct fs *fs = request->fs;
    struct fs_dataset *dataset = NULL;
    int err = 0;

    /* A rename may give the node another key and DataSet meanwhile. */
    pthread_mutex_lock(&fs->lock);
    if (node->attached && request->fi.fh == 0) {
        dataset = node->dataset;
        fs_record_ref(dataset);
    }
    pthread_mutex_unlock(&fs->lock);
    if (dataset != NULL) {
        err = fs_access_show(request, dataset, false);
        fs_record_release(fs, dataset);
    }
    return err != 0 ? err : know(request, node);
}

/* Makes sure that what fs_attr_fill() will say is true. */
static int know_node(struct fs_request *request, struct fs_node *node)
{
    struct fs *fs = request->fs;
    bool creating;

    switch (node->kind) {
    case FS_NODE_ENTRY:
        return know_entry(request, node);
    case FS_NODE_DATASET:
        return fs_access_show(request, node->dataset, true);
    case FS_NODE_INFO:
        pthread_mutex_lock(&fs->lock);
        creating = node->open.handles != NULL && !node->dataset->exists;
        pthread_mutex_unlock(&fs->lock);
        return creating ? 0 : fs_control_measure(request, node);
    default:
        return fs_control_measure(request, node);
    }
}

static int getattr(struct fs_request *request, struct fs_node *node)
{
    struct fs *fs = request->fs;
    int err = know_node(request, node);

    if (err == -ENOENT && request->fi.fh != 0) {
        /* For a reader whose key is gone: it goes on to the end of what it had. */
        DS_LOCK_SCOPE(&fs->lock);
        err = fs_value_was_had(node) ? 0 : err;
    }
    return err != 0 ? err : reply_attr(request, node);
}

int fs_entry_getattr(struct fs_request *request)
{
    return fs_entry_with_node(request, getattr);
}

static int set_size(struct fs_request *request, struct fs_node *node)
{
    struct fs *fs = request->fs;
    bool open, attached;
    int err;

    if (node->kind == FS_NODE_INFO)
        return 0; /* a write replaces nothing but what it names */
    if (node->kind != FS_NODE_ENTRY)
        return -EPERM;
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
        (request->attr.st_size > DS_VALUE_MAX_BYTES && node->scratch == NULL))
        return -EFBIG;
    err = fs_key_lock(request, node);
    if (err != 0)
        return err;
    open = fs_node_is_written(node);
    err = fs_truncate(request, node, (size_t)request->attr.st_size, open);
    if (!open && err != 0) /* nobody is there who could try again */
        fs_working_give_up(fs, node);
    if (!open)
        fs_commit_closed(&node->working.commit);
    fs_key_unlock(node);
    return err;
}

static int setattr(struct fs_request *request, struct fs_node *node)
{
    struct fs *fs = request->fs;
    uint64_t digest = 0;
    int err = 0;

    if (request->to_set & FUSE_SET_ATTR_SIZE)
        err = set_size(request, node);
    else
        err = know_node(request, node);
    if (err == 0) {
        DS_LOCK_SCOPE(&fs->lock);
        if (request->to_set & FS_ATTR_TIMES)
            digest = fs_content_digest(fs, node);
        err = fs_attr_remember(fs, node, &request->attr, request->to_set, digest);
    }
    return err != 0 ? err : reply_attr(request, node);
}

int fs_entry_setattr(struct fs_request *request)
{
    return fs_entry_with_node(request, setattr);
}

static int access_to(struct fs_request *request, struct fs_node *node)
{
    struct fs *fs = request->fs;
    struct stat attr;
    int err = fs_control_allow(request, node);

    if (err == 0 && node->kind == FS_NODE_ENTRY)
        err = know(request, node);
    if (err == 0 && node->kind == FS_NODE_DATASET)
        err = fs_access_show(request, node->dataset, true);
    if (err == 0 && node->dataset != NULL && node->kind != FS_NODE_INFO &&
        (request->mask & (R_OK | W_OK)) != 0)
        err = fs_access_allow_node(request, node,
                                   request->mask & W_OK ? FS_NEED_WRITE : FS_NEED_READ);
    if (err != 0) {
        request->call.text[0] = '\0'; /* a question, not a failure to report */
        return err;
    }
    pthread_mutex_lock(&fs->lock);
    fs_attr_fill(fs, node, fs_content_size(node), &attr);
    pthread_mutex_unlock(&fs->lock);
    if (!fs_attr_permits(&attr, request->mask))
        return -EACCES;
    fs_reply_ok(request);
    return 0;
}

int fs_entry_access(struct fs_request *request)
{
    return fs_entry_with_node(request, access_to);
}

int fs_entry_statfs(struct fs_request *request)
{
    enum { BLOCK_BYTES = 4096 };
    struct fs *fs = request->fs;
    struct statvfs statfs = {.f_bsize = BLOCK_BYTES,
                             .f_frsize = BLOCK_BYTES,
                             .f_blocks = DS_TOTAL_MAX_BYTES / BLOCK_BYTES,
                             .f_namemax = FS_NAME_MAX_BYTES};
    uint64_t used = 0, free_blocks;

    pthread_mutex_lock(&fs->lock);
    for (struct fs_dataset *dataset = fs->datasets; dataset != NULL; dataset = dataset->hh.next) {
        if (dataset->exists && dataset->attributes.used_known)
            used += dataset->attributes.used_bytes;
        statfs.f_files += 1 + HASH_CNT(hh_key, dataset->entries);
    }
    pthread_mutex_unlock(&fs->lock);
    free_blocks = (used < DS_TOTAL_MAX_BYTES ? DS_TOTAL_MAX_BYTES - used : 0) / BLOCK_BYTES;
    statfs.f_bfree = statfs.f_bavail = free_blocks;
    /* As many more as there are blocks: nothing but bytes limits their number. */
    statfs.f_ffree = statfs.f_favail = free_blocks;
    statfs.f_files += free_blocks;
    fs_reply_statfs(request, &statfs);
    return 0;
}
