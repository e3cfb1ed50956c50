/* Listings. A directory handle shows the names of one moment; rewinding it lists again. */
#ifndef FS_DIR_H
#define FS_DIR_H

#include "record.h"
#include "request.h"

/* Asks the store for the keys of a DataSet (`dataset`) or for the DataSets (NULL) and remembers the
 * listing. `*out` is referenced; give it back with fs_dir_put(). The store's errors; FS_REQUEUE.
 * While the store is silent the last listing serves. */
int fs_dir_list(struct fs_request *request, struct fs_dataset *dataset, struct fs_listing **out);
void fs_dir_put(struct fs *fs, struct fs_listing *listing);

/* With fs->lock: closes an open directory. */
void fs_dir_free(struct fs *fs, struct fs_dir *dir);

/* Handlers. */
int fs_dir_open(struct fs_request *request);
int fs_dir_read(struct fs_request *request);
int fs_dir_release(struct fs_request *request);

#endif
