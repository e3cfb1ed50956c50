/* One request of the REST interface and its reply, with faults in between. */
#ifndef SIM_REST_EXCHANGE_H
#define SIM_REST_EXCHANGE_H

#include "rest_run.h"
#include "sim.h"

#include <microhttpd.h>

/* Made when the request line has come. All but the links belongs to the connection's thread. */
struct sim_rest_exchange {
    struct sim_rest_exchange *next; /* these two under the lock of rest.c */
    struct sim_rest_exchange *previous;
    struct sim_host *host;
    const struct sim_rest_service *service;
    struct sim_io io;
    unsigned long connection; /* its number */
    char *target;             /* of the request line, as it came; owned */
    bool begun;               /* the headers have been looked at */
    struct ds_call call;      /* cancelled when the simulator ends */
    struct sim_rest_request request;
    struct sim_rest_reply reply;
    struct sim_fault fault;
};

/* Takes what has arrived: first the headers, then parts of the body, at last nothing, which means
 * that it is complete. MHD_NO closes the connection. */
enum MHD_Result sim_rest_exchange_take(struct sim_rest_exchange *exchange,
                                       struct MHD_Connection *connection, const char *method,
                                       const char *version, const char *data, size_t *len);

/* Frees all but the exchange itself. */
void sim_rest_exchange_clear(struct sim_rest_exchange *exchange);

/* Logs a connection that was closed before there was a request. */
void sim_rest_exchange_log_refused(const struct sim_host *host, const struct sim_fault *fault);

#endif
