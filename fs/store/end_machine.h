/* The end of a machine that is not known any more. Without fs->lock. */
#ifndef FS_END_MACHINE_H
#define FS_END_MACHINE_H

#include "model/vm.h"

/* Frees it with its DataSets; the client, if it has one of its own, within the call's time. */
void fs_end_machine(struct fs_vm *vm, struct ds_call *call);

/* The same for all machines of an inventory that are neither shown nor used. */
void fs_end_unused_machines(struct fs *fs, struct ds_call *call);

#endif
