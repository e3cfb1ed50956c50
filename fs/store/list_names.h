/* Asking the store for the names in a directory. */
#ifndef FS_LIST_NAMES_H
#define FS_LIST_NAMES_H

#include "kernel/request.h"
#include "model/datasets.h"
#include "model/listing.h"

/* Asks the store for the keys of a DataSet (`dataset`) or for the machine's DataSets (NULL) and
 * remembers the listing. What this mount has made and removed until the return is in it as it is.
 * `*out` is referenced; give it back with fs_list_put(). The store's errors; FS_REQUEUE. While the
 * store is silent the last listing serves. */
int fs_list(struct fs_request *request, struct fs_vm *vm, struct fs_dataset *dataset,
            struct fs_listing **out);
void fs_list_put(struct fs *fs, struct fs_listing *listing);

/* The same with fs->lock, which is released only while the store is asked. */
int fs_list_locked(struct fs_request *request, struct fs_vm *vm, struct fs_dataset *dataset,
                   struct fs_listing **out);

#endif
