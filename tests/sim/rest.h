/* vCenter's REST interface over HTTPS: its socket, its threads, its life. */
#ifndef SIM_REST_H
#define SIM_REST_H

#include "rest_options.h"
#include "sim.h"

struct sim_rest;

/* Listens and serves, a thread per connection, and writes the port file. 0 or a negative errno,
 * with words on standard error. `host` and `options` must outlive it. */
int sim_rest_start(struct sim_host *host, const struct sim_rest_options *options,
                   struct sim_rest **out);

/* Ends all requests and threads; the host's stop_fd must be readable. Harmless on NULL. */
void sim_rest_stop(struct sim_rest *rest);

#endif
