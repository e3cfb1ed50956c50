/* Kinds of inodes: the tables of their functions, and how a request of the kernel comes to them.
 *
 * What follows is the map of the file system: an append is a WRITE to an entry, so it is done by
 * fs_write(), in file/write.c. */
#include "ops.h"

#include "cleanup.h"
#include "control/control.h"
#include "control/info.h"
#include "control/machine_table.h"
#include "control/snapshot.h"
#include "control/xattr.h"
#include "file/close.h"
#include "file/handle.h"
#include "file/open.h"
#include "file/read.h"
#include "file/write.h"
#include "file_name.h"
#include "kernel/reply.h"
#include "model/machines.h"
#include "tree/attributes.h"
#include "tree/entries.h"
#include "tree/inventory.h"
#include "tree/lock.h"
#include "tree/lookup.h"
#include "tree/machine.h"
#include "tree/read_directory.h"
#include "tree/rename.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* .datasetfs stands beside the DataSets. */
static int lookup_in_machine(struct fs_request *request, struct fs_node *root)
{
    return strcmp(request->name, DS_FILE_NAME_CONTROL) == 0
               ? fs_control_lookup_itself(request, root)
               : fs_lookup_dataset(request, root);
}

static int lookup_in_inventory(struct fs_request *request, struct fs_node *root)
{
    return strcmp(request->name, DS_FILE_NAME_CONTROL) == 0
               ? fs_control_lookup_itself(request, root)
               : fs_inventory_lookup(request, root);
}

const struct fs_kind fs_ops_kinds[] = {
    [FS_NODE_ROOT] =
        {
            .show = fs_attributes_show_root,
            .lookup = lookup_in_machine,
            .mkdir = fs_machine_mkdir,
            .rmdir = fs_machine_rmdir,
            .list = fs_machine_list,
            .item = fs_machine_item,
        },
    [FS_NODE_DATASET] =
        {
            .show = fs_attributes_show_dataset,
            .known = fs_attributes_known_dataset,
            .know = fs_attributes_know_dataset,
            .access = fs_attributes_access_dataset,
            .lookup = fs_lookup_entry,
            .create = fs_open_create,
            .unlink = fs_entries_unlink,
            .rename = fs_rename,
            .mkdir = fs_lock_mkdir,
            .rmdir = fs_lock_rmdir,
            .enter = fs_entries_enter,
            .list = fs_entries_list,
            .item = fs_entries_item,
            .parent = fs_machine_of_dataset,
            .walked = true,
        },
    [FS_NODE_ENTRY] =
        {
            .show = fs_attributes_show_entry,
            .known = fs_attributes_known_entry,
            .know = fs_attributes_know_entry,
            .resize = fs_attributes_resize_entry,
            .access = fs_attributes_access_entry,
            .open = fs_open_entry,
            .read = fs_read,
            .write = fs_write,
            .flush = fs_close_flush,
            .fsync = fs_close_fsync,
            .release = fs_close_release,
        },
    [FS_NODE_LOCK] =
        {
            .show = fs_attributes_show_root,
            .known = fs_attributes_known_lock,
            .access = fs_attributes_access_lock,
            .list = fs_lock_list,
            .parent = fs_lock_parent,
        },
    [FS_NODE_CONTROL] =
        {
            .show = fs_control_show,
            .access = fs_snapshot_allow,
            .lookup = fs_control_lookup,
            .enter = fs_snapshot_allow,
            .list = fs_control_list,
            .item = fs_control_item,
            .parent = fs_control_parent,
        },
    [FS_NODE_STATS] =
        {
            .show = fs_snapshot_show,
            .know = fs_control_know_stats,
            .access = fs_snapshot_allow,
            .open = fs_control_open_stats,
            .read = fs_snapshot_read,
            .release = fs_close_release,
        },
    [FS_NODE_ERRORS] =
        {
            .show = fs_snapshot_show,
            .know = fs_control_know_errors,
            .access = fs_snapshot_allow,
            .open = fs_control_open_errors,
            .read = fs_snapshot_read,
            .release = fs_close_release,
        },
    [FS_NODE_SCRATCH] =
        {
            .show = fs_snapshot_show,
            .know = fs_control_know_scratch,
            .access = fs_snapshot_allow,
            .open = fs_control_open_scratch,
            .read = fs_snapshot_read,
            .release = fs_close_release,
        },
    [FS_NODE_INFO_DIR] =
        {
            .show = fs_control_show,
            .access = fs_snapshot_allow,
            .lookup = fs_info_lookup,
            .create = fs_info_create,
            .enter = fs_snapshot_allow,
            .list = fs_info_list,
            .item = fs_info_item,
            .parent = fs_info_parent,
        },
    [FS_NODE_INFO] =
        {
            .show = fs_info_show,
            .know = fs_info_know,
            .resize = fs_info_resize,
            .access = fs_snapshot_allow,
            .open = fs_info_open,
            .read = fs_snapshot_read,
            .write = fs_info_write,
            .release = fs_close_release,
        },
    [FS_NODE_MACHINES] =
        {
            .show = fs_attributes_show_root,
            .lookup = lookup_in_inventory,
            .list = fs_inventory_list,
            .item = fs_inventory_item,
        },
    [FS_NODE_MACHINE] =
        {
            .show = fs_attributes_show_root,
            .known = fs_inventory_known,
            .know = fs_inventory_know,
            .lookup = lookup_in_machine,
            .mkdir = fs_machine_mkdir,
            .rmdir = fs_machine_rmdir,
            .list = fs_machine_list,
            .item = fs_machine_item,
        },
    [FS_NODE_MACHINE_LINK] =
        {
            .show = fs_inventory_show_link,
            .know = fs_inventory_know,
            .readlink = fs_inventory_readlink,
        },
    [FS_NODE_MACHINE_TABLE] =
        {
            .show = fs_snapshot_show,
            .know = fs_table_know,
            .access = fs_snapshot_allow,
            .open = fs_table_open,
            .read = fs_snapshot_read,
            .release = fs_close_release,
        },
};

