/* The end of a machine. */
#include "end_machine.h"

#include "cleanup.h"
#include "model/datasets.h"
#include "model/machines.h"
#include "query_dataset.h"

void fs_end_machine(struct fs_vm *vm, struct ds_call *call)
{
    struct fs *fs = vm->fs;
    struct fs_dataset *dataset, *next;

    if (fs_machines_any(fs))
        ds_client_free(vm->client, call);
    DS_LOCK_SCOPE(&fs->lock);
    HASH_ITER (hh, vm->datasets, dataset, next) {
        fs_dataset_ref(dataset);
        fs_query_gone(fs, dataset);
        fs_dataset_unref(dataset);
    }
    fs_vm_free(vm);
}

void fs_end_unused_machines(struct fs *fs, struct ds_call *call)
{
    struct fs_vm *vm;

    for (;;) {
        pthread_mutex_lock(&fs->lock);
        vm = fs_machines_take_unused(fs);
        pthread_mutex_unlock(&fs->lock);
        if (vm == NULL)
            return;
        fs_end_machine(vm, call);
    }
}
