/* Carries out a request of the REST interface. */
#ifndef SIM_REST_RUN_H
#define SIM_REST_RUN_H

#include "rest_reply.h"
#include "rest_route.h"
#include "rest_session.h"
#include "vms.h"

struct sim_rest_service {
    struct sim_rest_shape shape;
    struct sim_vms *vms;
    struct sim_rest_sessions *sessions;
    const char *user;
    const char *password;
};

/* A request that has arrived whole. */
struct sim_rest_request {
    struct sim_rest_route route;
    const char *user; /* these four as the headers say it, NULL if they do not */
    const char *password;
    const char *token;
    const char *content_type;
    struct ds_buf body;
    unsigned session; /* out: its number, 0: none */
};

/* Writes the reply, of a failure too. A route that is refused is answered as such. */
void sim_rest_run(const struct sim_rest_service *service, struct sim_rest_request *request,
                  struct ds_call *call, struct sim_rest_reply *reply);

/* The reply to a request line that is refused. */
void sim_rest_run_refusal(const struct sim_rest_service *service, enum sim_rest_refusal refusal,
                          struct sim_rest_reply *reply);

#endif
