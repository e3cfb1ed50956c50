/* What happens to the parts of an inode when it gets a key, loses it, and is freed. */
#ifndef FS_OWNERS_H
#define FS_OWNERS_H

#include "model/node.h"

extern const struct fs_owners fs_owners;

#endif
