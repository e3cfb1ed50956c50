/* The operations of the vtable on entries. */
#include "entry.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* A DataSet and one of its keys, as found inside a transaction. */
struct place {
    int64_t dataset;
    bool exists;
    int64_t entry; /* id, if it exists */
    int64_t len;   /* bytes of the value, 0 if there is none */
};

static int list_keys_in(struct ds_client *client, struct ds_conn *conn, const char *dataset,
                        struct ds_names *out)
{
    sqlite3_stmt *statement;
    int64_t id = 0;
    int err = ds_local_find(client, conn, dataset, DS_LOCAL_WANT_READ, &id);
    if (!err)
        err = ds_conn_statement(conn, DS_STMT_LIST_KEYS, &statement);
    if (err)
        return err;
    sqlite3_bind_int64(statement, 1, id);
    err = ds_local_collect(conn, statement, out);
    if (err == -EFBIG)
        err = ds_call_fail(conn->call, -EPROTO, "a key in the store is longer than can be read");
    ds_conn_done(statement);
    return err;
}

int ds_local_list_keys(struct ds_client *client, struct ds_call *call, const char *dataset,
                       struct ds_names *out)
{
    struct ds_conn *conn;
    struct ds_names names = {0};
    int err = ds_local_begin(client, call, DS_OP_LIST_KEYS, DS_LOCAL_READ, &conn);
    if (err)
        return err;
    err = ds_local_end(client, conn, DS_LOCAL_READ, list_keys_in(client, conn, dataset, &names));
    if (err)
        ds_names_clear(&names);
    else
        *out = names;
    return err;
}

/* Words for a value that is there and cannot be read as one. */
static int not_text(struct ds_call *call)
{
    return ds_call_fail(call, -EBADMSG,
                        "the store holds no text here, or one longer than %d bytes: it can be "
                        "replaced or removed",
                        DS_VALUE_MAX_BYTES);
}

/* Copies the value in column `at`. */
static int read_value(struct ds_call *call, sqlite3_stmt *row, int at, struct ds_buf *out)
{
    int err = ds_local_read_text(row, at, DS_VALUE_MAX_BYTES, out);
    return err == -EPROTO ? not_text(call) : err;
}

/* One key of a get. A negative return fails the whole request. */
static int get_in(struct ds_client *client, struct ds_conn *conn, const char *dataset,
                  struct ds_entry *entry)
{
    sqlite3_stmt *statement;
    int err = ds_conn_statement(conn, DS_STMT_GET, &statement);
    if (err)
        return err;
    ds_local_bind_text(statement, 1, dataset);
    ds_local_bind_text(statement, 2, entry->key);
    int row = ds_conn_step(conn, statement);
    err = row < 0 ? row : row ? 0 : -ENOENT;
    if (!err)
        err = ds_local_check_access(client, conn->call, statement, 0, DS_LOCAL_WANT_READ);
    if (!err)
        entry->error = sqlite3_column_type(statement, 2) == SQLITE_NULL
                           ? -ENOENT
                           : read_value(conn->call, statement, 3, &entry->value);
    ds_conn_done(statement);
    if (err == -EFBIG) { /* so long that SQLite did not even measure it */
        int64_t id;
        err = ds_local_find(client, conn, dataset, DS_LOCAL_WANT_READ, &id);
        if (!err)
            entry->error = not_text(conn->call);
    }
    return err;
}

int ds_local_get(struct ds_client *client, struct ds_call *call, const char *dataset,
                 struct ds_entry *entries, size_t count)
{
    struct ds_conn *conn;
    enum ds_local_mode mode = count == 1 ? DS_LOCAL_STATEMENT : DS_LOCAL_READ;
    int err = ds_local_begin(client, call, DS_OP_GET, mode, &conn);
    if (err)
        return err;
    for (size_t i = 0; i < count; i++)
        entries[i].value = (struct ds_buf){0};
    for (size_t i = 0; i < count && !err; i++)
        err = get_in(client, conn, dataset, &entries[i]);
    err = ds_local_end(client, conn, mode, err);
    for (size_t i = 0; err && i < count; i++)
        ds_buf_free(&entries[i].value);
    return err;
}

