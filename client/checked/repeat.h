/* The one policy of repeating requests: below the checked calls, above the vtable. */
#ifndef DS_REPEAT_H
#define DS_REPEAT_H

#include "client.h"

#include <stdbool.h>
#include <stddef.h>

/* One operation with its arguments; those that the operation does not have are not read. */
struct ds_request {
    enum ds_op op;
    const char *dataset;
    const char *key;
    const char *data; /* set: the whole value; append: the addition */
    size_t len;
    bool force;
    /* This set stands for an append: `previous` is the value before it. If another value stands
     * there before the store has taken it, the result is -ESTALE, without anything done: the sum
     * must be made anew. */
    bool as_append;
    const struct ds_previous *previous;
    const struct ds_attributes *attributes;
    struct ds_attributes *attributes_out;
    struct ds_names *names_out;
    struct ds_entry *entries;
    size_t count; /* of the entries, or of the pairs */
    /* A set of many, with no single key: what broke in the middle is sent once more. */
    struct ds_pair *pairs;
    size_t *done;
};

/* Carries the request out through the client's vtable, repeating it as the comment above
 * ds_client_list() in client.h says. 0 or a negative errno. */
int ds_repeat_run(struct ds_client *client, struct ds_call *call, const struct ds_request *request);

/* The same for a read that is no client's: `ask` is called again as long as it returns -EAGAIN and
 * there is time, and once more after -EIO to which nobody had answered. */
typedef int ds_repeat_ask(void *context, struct ds_call *call);
int ds_repeat_read(ds_repeat_ask *ask, void *context, struct ds_call *call);

#endif