/* What fails below a machine of an inventory is reported with its name. */
static void note_machine(struct fs_request *request, const struct fs_node *node)
{
    struct fs *fs = request->fs;

    if (!fs_machines_any(fs))
        return;
    DS_LOCK_SCOPE(&fs->lock);
    fs_machines_below(request, fs_node_vm(fs, node));
}

static struct fs_handle *use_handle(struct fs_request *request)
{
    struct fs_handle *handle = fs_handle_use(request);

    note_machine(request, handle->node);
    return handle;
}

/* Calls the function for the inode that the request is about; -ESTALE if there is none. */
static int with_node(struct fs_request *request, fs_node_handler *function)
{
    struct fs_node *node = fs_node_acquire(request->fs, request->ino);
    int err;

    if (node == NULL)
        return -ESTALE;
    note_machine(request, node);
    err = function(request, node);
    fs_node_release(request->fs, node);
    return err;
}

static int call(fs_node_handler *function, struct fs_request *request, struct fs_node *node,
                int missing)
{
    return function != NULL ? function(request, node) : missing;
}

static const struct fs_kind *kind_of(const struct fs_node *node)
{
    return &fs_ops_kinds[node->kind];
}

/* Nothing is in a lock. */
static int lookup(struct fs_request *request, struct fs_node *parent)
{
    return call(kind_of(parent)->lookup, request, parent, -ENOENT);
}

static int open_node(struct fs_request *request, struct fs_node *node)
{
    return call(kind_of(node)->open, request, node, -EISDIR);
}

/* The root holds DataSets only. */
static int create(struct fs_request *request, struct fs_node *parent)
{
    return call(kind_of(parent)->create, request, parent, -EPERM);
}

static int unlink_name(struct fs_request *request, struct fs_node *parent)
{
    return call(kind_of(parent)->unlink, request, parent, -EPERM);
}

static int mkdir_name(struct fs_request *request, struct fs_node *parent)
{
    return call(kind_of(parent)->mkdir, request, parent, -EPERM);
}

static int rmdir_name(struct fs_request *request, struct fs_node *parent)
{
    return call(kind_of(parent)->rmdir, request, parent, -EPERM);
}

/* A DataSet keeps its name, and only entries stand in one. */
static int rename_between(struct fs_request *request, struct fs_node *parent,
                          struct fs_node *new_parent)
{
    const struct fs_kind *kind = kind_of(parent);

