/* Finding what a name stands for. */
#include "lookup.h"

#include "cleanup.h"
#include "file_name.h"
#include "kernel/reply.h"
#include "know_value.h"
#include "model/datasets.h"
#include "model/told_kernel.h"
#include "model/value.h"
#include "store/access.h"
#include "store/column.h"
#include "store/list_names.h"
#include "store/query_dataset.h"

#include <errno.h>
#include <string.h>

int fs_lookup_reply(struct fs_request *request, struct fs_node *node)
{
    struct fs *fs = request->fs;
    struct fuse_entry_param entry;

    pthread_mutex_lock(&fs->lock);
    fs_told_entry(request, node, &entry);
    fs_node_looked_up(node);
    pthread_mutex_unlock(&fs->lock);
    if (fs_reply_entry(request, &entry) != 0)
        fs_node_forget(fs, node->ino, 1);
    return 0;
}

/* The name in the listing that is shown as `name`, copied; NULL if there is none. */
static char *search(const struct ds_names *names, enum ds_file_name_place place, const char *name)
{
    char shown[DS_FILE_NAME_MAX_BYTES + 1];

    for (size_t i = 0; i < names->count; i++) {
        if (!ds_file_name_needs_shortening(place, names->names[i]))
            continue;
        ds_file_name_encode(place, names->names[i], shown);
        if (strcmp(shown, name) == 0)
            return strdup(names->names[i]);
    }
    return NULL;
}

/* `dataset` NULL: the name is that of one. */
static int key_of(struct fs_request *request, struct fs_vm *vm, struct fs_dataset *dataset,
                  const char *name, char **key)
{
    enum ds_file_name_place place =
        dataset != NULL ? DS_FILE_NAME_IN_DATASET : DS_FILE_NAME_IN_ROOT;
    struct fs *fs = request->fs;
    struct fs_listing *listing;
    int err = ds_file_name_decode(place, name, key);

    if (err == 0 || err == -ENOMEM)
        return err;
    if (!ds_file_name_is_shortened(name))
        return -ENOENT;
    pthread_mutex_lock(&fs->lock);
    listing = dataset != NULL ? dataset->listing : vm->listing;
    *key = listing != NULL ? search(&listing->names, place, name) : NULL;
    pthread_mutex_unlock(&fs->lock);
    if (*key != NULL)
        return 0;
    err = fs_list(request, vm, dataset, &listing);
    if (err != 0)
        return err;
    *key = search(&listing->names, place, name);
    fs_list_put(fs, listing);
    return *key != NULL ? 0 : -ENOENT;
}

int fs_lookup_key(struct fs_request *request, struct fs_dataset *dataset, const char *name,
                  char **key)
{
    return key_of(request, dataset->vm, dataset, name, key);
}

int fs_lookup_dataset_name(struct fs_request *request, struct fs_vm *vm, const char *name,
                           char **out)
{
    return key_of(request, vm, NULL, name, out);
}

struct fs_node *fs_lookup_directory(struct fs *fs, struct fs_dataset *dataset)
{
    if (dataset->node != NULL)
        fs_node_pin(dataset->node);
    else
        dataset->node = fs_node_new(fs, FS_NODE_DATASET, dataset, NULL);
    if (dataset->node != NULL)
        fs_value_set_mtime(dataset->node, &dataset->mtime);
    return dataset->node;
}

int fs_lookup_of_dataset(struct fs_request *request, struct fs_vm *vm, fs_lookup_node *node_of,
                         struct fs_node **out)
{
    struct fs *fs = request->fs;
    char *name DS_AUTO_FREE = NULL;
    struct fs_dataset *dataset;
    int err = fs_lookup_dataset_name(request, vm, request->name, &name);

    if (err != 0)
        return err;
    dataset = fs_dataset_acquire(vm, name);
    if (dataset == NULL)
        return -ENOMEM;
    err = fs_column_comes(request, dataset, NULL);
    if (err == 0)
        err = fs_query_seek(request, dataset);
    DS_LOCK_SCOPE(&fs->lock);
    if (err == 0) {
        *out = node_of(fs, dataset);
        err = *out != NULL ? 0 : -ENOMEM;
    }
    fs_dataset_unref(dataset);
    return err;
}

int fs_lookup_dataset(struct fs_request *request, struct fs_node *root)
{
    struct fs_vm *vm = fs_node_vm(request->fs, root);
    struct fs_node *node;
    int err = fs_lookup_of_dataset(request, vm, fs_lookup_directory, &node);

    if (err != 0)
        return err;
    fs_lookup_reply(request, node);
    fs_node_release(request->fs, node);
    return 0;
}

int fs_lookup_entry(struct fs_request *request, struct fs_node *parent)
{
    struct fs *fs = request->fs;
    struct fs_dataset *dataset = parent->dataset;
    char *key DS_AUTO_FREE = NULL;
    struct fs_node *node;
    int err = fs_lookup_key(request, dataset, request->name, &key);

    if (err == 0)
        err = fs_column_comes(request, dataset, key);
    if (err == 0)
        err = fs_access_allow(request, dataset, key, FS_NEED_READ);
    if (err == 0)
        err = fs_access_show(request, dataset, false);
    if (err != 0)
        return err;
    pthread_mutex_lock(&fs->lock);
    node = fs_node_get_key(fs, dataset, key);
    pthread_mutex_unlock(&fs->lock);
    if (node == NULL)
        return -ENOMEM;
    err = fs_know(request, node);
    if (err == 0)
        fs_lookup_reply(request, node);
    pthread_mutex_lock(&fs->lock);
    fs_node_unpin(fs, node);
    pthread_mutex_unlock(&fs->lock);
    return err;
}
