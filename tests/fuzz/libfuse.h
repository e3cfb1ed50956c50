/* In place of libfuse, of the daemon's threads and of its timer: what requests are answered with,
 * what waits for a thread and what for a time. For kernel.c. */
#ifndef LIBFUSE_H
#define LIBFUSE_H

#include "buf.h"
#include "fs/kernel/kernel.h"

#include <fuse_lowlevel.h>
#include <stdbool.h>

/* What a request was answered with. */
struct fuse_req {
    struct fuse_ctx context;
    bool answered;
    int error; /* 0 or a negative errno */
    struct fuse_entry_param entry;
    struct fuse_file_info fi;
    struct stat attr;
    size_t count;
    struct ds_buf data;
};

/* A mount begins, of which nothing is known. */
void libfuse_begin(struct fs_kernel *of);

/* An inode that the kernel was given with an entry, and has not forgotten; each as often as it was
 * given. False: there is none. */
bool libfuse_take_given(fuse_ino_t *ino);

/* Timers that are due fire, and what waits for a thread runs. */
void libfuse_run_due(void);

/* What still waits for a thread is not run. */
void libfuse_drop_jobs(void);

#endif