    if (request->flags & ~(unsigned)RENAME_NOREPLACE)
        return -EINVAL;
    if (kind->rename == NULL || kind != kind_of(new_parent))
        return -EPERM;
    return kind->rename(request, parent, new_parent);
}

int fs_ops_lookup(struct fs_request *request)
{
    return with_node(request, lookup);
}

int fs_ops_getattr(struct fs_request *request)
{
    return with_node(request, fs_attributes_get);
}

static int read_link(struct fs_request *request, struct fs_node *node)
{
    return call(kind_of(node)->readlink, request, node, -EINVAL);
}

int fs_ops_readlink(struct fs_request *request)
{
    return with_node(request, read_link);
}

int fs_ops_statfs(struct fs_request *request)
{
    return with_node(request, fs_attributes_statfs);
}

int fs_ops_setattr(struct fs_request *request)
{
    return with_node(request, fs_attributes_set);
}

int fs_ops_access(struct fs_request *request)
{
    return with_node(request, fs_attributes_access);
}

int fs_ops_open(struct fs_request *request)
{
    return with_node(request, open_node);
}

int fs_ops_create(struct fs_request *request)
{
    return with_node(request, create);
}

int fs_ops_unlink(struct fs_request *request)
{
    return with_node(request, unlink_name);
}

int fs_ops_mkdir(struct fs_request *request)
{
    return with_node(request, mkdir_name);
}

int fs_ops_rmdir(struct fs_request *request)
{
    return with_node(request, rmdir_name);
}

int fs_ops_opendir(struct fs_request *request)
{
    return with_node(request, fs_dir_open);
}

int fs_ops_getxattr(struct fs_request *request)
{
    return with_node(request, fs_xattr_get);
}

int fs_ops_setxattr(struct fs_request *request)
{
    return with_node(request, fs_xattr_set);
}

int fs_ops_listxattr(struct fs_request *request)
{
    return with_node(request, fs_xattr_list);
}

int fs_ops_removexattr(struct fs_request *request)
{
    (void)request;
    return -EPERM;
}

int fs_ops_rename(struct fs_request *request)
{
    struct fs *fs = request->fs;
    struct fs_node *parent = fs_node_acquire(fs, request->ino);
    struct fs_node *new_parent = fs_node_acquire(fs, request->new_parent);
    int err = -ESTALE;

    if (parent != NULL && new_parent != NULL) {
        note_machine(request, parent);
        err = rename_between(request, parent, new_parent);
    }
    if (parent != NULL)
        fs_node_release(fs, parent);
    if (new_parent != NULL)
        fs_node_release(fs, new_parent);
    return err;
}

int fs_ops_read(struct fs_request *request)
{
    struct fs_handle *handle = use_handle(request);
    int err = kind_of(handle->node)->read(request, handle);

    fs_handle_unuse(request->fs, handle);
    return err;
}

int fs_ops_write(struct fs_request *request)
{
    struct fs_handle *handle = use_handle(request);
    fs_handle_handler *write = kind_of(handle->node)->write;
    int err = write != NULL ? write(request, handle) : -EBADF;

    fs_handle_unuse(request->fs, handle);
    return err;
}

/* Commits what waits in the handle, in kinds that have something to commit. */
static int commit(struct fs_request *request, bool flush)
{
    struct fs_handle *handle = use_handle(request);
    const struct fs_kind *kind = kind_of(handle->node);
    fs_handle_handler *function = flush ? kind->flush : kind->fsync;
    int err = 0;

    if (function != NULL)
        err = function(request, handle);
    else
        fs_reply_ok(request);
    fs_handle_unuse(request->fs, handle);
    return err;
}

int fs_ops_flush(struct fs_request *request)
{
    return commit(request, true);
}

int fs_ops_fsync(struct fs_request *request)
{
    return commit(request, false);
}

/* This ends the handle, which therefore is not held. */
int fs_ops_release(struct fs_request *request)
{
    struct fs_handle *handle = fs_handle_of(request);

    note_machine(request, handle->node);
    return kind_of(handle->node)->release(request, handle);
}
