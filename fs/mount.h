/* The mount point: what stands there before, and libfuse's session on it. */
#ifndef FS_MOUNT_H
#define FS_MOUNT_H

#include "kernel/kernel.h"
#include "model/options.h"

#include <fuse_lowlevel.h>
#include <stddef.h>

#define FS_MOUNT_WHY_BYTES 512

/* Enters a mount namespace, where all paths mean from then on what they mean there: a file such as
 * /proc/PID/ns/mnt, or the id of a process in it. A negative errno with one line in `why`. Call
 * before any thread exists. */
int fs_mount_enter(const char *name_space, char *why);

/* The mount point's absolute path, owned by the caller in `*path`. A negative errno with one line
 * in `why` (FS_MOUNT_WHY_BYTES): it is missing, not a directory, held by the mount of a daemon that
 * died, or mounted already. */
int fs_mount_check(const char *mountpoint, char **path, char *why);

/* Makes kernel->session and mounts it at `path`; the mount table shows `source`. A negative errno
 * with one line in `why`. */
int fs_mount_session(const struct fs_options *options, const char *source, const char *path,
                     struct fs_kernel *kernel, char *why);

#endif
