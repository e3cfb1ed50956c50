/* The store file: making, recognising and preparing it. */
#ifndef DS_LOCAL_STORE_H
#define DS_LOCAL_STORE_H

#include "conn.h"

/* In the header of an SQLite file: "DSfs", and the version of our tables. */
#define DS_STORE_APPLICATION_ID 0x44536673
#define DS_STORE_VERSION 1

/* A connection to the store `file`, which is made if missing and left untouched if it is something
 * else. Errors as ds_local_open() in local.h. */
int ds_store_connect(const char *file, struct ds_call *call, struct ds_conn **out);

#endif
