/* What one mount's requests share: the session with the kernel, and who reads, looks after and
 * reports them. This floor knows requests, and not what they are about. */
#ifndef FS_KERNEL_H
#define FS_KERNEL_H

#include "error_log.h"
#include "opcode.h"
#include "timer.h"

#include <fuse_lowlevel.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

/* What nobody has answered for that long counts as silent: who waits for it gets what is in memory.
 */
#define FS_SILENT_MS 1000

struct fs;
struct fs_loop;
struct fs_forget;

#define FS_WATCHED 16

/* A thread whose waits are counted (waits.h). */
struct fs_watched {
    atomic_int tid;            /* 0: none */
    atomic_int_fast64_t turns; /* it had at the beginning */
    atomic_uint waits;         /* for us since */
};

/* Part of struct fs. Constant after the start, but for the counters. */
struct fs_kernel {
    struct fs *fs;         /* that the handlers work for; nothing here looks into it */
    pthread_mutex_t *lock; /* of what they work on: a worker's `wake` is used with it */
    int64_t timeout_ms;    /* of a request */
    struct fs_error_log *errors;
    struct fs_timer *timer;
    struct fuse_session *session;
    uint64_t init_unique; /* of the kernel's INIT; kernel/parallel.c */
    struct fs_loop *loop;
    struct fs_forget *forget; /* with the lock; NULL but while the mount is served */
    atomic_uint_fast64_t requests[FS_OPCODE_COUNT];
    struct fs_watched watched[FS_WATCHED];
};

#endif
