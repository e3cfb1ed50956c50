/* Bringing a short value into the kernel's pages while its file is opened: reading it then needs no
 * further request, neither for its bytes nor for its end. */
#ifndef FS_PREFILL_H
#define FS_PREFILL_H

#include "handle.h"

/* Of a handle that is about to be told to the kernel: gives it the value that the open shows, if
 * nothing can be in the way, and lets it keep it. Otherwise nothing happens, and a reader asks.
 * With fs->lock, which orders it among the opens of the file: none can drop older pages before
 * these arrive. `told`: the kernel knows how long the value is. */
void fs_prefill(struct fs_request *request, struct fs_handle *handle, bool told);

#endif
