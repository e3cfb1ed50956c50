/* A TCP relay as a child of the running test, which can let connections fall silent as a firewall
 * does that has forgotten them: nothing is closed, and nothing comes any more. The harness ends it
 * after the test. */
#ifndef RELAY_H
#define RELAY_H

#include <stdbool.h>
#include <stdint.h>

/* Starts it before `port` of this machine; returns the port where it listens. */
uint16_t relay_start(uint16_t port);

/* The same as a proxy of HTTP, before the port of this machine that a client's CONNECT names. */
uint16_t relay_start_proxy(void);

/* Silences the connections that are open now; those that come later work. */
void relay_silence(void);

/* For the harness: ends it. Harmless if none runs. */
bool relay_end(void);

#endif
