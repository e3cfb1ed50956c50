/* HTTP over TLS: one thread drives all transfers, so that connections, HTTP/2 streams and TLS
 * sessions are shared; callers wait for theirs with deadline and cancellation. Knows libcurl, and
 * nothing of vCenter. */
#ifndef DS_REST_HTTP_H
#define DS_REST_HTTP_H

#include "http_request.h"

#include <stddef.h>

struct ds_http;

/* Starts the thread. `options` is borrowed until ds_http_free(). 0 or a negative errno. */
int ds_http_new(const struct ds_http_options *options, struct ds_http **out);

/* Runs the requests, as many at once as the options allow, and waits until each has its result:
 * 0 answered, whatever the status; -EHOSTUNREACH no connection; -EACCES the certificate is not
 * good; -EIO it broke; -EPROTO the reply is no HTTP, too large or cannot be decoded; -ETIMEDOUT;
 * -EINTR; -ENOMEM. Nothing is ever sent twice. Of several callers each gets its turn. Keeps the
 * call's `sent`: MAYBE while any request is under way. Any thread. */
void ds_http_run(struct ds_http *http, struct ds_call *call,
                 struct ds_http_request *const *requests, size_t count);

/* Ends the thread and all connections; no ds_http_run() may be under way. Harmless on NULL. */
void ds_http_free(struct ds_http *http);

#endif
