/* Names made and removed: unlink, mkdir, rmdir. */
#include "tree.h"

#include "cleanup.h"
#include "entry.h"
#include "file/working.h"
#include "kernel/reply.h"
#include "model/attr.h"
#include "model/directory.h"
#include "model/marks.h"
#include "model/record.h"
#include "model/value.h"
#include "scratch/publish.h"
#include "scratch/scratch.h"
#include "scratch/withheld.h"
#include "store/access.h"
#include "store/ask.h"
#include "store/key_lock.h"
#include "store/query.h"
#include "store/send.h"
#include "text/name.h"

#include <errno.h>
#include <string.h>

/* How the name of a directory in a DataSet ends. */
#define LOCK_SUFFIX ".lock"

/* With fs->lock (released meanwhile) and the key lock: removes the key from the store. */
static int remove_key(struct fs_request *request, struct fs_node *node)
{
    /* Created through this mount and never published: the store knows nothing of it. */
    if (node->working.image != NULL && node->working.commit.pending == FS_PENDING_CREATE &&
        node->seen.presence != FS_PRESENT)
        return 0;
    return fs_send_remove(request, node);
}

static int unlink_from(struct fs_request *request, struct fs_node *parent)
{
    struct fs *fs = request->fs;
    char *key DS_AUTO_FREE = NULL;
    struct fs_withheld_locks locks;
    struct fs_node *node;
    bool gone = false;
    int err;

    if (parent->kind != FS_NODE_DATASET)
        return -EPERM;
    err = fs_entry_key_of_name(request, parent->dataset, request->name, &key);
    if (err == 0)
        err = fs_access_allow(request, parent->dataset, key, FS_NEED_WRITE);
    if (err == 0)
        err = fs_request_may_block(request);
    if (err != 0)
        return err;

    pthread_mutex_lock(&fs->lock);
    node = fs_node_get_key(fs, parent->dataset, key);
    err = node == NULL ? -ENOMEM : fs_withheld_lock(request, node, NULL, &locks);
    if (err == 0) {
        err = node->kind != FS_NODE_ENTRY ? -EISDIR : fs_publish_unlink(request, node, &gone);
        if (err == 0 && !gone)
            err = remove_key(request, node);
        if (err == 0) {
            fs_node_detach(fs, node);
            fs_directory_modified(fs, parent->dataset);
        }
        fs_withheld_unlock(fs, &locks);
    }
    if (node != NULL)
        fs_node_unpin(fs, node);
    pthread_mutex_unlock(&fs->lock);
    if (err == 0)
        fs_reply_ok(request);
    return err;
}

int fs_tree_unlink(struct fs_request *request)
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
    dataset = fs_record_acquire(fs, name);
    if (dataset == NULL)
        return -ENOMEM;
    err = ds_attributes_copy(&attributes, &fs->options->defaults);
    if (err == 0)
        err = fs_query_create(request, dataset, &attributes);
    pthread_mutex_lock(&fs->lock);
    if (err == 0) {
        node = fs_entry_directory(fs, dataset);
        err = node != NULL ? 0 : -ENOMEM;
    }
    fs_record_unref(fs, dataset);
    pthread_mutex_unlock(&fs->lock);
    ds_attributes_clear(&attributes);
    if (err != 0)
        return err;
    fs_entry_reply(request, node);
    fs_node_release(fs, node);
    return 0;
}

static bool is_lock_name(const char *name)
{
    size_t len = strlen(name), suffix = strlen(LOCK_SUFFIX);

    return len > suffix && strcmp(name + len - suffix, LOCK_SUFFIX) == 0;
}

/* With fs->lock: the node of a directory in memory, pinned. It takes the place of `old`, which
 * knows that there is no such key. */
static int make_lock(struct fs_request *request, struct fs_dataset *dataset, const char *key,
                     struct fs_node **node)
{
    struct fs *fs = request->fs;
    struct fs_node *old = fs_node_get_key(fs, dataset, key);
    int err = old == NULL ? -ENOMEM : fs_key_lock(request, old);

    if (old == NULL)
        return err;
    if (err == 0) {
        if (!old->attached || fs_value_exists(old) || old->withheld != NULL)
            err = -EEXIST;
        fs_key_unlock(old);
    }
    if (err == 0)
        err = fs_scratch_count_name(request, old);
    if (err == 0) {
        fs_node_detach(fs, old);
        *node = fs_node_new(fs, FS_NODE_LOCK, dataset, key);
        if (*node != NULL) {
            fs_directory_modified(fs, dataset);
        } else {
            fs_scratch_uncount_name(fs);
            err = -ENOMEM;
        }
    }
    fs_node_unpin(fs, old);
    return err;
}

