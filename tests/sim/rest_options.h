/* What the command line says of the REST interface. */
#ifndef SIM_REST_OPTIONS_H
#define SIM_REST_OPTIONS_H

#include "rest_reply.h"
#include "vms.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>

struct sim_rest_options {
    bool given;            /* --https */
    uint16_t port;         /* 0: any */
    const char *port_file; /* these: files; NULL: not given */
    const char *cert;
    const char *key;
    const char *password_file;
    const char *user;
    bool directory;      /* --vm-directory, which may be empty */
    const char **states; /* of machines, as given; owned, not what they point to */
    size_t state_count;
    struct sim_rest_shape shape;
};

extern const struct sim_rest_shape sim_rest_shape_default;

/* The options as rows for getopt_long(); all have the value 'r'. */
const struct option *sim_rest_options_table(size_t *count);

extern const char sim_rest_options_usage[];

/* Takes the option NAME; machines go to `vms`. 0, or a negative errno if its argument is wrong. */
int sim_rest_options_take(const char *name, const char *argument, struct sim_vms *vms,
                          struct sim_rest_options *out);

/* After the last option: without --vm there is vm-1=web-01=STORE, and states are set. False, having
 * said why, if something is missing or wrong. `store` may be NULL. */
bool sim_rest_options_finish(const struct sim_rest_options *options, const char *store,
                             struct sim_vms *vms);

/* Frees what the options own. */
void sim_rest_options_clear(struct sim_rest_options *options);

#endif
