/* Truncation, to nothing or to a part. */
#ifndef FS_TRUNCATE_H
#define FS_TRUNCATE_H

#include "kernel/request.h"
#include "model/node.h"

#include <stdbool.h>
#include <stddef.h>

/* With fs->lock (released meanwhile) and the key lock: shortens the value to `size` bytes. `open`:
 * a handle will see to the commit of a truncation to nothing. -EILSEQ if that would lengthen it, or
 * cut a code point with no open file to complete it; the store's errors. The caller may block. */
int fs_truncate(struct fs_request *request, struct fs_node *node, size_t size, bool open);

#endif