/* A DataSet holds entries only, but Puppet wants to make a directory before it writes a file. */
static int mkdir_lock(struct fs_request *request, struct fs_dataset *dataset)
{
    struct fs *fs = request->fs;
    char *key DS_AUTO_FREE = NULL;
    struct fs_node *node = NULL;
    int err;

    if (!is_lock_name(request->name))
        return -EPERM;
    err = fs_name_decode(FS_NAME_IN_DATASET, request->name, &key);
    if (err == 0)
        err = fs_access_allow(request, dataset, key, FS_NEED_WRITE);
    if (err != 0)
        return err;
    pthread_mutex_lock(&fs->lock);
    err = make_lock(request, dataset, key, &node);
    pthread_mutex_unlock(&fs->lock);
    if (err != 0)
        return err;
    fs_entry_reply(request, node);
    fs_node_release(fs, node);
    return 0;
}

static int rmdir_lock(struct fs_request *request, struct fs_dataset *dataset)
{
    struct fs *fs = request->fs;
    char *key DS_AUTO_FREE = NULL;
    struct fs_node *node;
    int err = fs_entry_key_of_name(request, dataset, request->name, &key);

    if (err != 0)
        return err;
    pthread_mutex_lock(&fs->lock);
    node = fs_node_of_key(dataset, key);
    err = node == NULL ? -ENOENT : node->kind != FS_NODE_LOCK ? -ENOTDIR : 0;
    if (err == 0) {
        fs_node_detach(fs, node);
        fs_directory_modified(fs, dataset);
    }
    if (node != NULL)
        fs_node_unpin(fs, node);
    pthread_mutex_unlock(&fs->lock);
    if (err == 0)
        fs_reply_ok(request);
    return err;
}

static int mkdir_in(struct fs_request *request, struct fs_node *parent)
{
    char *name DS_AUTO_FREE = NULL;
    int err;

    if (parent->kind == FS_NODE_DATASET)
        return mkdir_lock(request, parent->dataset);
    if (parent->kind != FS_NODE_ROOT)
        return -EPERM;
    if (!ds_client_caps(request->fs->client)->can_create)
        return -EPERM;
    err = fs_name_decode(FS_NAME_IN_ROOT, request->name, &name);
    return err != 0 ? err : make_dataset(request, name);
}

int fs_tree_mkdir(struct fs_request *request)
{
    return fs_entry_with_node(request, mkdir_in);
}

/* With fs->lock: the DataSet is destroyed; its open files go on in memory. */
static void detach_all(struct fs *fs, struct fs_dataset *dataset)
{
    struct fs_node *node, *next;

    dataset->node = NULL; /* one of the same name will be another directory */
    fs_query_gone(fs, dataset);
    fs_query_changed(fs, dataset, false);
    fs_marks_removed(fs, dataset, NULL);
    HASH_ITER (hh_key, dataset->entries, node, next) {
        fs_node_pin(node);
        fs_node_detach(fs, node);
        fs_node_unpin(fs, node); /* what was kept for its content is not any more */
    }
    fs_attr_forget_dataset(fs, dataset);
}

/* True if names stand in the DataSet that the store does not know of. */
static bool holds_back(struct fs *fs, const struct fs_dataset *dataset)
{
    const struct fs_node *node;

    DS_LOCK_SCOPE(&fs->lock);
    for (node = dataset->entries; node != NULL; node = node->hh_key.next)
        if (fs_node_is_local(node))
            return true;
    return false;
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
        err = fs_working_commit_all(request, dataset, FS_COMMIT_ON_FSYNC);
        if (err != 0 && err != -EILSEQ && err != -ENOENT)
            return err;
        if (holds_back(fs, dataset))
            return -ENOTEMPTY;
    }
    fs_request_about(request, dataset->name, NULL);
    err = fs_store_begin(request, true);
    if (err != 0)
        return err;
    pthread_mutex_lock(&fs->lock);
    fs_record_change_begin(dataset);
    pthread_mutex_unlock(&fs->lock);
    err = ds_client_destroy(fs->client, &request->call, dataset->name, force);
    fs_store_end(request);

    DS_LOCK_SCOPE(&fs->lock);
    fs_record_change_end(dataset);
    if (err == 0)
        detach_all(fs, dataset);
    else if (err == -ENOENT)
        fs_query_gone(fs, dataset);
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

    if (parent->kind == FS_NODE_DATASET)
        return rmdir_lock(request, parent->dataset);
    if (parent->kind != FS_NODE_ROOT || strcmp(request->name, FS_NAME_CONTROL) == 0)
        return -EPERM;
    if (!ds_client_caps(fs->client)->can_create)
        return -EPERM;
    err = fs_entry_key_of_name(request, NULL, request->name, &name);
    if (err != 0)
        return err;
    dataset = fs_record_acquire(fs, name);
    if (dataset == NULL)
        return -ENOMEM;
    err = destroy_dataset(request, dataset);
    fs_record_release(fs, dataset);
    if (err == 0)
        fs_reply_ok(request);
    return err;
}

int fs_tree_rmdir(struct fs_request *request)
{
    return fs_entry_with_node(request, rmdir_from);
}
