/* What a DataSet's access allows, and the mode that it shows.
 *
 * What is known of a DataSet gives permission for FS_ACCESS_TRUST_MS, since the store refuses
 * anyway; before it refuses and is older than FS_ACCESS_REFUSE_MS, the store is queried. */
#ifndef FS_ACCESS_H
#define FS_ACCESS_H

#include "kernel/request.h"
#include "model/datasets.h"
#include "model/node.h"

#include <stdbool.h>

#define FS_ACCESS_TRUST_MS 60000
#define FS_ACCESS_REFUSE_MS 20

enum fs_need { FS_NEED_READ, FS_NEED_WRITE };

/* Makes sure that the mode shown of an entry of the DataSet, or of itself (`itself`), is right.
 * Where the kernel judges by it, what would make it refuse is young, and what lets in may be
 * FS_ACCESS_TRUST_MS old: it asks for each directory that it walks through. -ESTALE: the DataSet is
 * gone, and the kernel is to look the name up again. */
int fs_access_show(struct fs_request *request, struct fs_dataset *dataset, bool itself);

/* 0 if the mount's side may read or write the entries; -EACCES, or as fs_query_refresh(). `key` is
 * what the request is about, NULL: the DataSet. The second function takes both from an attached
 * node. */
int fs_access_allow(struct fs_request *request, struct fs_dataset *dataset, const char *key,
                    enum fs_need need);
int fs_access_allow_node(struct fs_request *request, const struct fs_node *node, enum fs_need need);

#endif
