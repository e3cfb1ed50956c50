/* What the connections of a simulated host share. */
#ifndef SIM_H
#define SIM_H

#include "client.h"
#include "fault.h"
#include "io.h"
#include "shape.h"

struct sim_host {
    struct ds_client *store; /* as the guest sees it */
    struct sim_shape shape;
    struct sim_faults *faults;
    int log_fd;  /* -1: none; each line is one write */
    int stop_fd; /* eventfd, readable once the simulator ends */
};

/* One connection, served by a thread of its own. */
struct sim_connection {
    const struct sim_host *host;
    unsigned long number; /* from 1 on, of each listener's connections */
    struct sim_io io;
    struct ds_call call; /* of all its requests; cancelled when the simulator ends */
};

/* Serves a guest's channel, or somebody who changes faults, until either end closes. */
void sim_channel_serve(struct sim_connection *connection);
void sim_control_serve(struct sim_connection *connection);

#endif
