/* Lookup and attributes, unlink, mkdir and rmdir. */
#include "entry.h"

#include "attr.h"
#include "cleanup.h"
#include "control.h"
#include "dir.h"
#include "name.h"
#include "record.h"
#include "value.h"
#include "write.h"

#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

struct fs_node *fs_entry_node(struct fs *fs, fuse_ino_t ino)
{
    DS_LOCK_SCOPE(&fs->lock);
    return fs_node_find(fs, ino);
}

void fs_entry_put(struct fs *fs, struct fs_node *node)
{
    DS_LOCK_SCOPE(&fs->lock);
    fs_node_unpin(fs, node);
}

void fs_entry_forget(struct fs *fs, fuse_ino_t ino, uint64_t count)
{
    DS_LOCK_SCOPE(&fs->lock);
    fs_node_forget(fs, ino, count);
}

static double attr_timeout_s(const struct fs_node *node)
{
    return node->kind == FS_NODE_ENTRY ? FS_ATTR_TIMEOUT_S : FS_DIR_TIMEOUT_S;
}

void fs_entry_fill(struct fs *fs, struct fs_node *node, struct fuse_entry_param *entry)
{
    memset(entry, 0, sizeof(*entry));
    entry->ino = node->ino;
    fs_attr_fill(fs, node, &entry->attr);
    entry->attr_timeout = attr_timeout_s(node);
    entry->entry_timeout = node->kind == FS_NODE_ENTRY ? FS_ENTRY_TIMEOUT_S : FS_DIR_TIMEOUT_S;
    if (node->kind == FS_NODE_INFO && !node->dataset->exists)
        entry->entry_timeout = 0; /* a DataSet that may never be made */
}

int fs_entry_reply(struct fs_request *request, struct fs_node *node)
{
    struct fs *fs = request->fs;
    struct fuse_entry_param entry;

    pthread_mutex_lock(&fs->lock);
    fs_entry_fill(fs, node, &entry);
    fs_node_looked_up(node);
    pthread_mutex_unlock(&fs->lock);
    if (fs_reply_entry(request, &entry) != 0)
        fs_entry_forget(fs, node->ino, 1);
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
    err = fs_dir_list(request, dataset, &listing);
    if (err != 0)
        return err;
    *key = search(&listing->names, place, name);
    fs_dir_put(fs, listing);
    return *key != NULL ? 0 : -ENOENT;
}

/* With fs->lock: the DataSet's directory, pinned. */
static struct fs_node *directory_of(struct fs *fs, struct fs_dataset *dataset)
{
    if (dataset->node != NULL)
        fs_node_pin(dataset->node);
    else
        dataset->node = fs_node_new(fs, FS_NODE_DATASET, dataset, NULL);
    return dataset->node;
}

static int lookup_dataset(struct fs_request *request, const char *name)
{
    struct fs *fs = request->fs;
    struct fs_dataset *dataset;
    struct fs_node *node = NULL;
    int err;

    pthread_mutex_lock(&fs->lock);
    dataset = fs_record_get(fs, name);
    pthread_mutex_unlock(&fs->lock);
    if (dataset == NULL)
        return -ENOMEM;
    err = fs_record_refresh(request, dataset, FS_RECORD_TRUST_MS);
    pthread_mutex_lock(&fs->lock);
    if (err == 0) {
        node = directory_of(fs, dataset);
        err = node != NULL ? 0 : -ENOMEM;
    }
    fs_record_unref(fs, dataset);
    pthread_mutex_unlock(&fs->lock);
    if (err != 0)
        return err;
    fs_entry_reply(request, node);
    fs_entry_put(fs, node);
    return 0;
}

/* Makes sure that memory knows the value of a pinned node; leaves a ticket for the caller's OPEN.
 */
