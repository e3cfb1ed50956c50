/* The ways to say the same thing that the published descriptions of the channel leave open. */
#ifndef SIM_SHAPE_H
#define SIM_SHAPE_H

#include "buf.h"
#include "dataset.h"

#include <stdbool.h>
#include <stddef.h>

enum sim_failure {
    SIM_FAILURE_JSON,    /* 1 {"result":false,"error-id":…,"error-message":…} */
    SIM_FAILURE_RPC,     /* 0 error-id: message */
    SIM_FAILURE_RPC_JSON /* 0 {"result":false,"error-id":…,"error-message":…} */
};

struct sim_shape {
    enum sim_failure failure;
    bool missing_is_error;    /* a get of a missing key fails; otherwise it is left out */
    const char *not_found;    /* ID,MESSAGE that "no such thing" is said by; NULL: as usual */
    const char *access_infix; /* the part after "host" and "guest", such as "-access" */
    bool access_nested;       /* inside an object of their own */
    bool access_none;         /* a query does not tell the access */
    bool entries_key_value;   /* {"key":…,"value":…}; otherwise {KEY:VALUE} */
    bool raw_control;         /* some control characters are not escaped */
    size_t page_bytes;        /* of a reply's text; what is over it comes with the next context */
};

/* What every member is until an option says otherwise. */
extern const struct sim_shape sim_shape_default;

/* Writes the failure as the whole reply. */
void sim_shape_failure(const struct sim_shape *shape, const char *id, const char *message,
                       struct ds_buf *reply);

/* The error-id of a negative errno of the client contract. */
const char *sim_shape_error_id(int err);

/* Begins and ends the reply of success; between them go members, each with a comma before it. */
void sim_shape_begin(struct ds_buf *reply);
void sim_shape_end(struct ds_buf *reply);

void sim_shape_string(const struct sim_shape *shape, const char *text, struct ds_buf *reply);

/* The members of a query's reply. */
void sim_shape_attributes(const struct sim_shape *shape, const struct ds_attributes *attributes,
                          struct ds_buf *reply);

/* One element of "entries". */
void sim_shape_entry(const struct sim_shape *shape, const struct ds_entry *entry,
                     struct ds_buf *reply);

/* The member "context" that continues at element `next`, and what such a string says: false if it
 * is none of ours for this `command`. */
void sim_shape_context(const struct sim_shape *shape, const char *command, size_t next,
                       struct ds_buf *reply);
bool sim_shape_parse_context(const char *command, const char *context, size_t *next);

#endif
