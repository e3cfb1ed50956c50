/* One request of the kernel: its arguments, its deadline, and its way through the threads. What it
 * is about is known above this floor only. Its reply is in reply.h.
 *
 * A handler is one function that runs from top to bottom and blocks where it must. Before it first
 * blocks it calls fs_request_may_block() (directly, or through what asks the store or waits for
 * others); if that says FS_REQUEUE the handler undoes nothing, because it has changed nothing yet,
 * returns FS_REQUEUE and is run again from the top by another thread. */
#ifndef FS_REQUEST_H
#define FS_REQUEST_H

#include "call.h"
#include "kernel.h"
#include "loop.h"

#include <fuse_lowlevel.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fs_request;

/* Not an error: run the handler again where it may block. */
#define FS_REQUEUE 1

/* Returns 0 after it has replied, a negative errno that is then the reply, or FS_REQUEUE. */
typedef int fs_handler(struct fs_request *request);

/* What is left to do beside the reply when the handler will not run, or not to its end. */
typedef void fs_dropped(struct fs_request *request);

struct fs_request {
    struct fs *fs; /* kernel->fs */
    struct fs_kernel *kernel;
    fuse_req_t req;
    fs_handler *handler;
    fs_dropped *dropped; /* or NULL */
    enum fs_opcode opcode;
    pid_t tid; /* of the caller, 0 if outside our process name space */
    uid_t uid;

    /* The arguments; those that the opcode does not have are zero. */
    fuse_ino_t ino; /* or the parent */
    fuse_ino_t new_parent;
    const char *name;
    const char *new_name;
    struct fuse_file_info fi;
    struct stat attr; /* of setattr; the mode alone of create */
    int to_set;       /* FUSE_SET_ATTR_* */
    off_t offset;
    size_t size;
    const char *data;
    unsigned flags; /* of rename or setxattr */
    int mask;       /* of access */
    void *task;     /* of work of the mount's own; fs_run_internal() */

    struct ds_call call;
    int64_t deadline_ms; /* of the request; that of its call may be sooner */
    int64_t overtime_ms; /* left for fs_request_next() while the store does not answer */

    /* What the failure was about, for .datasetfs/errors; owned copies. */
    char *machine; /* of an inventory: its file name */
    char *dataset;
    char *key;
    bool about_info; /* the DataSet's file in .datasetfs/info */

    /* Its way through the threads. */
    struct fs_worker *worker;       /* that runs it, NULL while queued */
    struct fs_job job;              /* looked after in the queue, and while it is interrupted */
    bool heap;                      /* a copy that outlives the callback */
    bool blocking;                  /* the worker may block for it */
    bool local_only;                /* it may not block at all: answer from memory or not now */
    bool watched;                   /* libfuse tells us of an interruption */
    atomic_bool settled;            /* somebody replies; whoever sets it first */
    _Atomic int64_t interrupted_ms; /* 0: not interrupted */

    /* What its handler waits for or has done, which matters if it is interrupted. */
    struct fs_request *prev, *next; /* waiters: of a key lock, or in fs->awaiting */
    bool sleeps;                    /* on its worker's `wake`; with kernel->lock */
    atomic_bool change;  /* the running call changes the store: once sent it goes on alone */
    atomic_bool taken;   /* WRITE: its data is in the working value, and waits there if need be */
    atomic_bool granted; /* WRITE: it was told of its success, and goes on */

    /* While it waits for a store, with kernel->lock (store/ask.h). */
    struct fs_request *wait_prev, *wait_next; /* who else waits for the same one */
    int64_t wait_start_ms;
    bool probe; /* the store counts as lost */
};

/* Fills in a request for the running callback; its deadline starts now. */
void fs_request_init(struct fs_request *request, struct fs_kernel *kernel, fuse_req_t req,
                     enum fs_opcode opcode, fuse_ino_t ino);

/* A request without one of the kernel, for work of the mount's own: it has no reply. */
void fs_request_init_internal(struct fs_request *request, struct fs_kernel *kernel);

/* The next of many things that such a request does has a time of its own: the mount's timeout, or,
 * after one that has used up its time, a short try. Such tries in a row take no longer than a
 * quarter of the timeout; then nothing is waited for. */
void fs_request_next(struct fs_request *request);

/* From now on libfuse tells of an interruption: the request is then looked after (run_request.h).
 */
void fs_request_watch(struct fs_request *request);

/* 0 if the calling thread may block for this request, FS_REQUEUE if the handler must return. Not
 * with kernel->lock held. On a thread that is not the loop's always 0. */
int fs_request_may_block(struct fs_request *request);

/* The same with kernel->lock, which is released meanwhile. */
int fs_request_may_block_locked(struct fs_request *request);

/* With kernel->lock, which is released meanwhile: waits once, until its worker's `wake` is
 * signalled, `until_ms` (ds_call_now_ms()) or its call's deadline has come. 0, or -EINTR or
 * -ETIMEDOUT if the call was over before. Only after fs_request_may_block(). */
int fs_request_sleep(struct fs_request *request, int64_t until_ms);

/* Says what a failure of this request will have been about; NULL for what does not apply. */
void fs_request_about(struct fs_request *request, const char *dataset, const char *key);

/* And below which machine. */
void fs_request_below(struct fs_request *request, const char *machine);

/* Frees what a request owns, also one that never had a kernel request behind it. */
void fs_request_clear(struct fs_request *request);

#endif
