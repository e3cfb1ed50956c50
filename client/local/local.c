/* The vtable on an SQLite store file: opening, and the operations on DataSets. */
#include "local.h"

#include "cleanup.h"
#include "entry.h"

#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_KEYS = 512 };

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
    ds_open_store_end(&local->store, call);
    free(local->file);
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

int ds_local_prepare(const char *path, bool read_only, struct ds_confine *confine)
{
    bool is_directory = path[strlen(path) - 1] == '/';
    char *folder DS_AUTO_FREE = strdup(path);
    confine->store = strdup(path);
    confine->store_read = read_only;
    if (!folder || !confine->store)
        return -ENOMEM;
    /* What SQLite keeps in a file for a moment, it keeps beside the store. */
    if (setenv("SQLITE_TMPDIR", is_directory ? path : dirname(folder), 0) != 0)
        return -ENOMEM;
    return is_directory ? ds_confine_directory(confine, path, true)
                        : ds_confine_file(confine, path, true);
}

static int open_store(const char *file, enum ds_side side, enum ds_store_use use,
                      struct ds_open_stores *all, struct ds_call *call, struct ds_client **out)
{
    struct ds_local *local = calloc(1, sizeof *local);
    if (!local)
        return -ENOMEM;
    local->file = strdup(file);
    local->store = (struct ds_open_store){
        .all = all, .identity = {.file = local->file, .listed = all != NULL}, .use = use};
    int err = local->file ? ds_open_store_begin(&local->store, call) : -ENOMEM;
    if (err) {
        free(local->file);
        free(local);
        return err;
    }
    local->client.ops = &local_ops;
    local->client.caps = ds_local_caps(side);
    *out = &local->client;
    return 0;
}

struct ds_caps ds_local_caps(enum ds_side side)
{
    return (struct ds_caps){
        .side = side,
        .can_create = side == DS_SIDE_HOST,
        .can_append = true,
        .batch_keys = BATCH_KEYS,
        .parallel = DS_POOL_CONNECTIONS,
    };
}

int ds_local_open(const char *file, enum ds_side side, bool read_only, struct ds_call *call,
                  struct ds_client **out)
{
    return open_store(file, side, read_only ? DS_STORE_READ : DS_STORE_MAKE, NULL, call, out);
}

int ds_local_open_listed(const char *file, enum ds_side side, bool read_only,
                         struct ds_open_stores *all, struct ds_call *call, struct ds_client **out)
{
    return open_store(file, side, read_only ? DS_STORE_READ : DS_STORE_CHANGE, all, call, out);
}
