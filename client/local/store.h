/* The store file: making, recognising and preparing it. */
#ifndef DS_LOCAL_STORE_H
#define DS_LOCAL_STORE_H

#include "conn.h"

/* A connection to the store `file`, which is left untouched if it is something else, and made if it
 * is missing unless `read_only`. Errors as ds_local_open() in local.h. */
int ds_store_connect(const char *file, bool read_only, struct ds_call *call, struct ds_conn **out);

#endif
