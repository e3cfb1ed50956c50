/* The directory of a DataSet: its entries listed and removed. */
#include "entries.h"

#include "cleanup.h"
#include "file_name.h"
#include "kernel/reply.h"
#include "lookup.h"
#include "model/datasets.h"
#include "model/directory_times.h"
#include "model/key_history.h"
#include "model/times.h"
#include "model/value.h"
#include "scratch/publish.h"
#include "scratch/withheld.h"
#include "store/access.h"
#include "store/list_names.h"
#include "store/send.h"

#include <errno.h>
#include <string.h>

/* With fs->lock (released meanwhile) and the key lock: removes the key from the store. */
static int remove_key(struct fs_request *request, struct fs_node *node)
{
    /* Created through this mount and never published: the store knows nothing of it. */
    if (node->busy->working.image != NULL &&
        node->busy->working.commit.pending == FS_PENDING_CREATE &&
        node->seen.presence != FS_PRESENT)
        return 0;
    return fs_send_remove(request, node);
}

int fs_entries_unlink(struct fs_request *request, struct fs_node *parent)
{
    struct fs *fs = request->fs;
    char *key DS_AUTO_FREE = NULL;
    struct fs_withheld_locks locks;
    struct fs_node *node;
    bool gone = false;
    int err;

    err = fs_lookup_key(request, parent->dataset, request->name, &key);
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

int fs_entries_enter(struct fs_request *request, struct fs_node *node)
{
    return fs_access_allow(request, node->dataset, NULL, FS_NEED_READ);
}

/* With fs->lock: adds the keys that exist in this mount only so far, but for what is held back of a
 * key that somebody else has made. */
static int add_unpublished(const struct fs *fs, const struct fs_dataset *dataset,
                           const struct fs_listing *listing, struct ds_names *more)
{
    int err = 0;

    for (const struct fs_busy *busy = fs->busy; busy != NULL && err == 0; busy = busy->next) {
        const struct fs_node *node = busy->node;

        if (node->attached && node->dataset == dataset && node->seen.presence != FS_PRESENT &&
            fs_value_exists(node) &&
            !(fs_node_is_local(node) && fs_listing_has(listing, node->key)))
            err = ds_names_add(more, node->key);
    }
    return err;
}

int fs_entries_list(struct fs_request *request, struct fs_node *node, struct fs_listing **listing,
                    struct ds_names *more)
{
    int err = fs_entries_enter(request, node);

    if (err != 0)
        return err;
    /* What is published meanwhile must be in one of the two. */
    DS_LOCK_SCOPE(&request->fs->lock);
    err = fs_list_locked(request, node->dataset->vm, node->dataset, listing);
    return err != 0 ? err : add_unpublished(request->fs, node->dataset, *listing, more);
}

void fs_entries_item(struct fs *fs, const struct fs_node *node, const char *name,
                     struct fs_item *item)
{
    const struct fs_dataset *dataset = node->dataset;
    struct fs_node *entry = fs_node_known(dataset, name);

    (void)fs;
    ds_file_name_encode(DS_FILE_NAME_IN_DATASET, name, item->name);
    item->node = entry;
    item->type = entry != NULL && entry->kind == FS_NODE_LOCK ? S_IFDIR : S_IFREG;
    item->number = entry != NULL
                       ? entry->number
                       : fs_history_number(dataset->vm, dataset->name, name, FS_NUMBER_NAME);
    /* The store lists it, but it was renamed through this mount. */
    item->hidden = entry != NULL && entry->busy->withheld != NULL && !fs_value_exists(entry);
}
