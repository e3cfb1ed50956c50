/* Directories in a DataSet, in memory only. */
#include "lock.h"

#include "cleanup.h"
#include "file_name.h"
#include "kernel/reply.h"
#include "lookup.h"
#include "model/datasets.h"
#include "model/directory_times.h"
#include "model/key_history.h"
#include "model/times.h"
#include "model/value.h"
#include "scratch/scratch.h"
#include "store/access.h"
#include "store/key_lock.h"

#include <errno.h>
#include <string.h>

/* How the name of a directory in a DataSet ends. */
#define LOCK_SUFFIX ".lock"

static bool is_lock_name(const char *name)
{
    size_t len = strlen(name), suffix = strlen(LOCK_SUFFIX);

    return len > suffix && strcmp(name + len - suffix, LOCK_SUFFIX) == 0;
}

/* With fs->lock: the node of a directory in memory, pinned. It takes the place of `old`, which
 * knows that there is no such key. */
static int make(struct fs_request *request, struct fs_dataset *dataset, const char *key,
                struct fs_node **node)
{
    struct fs *fs = request->fs;
    struct fs_node *old = fs_node_get_key(fs, dataset, key);
    int err = old == NULL ? -ENOMEM : fs_key_lock(request, old);

    if (old == NULL)
        return err;
    if (err == 0) {
        if (!old->attached || fs_value_exists(old) || old->busy->withheld != NULL)
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
int fs_lock_mkdir(struct fs_request *request, struct fs_node *parent)
{
    struct fs *fs = request->fs;
    struct fs_dataset *dataset = parent->dataset;
    char *key DS_AUTO_FREE = NULL;
    struct fs_node *node = NULL;
    int err;

    if (!is_lock_name(request->name))
        return -EPERM;
    err = ds_file_name_decode(DS_FILE_NAME_IN_DATASET, request->name, &key);
    if (err == 0)
        err = fs_access_allow(request, dataset, key, FS_NEED_WRITE);
    if (err != 0)
        return err;
    pthread_mutex_lock(&fs->lock);
    err = make(request, dataset, key, &node);
    pthread_mutex_unlock(&fs->lock);
    if (err != 0)
        return err;
    fs_lookup_reply(request, node);
    fs_node_release(fs, node);
    return 0;
}

int fs_lock_rmdir(struct fs_request *request, struct fs_node *parent)
{
    struct fs *fs = request->fs;
    struct fs_dataset *dataset = parent->dataset;
    char *key DS_AUTO_FREE = NULL;
    struct fs_node *node;
    int err = fs_lookup_key(request, dataset, request->name, &key);

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

int fs_lock_list(struct fs_request *request, struct fs_node *node, struct fs_listing **listing,
                 struct ds_names *more)
{
    (void)request, (void)node, (void)listing, (void)more;
    return 0;
}

uint64_t fs_lock_parent(const struct fs *fs, const struct fs_node *node)
{
    (void)fs;
    return fs_history_number(node->dataset->vm, node->dataset->name, NULL, FS_NUMBER_NAME);
}
