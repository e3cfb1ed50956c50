/* Renaming an entry. */
#ifndef FS_RENAME_H
#define FS_RENAME_H

#include "kernel/request.h"
#include "model/node.h"

/* Handler. The new key is set, then the old one removed; if the second step fails both keys remain
 * and the error is reported. */
int fs_rename(struct fs_request *request);

/* For each kind of rename, with fs->lock, which they release meanwhile, and both key locks. */

/* The key's value is committed and, as the store has it now, known. -ENOENT; the store's errors. */
int fs_rename_know_source(struct fs_request *request, struct fs_node *from);

/* With RENAME_NOREPLACE: 0 if neither the store has such a key nor one waits here; -EEXIST; the
 * store's errors. */
int fs_rename_check_absent(struct fs_request *request, struct fs_node *to);

#endif
