/* The modification times of directories. */
#include "directory_times.h"

#include "node.h"
#include "value.h"

#include <time.h>

/* Times set on the directory are over. */
static void modify(struct fs *fs, struct fs_node *node, struct timespec *mtime)
{
    clock_gettime(CLOCK_REALTIME, mtime);
    if (node != NULL) {
        fs_value_touch(fs, node);
        fs_value_set_mtime(node, mtime);
    }
}

void fs_directory_modified(struct fs *fs, struct fs_dataset *dataset)
{
    modify(fs, dataset->node, &dataset->mtime);
}

void fs_directory_vm_modified(struct fs_vm *vm)
{
    struct fs_node *node = fs_node_find(vm->fs, vm->ino);

    modify(vm->fs, node, &vm->mtime);
    if (node != NULL)
        fs_node_unpin(vm->fs, node);
}
