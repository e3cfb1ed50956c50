/* The moment when a request leaves. Only for http.c's thread.
 *
 * libcurl would send a request again by itself when a connection that it had kept turns out to be
 * dead: whether that is right is not its decision, and it is kept from it. */
#ifndef DS_REST_DEPARTURE_H
#define DS_REST_DEPARTURE_H

#include "call.h"

#include <curl/curl.h>
#include <stdbool.h>

struct ds_departure {
    CURL *easy;
    struct ds_call *call;
    bool begun;  /* bytes of the request may have left */
    bool opened; /* a socket was opened for it; only where libcurl does not tell the moment */
    bool told;   /* libcurl tells it */
};

/* Sets `begun` and tells the call right before the first byte of the next request leaves through
 * `easy`, and lets no byte of it leave a second time. Returns what libcurl says to that. */
CURLcode ds_departure_watch(struct ds_departure *departure, CURL *easy, struct ds_call *call);

/* libcurl opens a socket. False: it must not, since that would be to send the request again. */
bool ds_departure_may_open(struct ds_departure *departure);

#endif
