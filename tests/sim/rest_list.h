/* The lists of the simulated vCenter: its machines, and what they are on and in. */
#ifndef SIM_REST_LIST_H
#define SIM_REST_LIST_H

#include "rest_reply.h"
#include "rest_route.h"
#include "vms.h"

/* The machines that the route's filters let through. 0; -ENOSPC if they are more than `most`. */
int sim_rest_list_vms(struct sim_vms *vms, size_t most, const struct sim_rest_route *route,
                      struct sim_rest_reply *reply);

/* The datacenters, clusters, hosts or folders. 0. */
int sim_rest_list_places(struct sim_vms *vms, const struct sim_rest_route *route,
                         struct sim_rest_reply *reply);

/* One machine. 0. */
int sim_rest_tell_vm(struct sim_vms *vms, const struct sim_vm *vm, struct sim_rest_reply *reply);

#endif
