/* Which machines of a vCenter an inventory is about: what its filter names, as ids. */
#ifndef DS_REST_SCOPE_H
#define DS_REST_SCOPE_H

#include "../base/turns.h"
#include "fetch.h"

/* In one query so many folders stand at the most: a URL has its limits. */
#define DS_SCOPE_FOLDERS 100

/* Ids. Of a kind that the filter has nothing of there are none. */
struct ds_scope {
    struct ds_names folders; /* with all that are below them */
    struct ds_names clusters;
    struct ds_names datacenters;
    int64_t found_ms; /* when it was found out; 0: it names nothing of vCenter's */
};

/* The last one that was found out, kept for a minute. */
struct ds_scopes {
    struct ds_turns turn; /* who has it asks */
    struct ds_scope last; /* for whoever has the turn; zeroed: nothing is known */
};

/* 0 or a negative errno; to be ended in any case, if turn.fd was -1. */
int ds_scopes_init(struct ds_scopes *scopes);
void ds_scopes_end(struct ds_scopes *scopes);

/* The scope of the inventory's filter, as it was found out later than `after_ms` and in the last
 * minute; the caller clears it. Costs nothing where the filter names nothing of vCenter's. -ENODEV:
 * there is no folder, cluster or datacenter of a name or id that it gives, which the words name;
 * -ENOSPC more folders than vCenter lists; errors of ds_fetch_run().
 */
int ds_scope_get(struct ds_scopes *scopes, const struct ds_fetcher *fetcher, int64_t after_ms,
                 struct ds_scope *out);
void ds_scope_clear(struct ds_scope *scope);

/* True if machines that it lacks may be in it by now: it has folders, in which others may have been
 * made since, and was found out before `since_ms`. */
bool ds_scope_may_lack(const struct ds_scope *scope, int64_t since_ms);

/* How many queries it takes to ask for all of it, at least 1. */
size_t ds_scope_queries(const struct ds_scope *scope);

/* Adds all that the scope and the inventory's filter say to the query `at` for machines, but for
 * clusters unless `clusters`. 0 or -ENOMEM. */
int ds_scope_add(const struct ds_scope *scope, const struct ds_machine_filter *filter, size_t at,
                 bool clusters, struct ds_fetch *fetch);

#endif
