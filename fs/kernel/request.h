/* One request of the kernel: its arguments, its deadline, its interruption and its one reply.
 *
 * A handler is one function that runs from top to bottom and blocks where it must. Before it first
 * blocks it calls fs_request_may_block() (directly, or through fs_store_begin() or fs_key_lock());
 * if that says FS_REQUEUE the handler undoes nothing, because it has changed nothing yet, returns
 * FS_REQUEUE and is run again from the top by another thread. */
#ifndef FS_REQUEST_H
#define FS_REQUEST_H

#include "call.h"
#include "model/fs.h"
#include "timer.h"

#include <fuse_lowlevel.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* Not an error: run the handler again where it may block. */
#define FS_REQUEUE 1

/* Returns 0 after it has replied, a negative errno that is then the reply, or FS_REQUEUE. */
typedef int fs_handler(struct fs_request *request);

struct fs_request {
    struct fs *fs;
    fuse_req_t req;
    fs_handler *handler;
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

    struct ds_call call;
    int64_t deadline_ms; /* of the request; that of its call may be sooner */
    int64_t overtime_ms; /* left for fs_request_next() while the store does not answer */
    atomic_bool change;  /* the running call changes the store: once sent it goes on alone */

    /* What the failure was about, for .datasetfs/errors; owned copies. */
    char *dataset;
    char *key;

    struct fs_worker *worker;                 /* that runs it, NULL while queued */
    struct fs_request *prev, *next;           /* the loop's queue, or the waiters of a key lock */
    struct fs_request *wait_prev, *wait_next; /* fs->waiting */
    int64_t wait_start_ms;
    bool queued;
    atomic_bool taken;   /* WRITE: its data is in the working value, and waits there if need be */
    atomic_bool granted; /* WRITE: it was told of its success, and goes on */
    bool waits_for_key;  /* with fs->lock */
    bool heap;           /* a copy that outlives the callback */
    bool blocking;       /* the worker may block for it */
    bool local_only;     /* it may not block at all: answer from memory or not now */
    bool watched;        /* libfuse tells us of an interruption */
    bool probe;          /* it waits for a store that counts as lost, lost.h; with fs->lock */
    atomic_bool settled; /* somebody replies; whoever sets it first */
    struct fs_timer_entry
        interrupt;                  /* its look at an interrupted caller, or its end in the queue */
    _Atomic int64_t interrupted_ms; /* 0: not interrupted */
};

/* Fills in a request for the running callback; its deadline starts now. */
void fs_request_init(struct fs_request *request, struct fs *fs, fuse_req_t req,
                     enum fs_opcode opcode, fuse_ino_t ino);

/* The same without a request of the kernel, for work of the mount's own: it has no reply. */
void fs_request_init_internal(struct fs_request *request, struct fs *fs);

/* The next of many things that such a request does has a time of its own: the mount's timeout, or,
 * after one that has used up its time, a short try. Such tries in a row take no longer than the
 * timeout once more; then nothing is waited for. */
void fs_request_next(struct fs_request *request);

/* Runs the handler on the calling worker, or queues a copy of the request. */
void fs_request_start(struct fs_request *request, fs_handler *handler);

/* Runs a queued request again and frees it. For the loop. */
void fs_request_resume(struct fs_request *request);

/* Replies `error` to a queued request that will not be run and frees it. */
void fs_request_drop(struct fs_request *request, int error);

/* 0 if the calling thread may block for this request, FS_REQUEUE if the handler must return. Not
 * with fs->lock held. On a thread that is not the loop's always 0. */
int fs_request_may_block(struct fs_request *request);

/* Brackets a call of ds_client_*() with request->call. `change` tells that it changes the store.
 * 0, FS_REQUEUE, or -EINTR or -ETIMEDOUT when it is too late already or the store is lost (lost.h).
 * Without fs->lock. */
int fs_store_begin(struct fs_request *request, bool change);
void fs_store_end(struct fs_request *request);

/* True if a fatal signal waits for the caller, or it is gone. */
bool fs_request_is_dying(const struct fs_request *request);

/* Cancels the calls under way that change nothing: the mount ends. */
void fs_request_cancel_reads(struct fs *fs);

/* Says what a failure of this request will have been about; NULL for what does not apply. */
void fs_request_about(struct fs_request *request, const char *dataset, const char *key);

/* The one reply, each like libfuse's function of that name. They return 0, or -ENOENT if the reply
 * did not reach the kernel: then what it granted must be taken back. */
int fs_reply_ok(struct fs_request *request);
int fs_reply_entry(struct fs_request *request, const struct fuse_entry_param *entry);
int fs_reply_create(struct fs_request *request, const struct fuse_entry_param *entry);
int fs_reply_attr(struct fs_request *request, const struct stat *attr, double timeout_s);
int fs_reply_open(struct fs_request *request);
int fs_reply_write(struct fs_request *request, size_t count);
int fs_reply_buf(struct fs_request *request, const char *data, size_t len);
int fs_reply_xattr(struct fs_request *request, size_t count);
int fs_reply_statfs(struct fs_request *request, const struct statvfs *statfs);

/* Frees what a request owns, also one that never had a kernel request behind it. */
void fs_request_clear(struct fs_request *request);

#endif
