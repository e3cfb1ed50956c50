/* Running requests: on the worker that has read one, or on another one, later; looking after those
 * that wait in the queue, or whose caller was interrupted. */
#ifndef FS_RUN_REQUEST_H
#define FS_RUN_REQUEST_H

#include "request.h"

/* Runs the handler on the calling worker, or queues a copy of the request. */
void fs_run_start(struct fs_request *request, fs_handler *handler);

/* A worker soon runs the handler for work of the mount's own (fs_request_init_internal()), about
 * `ino` or `task`; `dropped` (or NULL) is called instead if the mount ends before. 0, -ENOMEM, or
 * as fs_loop_queue(): then neither is called. */
int fs_run_internal(struct fs_kernel *kernel, fs_handler *handler, fs_dropped *dropped,
                    fuse_ino_t ino, void *task);

#endif
