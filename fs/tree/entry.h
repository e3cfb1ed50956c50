/* Names and what stands behind them: lookup and attributes. */
#ifndef FS_ENTRY_H
#define FS_ENTRY_H

#include "kernel/request.h"
#include "model/node.h"

/* What `function` returns for the pinned node of request->ino; -ESTALE if there is none. */
int fs_entry_with_node(struct fs_request *request,
                       int (*function)(struct fs_request *request, struct fs_node *node));

/* With fs->lock: the directory of a DataSet, pinned; NULL when there is no memory. */
struct fs_node *fs_entry_directory(struct fs *fs, struct fs_dataset *dataset);

/* Gives the kernel the node as the reply to a lookup; takes the lookup back if it never arrived. */
int fs_entry_reply(struct fs_request *request, struct fs_node *node);

/* The key of a name in a DataSet, or the DataSet of a name in the root; a shortened name is
 * searched in the listing. `*key` is owned by the caller. -ENOENT: no such name; FS_REQUEUE; the
 * store's errors. */
int fs_entry_key_of_name(struct fs_request *request, struct fs_dataset *dataset, const char *name,
                         char **key);

/* Handlers. */
int fs_entry_lookup(struct fs_request *request);
int fs_entry_getattr(struct fs_request *request);
int fs_entry_setattr(struct fs_request *request);
int fs_entry_access(struct fs_request *request);
int fs_entry_statfs(struct fs_request *request);

#endif
