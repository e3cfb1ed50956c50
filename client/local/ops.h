/* What the two halves of the vtable share: local.c works on DataSets, entry.c on their entries. */
#ifndef DS_LOCAL_OPS_H
#define DS_LOCAL_OPS_H

#include "client.h"
#include "open_stores.h"

#include <stdbool.h>
#include <stdint.h>

struct ds_local {
    struct ds_client client; /* first, see client.h */
    char *file;              /* owned */
    struct ds_open_store store;
};

/* How an operation uses its connection. */
enum ds_local_mode {
    DS_LOCAL_STATEMENT, /* one statement, which reads one state by itself */
    DS_LOCAL_READ,      /* a transaction that reads one state */
    DS_LOCAL_CHANGE     /* a transaction that changes */
};

/* A connection for one request of `op`, which is counted. ds_local_end() gives it back. -EIO if the
 * store file is no longer where it was. */
int ds_local_begin(struct ds_client *client, struct ds_call *call, enum ds_op op,
                   enum ds_local_mode mode, struct ds_conn **out);

/* Ends what ds_local_begin() began: commits a change if `err` is 0, rolls back otherwise. Returns
 * how the operation ended. */
int ds_local_end(struct ds_client *client, struct ds_conn *conn, enum ds_local_mode mode, int err);

/* The same for a change that can be made anew: `*again`, false at first, says that it is to be.
 * That is so once, when the disk was full and the write-ahead log could give room back. */
int ds_local_end_change(struct ds_client *client, struct ds_conn *conn, int err, bool *again);

/* What an operation wants of a DataSet's entries. */
enum ds_local_want { DS_LOCAL_WANT_NOTHING, DS_LOCAL_WANT_READ, DS_LOCAL_WANT_WRITE };

/* The access that column `at` holds. What is none allows nothing, so it is NONE. */
enum ds_access ds_local_access(sqlite3_stmt *row, int at);

/* Checks that this side's access, found in the columns `host` and `host` + 1 of `row`, allows
 * `want`. */
int ds_local_check_access(struct ds_client *client, struct ds_call *call, sqlite3_stmt *row,
                          int host, enum ds_local_want want);

/* The DataSet's id. -ENOENT; -EACCES if this side's access does not allow `want`. */
int ds_local_find(struct ds_client *client, struct ds_conn *conn, const char *dataset,
                  enum ds_local_want want, int64_t *id);

/* Binds text and values, borrowed until ds_conn_done(). */
void ds_local_bind_text(sqlite3_stmt *statement, int at, const char *text);
void ds_local_bind_value(sqlite3_stmt *statement, int at, const char *data, size_t len);

/* Runs a statement with bound arguments that gives no row. */
int ds_local_run(struct ds_conn *conn, sqlite3_stmt *statement);

/* 0 if the statement that ran last, with result `err`, has changed exactly one row; else `err`, or
 * -EIO: what the store has not taken is not acknowledged. */
int ds_local_changed_one(struct ds_conn *conn, int err);

/* Runs a statement whose one argument is a row's id; the number that it gives goes to `out` (NULL:
 * it gives none). */
int ds_local_run_with_id(struct ds_conn *conn, enum ds_statement which, int64_t id, int64_t *out);

/* Adds the name in the first column of each row to `out`; what is no text, or too long, is left out
 * and counted. */
int ds_local_collect(struct ds_conn *conn, sqlite3_stmt *statement, struct ds_names *out);

/* Copies a text, which may stand in the store as one of SQLite's own. -EPROTO if it is longer than
 * `max_bytes` or not UTF-8 without NUL; -ENOMEM. */
int ds_local_read_text(sqlite3_stmt *row, int at, size_t max_bytes, struct ds_buf *out);

#endif
