/* Many keys at once: vCenter takes each by itself, and so many requests go out together. */
#ifndef DS_REST_MANY_H
#define DS_REST_MANY_H

#include "store.h"

/* The values of several keys, as the operation `get` of client.h. */
int ds_many_get(struct ds_rest *rest, struct ds_call *call, const char *dataset,
                struct ds_entry *entries, size_t count);

/* Sets all of several keys and gives each pair its result, as the operation `set_some` of client.h.
 * Fails with the first one's error, and its words, if not one of them could be set. */
int ds_many_set(struct ds_rest *rest, struct ds_call *call, const char *dataset,
                struct ds_pair *pairs, size_t count);

#endif
