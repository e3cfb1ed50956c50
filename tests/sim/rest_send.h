/* Sends a reply, whole or as a fault wants it. */
#ifndef SIM_REST_SEND_H
#define SIM_REST_SEND_H

#include "fault.h"
#include "io.h"
#include "rest_reply.h"

#include <microhttpd.h>

/* Hands the reply to the daemon. MHD_NO, which closes the connection, if that is not possible.
 * Faults that concern the body's bytes (huge, slow, drop-after) are carried out here. */
enum MHD_Result sim_rest_send(struct MHD_Connection *connection, const struct sim_rest_reply *reply,
                              const struct sim_fault *fault, const struct sim_io *io);

/* The bytes that the body will be announced to have. */
size_t sim_rest_send_bytes(const struct sim_rest_reply *reply, const struct sim_fault *fault);

#endif
