/* The root of an inventory. */
#include "inventory.h"

#include "cleanup.h"
#include "kernel/reply.h"
#include "lookup.h"
#include "model/key_history.h"
#include "model/machines.h"
#include "store/column.h"
#include "store/end_machine.h"
#include "store/find_machine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int fs_inventory_lookup(struct fs_request *request, struct fs_node *root)
{
    struct fs_node *node;
    int err = fs_find_seek(request, &node);

    (void)root;
    if (err != 0)
        return err;
    fs_lookup_reply(request, node);
    fs_node_release(request->fs, node);
    return 0;
}

int fs_inventory_list(struct fs_request *request, struct fs_node *root, struct fs_listing **listing,
                      struct ds_names *more)
{
    int err = fs_find_list(request, listing);

    (void)root, (void)more;
    if (err != 0)
        return err;
    pthread_mutex_lock(&request->fs->lock);
    fs_column_lists(request->fs, request->tid);
    fs_column_trim(request->fs);
    pthread_mutex_unlock(&request->fs->lock);
    fs_end_unused_machines(request->fs, &request->call);
    return 0;
}

void fs_inventory_item(struct fs *fs, const struct fs_node *root, const char *name,
                       struct fs_item *item)
{
    const struct fs_vm *vm = fs_machines_shown(fs, name);

    (void)root;
    snprintf(item->name, sizeof(item->name), "%s", name);
    item->type = S_IFDIR;
    item->hidden = vm == NULL; /* gone since the listing was made */
    if (vm == NULL)
        return;
    item->node = vm->machine.inodes[FS_VM_DIRECTORY];
    item->number = fs_history_number_of_vm(vm, FS_VM_DIRECTORY);
}

int fs_inventory_know(struct fs_request *request, struct fs_node *machine)
{
    return fs_find_know(request, fs_node_vm(request->fs, machine));
}

bool fs_inventory_known(const struct fs_request *request, const struct fs_node *machine)
{
    return fs_machines_believes(fs_node_vm(request->fs, machine));
}

void fs_inventory_show_link(const struct fs *fs, const struct fs_node *link,
                            struct fuse_entry_param *entry)
{
    const struct fs_vm *vm = fs_node_vm(fs, link);

    entry->attr.st_mode = S_IFLNK | 0777;
    entry->attr.st_size = (off_t)strlen(vm->machine.file_name);
    entry->attr_timeout = entry->entry_timeout = FS_DIR_TIMEOUT_S;
}

int fs_inventory_readlink(struct fs_request *request, struct fs_node *link)
{
    char to[DS_FILE_NAME_MAX_BYTES + 1];
    struct fs_vm *vm = fs_node_vm(request->fs, link);
    int err = fs_find_know(request, vm);

    if (err != 0)
        return err;
    pthread_mutex_lock(&request->fs->lock);
    snprintf(to, sizeof(to), "%s", vm->machine.file_name);
    pthread_mutex_unlock(&request->fs->lock);
    fs_reply_readlink(request, to);
    return 0;
}
