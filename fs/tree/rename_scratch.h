/* Renaming from and to temporary names. */
#ifndef FS_RENAME_SCRATCH_H
#define FS_RENAME_SCRATCH_H

#include "kernel/request.h"
#include "model/node.h"

/* With fs->lock and the locks of fs_withheld_lock() for both: true if the rename to `name` is one
 * of these, false if it is one of two keys. */
bool fs_rename_is_scratch(const struct fs *fs, const struct fs_node *from, const struct fs_node *to,
                          const char *name);

/* Then does it; fs->lock is released meanwhile. From a temporary name to another one: in memory. To
 * a key: with one set, and the errors of fs_publish_send(). From a key to a temporary name: both
 * steps are held back. -EEXIST with `noreplace`; -EBUSY: the target has changed while we waited. */
int fs_rename_scratch(struct fs_request *request, struct fs_node *from, struct fs_node *to,
                      bool noreplace);

#endif