static int know(struct fs_request *request, struct fs_node *node)
{
    struct fs *fs = request->fs;
    bool answers;
    int err;

    pthread_mutex_lock(&fs->lock);
    answers = fs_value_answers(fs, node);
    if (answers)
        err = fs_value_exists(node) ? 0 : -ENOENT;
    pthread_mutex_unlock(&fs->lock);
    if (answers)
        return err;
    err = fs_value_fetch(request, node, false, false);
    if (err == 0) {
        DS_LOCK_SCOPE(&fs->lock);
        node->ticket.tid = request->tid;
        node->ticket.until_ms = ds_call_now_ms() + FS_FRESH_MS;
    }
    return err;
}

static int lookup_entry(struct fs_request *request, struct fs_dataset *dataset, const char *key)
{
    struct fs *fs = request->fs;
    struct fs_node *node;
    int err = fs_record_allow(request, dataset, FS_NEED_READ);

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
    fs_entry_put(fs, node);
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
        fs_entry_reply(request, node);
        fs_entry_put(request->fs, node);
        return 0;
    }
    err = fs_entry_key_of_name(request, root ? NULL : parent->dataset, request->name, &key);
    if (err != 0)
        return err;
    return root ? lookup_dataset(request, key) : lookup_entry(request, parent->dataset, key);
}

int fs_entry_with_node(struct fs_request *request,
                       int (*function)(struct fs_request *request, struct fs_node *node))
{
    struct fs_node *node = fs_entry_node(request->fs, request->ino);
    int err;

    if (node == NULL)
        return -ESTALE;
    err = function(request, node);
    fs_entry_put(request->fs, node);
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

    pthread_mutex_lock(&fs->lock);
    fs_attr_fill(fs, node, &attr);
    pthread_mutex_unlock(&fs->lock);
    fs_reply_attr(request, &attr, attr_timeout_s(node));
    return 0;
}

/* Makes sure that what fs_attr_fill() will say is true. */
static int know_node(struct fs_request *request, struct fs_node *node)
{
    struct fs *fs = request->fs;
    bool creating;

    switch (node->kind) {
    case FS_NODE_ENTRY:
        return know(request, node);
    case FS_NODE_DATASET:
        return fs_record_refresh(request, node->dataset, FS_RECORD_TRUST_MS);
    case FS_NODE_INFO:
        pthread_mutex_lock(&fs->lock);
        creating = node->handles != NULL && !node->dataset->exists;
        pthread_mutex_unlock(&fs->lock);
        return creating ? 0 : fs_record_refresh(request, node->dataset, FS_RECORD_TRUST_MS);
    default:
        return 0;
    }
}

static int getattr(struct fs_request *request, struct fs_node *node)
{
    int err = know_node(request, node);

    return err != 0 ? err : reply_attr(request, node);
}

int fs_entry_getattr(struct fs_request *request)
{
    return fs_entry_with_node(request, getattr);
}

static int set_size(struct fs_request *request, struct fs_node *node)
{
    struct fs *fs = request->fs;
    const struct fs_handle *handle;
    bool open = false, attached;
    int err;

    if (node->kind == FS_NODE_INFO)
        return 0; /* a write replaces nothing but what it names */
    if (node->kind != FS_NODE_ENTRY)
        return -EPERM;
    pthread_mutex_lock(&fs->lock);
    attached = node->attached;
    pthread_mutex_unlock(&fs->lock);
    err = attached ? fs_record_allow(request, node->dataset, FS_NEED_WRITE) : 0;
    if (err == 0)
        err = fs_request_may_block(request);
    if (err != 0)
        return err;
    if (request->attr.st_size < 0 || request->attr.st_size > DS_VALUE_MAX_BYTES)
        return -EFBIG;

    DS_LOCK_SCOPE(&fs->lock);
    err = fs_key_lock(request, node);
    if (err != 0)
        return err;
    for (handle = node->handles; handle != NULL; handle = handle->next)
        open = open || handle->writes;
    err = fs_write_truncate(request, node, (size_t)request->attr.st_size, open);
    if (!open && fs_write_drop_held(fs, node) && err == 0)
        err = -EILSEQ; /* it would end inside a code point, and nobody is there to complete it */
    if (!open)
        fs_commit_closed(&node->commit);
    fs_key_unlock(node);
    return err;
}

