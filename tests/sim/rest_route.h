/* Which operation of the REST interface a request line asks for, and the names in it. */
#ifndef SIM_REST_ROUTE_H
#define SIM_REST_ROUTE_H

#include "buf.h"

#include <stdbool.h>
#include <stddef.h>

enum sim_rest_op {
    SIM_REST_UNKNOWN,
    SIM_REST_LOGIN,
    SIM_REST_LOGOUT,
    SIM_REST_VMS,
    SIM_REST_DATACENTERS,
    SIM_REST_CLUSTERS,
    SIM_REST_HOSTS,
    SIM_REST_FOLDERS,
    SIM_REST_LIST,
    SIM_REST_VM, /* the machine itself */
    SIM_REST_CREATE,
    SIM_REST_QUERY,
    SIM_REST_UPDATE,
    SIM_REST_DESTROY,
    SIM_REST_LIST_KEYS,
    SIM_REST_GET,
    SIM_REST_SET,
    SIM_REST_REMOVE,
    SIM_REST_OP_COUNT
};

/* Why a request line is refused. */
enum sim_rest_refusal {
    SIM_REST_GOOD,
    SIM_REST_BAD_PATH,    /* a byte that must be percent-encoded, or a wrong % */
    SIM_REST_DOT_SEGMENT, /* "." or "..", however it is encoded */
    SIM_REST_BAD_QUERY,   /* a parameter that the operation does not take */
    SIM_REST_NO_ROUTE,    /* also with a slash at the end */
    SIM_REST_NO_METHOD
};

#define SIM_REST_SEGMENTS_MAX 8

struct sim_rest_route {
    enum sim_rest_op op;
    enum sim_rest_refusal refusal;
    bool legacy;    /* a session of /rest */
    bool encoded;   /* the key's segment holds an encoded slash */
    bool forced;    /* destroy with its entries */
    const char *vm; /* these three, decoded once; NULL: not in the path */
    const char *id; /* of a DataSet */
    const char *key;
    size_t filters; /* of a list of VMs or of what they are in */
    struct sim_rest_filter {
        const char *name; /* the parameter's: "names", "vms", … */
        char *text;
    } * filter;                            /* owned, with the texts */
    char *segments[SIM_REST_SEGMENTS_MAX]; /* owned, decoded */
    size_t count;
};

/* Reads the target of the request line as it came, query included. */
void sim_rest_route_parse(const char *method, const char *target, struct sim_rest_route *out);
void sim_rest_route_clear(struct sim_rest_route *route);

/* True if the operation has a body. */
bool sim_rest_has_body(enum sim_rest_op op);

/* "rest-get", …; "rest-unknown". */
const char *sim_rest_op_name(enum sim_rest_op op);

/* True if `name` is an operation's. */
bool sim_rest_is_op(const char *name);

/* Appends ` vm=V dataset="D" key="K"` for the log, as far as the path names them, and filters as
 * ` names="N"`. "dataset" is what stands in the path, the id. */
void sim_rest_route_describe(const struct sim_rest_route *route, struct ds_buf *out);

#endif
