/* Starting in the background, so that the caller learns how the mount went. */
#ifndef FS_DAEMON_H
#define FS_DAEMON_H

#include <stddef.h>

/* The descriptors above standard error that the caller left open. */
struct fs_daemon_inherited {
    int *fds; /* `count` of them */
    size_t count;
};

/* Notes them, and keeps them from the programs that we run. Call before anything is opened; 0 or a
 * negative errno. */
int fs_daemon_inherit(struct fs_daemon_inherited *inherited);

/* Closes them and frees the list: a lock or a pipe of the caller's is the caller's alone. Harmless
 * the second time. */
void fs_daemon_close_inherited(struct fs_daemon_inherited *inherited);

/* Forks. The parent waits until the child reports and exits with its status, or with
 * FS_EXIT_SYSTEM if the child dies first; the child returns 0 and the pipe to report on in
 * `*report`. It stays in the caller's process group until fs_daemon_let_go(): only those in the
 * mount helper's group may mount where the kernel mounts on demand (autofs), everybody else who
 * comes there waits for that mount. A negative errno if there is no child. Call before any thread
 * exists. */
int fs_daemon_fork(int *report);

/* Lets go of the caller: a session of its own, standard streams are /dev/null, the log goes to
 * syslog, where each line names the mount point, the working directory is /. From now on the mount
 * point must not be touched. */
void fs_daemon_let_go(const char *mountpoint);

/* Tells the waiting parent to exit with `status`; what went wrong is on standard error already. */
void fs_daemon_report(int report, int status);

#endif
