/* The root and what stands in it: DataSets listed, made and destroyed. */
#include "machine.h"

#include "cleanup.h"
#include "file/working.h"
#include "file_name.h"
#include "kernel/reply.h"
#include "lookup.h"
#include "model/datasets.h"
#include "model/kept_attributes.h"
#include "model/key_history.h"
#include "model/kind.h"
#include "model/times.h"
#include "model/value.h"
#include "store/list_names.h"
#include "store/query_dataset.h"

#include <errno.h>
#include <string.h>

static int make(struct fs_request *request, struct fs_vm *vm, const char *name)
{
    struct fs *fs = request->fs;
    struct ds_attributes attributes = {0};
    struct fs_dataset *dataset = NULL;
    struct fs_node *node = NULL;
    int err;

    fs_request_about(request, name, NULL);
    dataset = fs_dataset_acquire(vm, name);
    if (dataset == NULL)
        return -ENOMEM;
    err = ds_attributes_copy(&attributes, &fs->options->store.attributes);
    if (err == 0)
        err = fs_query_create(request, dataset, &attributes);
    pthread_mutex_lock(&fs->lock);
    if (err == 0) {
        node = fs_lookup_directory(fs, dataset);
        err = node != NULL ? 0 : -ENOMEM;
    }
    fs_dataset_unref(dataset);
    pthread_mutex_unlock(&fs->lock);
    ds_attributes_clear(&attributes);
    if (err != 0)
        return err;
    fs_lookup_reply(request, node);
    fs_node_release(fs, node);
    return 0;
}

/* With fs->lock: the DataSet is destroyed; its open files go on in memory. */
static void detach_all(struct fs *fs, struct fs_dataset *dataset)
{
    struct fs_node *node;

    dataset->node = NULL; /* one of the same name will be another directory */
    fs_query_gone(fs, dataset);
    fs_query_changed(fs, dataset, false);
    fs_history_removed(fs, dataset, NULL);
    while ((node = fs_node_any_of(dataset)) != NULL) {
        fs_node_pin(node);
        fs_node_detach(fs, node);
        fs_node_unpin(fs, node); /* what was kept for its content is not any more */
    }
    fs_attr_forget_dataset(fs, dataset);
}

/* True if names stand in the DataSet that the store does not know of. */
static bool holds_back(struct fs *fs, const struct fs_dataset *dataset)
{
    DS_LOCK_SCOPE(&fs->lock);
    for (const struct fs_busy *busy = fs->busy; busy != NULL; busy = busy->next)
        if (busy->node->attached && busy->node->dataset == dataset && fs_node_is_local(busy->node))
            return true;
    return false;
}

static int destroy(struct fs_request *request, struct fs_dataset *dataset)
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
    DS_LOCK_SCOPE(&fs->lock);
    err = fs_query_destroy(request, dataset, force);
    if (err == 0)
        detach_all(fs, dataset);
    if (err == -ENOTEMPTY)
        request->call.text[0] = '\0'; /* the usual answer, nothing to report */
    return err;
}

int fs_machine_mkdir(struct fs_request *request, struct fs_node *root)
{
    struct fs_vm *vm = fs_node_vm(request->fs, root);
    char *name DS_AUTO_FREE = NULL;
    int err;

    if (!vm->caps->can_create)
        return -EPERM;
    err = ds_file_name_decode(DS_FILE_NAME_IN_ROOT, request->name, &name);
    return err != 0 ? err : make(request, vm, name);
}

int fs_machine_rmdir(struct fs_request *request, struct fs_node *root)
{
    struct fs_vm *vm = fs_node_vm(request->fs, root);
    char *name DS_AUTO_FREE = NULL;
    struct fs_dataset *dataset;
    int err;

    if (strcmp(request->name, DS_FILE_NAME_CONTROL) == 0 || !vm->caps->can_create)
        return -EPERM;
    err = fs_lookup_dataset_name(request, vm, request->name, &name);
    if (err != 0)
        return err;
    dataset = fs_dataset_acquire(vm, name);
    if (dataset == NULL)
        return -ENOMEM;
    err = destroy(request, dataset);
    fs_dataset_release(dataset);
    if (err == 0)
        fs_reply_ok(request);
    return err;
}

int fs_machine_list(struct fs_request *request, struct fs_node *root, struct fs_listing **listing,
                    struct ds_names *more)
{
    (void)more;
    return fs_list(request, fs_node_vm(request->fs, root), NULL, listing);
}

const struct fs_dataset *fs_machine_name(const struct fs_vm *vm, const char *name,
                                         struct fs_item *item)
{
    struct fs_dataset *dataset;

    HASH_FIND_STR(vm->datasets, name, dataset);
    ds_file_name_encode(DS_FILE_NAME_IN_ROOT, name, item->name);
    return dataset;
}

void fs_machine_item(struct fs *fs, const struct fs_node *root, const char *name,
                     struct fs_item *item)
{
    const struct fs_vm *vm = fs_node_vm(fs, root);
    const struct fs_dataset *dataset = fs_machine_name(vm, name, item);

    item->type = S_IFDIR;
    item->node = dataset != NULL ? dataset->node : NULL;
    item->number =
        item->node != NULL ? item->node->number : fs_history_number(vm, name, NULL, FS_NUMBER_NAME);
}

uint64_t fs_machine_of_dataset(const struct fs *fs, const struct fs_node *node)
{
    const struct fs_vm *vm = node->dataset->vm;

    return vm != fs->vm ? fs_history_number_of_vm(vm, FS_VM_DIRECTORY) : FS_INO_ROOT;
}
