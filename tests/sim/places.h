/* What the machines of the simulated vCenter are on and in: datacenters, clusters, hosts, folders.
 */
#ifndef SIM_PLACES_H
#define SIM_PLACES_H

#include <stdbool.h>
#include <stddef.h>

enum sim_place_kind { SIM_DATACENTER, SIM_CLUSTER, SIM_HOST, SIM_FOLDER, SIM_PLACE_KINDS };

struct sim_place {
    enum sim_place_kind kind;
    char *id; /* owned, as the rest */
    char *name;
    char *parent; /* id; a host's is its cluster's, or a datacenter's; empty: none */
    bool hidden;  /* the user may not see it, though what is on it or in it */
};

/* Zeroed is empty. Whoever calls a function has the lock of the machines. */
struct sim_places {
    struct sim_place *list;
    size_t count;
};

/* Adds KIND=ID=NAME[=PARENT]; KIND is datacenter, cluster, host or folder. 0; -EINVAL malformed, or
 * no such parent; -EEXIST the id is there; -ENOMEM. */
int sim_places_add(struct sim_places *places, const char *spec);

/* NULL if there is none. */
struct sim_place *sim_places_find(const struct sim_places *places, const char *id);

/* The next of the kind behind the index `*at`, which goes on from there; NULL: no more. */
const struct sim_place *sim_places_next(const struct sim_places *places, enum sim_place_kind kind,
                                        size_t *at);

/* True if `id` is `in` or somewhere below it. */
bool sim_places_is_in(const struct sim_places *places, const char *id, const char *in);

/* "datacenter", …. */
const char *sim_place_kind_name(enum sim_place_kind kind);

void sim_places_clear(struct sim_places *places);

#endif