static int setattr(struct fs_request *request, struct fs_node *node)
{
    struct fs *fs = request->fs;
    int err = 0;

    if (request->to_set & FUSE_SET_ATTR_SIZE)
        err = set_size(request, node);
    else
        err = know_node(request, node);
    if (err == 0) {
        DS_LOCK_SCOPE(&fs->lock);
        err = fs_attr_remember(fs, node, &request->attr, request->to_set);
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

    if (err == 0 && node->dataset != NULL && node->kind != FS_NODE_INFO &&
        (request->mask & (R_OK | W_OK)) != 0)
        err = fs_record_allow(request, node->dataset,
                              request->mask & W_OK ? FS_NEED_WRITE : FS_NEED_READ);
    if (err != 0) {
        request->call.text[0] = '\0'; /* a question, not a failure to report */
        return err;
    }
    pthread_mutex_lock(&fs->lock);
    fs_attr_fill(fs, node, &attr);
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

/* With fs->lock (released meanwhile) and the key lock: removes the key from the store. */
static int remove_key(struct fs_request *request, struct fs_node *node)
{
    struct fs *fs = request->fs;
    struct fs_value *before = node->value != NULL ? fs_value_ref(node->value) : NULL;
    struct ds_previous previous = {.exists = true};
    int err;

    /* Created through this mount and never published: the store knows nothing of it. */
    if (node->image != NULL && node->commit.pending == FS_PENDING_CREATE) {
        fs_value_unref(before);
        return 0;
    }
    if (before != NULL) {
        previous.data = before->data;
        previous.len = before->len;
    }
    fs_request_about(request, node->dataset->name, node->key);
    fs_value_change_begin(node);
    pthread_mutex_unlock(&fs->lock);
    err =
        request->key == NULL || request->dataset == NULL ? -ENOMEM : fs_store_begin(request, true);
    if (err == 0) {
        err = ds_client_remove(fs->client, &request->call, request->dataset, request->key,
                               before != NULL ? &previous : NULL);
        fs_store_end(request);
    }
    pthread_mutex_lock(&fs->lock);
    fs_value_change_end(node);
    fs_value_unref(before);
    if (err == -ENOENT)
        fs_value_absent(fs, node);
    else if (err != 0 && ds_call_sent(&request->call) == DS_SENT_MAYBE)
        fs_value_unknown(fs, node, node->size_bytes);
    if (err == -EACCES)
        fs_record_distrust(node->dataset);
    return err;
}

static int unlink_from(struct fs_request *request, struct fs_node *parent)
{
    struct fs *fs = request->fs;
    char *key DS_AUTO_FREE = NULL;
    struct fs_node *node;
    int err;

    if (parent->kind != FS_NODE_DATASET)
        return -EPERM;
    err = fs_entry_key_of_name(request, parent->dataset, request->name, &key);
    if (err == 0)
        err = fs_record_allow(request, parent->dataset, FS_NEED_WRITE);
    if (err == 0)
        err = fs_request_may_block(request);
    if (err != 0)
        return err;

    pthread_mutex_lock(&fs->lock);
    node = fs_node_get_key(fs, parent->dataset, key);
    err = node == NULL ? -ENOMEM : fs_key_lock(request, node);
    if (err == 0) {
        err = remove_key(request, node);
        if (err == 0) {
            fs_attr_move(fs, node->dataset, node->key, NULL, NULL);
            fs_node_detach(node);
        }
        fs_key_unlock(node);
    }
    if (node != NULL)
        fs_node_unpin(fs, node);
    pthread_mutex_unlock(&fs->lock);
    if (err == 0)
        fs_reply_ok(request);
    return err;
}

int fs_entry_unlink(struct fs_request *request)
{
    return fs_entry_with_node(request, unlink_from);
}

static int make_dataset(struct fs_request *request, const char *name)
{
    struct fs *fs = request->fs;
    struct ds_attributes attributes = {0};
    struct fs_dataset *dataset = NULL;
    struct fs_node *node = NULL;
    int err;

    fs_request_about(request, name, NULL);
    err = ds_attributes_copy(&attributes, &fs->options->defaults);
    if (err == 0)
        err = fs_store_begin(request, true);
    if (err == 0) {
        err = ds_client_create(fs->client, &request->call, name, &attributes);
        fs_store_end(request);
    }
    pthread_mutex_lock(&fs->lock);
    if (err == 0) {
        dataset = fs_record_get(fs, name);
        if (dataset != NULL) {
            fs_record_learn(dataset, &attributes);
            node = directory_of(fs, dataset);
            fs_record_unref(fs, dataset);
        }
        err = node != NULL ? 0 : -ENOMEM;
    }
    pthread_mutex_unlock(&fs->lock);
    ds_attributes_clear(&attributes);
    if (err != 0)
        return err;
    fs_entry_reply(request, node);
    fs_entry_put(fs, node);
    return 0;
}

static int mkdir_in(struct fs_request *request, struct fs_node *parent)
{
    char *name DS_AUTO_FREE = NULL;
    int err;

    if (parent->kind != FS_NODE_ROOT)
        return -EPERM; /* a DataSet holds entries only */
    if (!ds_client_caps(request->fs->client)->can_create)
        return -EPERM;
    err = fs_name_decode(FS_NAME_IN_ROOT, request->name, &name);
    return err != 0 ? err : make_dataset(request, name);
}

int fs_entry_mkdir(struct fs_request *request)
{
    return fs_entry_with_node(request, mkdir_in);
}

/* With fs->lock: the DataSet is destroyed; its open files go on in memory. */
static void detach_all(struct fs *fs, struct fs_dataset *dataset)
{
    struct fs_node *node, *next;

    fs_record_gone(dataset);
    dataset->node = NULL; /* one of the same name will be another directory */
    fs_attr_move(fs, dataset, NULL, NULL, NULL);
    HASH_ITER (hh_key, dataset->entries, node, next) {
        fs_attr_move(fs, dataset, node->key, NULL, NULL);
        fs_node_detach(node);
    }
}

static int destroy_dataset(struct fs_request *request, struct fs_dataset *dataset)
{
    struct fs *fs = request->fs;
    bool force = fs->options->force;
    int err = fs_request_may_block(request);

    if (err != 0)
        return err;
    if (!force) {
        /* A key that was created and waits for its data makes the DataSet not empty. */
        err = fs_write_commit_all(request, dataset, FS_COMMIT_ON_FSYNC);
        if (err != 0 && err != -EILSEQ && err != -ENOENT)
            return err;
    }
    fs_request_about(request, dataset->name, NULL);
    err = fs_store_begin(request, true);
    if (err != 0)
        return err;
    err = ds_client_destroy(fs->client, &request->call, dataset->name, force);
    fs_store_end(request);

    DS_LOCK_SCOPE(&fs->lock);
    if (err == 0)
        detach_all(fs, dataset);
    else if (err == -ENOENT)
        fs_record_gone(dataset);
    if (err == -ENOTEMPTY)
        request->call.text[0] = '\0'; /* the usual answer, nothing to report */
    return err;
}

static int rmdir_from(struct fs_request *request, struct fs_node *parent)
{
    struct fs *fs = request->fs;
    char *name DS_AUTO_FREE = NULL;
    struct fs_dataset *dataset;
    int err;

    if (parent->kind != FS_NODE_ROOT || strcmp(request->name, FS_NAME_CONTROL) == 0)
        return -EPERM;
    if (!ds_client_caps(fs->client)->can_create)
        return -EPERM;
    err = fs_entry_key_of_name(request, NULL, request->name, &name);
    if (err != 0)
        return err;
    pthread_mutex_lock(&fs->lock);
    dataset = fs_record_get(fs, name);
    pthread_mutex_unlock(&fs->lock);
    if (dataset == NULL)
        return -ENOMEM;
    err = destroy_dataset(request, dataset);
    fs_record_release(fs, dataset);
    if (err == 0)
        fs_reply_ok(request);
    return err;
}

int fs_entry_rmdir(struct fs_request *request)
{
    return fs_entry_with_node(request, rmdir_from);
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
