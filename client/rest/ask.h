/* One request about a DataSet or its entries: from names to paths, and from replies to errnos. */
#ifndef DS_REST_ASK_H
#define DS_REST_ASK_H

#include "store.h"

struct ds_question {
    enum ds_op op;
    const char *method;
    const char *dataset;       /* NULL: all of them */
    bool entries;              /* the DataSet's entries, not itself */
    const char *key;           /* one of them, NULL: all */
    const char *query;         /* "?…" or NULL */
    const struct ds_buf *body; /* NULL: none */
    bool change;
    bool fresh;
};

/* Asks, with `dataset` once more if the DataSet turns out to have got another id. 0 with the
 * reply's body in `reply` (NULL: it is only checked); -ENOENT; -ENODEV the machine is gone; errors
 * of reply.h. A machine that has got another id since is asked under that, if it is known by name.
 * For a key with "/" an answer that no vCenter gives is -EOPNOTSUPP: a proxy on the way, or a
 * server that splits it, does not let it through. */
int ds_ask(struct ds_rest *rest, struct ds_call *call, const struct ds_question *question,
           struct ds_buf *reply);

/* Lists the DataSets anew. `out` may be NULL. */
int ds_ask_list(struct ds_rest *rest, struct ds_call *call, struct ds_names *out);

/* The values of several keys, each asked for by itself, as the operation `get` of client.h. */
int ds_ask_values(struct ds_rest *rest, struct ds_call *call, const char *dataset,
                  struct ds_entry *entries, size_t count);

#endif
