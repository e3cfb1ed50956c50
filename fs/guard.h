/* The parent of the process that serves: it keeps the rights to mount and to unmount, which the
 * other one gives up before it hears the first word of a store. */
#ifndef FS_GUARD_H
#define FS_GUARD_H

#include "daemon.h"
#include "model/options.h"

/* What the parent is told of, borrowed. */
struct fs_guard_start {
    const struct fs_options *options;
    const char *source;     /* absolute */
    const char *mountpoint; /* absolute */
    int report;             /* to whoever waits for the daemon in the background, or -1 */
    /* In the background: the child's alone from then on. */
    struct fs_daemon_inherited *inherited;
};

/* Forks. In the child, which is to serve: 0 and the way to its parent in `*channel`, which hangs up
 * when the parent dies. The parent never returns. It
 *
 *   mounts when it is asked to, and tells what goes wrong;
 *   tells whoever started it, and the service manager, how things stand;
 *   passes signals that end the mount on;
 *   unmounts when it is asked to and when the child has ended, however that was;
 *   ends as the child has: with its status, or by the same signal.
 *
 * It has no thread and no secret, and allocates nothing once it has mounted, but to log what has
 * gone wrong. If it is killed, the child ends by itself, and a child of its own that knows nothing
 * but the mount point unmounts when both are gone. A negative errno if nothing was forked. Call
 * while there is one thread. */
int fs_guard_fork(const struct fs_guard_start *start, int *channel);

/* The child's words. Each is 0 or a negative errno; -EPIPE: the parent is dead. */

/* Asks for the mount: its descriptor, owned by the caller, or -EPERM if it has told why not. */
int fs_guard_mount(int channel);
/* All is well, and in the background the caller has let go of whoever started it. */
int fs_guard_ready(int channel);
/* The end has begun. */
int fs_guard_stopping(int channel);
/* The mount's descriptor is closed. */
int fs_guard_unmount(int channel);

#endif
