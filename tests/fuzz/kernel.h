/* A kernel for a mount without one: what it would send goes to the daemon's callbacks, one request
 * after the other, on the calling thread. In place of libfuse, of the daemon's threads and of its
 * timer. Each call returns 0 or a negative errno. */
#ifndef FUZZ_KERNEL_H
#define FUZZ_KERNEL_H

#include "buf.h"
#include "client.h"
#include "fs/model/options.h"

#include <fuse_lowlevel.h>
#include <stdbool.h>
#include <sys/stat.h>

struct fs;

/* An open file. */
struct kernel_file {
    bool open;
    fuse_ino_t ino;
    struct fuse_file_info fi;
};

/* Mounts the client, which is borrowed as the options are. Only one at a time. */
struct fs *kernel_mount(const struct fs_options *options, struct ds_client *client);

/* Forgets all inodes, commits what waits, and ends the mount. */
void kernel_unmount(void);

/* Timers that are due fire, and what waits for a thread runs. */
void kernel_run_due(void);

/* A path of names that are divided by slashes, from the root on. */
int kernel_look_up(const char *path, fuse_ino_t *ino, struct stat *attr);

/* As open(2) with these flags. */
int kernel_open(const char *path, int flags, struct kernel_file *file);
int kernel_close(struct kernel_file *file); /* the error is the flush's */
int kernel_flush(struct kernel_file *file);
int kernel_fsync(struct kernel_file *file);
int kernel_write(struct kernel_file *file, size_t offset, const char *data, size_t len, bool page);
int kernel_read(struct kernel_file *file, struct ds_buf *out); /* all of it */
int kernel_truncate(struct kernel_file *file, size_t size, bool by_handle);
int kernel_stat(struct kernel_file *file, struct stat *attr);

int kernel_unlink(const char *path);
int kernel_rename(const char *path, const char *new_path);
int kernel_mkdir(const char *name);
int kernel_rmdir(const char *name);
int kernel_list(const char *path, bool plus);
int kernel_statfs(void);

int kernel_set_xattr(const char *path, const char *name, const char *value, size_t len, int flags);
int kernel_get_xattr(const char *path, const char *name, size_t room);
int kernel_list_xattr(const char *path);

#endif
