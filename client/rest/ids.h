/* The ids of DataSets: paths take the id, people and scripts the name. */
#ifndef DS_REST_IDS_H
#define DS_REST_IDS_H

#include "dataset.h"

#include <pthread.h>
#include <stdbool.h>

/* Any thread may call any function but the first and the last. */
struct ds_ids {
    pthread_mutex_t mutex;
    struct ds_names names; /* under the mutex, as the rest */
    struct ds_names ids;   /* of the same index */
    bool differ;           /* some id is not the name */
};

void ds_ids_init(struct ds_ids *ids);
void ds_ids_end(struct ds_ids *ids);

/* Takes over what a list told, in place of all that was known. */
void ds_ids_replace_take(struct ds_ids *ids, struct ds_names *names, struct ds_names *list);

/* Adds or changes one. 0 or -ENOMEM. */
int ds_ids_put(struct ds_ids *ids, const char *name, const char *id);

/* True if the last list told the name, or it was put since. */
bool ds_ids_has(struct ds_ids *ids, const char *name);

/* The id of that name, copied; the name itself if others are known and their ids do not differ from
 * their names. -ENOENT: only a new list can tell. -ENOMEM. */
int ds_ids_find(struct ds_ids *ids, const char *name, char **out);

#endif
