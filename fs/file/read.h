/* Reading an open file. */
#ifndef FS_READ_H
#define FS_READ_H

#include "handle.h"
#include "kernel/request.h"

/* READ of an entry (kind.h). */
int fs_read(struct fs_request *request, struct fs_handle *handle);

/* What a READ shows of an entry that is no temporary file, in `*out`: a reference to the store's
 * value, or a copy of the working one; NULL there if it is not known. With fs->lock. 0 or -ENOMEM.
 */
int fs_read_visible(const struct fs_node *node, struct fs_value **out);

#endif
