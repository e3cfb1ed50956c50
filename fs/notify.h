/* The service manager that waits for us, if there is one: the protocol of sd_notify(3). */
#ifndef FS_NOTIFY_H
#define FS_NOTIFY_H

#define FS_NOTIFY_READY "READY=1"
#define FS_NOTIFY_STOPPING "STOPPING=1"

/* Sends one state to the socket that $NOTIFY_SOCKET names: an absolute path, or "@" and an abstract
 * name. 0, also without that variable; -EAFNOSUPPORT for another kind of address, -ENAMETOOLONG,
 * or the negative errno of the socket. */
int fs_notify(const char *state);

#endif
