/* The command line of datasets-sim. */
#ifndef SIM_OPTIONS_H
#define SIM_OPTIONS_H

#include "fault.h"
#include "shape.h"

struct sim_options {
    const char *store;        /* file */
    const char *rpc_path;     /* socket */
    const char *control_path; /* socket; NULL: none */
    const char *log;          /* file; NULL: none */
    int ready_fd;             /* -1: none */
    struct sim_shape shape;
};

/* Reads the command line; faults go to `faults`. Returns -1 to go on, or the exit status after
 * having said why. */
int sim_options_parse(int argc, char **argv, struct sim_faults *faults, struct sim_options *out);

#endif
