/* The host's ways to say what went wrong as errnos. */
#ifndef DS_TOOLS_ERROR_H
#define DS_TOOLS_ERROR_H

#include "call.h"

#include <stdbool.h>
#include <stddef.h>

/* The negative errno for a failure with this `error-id` and `error-message`, each of which may be
 * NULL. The id decides where it is known, but "invalid-argument", the only one that is published,
 * leaves that to the message; words are recognised in any spelling ("not-found", "NOT_FOUND", "Not
 * found"), and not in what the message quotes. -EINVAL: nothing says more, and it may still mean
 * that there is no such thing (doubt.h). What nobody knows is -EIO. */
int ds_tools_errno(const char *id, const char *message);

/* Sets the call's text to what the host said, or to a sentence of ours where that helps the user
 * more, and returns ds_tools_errno(). `whole_rpc`: the RPC itself failed, not the command in it.
 * The host's words are cut, and never hold a value. */
int ds_tools_fail(struct ds_call *call, const char *id, const char *message, bool whole_rpc);

#endif
