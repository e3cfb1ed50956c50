/* What every kind of rename makes sure of first. With fs->lock, which is released meanwhile, and
 * both key locks. */
#ifndef FS_RENAME_CHECK_H
#define FS_RENAME_CHECK_H

#include "kernel/request.h"
#include "model/node.h"

/* The key's value is committed and, as the store has it now, known. -ENOENT; the store's errors. */
int fs_rename_check_source(struct fs_request *request, struct fs_node *from);

/* With RENAME_NOREPLACE: 0 if neither the store has such a key nor one waits here; -EEXIST; the
 * store's errors. */
int fs_rename_check_absent(struct fs_request *request, struct fs_node *to);

#endif
