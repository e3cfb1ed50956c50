/* How a command's text reaches the host and its answer comes back: an open channel, or a program
 * that is run for each command. The commands know only this. */
#ifndef DS_TOOLS_TRANSPORT_H
#define DS_TOOLS_TRANSPORT_H

#include "buf.h"
#include "call.h"

#include <stdbool.h>
#include <stddef.h>

/* When a cancellation ends an exchange. */
enum ds_exchange {
    DS_EXCHANGE_READ,   /* at once: nobody misses the answer */
    DS_EXCHANGE_CHANGE, /* until the first byte has left; then only the deadline does */
    DS_EXCHANGE_REST    /* never: the store already has the first part of this change */
};

/* A complete answer; zeroed is none. */
struct ds_answer {
    struct ds_buf bytes;
    const char *text; /* inside `bytes`; not NUL-terminated */
    size_t len;
    bool success; /* of the RPC; the text may still say that the command failed */
};

/* Embedded as the first member of each transport's own struct. */
struct ds_transport {
    /* Sends one request and waits for its answer; any thread at any time. It is sent once at the
     * most. Keeps the call's `sent` (which begins as MAYBE with DS_EXCHANGE_REST). Errors: the
     * common ones of client.h, with words; `out` is unchanged then, else the caller frees its
     * `bytes`. */
    int (*exchange)(struct ds_transport *transport, struct ds_call *call, enum ds_exchange mode,
                    const char *text, size_t len, struct ds_answer *out);

    /* Ends it; no exchange may be running. */
    void (*free)(struct ds_transport *transport);
};

#endif
