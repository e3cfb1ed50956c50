/* Pages that the kernel holds of data that was lost after its write had been acknowledged, and
 * names of directories that it believes in after they were found gone.
 *
 * To forget pages the kernel waits for the READs and WRITEs of the inode that are under way,
 * anybody's, and to forget a name for those who look up another one. These may be waiting for a
 * worker, or to be read at all, so that no worker may wait for them: a thread of its own does. */
#ifndef FS_FORGET_H
#define FS_FORGET_H

#include "file_name.h"
#include "kernel.h"

#include <stdbool.h>

/* Embedded in what the kernel is to forget something of; zeroed. With kernel->lock. */
struct fs_stale {
    bool waits;
    struct fs_stale *prev, *next;
};

/* The pages of the inode, or, where there is a name, that name in the directory. */
struct fs_forgotten {
    fuse_ino_t ino;
    char name[DS_FILE_NAME_MAX_BYTES + 1];
};

/* With kernel->lock: what it is by now. False: there is nothing to be forgotten any more. */
typedef bool fs_forget_what(const struct fs_stale *stale, struct fs_forgotten *what);

/* Starts the thread, which asks `what`. 0 or a negative errno. */
int fs_forget_start(struct fs_kernel *kernel, fs_forget_what *what);

/* With kernel->lock: the kernel soon forgets it. After the stop nothing is done: the mount ends. */
void fs_forget_soon(struct fs_kernel *kernel, struct fs_stale *stale);

/* With kernel->lock: what it is embedded in is freed. */
void fs_forget_drop(struct fs_kernel *kernel, struct fs_stale *stale);

/* Ends the thread. What it waits for must still be answered: while the loop runs. */
void fs_forget_stop(struct fs_kernel *kernel);

#endif
