/* .datasetfs/info: the attributes of each DataSet as JSON. */
#include "info.h"

#include "cleanup.h"
#include "file/close.h"
#include "file_name.h"
#include "kernel/reply.h"
#include "model/datasets.h"
#include "model/key_history.h"
#include "model/times.h"
#include "model/told_kernel.h"
#include "snapshot.h"
#include "store/list_names.h"
#include "store/query_dataset.h"
#include "tree/lookup.h"
#include "tree/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

static struct fs_node *info_node(struct fs *fs, struct fs_dataset *dataset)
{
    if (dataset->info_node != NULL)
        fs_node_pin(dataset->info_node);
    else
        dataset->info_node = fs_node_new(fs, FS_NODE_INFO, dataset, NULL);
    return dataset->info_node;
}

/* info/NAME: there if the DataSet is. */
int fs_info_lookup(struct fs_request *request, struct fs_node *parent)
{
    struct fs_node *node;
    int err = fs_snapshot_allow(request, parent);

    request->about_info = true;
    if (err == 0)
        err = fs_lookup_of_dataset(request, fs_node_vm(request->fs, parent), info_node, &node);
    if (err != 0)
        return err;
    err = fs_info_know(request, node);
    if (err == 0)
        fs_lookup_reply(request, node);
    fs_node_release(request->fs, node);
    return err;
}

/* With fs->lock: the long names of the DataSet's last listing with their whole keys. */
static int print_long_names(const struct fs_dataset *dataset, struct ds_buf *out)
{
    const char *before = ",\"long_names\":{";
    char name[DS_FILE_NAME_MAX_BYTES + 1];
    int err = 0;

    if (dataset->listing == NULL)
        return 0;
    for (size_t i = 0; i < dataset->listing->names.count && err == 0; i++) {
        const char *key = dataset->listing->names.names[i];

        if (!ds_file_name_needs_shortening(DS_FILE_NAME_IN_DATASET, key))
            continue;
        ds_file_name_encode(DS_FILE_NAME_IN_DATASET, key, name);
        err = ds_buf_puts(out, before);
        before = ",";
        if (err == 0)
            err = ds_buf_json_string(out, name);
        if (err == 0)
            err = ds_buf_puts(out, ":");
        if (err == 0)
            err = ds_buf_json_string(out, key);
    }
    if (err == 0 && before[1] == '\0')
        err = ds_buf_puts(out, "}");
    return err;
}

static int print(struct fs_request *request, struct fs_node *node, int64_t max_age_ms,
                 struct ds_buf *out)
{
    struct fs *fs = request->fs;
    int err;

    request->about_info = true;
    err = fs_query_refresh(request, node->dataset, max_age_ms);
    if (err != 0)
        return err;
    DS_LOCK_SCOPE(&fs->lock);
    err = ds_attributes_to_json(node->dataset->name, &node->dataset->attributes, out);
    if (err != 0)
        return err;
    out->len--; /* reopens the object: its last byte is the closing brace */
    err = print_long_names(node->dataset, out);
    return err != 0 ? err : ds_buf_puts(out, "}\n");
}

/* With fs->lock: a handle for a DataSet that the first write makes. */
static int create_locked(struct fs_request *request, struct fs_node *node,
                         struct fs_handle **handle, struct fuse_entry_param *entry)
{
    if (node->dataset->exists && (request->fi.flags & O_EXCL))
        return -EEXIST;
    *handle = fs_handle_new(node, request->fi.flags);
    if (*handle == NULL)
        return -ENOMEM;
    (*handle)->creates = !node->dataset->exists;
    fs_told_entry(request, node, entry);
    fs_node_looked_up(node);
    return 0;
}

int fs_info_create(struct fs_request *request, struct fs_node *parent)
{
    struct fs *fs = request->fs;
    struct fs_vm *vm = fs_node_vm(fs, parent);
    char *name DS_AUTO_FREE = NULL;
    struct fuse_entry_param entry;
    struct fs_handle *handle = NULL;
    struct fs_dataset *dataset;
    struct fs_node *node = NULL;
    int err;

    err = fs_snapshot_allow(request, parent);
    if (err == 0 && !vm->caps->can_create)
        err = -EPERM;
    if (err == 0)
        err = ds_file_name_decode(DS_FILE_NAME_IN_ROOT, request->name, &name);
    if (err != 0)
        return err;
    pthread_mutex_lock(&fs->lock);
    dataset = fs_dataset_get(vm, name);
    if (dataset != NULL) {
        node = info_node(fs, dataset);
        fs_dataset_unref(dataset);
    }
    err = node != NULL ? create_locked(request, node, &handle, &entry) : -ENOMEM;
    pthread_mutex_unlock(&fs->lock);
    if (err == 0) {
        request->fi.fh = (uintptr_t)handle;
        request->fi.direct_io = 1;
        if (fs_reply_create(request, &entry) != 0) {
            fs_close_abandon(fs, handle);
            fs_node_forget(fs, entry.ino, 1);
        }
    }
    if (node != NULL)
        fs_node_release(fs, node);
    return err;
}

