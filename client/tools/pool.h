/* The transport over open channels: kept open between requests, opened again when the host dropped
 * them. */
#ifndef DS_TOOLS_POOL_H
#define DS_TOOLS_POOL_H

#include "transport.h"

/* How long a channel that nobody uses stays open. */
#define DS_TOOLS_POOL_IDLE_MS (60 * 1000)
/* How often a channel is opened again and with what pause, as the stock library does; not
 * when the tries have taken so long that no host is there to come back. */
#define DS_TOOLS_POOL_RETRIES 2
#define DS_TOOLS_POOL_RETRY_MS 100
#define DS_TOOLS_POOL_PATIENCE_MS 1000
/* A host that closes a channel within so long of its answer, so often in a row or once with the
 * next request on its way, does so after each: for a while each channel then serves one exchange,
 * lest ever other requests are in doubt. */
#define DS_TOOLS_POOL_AT_ONCE_MS 1000
#define DS_TOOLS_POOL_LOST 2
#define DS_TOOLS_POOL_ONCE_MS (60 * 1000)

/* A transport that opens up to `channels` channels, each when calls wait for it: to the Unix socket
 * `path`, or over AF_VSOCK if it is NULL. An exchange opens the channel again, and tries that
 * DS_TOOLS_POOL_RETRIES times more, as long as nothing of its request has been sent. A thread of
 * its own closes a channel that nobody has used for `idle_ms` (DS_TOOLS_POOL_IDLE_MS but in tests).
 * 0 or a negative errno. */
int ds_tools_pool_new(const char *path, unsigned channels, int idle_ms, struct ds_transport **out);

#endif
