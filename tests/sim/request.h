/* A request's text, read as strictly as any host may read it. */
#ifndef SIM_REQUEST_H
#define SIM_REQUEST_H

#include "buf.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum sim_command {
    SIM_COMMAND_UNKNOWN,
    SIM_COMMAND_LIST,
    SIM_COMMAND_QUERY,
    SIM_COMMAND_LIST_KEYS,
    SIM_COMMAND_GET,
    SIM_COMMAND_SET,
    SIM_COMMAND_DELETE
};

struct sim_request {
    enum sim_command command;
    json_t *arguments;   /* owned; all strings below are inside it */
    const char *dataset; /* NULL: the command has none, or the request is malformed */
    const char *context; /* NULL: not given */
    const json_t *keys;  /* array of strings, of get and delete */
    json_t *entries;     /* array of objects, of set */
    char refused[160];   /* what is wrong with the request; empty: nothing */
};

/* One element of `entries`. */
struct sim_change {
    const char *key;
    const char *value;
    size_t value_len;
    bool append;
};

/* Reads the payload of a packet into `out`, which sim_request_clear() frees. */
void sim_request_parse(const char *text, size_t len, struct sim_request *out);
void sim_request_clear(struct sim_request *request);

/* "datasets-list", …; "unknown". */
const char *sim_request_name(const struct sim_request *request);

/* The number of keys that the request names, and each of them. */
size_t sim_request_keys(const struct sim_request *request);
const char *sim_request_key(const struct sim_request *request, size_t at);

/* The change at `at` of a well-formed set. */
struct sim_change sim_request_change(const struct sim_request *request, size_t at);

/* True if `name` is one of the six commands. */
bool sim_request_is_command(const char *name);

/* Appends ` dataset="D" keys=N ["k",…] append=N` for the log, as far as the request says it. */
void sim_request_describe(const struct sim_request *request, struct ds_buf *out);

#endif
