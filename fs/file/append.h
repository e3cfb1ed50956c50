/* Appends: `>>`, by the store's own append, so that two mounts do not overwrite one another. With
 * fs->lock, which fs_append() releases while the store is asked. */
#ifndef FS_APPEND_H
#define FS_APPEND_H

#include "handle.h"
#include "kernel/request.h"

#include <stdbool.h>

/* True if the write is one for the store's own append: it serves a value that nobody is changing,
 * or a key not yet there. */
bool fs_append_suits(const struct fs_request *request, const struct fs_handle *handle,
                     const struct fs_node *node);

/* Adds the write's data to the end, with the key lock. -EFBIG, -EILSEQ, -ENOMEM; the store's
 * errors. The caller may block. */
int fs_append(struct fs_request *request, struct fs_handle *handle, struct fs_node *node);

#endif
