/* Which system calls may be made: seccomp(2). */
#ifndef DS_CONFINE_CALLS_H
#define DS_CONFINE_CALLS_H

#include <stdbool.h>

/* This program was built with libseccomp. */
bool ds_confine_calls_built(void);

/* From now on, what this thread and those that it makes have no business with fails with EPERM: to
 * run programs, to mount, to trace, to load modules, name spaces, keys, io_uring, and sockets but
 * INET, INET6, UNIX, NETLINK and VSOCK. Nothing is killed for it. Has no_new_privs already. 0,
 * -EOPNOTSUPP if the program or the kernel lacks it, or a negative errno. */
int ds_confine_calls(void);

#endif
