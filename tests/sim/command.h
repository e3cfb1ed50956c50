/* Carries out requests on the store. */
#ifndef SIM_COMMAND_H
#define SIM_COMMAND_H

#include "client.h"
#include "request.h"
#include "shape.h"

/* Carries the request out as the guest and writes the whole reply. Returns the outcome in one word
 * for the log: "ok", "unknown-command" or an error-id. */
const char *sim_command_run(struct ds_client *store, const struct sim_shape *shape,
                            struct ds_call *call, const struct sim_request *request,
                            struct ds_buf *reply);

#endif
