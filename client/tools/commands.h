/* The commands of the tools channel, over any transport. */
#ifndef DS_TOOLS_COMMANDS_H
#define DS_TOOLS_COMMANDS_H

#include "client.h"
#include "reply.h"
#include "transport.h"

/* "64 KiB (65,536 bytes) for the whole message", command word and JSON included ("Data Sets",
 * VMware). */
#define DS_TOOLS_MESSAGE_MAX_BYTES 65536u

struct ds_tools {
    struct ds_client client;
    struct ds_transport *transport;
};

/* Sends `text`, counts it as one request of `op` and reads the answer. 0 if the command succeeded,
 * with the reply in `out` unless that is NULL; -EPROTO not understood; what the host's failure
 * means (error.h); the transport's errors. */
int ds_commands_ask(struct ds_tools *tools, struct ds_call *call, enum ds_op op,
                    enum ds_exchange mode, const struct ds_buf *text, struct ds_tools_reply **out);

/* The operations of struct ds_client_ops, without another look at what "invalid argument" means
 * (doubt.h). */
int ds_commands_list(struct ds_tools *tools, struct ds_call *call, struct ds_names *out);
int ds_commands_query(struct ds_tools *tools, struct ds_call *call, const char *dataset,
                      struct ds_attributes *out);
int ds_commands_list_keys(struct ds_tools *tools, struct ds_call *call, const char *dataset,
                          struct ds_names *out);
int ds_commands_remove(struct ds_tools *tools, struct ds_call *call, enum ds_exchange mode,
                       const char *dataset, const char *key);

#endif
