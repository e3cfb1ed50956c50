/* A command under way: its store, the request it waits for, and what it says. */
#ifndef DS_COMMAND_SESSION_H
#define DS_COMMAND_SESSION_H

#include "arguments.h"
#include "inventory.h"
#include "status.h"

struct ds_session {
    const struct ds_arguments *arguments;
    struct ds_client *client;       /* NULL until it is opened */
    struct ds_inventory *inventory; /* the same of one, in place of the client */
    struct ds_call call;            /* of the last request */
    int interrupt;                  /* eventfd */
    const char *libfuse;            /* its version, as ds_command_run() was told */
};

/* Takes note of signals from here on. 0 or a negative errno. */
int ds_session_begin(struct ds_session *session, const struct ds_arguments *arguments);

/* Opens the store, without a request to it. 0, or an error of ds_source_open(). */
int ds_session_connect(struct ds_session *session, struct ds_call *call);

/* The same: DS_STATUS_OK, or what went wrong, which is told. */
enum ds_status ds_session_open(struct ds_session *session);

/* A call with the whole time that an operation has, cancelled by a signal. */
struct ds_call *ds_session_call(struct ds_session *session);

/* The same with so many milliseconds. */
struct ds_call *ds_session_call_within(struct ds_session *session, int64_t timeout_ms);

/* True if a signal has asked the command to end. */
bool ds_session_interrupted(void);

/* Tells in one line that a request failed, about a DataSet and a key (or NULL), as they are spelt
 * in a mount. Silent after a signal. The status. */
enum ds_status ds_session_fail(const struct ds_session *session, int err, const char *dataset,
                               const char *key);

/* Ends the store's sessions. If a signal has come it ends the process now; else returns `status`,
 * or what became of standard output. */
enum ds_status ds_session_end(struct ds_session *session, enum ds_status status);

#endif
