/* Finding what a name stands for. */
#ifndef FS_LOOKUP_H
#define FS_LOOKUP_H

#include "kernel/request.h"
#include "model/node.h"

/* With fs->lock: the directory of a DataSet, pinned; NULL when there is no memory. */
struct fs_node *fs_lookup_directory(struct fs *fs, struct fs_dataset *dataset);

/* Gives the kernel the node as the reply to a lookup; takes the lookup back if it never arrived. */
int fs_lookup_reply(struct fs_request *request, struct fs_node *node);

/* The key of a name in a DataSet, or the DataSet of a name in the machine's directory; a shortened
 * name is searched in the listing. `*key` and `*out` are owned by the caller. -ENOENT: no such
 * name; FS_REQUEUE; the store's errors. */
int fs_lookup_key(struct fs_request *request, struct fs_dataset *dataset, const char *name,
                  char **key);
int fs_lookup_dataset_name(struct fs_request *request, struct fs_vm *vm, const char *name,
                           char **out);

/* With fs->lock: an inode that stands for a DataSet, pinned; NULL when there is no memory. */
typedef struct fs_node *fs_lookup_node(struct fs *fs, struct fs_dataset *dataset);

/* That inode of the machine's DataSet request->name, if there is one, in `*out`. -ENOENT, -ENOMEM,
 * FS_REQUEUE; the store's errors. */
int fs_lookup_of_dataset(struct fs_request *request, struct fs_vm *vm, fs_lookup_node *node_of,
                         struct fs_node **out);

/* Of request->name in the root, or in the directory of a DataSet. */
int fs_lookup_dataset(struct fs_request *request, struct fs_node *root);
int fs_lookup_entry(struct fs_request *request, struct fs_node *parent);

#endif
