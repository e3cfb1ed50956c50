/* Changing the value of a key: writes and appends. */
#ifndef FS_WRITE_H
#define FS_WRITE_H

#include "handle.h"
#include "kernel/request.h"
#include "model/node.h"

#include <stddef.h>

/* WRITE to an entry (kind.h). */
int fs_write(struct fs_request *request, struct fs_handle *handle);

/* A write that never came to its turn has failed like one that the store refused: what waited for
 * its data is not published. Without fs->lock. */
void fs_write_dropped(struct fs_request *request);

/* With fs->lock (released meanwhile) and the key lock: what the open file holds back becomes part
 * of the working value if it is text by now. -EILSEQ: it waits on; the store's errors. The caller
 * may block. */
int fs_write_settle(struct fs_request *request, struct fs_handle *handle);

#endif
