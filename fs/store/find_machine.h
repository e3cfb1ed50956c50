/* Asking an inventory for its machines, and reaching the store of each. Without fs->lock. */
#ifndef FS_FIND_MACHINE_H
#define FS_FIND_MACHINE_H

#include "kernel/request.h"
#include "model/listing.h"
#include "model/vm.h"

/* Lists all machines: their file names, as a new reference in `*out`. FS_REQUEUE, -ENOMEM; the
 * inventory's errors. One that is silent is not asked again for what was listed before. */
int fs_find_list(struct fs_request *request, struct fs_listing **out);

/* The same, or the last listing if it is younger than that, or was this thread's just now. */
int fs_find_listed(struct fs_request *request, int64_t max_age_ms, struct fs_listing **out);

/* The machine that request->name means, shown so or not, with its own inode of that kind, pinned:
 * its directory if it is shown under that name, else a link to it. From memory, or with one
 * request. -ENOENT: there is none, or several, which the words tell; FS_REQUEUE, -ENOMEM; the
 * inventory's errors. */
int fs_find_seek(struct fs_request *request, struct fs_node **out);

/* Makes sure that there is such a machine, as far as that was told in the last minute. -ENODEV if
 * there is none any more; FS_REQUEUE, -ENOMEM; the inventory's errors. */
int fs_find_know(struct fs_request *request, struct fs_vm *vm);

#endif
