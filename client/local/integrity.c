/* Whether a store file is what it was written to be. */
#include "integrity.h"

#include "store.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The first fault is enough. */
static const char question[] = "PRAGMA integrity_check(1)";

static int ask(struct ds_conn *conn)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(conn->db, question, -1, &statement, NULL);
    if (code != SQLITE_OK)
        return ds_conn_fail(conn, code);
    int row = ds_conn_step(conn, statement);
    const char *said = row > 0 ? (const char *)sqlite3_column_text(statement, 0) : NULL;
    int err = row < 0 ? row : 0;
    if (!err && (!said || strcmp(said, "ok") != 0))
        err = ds_call_fail(conn->call, -EIO, "the store file is damaged: %.180s",
                           said ? said : "nobody tells where");
    sqlite3_finalize(statement);
    return err;
}

int ds_integrity_check(const char *file, struct ds_call *call)
{
    char text[DS_CALL_TEXT_BYTES];
    struct ds_conn *conn;
    int err = ds_store_connect(file, DS_STORE_READ, call, &conn);
    if (err)
        return err;
    err = ask(conn);
    snprintf(text, sizeof text, "%s", call->text);
    ds_conn_close(conn, call);
    memcpy(call->text, text, sizeof text);
    return err;
}
