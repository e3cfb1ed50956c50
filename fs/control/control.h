/* The hidden directory .datasetfs: stats, errors, and info/DATASET with a DataSet's attributes as
 * JSON. It belongs to the mounting user alone. Its files are snapshots made at open; one write to
 * info/DATASET is one complete JSON object. */
#ifndef FS_CONTROL_H
#define FS_CONTROL_H

#include "file/handle.h"
#include "kernel/request.h"
#include "model/node.h"

/* -EACCES if the caller is not the mounting user, 0 for him and for nodes outside .datasetfs. */
int fs_control_allow(const struct fs_request *request, const struct fs_node *node);

/* The node of `request->name` in the control directory `parent`, pinned in `*out`. -ENOENT,
 * -EACCES, FS_REQUEUE, or the store's errors. */
int fs_control_find(struct fs_request *request, struct fs_node *parent, struct fs_node **out);

/* With fs->lock: the file of a DataSet in info, pinned; NULL when there is no memory. */
struct fs_node *fs_control_info_node(struct fs *fs, struct fs_dataset *dataset);

/* Finds out how long a control file is, for stat(2): what the one who opened it last reads, else
 * what one who opens it now would. Nothing to do for other nodes. -ENOENT, FS_REQUEUE, the store's
 * errors. */
int fs_control_measure(struct fs_request *request, struct fs_node *node);

/* Halves of the handlers of that name for control files. */
int fs_control_open(struct fs_request *request, struct fs_node *node);
int fs_control_create(struct fs_request *request);
int fs_control_read(struct fs_request *request, struct fs_handle *handle);
int fs_control_write(struct fs_request *request, struct fs_handle *handle);

#endif
