/* The tables of a store file: made, and recognised by their own text. */
#include "schema.h"

#include <errno.h>
#include <stddef.h>

/* `used` is the bytes of a DataSet's keys and values. `host` and `guest` are enum ds_access, `omit`
 * is 0 or 1. The long columns stand last, so that reading the others does not touch them. */
static const char *const tables[] = {
    ("CREATE TABLE datasets (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
     " host INTEGER NOT NULL, guest INTEGER NOT NULL, omit INTEGER NOT NULL,"
     " used INTEGER NOT NULL, description TEXT NOT NULL)"),
    ("CREATE TABLE entries (id INTEGER PRIMARY KEY, dataset INTEGER NOT NULL, key TEXT NOT NULL,"
     " value BLOB NOT NULL)"),
    "CREATE UNIQUE INDEX entries_by_key ON entries (dataset, key)",
};
enum { TABLE_COUNT = sizeof tables / sizeof *tables };

#define TEXT_OF(number) #number
#define PRAGMA(name, number) "PRAGMA " name " = " TEXT_OF(number) ";"
static const char marks[] =
    PRAGMA("application_id", DS_SCHEMA_APPLICATION_ID) PRAGMA("user_version", DS_SCHEMA_VERSION);

int ds_schema_make(struct ds_conn *conn)
{
    int err = 0;
    for (int i = 0; i < TABLE_COUNT && !err; i++)
        err = ds_conn_exec(conn, tables[i]);
    return err ? err : ds_conn_exec(conn, marks);
}

int ds_schema_check(struct ds_conn *conn, const char *file)
{
    sqlite3_stmt *statement;
    int err = ds_conn_statement(conn, DS_STMT_TABLES, &statement);
    if (err)
        return err;
    for (int i = 0; i < TABLE_COUNT; i++)
        sqlite3_bind_text(statement, i + 1, tables[i], -1, SQLITE_STATIC);
    int row = ds_conn_step(conn, statement);
    int count = row > 0 ? sqlite3_column_int(statement, 0) : 0;
    ds_conn_done(statement);
    if (row < 0)
        return row;
    if (count != TABLE_COUNT)
        return ds_call_fail(conn->call, -EINVAL,
                            "its tables are not those of a datasetfs store, or were changed: %s",
                            file);
    return 0;
}
