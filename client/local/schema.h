/* The tables of a store file. */
#ifndef DS_LOCAL_SCHEMA_H
#define DS_LOCAL_SCHEMA_H

#include "conn.h"

/* In the header of an SQLite file: "DSfs", and the version of our tables. */
#define DS_SCHEMA_APPLICATION_ID 0x44536673
#define DS_SCHEMA_VERSION 1

/* Makes tables and marks, within a transaction. */
int ds_schema_make(struct ds_conn *conn);

/* 0 if the tables are as we make them; -EINVAL with words that end in `file` if not. What somebody
 * has put there besides does not count. */
int ds_schema_check(struct ds_conn *conn, const char *file);

#endif
