/* nghttpx as a child of the running test: HTTP/2 in front of the simulated vCenter, which itself
 * speaks HTTP/1.1. The harness ends it after the test. */
#ifndef PROXY_H
#define PROXY_H

#include <stdbool.h>
#include <stdint.h>

/* Starts it before the simulator that runs, with the same certificate, and waits until it listens,
 * on the same port again if the test has started it before.
 * `arguments` (NULL: none) are further words of its command line. */
void proxy_start(const char *const *arguments);

/* "https://127.0.0.1:PORT". Valid until the next call. */
const char *proxy_url(void);
uint16_t proxy_port(void);

/* Ends it; connections break. */
void proxy_stop(void);

/* For the harness: like proxy_stop(), but false instead of a failed test; true if none runs. */
bool proxy_end(void);

#endif
