/* The vtable on an SQLite store file: opening, and the operations on DataSets. */
#include "local.h"

#include "cleanup.h"
#include "ops.h"
#include "utf8.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_KEYS = 512 };

int ds_local_begin(struct ds_client *client, struct ds_call *call, enum ds_op op,
                   enum ds_local_mode mode, struct ds_conn **out)
{
    struct ds_pool *pool = ((struct ds_local *)client)->pool;
    struct ds_conn *conn;
    int err = ds_pool_take(pool, call, mode == DS_LOCAL_CHANGE, &conn);
    if (err)
        return err;
    ds_client_count(client, op);
    if (mode == DS_LOCAL_READ)
        err = ds_conn_begin_read(conn);
    if (mode == DS_LOCAL_CHANGE)
        err = ds_conn_begin_change(conn);
    if (err) {
        ds_pool_give(pool, conn, mode == DS_LOCAL_CHANGE);
        return err;
    }
    /* Once more: it may have waited long for its lock. */
    if (mode == DS_LOCAL_CHANGE)
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
    ds_pool_give(((struct ds_local *)client)->pool, conn, mode == DS_LOCAL_CHANGE);
    return err;
}

int ds_local_end_change(struct ds_client *client, struct ds_conn *conn, int err, bool *again)
{
    bool repeated = *again;
    err = ds_conn_end_change(conn, err);
    /* The store's own limit is -ENOSPC too, without the disk being full. */
    *again = err == -ENOSPC && conn->full && !repeated && ds_conn_empty_log(conn);
    ds_pool_give(((struct ds_local *)client)->pool, conn, true);
    return err;
}

