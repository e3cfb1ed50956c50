/* The hidden directory .datasetfs with its files stats, errors and scratch, which are snapshots,
 * and the directory info (info.h). All of it belongs to the mounting user alone (kind.h). */
#ifndef FS_CONTROL_H
#define FS_CONTROL_H

#include "kernel/request.h"
#include "model/kind.h"
#include "snapshot.h"

/* The directory. The first looks .datasetfs itself up, in the root or in a machine's directory; the
 * last is for ".." in it. */
int fs_control_lookup_itself(struct fs_request *request, struct fs_node *parent);
void fs_control_show(const struct fs *fs, const struct fs_node *node,
                     struct fuse_entry_param *entry);
int fs_control_lookup(struct fs_request *request, struct fs_node *parent);
int fs_control_list(struct fs_request *request, struct fs_node *node, struct fs_listing **listing,
                    struct ds_names *more);
void fs_control_item(struct fs *fs, const struct fs_node *node, const char *name,
                     struct fs_item *item);

/* The files. */
int fs_control_know_stats(struct fs_request *request, struct fs_node *node);
uint64_t fs_control_parent(const struct fs *fs, const struct fs_node *node);

/* Opens a file of .datasetfs that is only read. */
int fs_control_open(struct fs_request *request, struct fs_node *node, fs_snapshot_print *print);

int fs_control_open_stats(struct fs_request *request, struct fs_node *node);
int fs_control_know_errors(struct fs_request *request, struct fs_node *node);
int fs_control_open_errors(struct fs_request *request, struct fs_node *node);
int fs_control_know_scratch(struct fs_request *request, struct fs_node *node);
int fs_control_open_scratch(struct fs_request *request, struct fs_node *node);

#endif