/* What the object does not name, the mount's options do. */
static int complete(struct ds_attributes *attributes, const struct ds_attributes *defaults)
{
    if (attributes->host == DS_ACCESS_UNKNOWN)
        attributes->host = defaults->host;
    if (attributes->guest == DS_ACCESS_UNKNOWN)
        attributes->guest = defaults->guest;
    if (attributes->omit_from_snapshot_and_clone == DS_FLAG_UNKNOWN)
        attributes->omit_from_snapshot_and_clone = defaults->omit_from_snapshot_and_clone;
    if (attributes->description == NULL && defaults->description != NULL) {
        attributes->description = strdup(defaults->description);
        if (attributes->description == NULL)
            return -ENOMEM;
    }
    return 0;
}

int fs_info_write(struct fs_request *request, struct fs_handle *handle)
{
    struct fs *fs = request->fs;
    struct fs_dataset *dataset = handle->node->dataset;
    struct ds_attributes attributes DS_CLEANUP(ds_attributes_clear) = {0};
    char why[DS_WHY_BYTES];
    bool creates;
    int err;

    err = fs_request_may_block(request);
    if (err != 0)
        return err;
    request->about_info = true;
    fs_request_about(request, dataset->name, NULL);
    err = ds_attributes_from_json(request->data, request->size, &attributes, why);
    if (err != 0)
        return err == -EINVAL ? ds_call_fail(&request->call, err, "%s", why) : err;
    pthread_mutex_lock(&fs->lock);
    creates = handle->creates;
    pthread_mutex_unlock(&fs->lock);
    err = creates ? complete(&attributes, &fs->options->store.attributes) : 0;
    if (err == 0)
        err = creates ? fs_query_create(request, dataset, &attributes)
                      : fs_query_update(request, dataset, &attributes);
    if (err != 0)
        return err;
    pthread_mutex_lock(&fs->lock);
    handle->creates = false;
    pthread_mutex_unlock(&fs->lock);
    fs_reply_write(request, request->size);
    return 0;
}

int fs_info_know(struct fs_request *request, struct fs_node *node)
{
    struct fs *fs = request->fs;
    bool creating;

    pthread_mutex_lock(&fs->lock);
    creating = node->busy->open.handles != NULL && !node->dataset->exists;
    pthread_mutex_unlock(&fs->lock);
    return creating ? 0 : fs_snapshot_know(request, node, print);
}

int fs_info_open(struct fs_request *request, struct fs_node *node)
{
    int err = fs_snapshot_allow(request, node);

    if (err != 0)
        return err;
    if ((request->fi.flags & O_ACCMODE) != O_RDONLY && !node->dataset->vm->caps->can_create)
        return -EPERM;
    return fs_snapshot_open(request, node, print);
}

int fs_info_resize(struct fs_request *request, struct fs_node *node)
{
    (void)request, (void)node;
    return 0; /* a write replaces nothing but what it names */
}

void fs_info_show(const struct fs *fs, const struct fs_node *node, struct fuse_entry_param *entry)
{
    fs_snapshot_show(fs, node, entry);
    if (node->dataset->vm->caps->can_create)
        entry->attr.st_mode |= S_IWUSR;
    if (!node->dataset->exists)
        entry->entry_timeout = 0; /* a DataSet that may never be made */
}

int fs_info_list(struct fs_request *request, struct fs_node *node, struct fs_listing **listing,
                 struct ds_names *more)
{
    (void)more;
    return fs_list(request, fs_node_vm(request->fs, node), NULL, listing);
}

void fs_info_item(struct fs *fs, const struct fs_node *node, const char *name, struct fs_item *item)
{
    const struct fs_vm *vm = fs_node_vm(fs, node);
    const struct fs_dataset *dataset = fs_machine_name(vm, name, item);

    item->type = S_IFREG;
    item->node = dataset != NULL ? dataset->info_node : NULL;
    item->number =
        item->node != NULL ? item->node->number : fs_history_number(vm, name, NULL, FS_NUMBER_INFO);
}

uint64_t fs_info_parent(const struct fs *fs, const struct fs_node *node)
{
    (void)fs;
    return node->busy->vm != NULL ? fs_history_number_of_vm(node->busy->vm, FS_VM_CONTROL)
                                  : FS_INO_CONTROL;
}
