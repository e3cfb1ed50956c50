/* The mount point: what stands there before, and libfuse's session on it. */
#ifndef FS_MOUNT_H
#define FS_MOUNT_H

#include "kernel/kernel.h"
#include "model/options.h"

#include <fuse_lowlevel.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FS_MOUNT_WHY_BYTES 512

/* Enters a mount namespace, where all paths mean from then on what they mean there: a file such as
 * /proc/PID/ns/mnt, or the id of a process in it. A negative errno with one line in `why`. Call
 * before any thread exists. */
int fs_mount_enter(const char *name_space, char *why);

/* The mount point's absolute path, owned by the caller in `*path`. A negative errno with one line
 * in `why` (FS_MOUNT_WHY_BYTES): it is missing, not a directory, held by the mount of a daemon that
 * died, or mounted already. */
int fs_mount_check(const char *mountpoint, char **path, char *why);

/* Mounts at `path`; the mount table shows `source`. The descriptor of the mount, of which no copy
 * may stay, or a negative errno with one line in `why`. */
int fs_mount_open(const struct fs_options *options, const char *source, const char *path,
                  char *why);

/* Makes kernel->session of a mount's descriptor, which it takes over, also on failure. A negative
 * errno with one line in `why`. */
int fs_mount_session_take(int fd, const struct fs_options *options, const char *source,
                          const char *path, struct fs_kernel *kernel, char *why);

/* What stands at a mount point. */
struct fs_mount_id {
    bool known;
    uint32_t major, minor; /* of the device */
    uint64_t mount;        /* 0: the kernel does not say */
};

/* `known` is false if the kernel does not tell. Does not ask the file system; allocates nothing. */
struct fs_mount_id fs_mount_look(const char *path);

/* Unmounts what stands at `path` if it is the mount `id`, as far as that is known, and nobody
 * serves it any more: what others have mounted there meanwhile stays. Files that are open in it
 * stay open and are of no use. Allocates nothing. */
void fs_mount_end(const char *path, const struct fs_mount_id *id);

#endif
