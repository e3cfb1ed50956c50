/* Files that are snapshots: their text is made at open and stays as it was. They belong to the
 * mounting user alone. */
#ifndef FS_SNAPSHOT_H
#define FS_SNAPSHOT_H

#include "file/handle.h"
#include "kernel/request.h"
#include "model/node.h"

/* Appends the text of the file as it was `max_age_ms` ago at most. -ENOENT, FS_REQUEUE, the store's
 * errors, -ENOMEM. */
typedef int fs_snapshot_print(struct fs_request *request, struct fs_node *node, int64_t max_age_ms,
                              struct ds_buf *out);

/* -EACCES if the caller is not the mounting user (kind.h). */
int fs_snapshot_allow(struct fs_request *request, struct fs_node *node);

/* What stat(2) shows: a file to be read, which has its size anew each time (kind.h). */
void fs_snapshot_show(const struct fs *fs, const struct fs_node *node,
                      struct fuse_entry_param *entry);

/* Finds out how long the file is, for stat(2): what the one who opened it last reads, else what one
 * who opens it now would. The errors of `print`. */
int fs_snapshot_know(struct fs_request *request, struct fs_node *node, fs_snapshot_print *print);

/* Opens it and replies; -EACCES, or the errors of `print`. */
int fs_snapshot_open(struct fs_request *request, struct fs_node *node, fs_snapshot_print *print);

/* READ (kind.h). */
int fs_snapshot_read(struct fs_request *request, struct fs_handle *handle);

#endif
