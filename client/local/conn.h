/* One SQLite connection to the store, used by one thread at a time. */
#ifndef DS_LOCAL_CONN_H
#define DS_LOCAL_CONN_H

#include "call.h"
#include "room.h"
#include "settle.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ds_statement {
    DS_STMT_TABLES,
    DS_STMT_BEGIN_READ,
    DS_STMT_BEGIN_CHANGE,
    DS_STMT_COMMIT,
    DS_STMT_ROLLBACK,
    DS_STMT_LIST,
    DS_STMT_QUERY,
    DS_STMT_CREATE,
    DS_STMT_UPDATE,
    DS_STMT_HAS_ENTRIES,
    DS_STMT_DESTROY_ENTRIES,
    DS_STMT_DESTROY,
    DS_STMT_FIND,
    DS_STMT_LIST_KEYS,
    DS_STMT_GET,
    DS_STMT_TOTAL,
    DS_STMT_PLACE,
    DS_STMT_LENGTH_OTHER,
    DS_STMT_VALUE,
    DS_STMT_INSERT,
    DS_STMT_REPLACE,
    DS_STMT_REMOVE,
    DS_STMT_USE,
    DS_STMT_PAGES,
    DS_STMT_COUNT
};

enum ds_conn_mode {
    DS_CONN_CHANGING,
    DS_CONN_READING,   /* others may change the file */
    DS_CONN_UNCHANGING /* nobody can: nothing is locked, nothing is put beside the file */
};

struct ds_conn {
    sqlite3 *db;
    sqlite3_stmt *statements[DS_STMT_COUNT]; /* prepared when first used */
    struct ds_call *call;                    /* borrowed: whose operation runs, for the handlers */
    bool committing;                         /* nothing interrupts a commit */
    bool full;                               /* the disk was, for the change begun last */
    bool waited;                             /* for a lock: the change begun last */
    bool grows;                              /* it may need more pages */
    struct ds_room *room;                    /* borrowed; NULL: no room is reserved */
    int64_t page_bytes;
    struct ds_conn *next; /* the pool's, under its mutex */
};

/* Opens the existing `file`, reading nothing from it yet. 0, or a negative errno with words in
 * call->text. */
int ds_conn_open(const char *file, enum ds_conn_mode mode, struct ds_call *call,
                 struct ds_conn **out);

/* Ends the connection, bounded by `call`. Harmless on NULL. */
void ds_conn_close(struct ds_conn *conn, struct ds_call *call);

/* The negative errno of a result code, with words in the call's text. A lock that another process
 * holds is -EAGAIN, also at the deadline; work that was too long for it is -ETIMEDOUT. */
int ds_conn_fail(struct ds_conn *conn, int code);

/* Runs SQL text that gives no rows, or whose rows do not matter. */
int ds_conn_exec(struct ds_conn *conn, const char *text);

/* The number that the SQL text gives. */
int ds_conn_number(struct ds_conn *conn, const char *text, int64_t *out);

/* A prepared statement, ready to be bound and stepped, which ds_conn_done() must end. Binding
 * cannot fail but for lack of memory, and then the next step says so. */
int ds_conn_statement(struct ds_conn *conn, enum ds_statement which, sqlite3_stmt **out);

/* 1 when there is a row, 0 when there is none (left), or a negative errno. */
int ds_conn_step(struct ds_conn *conn, sqlite3_stmt *statement);

/* Resets the statement and forgets its arguments. */
void ds_conn_done(sqlite3_stmt *statement);

/* Runs a statement without arguments and rows. */
int ds_conn_run(struct ds_conn *conn, enum ds_statement which);

/* Begins a transaction that reads one state, or one that changes and holds the write lock. */
int ds_conn_begin_read(struct ds_conn *conn);
int ds_conn_begin_change(struct ds_conn *conn);

/* Ends the transaction: commits it if `err` is 0 and the call has not been cancelled, else rolls it
 * back. Keeps call->sent right for a change. Returns how the operation ended. */
int ds_conn_end_read(struct ds_conn *conn, int err);
int ds_conn_end_change(struct ds_conn *conn, int err);

/* Moves what stands in the write-ahead log into the file, outside a transaction, so that the next
 * change has the log's room; waits for nobody. True if it did, at least in part. */
bool ds_conn_empty_log(struct ds_conn *conn);

/* The same, and the log keeps its room. */
enum ds_settle_result ds_conn_settle(struct ds_conn *conn);

/* Changes from now on make sure of the room that they need. 0 or a negative errno. */
int ds_conn_use_room(struct ds_conn *conn, struct ds_room *room);

#endif
