/* The protocol "tools": DataSets from inside the virtual machine. */
#ifndef DS_TOOLS_TOOLS_H
#define DS_TOOLS_TOOLS_H

#include "client.h"
#include "transport.h"

#define DS_TOOLS_CHANNELS 1
#define DS_TOOLS_MAX_CHANNELS 4
#define DS_TOOLS_PROGRAM "vmtoolsd"

enum ds_tools_way {
    DS_TOOLS_WAY_HOST,    /* AF_VSOCK; the program, with a log line, where the kernel has none */
    DS_TOOLS_WAY_UNIX,    /* a Unix socket */
    DS_TOOLS_WAY_PROGRAM, /* vmtoolsd */
};

/* Opens the client that goes this way and tries it with one datasets-list, unless
 * options->delay_connect. `path` is the socket's, or the program's (NULL: DS_TOOLS_PROGRAM);
 * options->channels 0 is DS_TOOLS_CHANNELS, more than DS_TOOLS_MAX_CHANNELS is that many. Errors:
 * -EACCES root is needed, or the host refuses; -EOPNOTSUPP the host does not know DataSets;
 * -EHOSTUNREACH not inside a virtual machine; the common ones. All with words in call->text. */
int ds_tools_open(enum ds_tools_way way, const char *path, const struct ds_source_options *options,
                  struct ds_call *call, struct ds_client **out);

/* As ds_source_prepare(), with the arguments of ds_tools_open(). */
int ds_tools_prepare(enum ds_tools_way way, const char *path, struct ds_confine *confine);

/* A client over a transport, which it takes over, also on failure. 0 or -ENOMEM. */
int ds_tools_make_take(struct ds_transport *transport, unsigned parallel, bool can_append,
                       struct ds_client **out);

#endif
