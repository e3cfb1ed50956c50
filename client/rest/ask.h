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

/* The steps of ds_ask(), for those who ask several questions at once (many.h). */

/* The id of the DataSet, owned by the caller; asks for the list where it is not known. -ENOENT;
 * then and after any other failure what was to be asked has not been sent. */
int ds_ask_id(struct ds_rest *rest, struct ds_call *call, const char *dataset, char **id);

/* Appends the question's URL; `id` is the DataSet's, NULL for all of them. -EPROTO: an id of the
 * server's that can be none. -ENOMEM. */
int ds_ask_url(const struct ds_rest *rest, const char *vm, const struct ds_question *question,
               const char *id, struct ds_buf *out);

/* What the reply means for this question: as ds_ask(), but that "no such thing" stays that. */
int ds_ask_check(const struct ds_question *question, const struct ds_http_request *request,
                 struct ds_call *call);

/* After "no such thing", which may be said of the machine, of the DataSet or of a key: looks at the
 * list. -EAGAIN: the machine `vm` or the DataSet has another id now, which `*id` then is; -ENOENT:
 * that is what it was about; -ENODEV. Where the list cannot be had the answer stands. */
int ds_ask_place(struct ds_rest *rest, struct ds_call *call, enum ds_op op, const char *dataset,
                 const char *vm, char **id);

#endif
