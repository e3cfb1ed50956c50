/* The vtable's operations on entries. */
#ifndef DS_LOCAL_ENTRY_H
#define DS_LOCAL_ENTRY_H

#include "ops.h"

int ds_local_list_keys(struct ds_client *client, struct ds_call *call, const char *dataset,
                       struct ds_names *out);
int ds_local_get(struct ds_client *client, struct ds_call *call, const char *dataset,
                 struct ds_entry *entries, size_t count);
int ds_local_set(struct ds_client *client, struct ds_call *call, const char *dataset,
                 const char *key, const char *data, size_t len, const struct ds_previous *previous);
int ds_local_append(struct ds_client *client, struct ds_call *call, const char *dataset,
                    const char *key, const char *data, size_t len);
int ds_local_remove(struct ds_client *client, struct ds_call *call, const char *dataset,
                    const char *key);

#endif
