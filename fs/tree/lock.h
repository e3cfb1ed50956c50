/* Directories in a DataSet, in memory only: a store has none, but Puppet makes one, whose name ends
 * in
 * ".lock", before it writes a file (kind.h). */
#ifndef FS_LOCK_H
#define FS_LOCK_H

#include "kernel/request.h"
#include "model/kind.h"

/* Make and remove request->name in the directory of a DataSet. -EPERM for other names than locks'.
 */
int fs_lock_mkdir(struct fs_request *request, struct fs_node *parent);
int fs_lock_rmdir(struct fs_request *request, struct fs_node *parent);

/* Reading one: nothing is in it. */
int fs_lock_list(struct fs_request *request, struct fs_node *node, struct fs_listing **listing,
                 struct ds_names *more);
uint64_t fs_lock_parent(const struct fs *fs, const struct fs_node *node);

#endif
