/* Machines by what they are on: clusters, hosts that are in none, and the hosts of a cluster that
 * has too many machines. */
#ifndef DS_REST_PARTS_H
#define DS_REST_PARTS_H

#include "scope.h"

/* A list of machines holds so many at the most ("List VMs" of the vSphere Automation API: "at most
 * 4000 visible virtual machines"). */
#define DS_PARTS_LIST_MAX 4000

/* Adds the machines of the query `at` of the scope to `out`, by parts, each once; one that moves
 * meanwhile may be missing. `*sure`: asks a second time in another way, by folders where that can
 * be, and says whether that found nobody else. Who moves is found so, and who is on what this user
 * may not see. -EACCES, -ENOSPC as ds_listing_ask(); errors of ds_fetch_run(). */
int ds_parts_ask(const struct ds_fetcher *fetcher, const struct ds_scope *scope, size_t at,
                 struct ds_machines *out, bool *sure);

#endif
