/* Starting in the background, so that the caller learns how the mount went. */
#ifndef FS_DAEMON_H
#define FS_DAEMON_H

/* Forks. The parent waits until the child reports and exits with its status, or with
 * FS_EXIT_SYSTEM if the child dies first; the child, leader of a session of its own, returns 0 and
 * the pipe to report on in `*report`. A negative errno if there is no child. Call before any thread
 * exists. */
int fs_daemon_fork(int *report);

/* Tells the waiting parent that all is well and lets go of the terminal: standard streams become
 * /dev/null, the log goes to syslog, where each line names the mount point, the working directory
 * is
 * /. */
void fs_daemon_ready(int report, const char *mountpoint);

/* Tells the waiting parent to exit with `status`; what went wrong is on standard error already. */
void fs_daemon_failed(int report, int status);

#endif
