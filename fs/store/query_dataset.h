/* Asking the store for DataSets, making and changing them, and what its answers say. */
#ifndef FS_QUERY_DATASET_H
#define FS_QUERY_DATASET_H

#include "kernel/request.h"
#include "model/datasets.h"

#include <stdbool.h>
#include <stdint.h>

/* Who asks whether there is such a DataSet, or what its mode is, is told what was so that long ago
 * at most. */
#define FS_QUERY_SHOWN_MS 1000

/* Makes sure, with at most one request, that what is known of the DataSet is at most `max_age_ms`
 * old. -ENOENT if there is no such DataSet, or the store's errors, or FS_REQUEUE. While the store
 * is silent any knowledge will do. */
int fs_query_refresh(struct fs_request *request, struct fs_dataset *dataset, int64_t max_age_ms);

/* The same for what is only shown: where memory has an answer, it serves when the store stays
 * silent. */
int fs_query_patiently(struct fs_request *request, struct fs_dataset *dataset, int64_t max_age_ms);

/* The same for a name that may be no DataSet's, which is then not reported: somebody wanted to
 * know, and a shell's prompt wants to in every directory. */
int fs_query_seek(struct fs_request *request, struct fs_dataset *dataset);

/* Make the DataSet with these attributes, which are taken on success, or change the given ones. The
 * store's errors; FS_REQUEUE. */
int fs_query_create(struct fs_request *request, struct fs_dataset *dataset,
                    struct ds_attributes *attributes);
int fs_query_update(struct fs_request *request, struct fs_dataset *dataset,
                    const struct ds_attributes *attributes);

/* With fs->lock, which is released meanwhile: destroys the DataSet; with `force` also one with
 * keys. -ENOTEMPTY; the store's errors; FS_REQUEUE. What was known of its keys is the caller's. */
int fs_query_destroy(struct fs_request *request, struct fs_dataset *dataset, bool force);

/* With fs->lock: what was just seen. `attributes` is taken (zeroed). The caller holds a reference.
 */
void fs_query_learn(struct fs *fs, struct fs_dataset *dataset, struct ds_attributes *attributes);
void fs_query_gone(struct fs *fs, struct fs_dataset *dataset);

/* With fs->lock: this mount has just made a DataSet, or destroyed it. */
void fs_query_changed(struct fs *fs, const struct fs_dataset *dataset, bool exists);

#endif
