/* Asking a vCenter for its lists of machines and of what they are in. */
#ifndef DS_REST_FETCH_H
#define DS_REST_FETCH_H

#include "inventory.h"
#include "vcenter.h"

/* Who asks, and what for. */
struct ds_fetcher {
    struct ds_vcenter *vcenter;
    struct ds_inventory *inventory; /* whose requests they are */
    enum ds_inventory_op op;
    struct ds_call *call;
};

/* One list. Zeroed is empty. */
struct ds_fetch {
    struct ds_buf url;
    bool too_many;       /* out: there are more than such a list holds; then there is no reply */
    struct ds_buf reply; /* out */
};

/* Makes the URL of a list: `kind` is "vm", "cluster", "host", "folder" or "datacenter". 0 or
 * -ENOMEM. */
int ds_fetch_begin(struct ds_fetch *fetch, const struct ds_vcenter *vcenter, const char *kind);

/* Adds the parameter `name` with each of the values from `from` on, at most `count`. 0 or -ENOMEM.
 */
int ds_fetch_add(struct ds_fetch *fetch, const char *name, const struct ds_names *values,
                 size_t from, size_t count);

/* Asks for the lists, as many at once as the vCenter lets. 0 if each was answered by a list or is
 * too long for one; -EOPNOTSUPP the server has no such lists; errors of reply.h. With words. */
int ds_fetch_run(const struct ds_fetcher *fetcher, struct ds_fetch *fetches, size_t count);

/* Reads machines, or the names and ids of others, out of what has been fetched, and frees the
 * reply. 0; -EPROTO, with words; -ENOMEM. */
int ds_fetch_machines(const struct ds_fetcher *fetcher, struct ds_fetch *fetch,
                      struct ds_machines *out);
int ds_fetch_ids(const struct ds_fetcher *fetcher, struct ds_fetch *fetch, const char *kind,
                 struct ds_names *names, struct ds_names *ids);

void ds_fetch_clear(struct ds_fetch *fetch);

#endif
