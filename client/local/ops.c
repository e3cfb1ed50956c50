/* What the operations on DataSets and on their entries share. */
#include "ops.h"

#include "cleanup.h"
#include "utf8.h"

#include <errno.h>
#include <string.h>

static struct ds_open_store *store_of(struct ds_client *client)
{
    return &((struct ds_local *)client)->store;
}

/* Gives the connection back, and its store. */
static void give(struct ds_client *client, struct ds_conn *conn, bool change)
{
    struct ds_call *call = conn->call;
    ds_pool_give(store_of(client)->pool, conn, change);
    ds_open_store_let_go(store_of(client), call);
}

int ds_local_begin(struct ds_client *client, struct ds_call *call, enum ds_op op,
                   enum ds_local_mode mode, struct ds_conn **out)
{
    struct ds_pool *pool;
    struct ds_conn *conn;
    int err = ds_open_store_hold(store_of(client), call, &pool);
    if (err)
        return err;
    err = ds_pool_take(pool, call, mode == DS_LOCAL_CHANGE, &conn);
    if (err) {
        ds_open_store_let_go(store_of(client), call);
        return err;
    }
    ds_client_count(client, op);
    if (mode == DS_LOCAL_READ)
        err = ds_conn_begin_read(conn);
    if (mode == DS_LOCAL_CHANGE)
        err = ds_conn_begin_change(conn);
    if (err) {
        give(client, conn, mode == DS_LOCAL_CHANGE);
        return err;
    }
    /* Once more: it may have waited long for its lock. */
    if (mode == DS_LOCAL_CHANGE && conn->waited)
        err = ds_pool_check(pool, call);
    if (err) {
        ds_local_end(client, conn, mode, err);
        return err;
    }
    *out = conn;
    return 0;
}

int ds_local_end(struct ds_client *client, struct ds_conn *conn, enum ds_local_mode mode, int err)
{
    err = mode == DS_LOCAL_CHANGE ? ds_conn_end_change(conn, err) : ds_conn_end_read(conn, err);
    give(client, conn, mode == DS_LOCAL_CHANGE);
    return err;
}

int ds_local_end_change(struct ds_client *client, struct ds_conn *conn, int err, bool *again)
{
    bool repeated = *again;
    err = ds_conn_end_change(conn, err);
    /* The store's own limit is -ENOSPC too, without the disk being full. */
    *again = err == -ENOSPC && conn->full && !repeated && ds_conn_empty_log(conn);
    give(client, conn, true);
    return err;
}

enum ds_access ds_local_access(sqlite3_stmt *row, int at)
{
    sqlite3_int64 number = sqlite3_column_int64(row, at);
    if (sqlite3_column_type(row, at) != SQLITE_INTEGER || number < DS_ACCESS_NONE ||
        number > DS_ACCESS_READ_WRITE)
        return DS_ACCESS_NONE;
    return (enum ds_access)number;
}

int ds_local_check_access(struct ds_client *client, struct ds_call *call, sqlite3_stmt *row,
                          int host, enum ds_local_want want)
{
    enum ds_side side = client->caps.side;
    enum ds_access access = ds_local_access(row, side == DS_SIDE_HOST ? host : host + 1);
    if (want == DS_LOCAL_WANT_NOTHING || access == DS_ACCESS_READ_WRITE ||
        (access == DS_ACCESS_READ_ONLY && want == DS_LOCAL_WANT_READ))
        return 0;
    return ds_call_fail(call, -EACCES, "the DataSet is %s for the %s", ds_access_name(access),
                        side == DS_SIDE_HOST ? "host" : "guest");
}

int ds_local_find(struct ds_client *client, struct ds_conn *conn, const char *dataset,
                  enum ds_local_want want, int64_t *id)
{
    sqlite3_stmt *statement;
    int err = ds_conn_statement(conn, DS_STMT_FIND, &statement);
    if (err)
        return err;
    ds_local_bind_text(statement, 1, dataset);
    int row = ds_conn_step(conn, statement);
    err = row < 0 ? row : row ? 0 : -ENOENT;
    if (!err)
        err = ds_local_check_access(client, conn->call, statement, 1, want);
    if (!err)
        *id = sqlite3_column_int64(statement, 0);
    ds_conn_done(statement);
    return err;
}

void ds_local_bind_text(sqlite3_stmt *statement, int at, const char *text)
{
    sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
}

/* A NULL pointer would store NULL, not an empty value. */
void ds_local_bind_value(sqlite3_stmt *statement, int at, const char *data, size_t len)
{
    sqlite3_bind_blob64(statement, at, len ? data : "", len, SQLITE_STATIC);
}

int ds_local_run(struct ds_conn *conn, sqlite3_stmt *statement)
{
    int err = ds_conn_step(conn, statement);
    ds_conn_done(statement);
    return err;
}

int ds_local_changed_one(struct ds_conn *conn, int err)
{
    if (err && err != -EEXIST)
        return err;
    if (!err && sqlite3_changes(conn->db) == 1)
        return 0;
    return ds_call_fail(conn->call, -EIO,
                        "the store did not take the change: its tables are not ours");
}

int ds_local_run_with_id(struct ds_conn *conn, enum ds_statement which, int64_t id, int64_t *out)
{
    sqlite3_stmt *statement;
    int err = ds_conn_statement(conn, which, &statement);
    if (err)
        return err;
    sqlite3_bind_int64(statement, 1, id);
    int row = ds_conn_step(conn, statement);
    if (row > 0 && out)
        *out = sqlite3_column_int64(statement, 0);
    ds_conn_done(statement);
    return row < 0 ? row : 0;
}

int ds_local_read_text(sqlite3_stmt *row, int at, size_t max_bytes, struct ds_buf *out)
{
    int type = sqlite3_column_type(row, at);
    if (type != SQLITE_TEXT && type != SQLITE_BLOB)
        return -EPROTO;
    const void *data =
        type == SQLITE_TEXT ? sqlite3_column_text(row, at) : sqlite3_column_blob(row, at);
    size_t len = (size_t)sqlite3_column_bytes(row, at);
    if (len && !data)
        return -ENOMEM;
    if (len > max_bytes || !ds_utf8_valid(data, len))
        return -EPROTO;
    return ds_buf_append(out, data, len);
}

/* Adds a row's name. -EPROTO if it cannot be one: a BLOB is not found by a name that is text. */
static int add_name(sqlite3_stmt *row, struct ds_names *out)
{
    struct ds_buf name DS_CLEANUP(ds_buf_free) = {0};
    if (sqlite3_column_type(row, 0) != SQLITE_TEXT)
        return -EPROTO;
    int err = ds_local_read_text(row, 0, DS_NAME_MAX_BYTES, &name);
    return err ? err : ds_names_add(out, name.data ? name.data : "");
}

int ds_local_collect(struct ds_conn *conn, sqlite3_stmt *statement, struct ds_names *out)
{
    int row;
    while ((row = ds_conn_step(conn, statement)) > 0) {
        int err = add_name(statement, out);
        if (err == -EPROTO)
            out->left_out++;
        else if (err)
            return err;
    }
    return row;
}