/* The length of a value that was not written by us, such as SQLite's own text. */
static int measure_other(struct ds_conn *conn, struct place *place)
{
    int err = ds_local_run_with_id(conn, DS_STMT_LENGTH_OTHER, place->entry, &place->len);
    return err == -EFBIG ? 0 : err; /* too long to be measured, not to be replaced */
}

/* Finds what a change of `key` is about to change. */
static int find_place(struct ds_client *client, struct ds_conn *conn, const char *dataset,
                      const char *key, struct place *place)
{
    sqlite3_stmt *statement;
    bool measured = true;
    *place = (struct place){0};
    int err = ds_conn_statement(conn, DS_STMT_PLACE, &statement);
    if (err)
        return err;
    ds_local_bind_text(statement, 1, dataset);
    ds_local_bind_text(statement, 2, key);
    int row = ds_conn_step(conn, statement);
    err = row < 0 ? row : row ? 0 : -ENOENT;
    if (!err)
        err = ds_local_check_access(client, conn->call, statement, 1, DS_LOCAL_WANT_WRITE);
    if (!err) {
        place->dataset = sqlite3_column_int64(statement, 0);
        place->exists = sqlite3_column_type(statement, 3) != SQLITE_NULL;
        place->entry = sqlite3_column_int64(statement, 3);
        place->len = sqlite3_column_int64(statement, 4);
        measured = !place->exists || sqlite3_column_type(statement, 4) != SQLITE_NULL;
    }
    ds_conn_done(statement);
    return err || measured ? err : measure_other(conn, place);
}

/* Appends the value that stands in `place` to `out`. */
static int value_in(struct ds_conn *conn, const struct place *place, struct ds_buf *out)
{
    sqlite3_stmt *statement;
    int err = ds_conn_statement(conn, DS_STMT_VALUE, &statement);
    if (err)
        return err;
    sqlite3_bind_int64(statement, 1, place->entry);
    int row = ds_conn_step(conn, statement);
    err = row > 0 ? read_value(conn->call, statement, 0, out) : row < 0 ? row : -EIO;
    ds_conn_done(statement);
    return err;
}

/* Keeps `used` right after the DataSet has grown (or shrunk) by `growth` bytes. */
static int use(struct ds_conn *conn, int64_t dataset, int64_t growth)
{
    sqlite3_stmt *statement;
    if (!growth)
        return 0;
    int err = ds_conn_statement(conn, DS_STMT_USE, &statement);
    if (err)
        return err;
    sqlite3_bind_int64(statement, 1, dataset);
    sqlite3_bind_int64(statement, 2, growth);
    return ds_local_changed_one(conn, ds_local_run(conn, statement));
}

static int check_total(struct ds_conn *conn, int64_t growth)
{
    sqlite3_stmt *statement;
    if (growth <= 0)
        return 0;
    int err = ds_conn_statement(conn, DS_STMT_TOTAL, &statement);
    if (err)
        return err;
    int row = ds_conn_step(conn, statement);
    int64_t total = row > 0 ? sqlite3_column_int64(statement, 0) : 0;
    ds_conn_done(statement);
    if (row < 0)
        return row;
    if (total + growth > (int64_t)DS_TOTAL_MAX_BYTES)
        return ds_call_fail(conn->call, -ENOSPC, "a VM's DataSets hold at most %llu bytes in all",
                            DS_TOTAL_MAX_BYTES);
    return 0;
}

static int put_value(struct ds_conn *conn, const struct place *place, const char *key,
                     const char *data, size_t len)
{
    sqlite3_stmt *statement;
    int64_t growth = (int64_t)len - place->len;
    if (!place->exists)
        growth += (int64_t)strlen(key);
    int err = check_total(conn, growth);
    if (!err)
        err = ds_conn_statement(conn, place->exists ? DS_STMT_REPLACE : DS_STMT_INSERT, &statement);
    if (err)
        return err;
    if (place->exists) {
        sqlite3_bind_int64(statement, 1, place->entry);
        ds_local_bind_value(statement, 2, data, len);
    } else {
        sqlite3_bind_int64(statement, 1, place->dataset);
        ds_local_bind_text(statement, 2, key);
        ds_local_bind_value(statement, 3, data, len);
    }
    err = ds_local_changed_one(conn, ds_local_run(conn, statement));
    return err ? err : use(conn, place->dataset, growth);
}

