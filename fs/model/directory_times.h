/* Directories: when names in them were last made or removed. */
#ifndef FS_DIRECTORY_TIMES_H
#define FS_DIRECTORY_TIMES_H

#include "datasets.h"

/* With fs->lock: names were made or removed now in the DataSet's directory, or DataSets in the
 * machine's. */
void fs_directory_modified(struct fs *fs, struct fs_dataset *dataset);
void fs_directory_vm_modified(struct fs_vm *vm);

#endif
