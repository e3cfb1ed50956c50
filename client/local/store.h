/* The store file: making, recognising and preparing it. */
#ifndef DS_LOCAL_STORE_H
#define DS_LOCAL_STORE_H

#include "conn.h"

/* What may be done with the file. */
enum ds_store_use {
    DS_STORE_READ,   /* it is not changed */
    DS_STORE_CHANGE, /* it is not made */
    DS_STORE_MAKE    /* it is made if it is missing */
};

/* A connection to the store `file`, which is left untouched if it is something else. Errors as
 * ds_local_open() in local.h; -ENOENT also if it is missing and not to be made. */
int ds_store_connect(const char *file, enum ds_store_use use, struct ds_call *call,
                     struct ds_conn **out);

#endif
