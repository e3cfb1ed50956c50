/* Getting many values: as many keys per message as fit, as many messages as the host has parts. */
#ifndef DS_TOOLS_GET_H
#define DS_TOOLS_GET_H

#include "commands.h"

/* The operation of struct ds_client_ops. A reply that is not understood or says "no such thing" or
 * "invalid argument" for several keys is asked for again in halves, so that only the key that it is
 * about fails; after the last of these the list of keys tells which are missing. */
int ds_get_entries(struct ds_client *client, struct ds_call *call, const char *dataset,
                   struct ds_entry *entries, size_t count);

/* One key, with the mode of its exchanges. -ENOENT; `out` is overwritten on success only. */
int ds_get_one(struct ds_tools *tools, struct ds_call *call, enum ds_exchange mode,
               const char *dataset, const char *key, struct ds_buf *out);

#endif
