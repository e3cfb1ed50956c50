/* Directories: when names in them were last made or removed. */
#ifndef FS_DIRECTORY_H
#define FS_DIRECTORY_H

#include "record.h"

/* With fs->lock: names were made or removed in the DataSet's directory now; NULL: in the root. */
void fs_directory_modified(struct fs *fs, struct fs_dataset *dataset);

#endif
