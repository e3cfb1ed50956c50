/* Connecting to the hypervisor. */
#ifndef DS_TOOLS_VSOCK_H
#define DS_TOOLS_VSOCK_H

#include "call.h"

#include <stdbool.h>

/* Connects to the hypervisor over AF_VSOCK from a privileged port, never from another. `*fd` is
 * owned by the caller, non-blocking and close-on-exec. -EACCES: root is needed; -EHOSTUNREACH: this
 * is no VMware virtual machine, or guest RPC is disabled; -ETIMEDOUT, -EINTR (if `heed_cancel`). */
int ds_vsock_connect(struct ds_call *call, bool heed_cancel, int *fd);

/* 0 if this process may have a privileged port, which it lets go of at once; else the error with
 * which ds_vsock_connect() would fail. */
int ds_vsock_try_port(struct ds_call *call);

/* False if this kernel has no AF_VSOCK at all. */
bool ds_vsock_exists(void);

#endif
