/* A store that does not answer at all. When a request has waited its whole deadline and nothing was
 * answered since it was sent, the store counts as lost: what memory can answer is answered, and
 * what needs the store fails at once, lest each waits for its own deadline. The next request is a
 * probe and waits, and then one a second. All with fs->lock. */
#ifndef FS_LOST_STORE_H
#define FS_LOST_STORE_H

#include "kernel/request.h"
#include "model/vm.h"

#include <stdbool.h>

#define FS_LOST_PROBE_MS 1000

/* True if the request would fail now. fsync, flush, release and the mount's own work always wait:
 * nobody comes back to what they do. */
bool fs_lost_refuses(const struct fs_vm *vm, const struct fs_request *request);

/* Brackets the time that the request waits for the store. The first after fs_lost_refuses() has
 * said no; the second before the request's `wait_start_ms` changes. */
void fs_lost_enter(struct fs_vm *vm, struct fs_request *request);
void fs_lost_leave(struct fs_vm *vm, struct fs_request *request);

#endif
