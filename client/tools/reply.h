/* Replies of the tools channel: every shape that a host may choose, and nothing else; pure.
 *
 * Accepted: duplicate and unknown members, and strings with raw control characters or with what is
 * no text: these alone have no meaning then. -EPROTO: not one JSON object, deeper or with more
 * members than any reply is. */
#ifndef DS_TOOLS_REPLY_H
#define DS_TOOLS_REPLY_H

#include "call.h"
#include "dataset.h"

#include <stdbool.h>
#include <stddef.h>

struct ds_tools_reply;

/* Reads the text of a reply. 0, -EPROTO or -ENOMEM. */
int ds_tools_reply_parse(const char *text, size_t len, struct ds_tools_reply **out);

/* Harmless on NULL. */
void ds_tools_reply_free(struct ds_tools_reply *reply);

/* 0 if the reply says that the command succeeded; -EPROTO if it does not say; else the errno of
 * ds_tools_fail(), with words. */
int ds_tools_reply_result(const struct ds_tools_reply *reply, struct ds_call *call, bool whole_rpc);

/* The names of datasets-list, or of list-keys, are appended to `out`; what is no text among them is
 * counted as left out. 0, -EPROTO or -ENOMEM; some may have been appended then. */
int ds_tools_reply_datasets(const struct ds_tools_reply *reply, struct ds_names *out);
int ds_tools_reply_keys(const struct ds_tools_reply *reply, struct ds_names *out);

/* The attributes of datasets-query are added to `out`, where an earlier part of the reply has not
 * told them; what is not told, or in words that nobody knows, stays unknown. 0 or -ENOMEM. */
int ds_tools_reply_attributes(const struct ds_tools_reply *reply, struct ds_attributes *out);

/* The values of get-entry. Entries whose error is -ENOENT and whose key is in the reply get their
 * value, or -EPROTO if it is none that an entry can have; others are not touched. An object is
 * {"key":K,"value":V} if it has exactly these two members, or these and others and K is one of the
 * keys and they are not all; else each member is a key. 0; -EPROTO, also if an object is about no
 * key that was asked for: it answers another request, and says of these keys nothing; -ENOMEM. */
int ds_tools_reply_entries(const struct ds_tools_reply *reply, struct ds_entry *entries,
                           size_t count);

/* What a context may take in the next request. Beside it and the longest names a message has room.
 */
#define DS_TOOLS_CONTEXT_MAX_BYTES 4096u

/* `*out` is the context for the next part, owned by the caller, or NULL if this was the last one.
 * 0, -EPROTO (also if it is too long) or -ENOMEM. */
int ds_tools_reply_context(const struct ds_tools_reply *reply, char **out);

#endif