/* Whether `data` stands there already, as we write it, so that nothing need be written. */
static int is_there(struct ds_conn *conn, const struct place *place, const char *data, size_t len,
                    bool *same)
{
    sqlite3_stmt *statement;
    *same = false;
    if (!place->exists || place->len != (int64_t)len)
        return 0;
    int err = ds_conn_statement(conn, DS_STMT_VALUE, &statement);
    if (err)
        return err;
    sqlite3_bind_int64(statement, 1, place->entry);
    int row = ds_conn_step(conn, statement);
    if (row > 0 && sqlite3_column_type(statement, 0) == SQLITE_BLOB) {
        const void *there = sqlite3_column_blob(statement, 0);
        *same = (size_t)sqlite3_column_bytes(statement, 0) == len &&
                (!len || (there && !memcmp(there, data, len)));
    }
    ds_conn_done(statement);
    return row < 0 ? row : 0;
}

static int set_in(struct ds_client *client, struct ds_conn *conn, const char *dataset,
                  const char *key, const char *data, size_t len)
{
    struct place place;
    bool same = false;
    int err = find_place(client, conn, dataset, key, &place);
    if (!err)
        err = is_there(conn, &place, data, len, &same);
    if (!err && !same)
        err = put_value(conn, &place, key, data, len);
    return err;
}

int ds_local_set(struct ds_client *client, struct ds_call *call, const char *dataset,
                 const char *key, const char *data, size_t len, const struct ds_previous *previous)
{
    struct ds_conn *conn;
    bool again = false;
    int err;
    (void)previous;
    do {
        err = ds_local_begin(client, call, DS_OP_SET, DS_LOCAL_CHANGE, &conn);
        if (err)
            return err;
        err = set_in(client, conn, dataset, key, data, len);
        err = ds_local_end_change(client, conn, err, &again);
    } while (again);
    return err;
}

static int append_in(struct ds_client *client, struct ds_conn *conn, const char *dataset,
                     const char *key, const char *data, size_t len)
{
    struct place place;
    struct ds_buf sum = {0};
    int err = find_place(client, conn, dataset, key, &place);
    if (!err && place.len + (int64_t)len > DS_VALUE_MAX_BYTES)
        err = ds_call_fail(conn->call, -EFBIG, "the value would be longer than %d bytes",
                           DS_VALUE_MAX_BYTES);
    if (!err && place.exists && !len)
        return 0;
    if (!err)
        err = ds_buf_reserve(&sum, (size_t)place.len + len);
    if (!err && place.exists)
        err = value_in(conn, &place, &sum);
    if (!err)
        err = ds_buf_append(&sum, data, len);
    if (!err)
        err = put_value(conn, &place, key, sum.data, sum.len);
    ds_buf_free(&sum);
    return err;
}

int ds_local_append(struct ds_client *client, struct ds_call *call, const char *dataset,
                    const char *key, const char *data, size_t len)
{
    struct ds_conn *conn;
    bool again = false;
    int err;
    do {
        err = ds_local_begin(client, call, DS_OP_APPEND, DS_LOCAL_CHANGE, &conn);
        if (err)
            return err;
        err = append_in(client, conn, dataset, key, data, len);
        err = ds_local_end_change(client, conn, err, &again);
    } while (again);
    return err;
}

static int remove_in(struct ds_client *client, struct ds_conn *conn, const char *dataset,
                     const char *key)
{
    struct place place;
    int err = find_place(client, conn, dataset, key, &place);
    if (!err && !place.exists)
        err = -ENOENT;
    if (!err)
        err = ds_local_changed_one(conn,
                                   ds_local_run_with_id(conn, DS_STMT_REMOVE, place.entry, NULL));
    if (!err)
        err = use(conn, place.dataset, -(place.len + (int64_t)strlen(key)));
    return err;
}

int ds_local_remove(struct ds_client *client, struct ds_call *call, const char *dataset,
                    const char *key)
{
    struct ds_conn *conn;
    bool again = false;
    int err;
    do {
        err = ds_local_begin(client, call, DS_OP_REMOVE, DS_LOCAL_CHANGE, &conn);
        if (err)
            return err;
        err = ds_local_end_change(client, conn, remove_in(client, conn, dataset, key), &again);
    } while (again);
    return err;
}
