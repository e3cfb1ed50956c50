/* Connecting to the simulated host. */
#ifndef DS_TOOLS_UNIX_H
#define DS_TOOLS_UNIX_H

#include "call.h"

#include <stdbool.h>

/* Connects to the Unix socket `path`. `*fd` is owned by the caller, non-blocking and close-on-exec.
 * -EINVAL: the path is too long; -EACCES; -EHOSTUNREACH: nobody listens there; -ETIMEDOUT, -EINTR
 * (if `heed_cancel`). */
int ds_unix_connect(const char *path, struct ds_call *call, bool heed_cancel, int *fd);

#endif
