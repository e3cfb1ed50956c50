/* Replies of the REST interface, in the ways that servers differ in. */
#ifndef SIM_REST_REPLY_H
#define SIM_REST_REPLY_H

#include "buf.h"

#include <stdbool.h>
#include <stddef.h>

enum sim_rest_errors {
    SIM_REST_ERRORS_VAPI,   /* {"error_type":…,"messages":[…]} */
    SIM_REST_ERRORS_STATUS, /* {"messages":[…]} */
    SIM_REST_ERRORS_EMPTY,  /* no body */
    SIM_REST_ERRORS_LEGACY /* {"type":"com.vmware.vapi.std.errors.…","value":{"messages":[…]}} */
};

struct sim_rest_shape {
    enum sim_rest_errors errors;
    bool refuses_by_400;   /* UNAUTHORIZED and UNABLE_TO_ALLOCATE_RESOURCE; else 403 and 500 */
    bool success_is_200;   /* of changes; else 201 and 204 */
    bool no_api_session;   /* only the legacy route logs in */
    bool no_vm_list;       /* the list of VMs is no route */
    bool no_slash_keys;    /* something on the way refuses %2F in a key */
    const char *id_prefix; /* a DataSet's id is this and its name */
    size_t list_max;       /* so many machines a list holds */
};

struct sim_rest_reply {
    int status;
    struct ds_buf body;
    const char *type;    /* of the body */
    char type_words[64]; /* what it points to, if it is none that is constant */
    const char *header;  /* one more, with its value; NULL: none */
    char header_value[128];
    char outcome[96]; /* for the log */
};

void sim_rest_reply_clear(struct sim_rest_reply *reply);

/* A reply without a body, or with one that is no JSON. */
void sim_rest_reply_plain(struct sim_rest_reply *reply, int status, const char *type,
                          const char *body, const char *outcome);

/* A failure with this error_type and its usual status. */
void sim_rest_reply_error(const struct sim_rest_shape *shape, struct sim_rest_reply *reply,
                          const char *error_type, const char *message);

/* The same with a status of its own. */
void sim_rest_reply_refusal(const struct sim_rest_shape *shape, struct sim_rest_reply *reply,
                            int status, const char *error_type, const char *message);

/* The error_type of a negative errno of the client contract. */
const char *sim_rest_error_type(int err);

/* What a file holds: a line with the status and the kind of the body, such as "404 text/html", and
 * the body. */
void sim_rest_reply_file(struct sim_rest_reply *reply, const char *path);

/* Success with JSON that the caller has written to the body. */
void sim_rest_reply_json(struct sim_rest_reply *reply, int status);

#endif