enum ds_access ds_local_access(sqlite3_stmt *row, int at)
{
    sqlite3_int64 number = sqlite3_column_int64(row, at);
    if (sqlite3_column_type(row, at) != SQLITE_INTEGER || number < DS_ACCESS_NONE ||
        number > DS_ACCESS_READ_WRITE)
        return DS_ACCESS_UNKNOWN;
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

static int local_list(struct ds_client *client, struct ds_call *call, struct ds_names *out)
{
    struct ds_conn *conn;
    sqlite3_stmt *statement;
    struct ds_names names = {0};
    int err = ds_local_begin(client, call, DS_OP_LIST, DS_LOCAL_READ, &conn);
    if (err)
        return err;
    err = ds_conn_statement(conn, DS_STMT_LIST, &statement);
    if (!err) {
        err = ds_local_collect(conn, statement, &names);
        ds_conn_done(statement);
    }
    err = ds_local_end(client, conn, DS_LOCAL_READ, err);
    if (err)
        ds_names_clear(&names);
    else
        *out = names;
    return err;
}

/* What is not as we would have written it counts as not told. */
static int read_attributes(sqlite3_stmt *row, struct ds_attributes *out)
{
    struct ds_buf description DS_CLEANUP(ds_buf_free) = {0};
    int err = ds_local_read_text(row, 0, DS_DESCRIPTION_MAX_BYTES, &description);
    if (err && err != -EPROTO)
        return err;
    bool used_known =
        sqlite3_column_type(row, 4) == SQLITE_INTEGER && sqlite3_column_int64(row, 4) >= 0;
    struct ds_attributes read = {
        .description = err ? NULL : strdup(description.data ? description.data : ""),
        .host = ds_local_access(row, 1),
        .guest = ds_local_access(row, 2),
        .omit_from_snapshot_and_clone = sqlite3_column_int(row, 3) ? DS_FLAG_ON : DS_FLAG_OFF,
        .used_known = used_known,
        .used_bytes = used_known ? (uint64_t)sqlite3_column_int64(row, 4) : 0,
    };
    if (!err && !read.description)
        return -ENOMEM;
    *out = read;
    return 0;
}

static int local_query(struct ds_client *client, struct ds_call *call, const char *dataset,
                       struct ds_attributes *out)
{
    struct ds_conn *conn;
    sqlite3_stmt *statement;
    int err = ds_local_begin(client, call, DS_OP_QUERY, DS_LOCAL_STATEMENT, &conn);
    if (err)
        return err;
    err = ds_conn_statement(conn, DS_STMT_QUERY, &statement);
    if (!err) {
        ds_local_bind_text(statement, 1, dataset);
        int row = ds_conn_step(conn, statement);
        err = row > 0 ? read_attributes(statement, out) : row < 0 ? row : -ENOENT;
        ds_conn_done(statement);
    }
    return ds_local_end(client, conn, DS_LOCAL_READ, err);
}

static int local_create(struct ds_client *client, struct ds_call *call, const char *dataset,
                        const struct ds_attributes *attributes)
{
    struct ds_conn *conn;
    sqlite3_stmt *statement;
    int err = ds_local_begin(client, call, DS_OP_CREATE, DS_LOCAL_CHANGE, &conn);
    if (err)
        return err;
    err = ds_conn_statement(conn, DS_STMT_CREATE, &statement);
    if (!err) {
        const struct ds_attributes *a = attributes;
        ds_local_bind_text(statement, 1, dataset);
        ds_local_bind_text(statement, 2, a->description ? a->description : "");
        sqlite3_bind_int(statement, 3, (int)(a->host ? a->host : DS_ACCESS_READ_WRITE));
        sqlite3_bind_int(statement, 4, (int)(a->guest ? a->guest : DS_ACCESS_READ_WRITE));
        sqlite3_bind_int(statement, 5, a->omit_from_snapshot_and_clone == DS_FLAG_ON);
        err = ds_local_run(conn, statement);
        if (err == -EEXIST)
            ds_call_fail(call, err, "there is a DataSet of this name");
        else
            err = ds_local_changed_one(conn, err);
    }
    return ds_local_end(client, conn, DS_LOCAL_CHANGE, err);
}

static int local_update(struct ds_client *client, struct ds_call *call, const char *dataset,
                        const struct ds_attributes *attributes)
{
    struct ds_conn *conn;
    sqlite3_stmt *statement;
    int err = ds_local_begin(client, call, DS_OP_UPDATE, DS_LOCAL_CHANGE, &conn);
    if (err)
        return err;
    err = ds_conn_statement(conn, DS_STMT_UPDATE, &statement);
    if (!err) {
        /* What stays unbound is NULL and leaves the column as it is. */
        ds_local_bind_text(statement, 1, dataset);
        if (attributes->description)
            ds_local_bind_text(statement, 2, attributes->description);
        if (attributes->host)
            sqlite3_bind_int(statement, 3, attributes->host);
        if (attributes->guest)
            sqlite3_bind_int(statement, 4, attributes->guest);
        if (attributes->omit_from_snapshot_and_clone)
            sqlite3_bind_int(statement, 5, attributes->omit_from_snapshot_and_clone == DS_FLAG_ON);
        err = ds_local_run(conn, statement);
        if (!err && !sqlite3_changes(conn->db))
            err = -ENOENT;
    }
    return ds_local_end(client, conn, DS_LOCAL_CHANGE, err);
}

static int destroy_in(struct ds_client *client, struct ds_conn *conn, const char *dataset,
                      bool force)
{
    int64_t id = 0;
    int64_t has_entries = 0;
    int err = ds_local_find(client, conn, dataset, DS_LOCAL_WANT_NOTHING, &id);
    if (!err && !force)
        err = ds_local_run_with_id(conn, DS_STMT_HAS_ENTRIES, id, &has_entries);
    if (!err && has_entries)
        err = ds_call_fail(conn->call, -ENOTEMPTY, "the DataSet has entries");
    if (!err && force)
        err = ds_local_run_with_id(conn, DS_STMT_DESTROY_ENTRIES, id, NULL);
    if (!err)
        err = ds_local_changed_one(conn, ds_local_run_with_id(conn, DS_STMT_DESTROY, id, NULL));
    return err;
}

static int local_destroy(struct ds_client *client, struct ds_call *call, const char *dataset,
                         bool force)
{
    struct ds_conn *conn;
    bool again = false;
    int err;
    do {
        err = ds_local_begin(client, call, DS_OP_DESTROY, DS_LOCAL_CHANGE, &conn);
        if (err)
            return err;
        err = ds_local_end_change(client, conn, destroy_in(client, conn, dataset, force), &again);
    } while (again);
    return err;
}

static void local_free(struct ds_client *client, struct ds_call *call)
{
    struct ds_local *local = (struct ds_local *)client;
    ds_pool_free(local->pool, call);
    free(local);
}

static const struct ds_client_ops local_ops = {
    .name = "local",
    .list = local_list,
    .query = local_query,
    .create = local_create,
    .update = local_update,
    .destroy = local_destroy,
    .list_keys = ds_local_list_keys,
    .get = ds_local_get,
    .set = ds_local_set,
    .append = ds_local_append,
    .remove = ds_local_remove,
    .free = local_free,
};

int ds_local_open(const char *file, enum ds_side side, bool read_only, struct ds_call *call,
                  struct ds_client **out)
{
    struct ds_local *local = calloc(1, sizeof *local);
    if (!local)
        return -ENOMEM;
    int err = ds_pool_new(file, read_only, call, &local->pool);
    if (err) {
        free(local);
        return err;
    }
    local->client.ops = &local_ops;
    local->client.caps = (struct ds_caps){
        .side = side,
        .can_create = side == DS_SIDE_HOST,
        .can_append = true,
        .batch_keys = BATCH_KEYS,
        .parallel = DS_POOL_CONNECTIONS,
    };
    *out = &local->client;
    return 0;
}
