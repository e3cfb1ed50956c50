/* What the connections of a simulated host share. */
#ifndef SIM_H
#define SIM_H

#include "client.h"
#include "fault.h"
#include "io.h"
#include "rest_session.h"
#include "schedule.h"
#include "shape.h"
#include "vms.h"

#include <stdatomic.h>

struct sim_host {
    struct ds_client *store; /* as the guest sees it; NULL: there is no channel */
    struct sim_shape shape;
    struct sim_faults *faults;
    struct sim_vms vms;                 /* of the REST interface; empty: there is none */
    struct sim_rest_sessions *sessions; /* of it */
    struct sim_schedule schedule;       /* what is to come with requests of it */
    atomic_uint under_way;              /* requests of the REST interface, */
    atomic_uint most_under_way;         /* and how many there were at one moment */
    int log_fd;                         /* -1: none; each line is one write */
    int stop_fd;                        /* eventfd, readable once the simulator ends */
};

/* One connection, served by a thread of its own. */
struct sim_connection {
    struct sim_host *host;
    unsigned long number; /* from 1 on, of each listener's connections */
    struct sim_io io;
    struct ds_call call; /* of all its requests; cancelled when the simulator ends */
    bool served;         /* a request has come before */
};

/* Serves a guest's channel, or somebody who changes faults, until either end closes. */
void sim_channel_serve(struct sim_connection *connection);
void sim_control_serve(struct sim_connection *connection);

/* Carries out one line, which is changed, and appends the answer. */
void sim_control_obey(struct sim_host *host, char *line, struct ds_buf *answer);

#endif
