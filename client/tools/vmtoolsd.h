/* The transport over the program vmtoolsd of open-vm-tools, which is run for each request. */
#ifndef DS_TOOLS_VMTOOLSD_H
#define DS_TOOLS_VMTOOLSD_H

#include "transport.h"

/* A transport that runs `program` (looked for in PATH if it has no slash) with --cmdfile, up to
 * `parallel` at once; the request is never in its arguments. A program that does not end in time,
 * or whose exchange is cancelled, is killed. The stock program sends a request again when its
 * channel breaks: not for appends. 0 or a negative errno. */
int ds_vmtoolsd_new(const char *program, unsigned parallel, struct ds_transport **out);

#endif
