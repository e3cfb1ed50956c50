/* The command line of datasets-sim. */
#ifndef SIM_OPTIONS_H
#define SIM_OPTIONS_H

#include "fault.h"
#include "rest_options.h"
#include "shape.h"
#include "vms.h"

struct sim_options {
    const char *store;        /* file; NULL: none, then there is no channel */
    const char *rpc_path;     /* socket; NULL: no channel */
    const char *control_path; /* socket; NULL: none */
    const char *log;          /* file; NULL: none */
    int ready_fd;             /* -1: none */
    struct sim_shape shape;
    struct sim_rest_options rest;
};

/* Reads the command line; faults go to `faults`, virtual machines to `vms`. Returns -1 to go on, or
 * the exit status after having said why. */
int sim_options_parse(int argc, char **argv, struct sim_faults *faults, struct sim_vms *vms,
                      struct sim_options *out);

#endif
