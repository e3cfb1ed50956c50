/* What the parts of a mount ask of a virtual machine. */
#include "vm.h"

#include "call.h"
#include "kernel/request.h"

#include <stdlib.h>

struct fs_vm *fs_vm_new(struct fs *fs, uint64_t seed, const struct ds_caps *caps,
                        const struct timespec *mtime)
{
    struct fs_vm *vm = calloc(1, sizeof(*vm));

    if (vm == NULL)
        return NULL;
    vm->fs = fs;
    vm->seed = seed;
    vm->caps = caps;
    vm->mtime = *mtime;
    return vm;
}

void fs_vm_free(struct fs_vm *vm)
{
    if (vm == NULL)
        return;
    fs_listing_unref(vm->listing);
    fs_journal_clear(&vm->journal);
    free(vm->machine.id);
    free(vm->machine.name);
    free(vm->machine.file_name);
    free(vm);
}

bool fs_vm_is_silent(const struct fs_vm *vm)
{
    int64_t now_ms = ds_call_now_ms();

    return now_ms < vm->silent_until_ms ||
           (vm->waiting != NULL && now_ms - vm->waiting->wait_start_ms > FS_SILENT_MS) ||
           fs_vm_rests(vm, now_ms);
}

bool fs_vm_rests(const struct fs_vm *vm, int64_t now_ms)
{
    return vm->lost.lost && (vm->lost.probing || now_ms < vm->lost.probe_ms);
}
