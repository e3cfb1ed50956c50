/* Many keys at once: vCenter takes each by itself, and so many requests go out together. */
#ifndef DS_REST_MANY_H
#define DS_REST_MANY_H

#include "store.h"

/* The values of several keys, as the operation `get` of client.h. */
int ds_many_get(struct ds_rest *rest, struct ds_call *call, const char *dataset,
                struct ds_entry *entries, size_t count);

#endif
