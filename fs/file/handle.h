/* Open files. They are opened in open.h, and their end is in close.h. */
#ifndef FS_HANDLE_H
#define FS_HANDLE_H

#include "kernel/request.h"
#include "model/node.h"
#include "text/held_back.h"

/* One open(2). An entry's handle, or a control file's with its snapshot. */
struct fs_handle {
    struct fs_node *node; /* pinned */
    bool writes;          /* may write */
    /* With fs->lock. */
    unsigned uses; /* requests that run with it; a killed caller's may outlive RELEASE */
    bool closed;   /* it is none of node->busy->open.handles any more; the last of these frees it */
    struct fs_budget budget;
    struct fs_held held; /* with the key lock too */
    bool unsent;         /* perhaps what it wrote, created or truncated is not all committed */
    int sticky;          /* a late failure that nobody was told of yet, or 0 */
    struct fs_handle *prev, *next; /* node->busy->open.handles, with fs->lock */
    struct ds_buf text;            /* of a control file, as it was at open */
    /* Whose fstat(2) the value that the open showed may answer, with fs->lock. */
    pid_t tid;          /* 0: nobody's */
    int64_t fetched_ms; /* when it came */
    bool walks;         /* it had come ahead, and each fstat(2) may be answered by it */
    uint64_t pages;     /* what the open told of the kernel's pages (told_kernel.h) */
    bool looks;         /* it was read since the last fstat(2), and the next one may be */
    bool creates;       /* of info/DATASET, with fs->lock: the first write makes the DataSet */
};

/* The handle behind a request. */
struct fs_handle *fs_handle_of(const struct fs_request *request);

/* Makes a handle of a node, which it pins; with fs->lock. NULL when there is no memory. The second
 * does it with a zeroed handle, and cannot fail. */
struct fs_handle *fs_handle_new(struct fs_node *node, int open_flags);
void fs_handle_attach(struct fs_handle *handle, struct fs_node *node, int open_flags);

/* With fs->lock: the open is about to succeed, and shows the value that is in memory. */
void fs_handle_show(const struct fs_request *request, struct fs_handle *handle);

/* Brackets what a handler does with the handle behind its request, which may be answered and
 * released before the handler ends: handle and node stay until then. Without fs->lock. */
struct fs_handle *fs_handle_use(const struct fs_request *request);
void fs_handle_unuse(struct fs *fs, struct fs_handle *handle);

/* Unlinks it from its node and frees it, as soon as nobody uses it any more; with fs->lock. */
void fs_handle_free(struct fs *fs, struct fs_handle *handle);

/* True if no handle of the node but this one may write; with fs->lock. */
bool fs_handle_is_last_writer(const struct fs_handle *handle);

/* True if one of the node's handles holds something back (held_back.h); with fs->lock. */
bool fs_handle_any_held(const struct fs_node *node);

/* What all of them hold back is gone, and no release of theirs is to publish what they created or
 * truncated for it; with fs->lock and the key lock. */
void fs_handle_drop_held(struct fs_node *node);

/* How long a value of `size` bytes is with all that they hold back; with fs->lock. */
size_t fs_handle_held_size(const struct fs_node *node, size_t size);

/* All that the node's handles have written is committed; with fs->lock. */
void fs_handle_committed(struct fs_node *node);

/* What they have written and not committed is lost: the failure is remembered for each of them, and
 * told by its closes and its next write or fsync. Not for `told` (or NULL), whose request fails
 * with it. With fs->lock. */
void fs_handle_lost(struct fs_node *node, int error, const struct fs_handle *told);

/* The value is to become empty, at the wish of `by`, or NULL where that is not known: then
 * everybody who may write hears if it is lost. With fs->lock. */
void fs_handle_truncated(struct fs_node *node, const struct fs_handle *by);

/* True if this thread has the node open and asks for the attributes of what that open showed, at
 * most a second ago: a program that looks at a file again before it closes it wants to know whether
 * it has read all. With fs->lock. */
bool fs_handle_steady(const struct fs_node *node, pid_t tid);

/* The remembered failure, which is thereby told; with fs->lock. */
int fs_handle_take_error(struct fs_handle *handle);

#endif
