/* One SQLite connection: its statements, its waits, its transactions. */
#include "conn.h"

#include "buf.h"
#include "cleanup.h"
#include "dataset.h"
#include "error.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VALUE_MAX_BYTES 1048576
_Static_assert(VALUE_MAX_BYTES == DS_VALUE_MAX_BYTES, "the limit of values, for SQL");
#define TEXT(number) #number
#define TEXT_OF(macro) TEXT(macro)

enum {
    BUSY_WAIT_MAX_MS = 4,
    /* Virtual machine steps between two looks at the call: some tens of microseconds. */
    PROGRESS_STEPS = 2000,
    /* No row of ours is longer than an eighth of that; a damaged store, or one that somebody else
     * has filled, must not make us allocate without bound. */
    ROW_MAX_BYTES = 16 * 1024 * 1024,
};

/* Bytes in use, as a number that can be added to whatever somebody has put there. */
#define USED "CASE typeof(used) WHEN 'integer' THEN max(0, min(used, 1000000000000)) ELSE 0 END"

static const char *const sql[DS_STMT_COUNT] = {
    [DS_STMT_TABLES] = "SELECT count(*) FROM sqlite_schema WHERE sql IN (?1, ?2, ?3)",
    [DS_STMT_BEGIN_READ] = "BEGIN",
    [DS_STMT_BEGIN_CHANGE] = "BEGIN IMMEDIATE",
    [DS_STMT_COMMIT] = "COMMIT",
    [DS_STMT_ROLLBACK] = "ROLLBACK",
    [DS_STMT_LIST] = "SELECT name FROM datasets ORDER BY name",
    [DS_STMT_QUERY] = "SELECT description, host, guest, omit, used FROM datasets WHERE name = ?1",
    [DS_STMT_CREATE] = "INSERT INTO datasets (name, description, host, guest, omit, used)"
                       " VALUES (?1, ?2, ?3, ?4, ?5, 0)",
    [DS_STMT_UPDATE] = "UPDATE datasets SET description = coalesce(?2, description),"
                       " host = coalesce(?3, host), guest = coalesce(?4, guest),"
                       " omit = coalesce(?5, omit) WHERE name = ?1",
    [DS_STMT_HAS_ENTRIES] = "SELECT EXISTS (SELECT 1 FROM entries WHERE dataset = ?1)",
    [DS_STMT_DESTROY_ENTRIES] = "DELETE FROM entries WHERE dataset = ?1",
    [DS_STMT_DESTROY] = "DELETE FROM datasets WHERE id = ?1",
    [DS_STMT_FIND] = "SELECT id, host, guest FROM datasets WHERE name = ?1",
    [DS_STMT_LIST_KEYS] = "SELECT key FROM entries WHERE dataset = ?1 ORDER BY key",
    /* What is too long is not even read. */
    [DS_STMT_GET] = "SELECT d.host, d.guest, e.key,"
                    " CASE WHEN length(e.value) <= " TEXT_OF(
                        VALUE_MAX_BYTES) " THEN e.value END"
                                         " FROM datasets d LEFT JOIN entries e"
                                         " ON e.dataset = d.id AND e.key = ?2 WHERE d.name = ?1",
    [DS_STMT_TOTAL] = "SELECT sum(" USED ") FROM datasets",
    /* The length of other types than ours counts characters, and needs the value itself. */
    [DS_STMT_PLACE] = "SELECT d.id, d.host, d.guest, e.id,"
                      " CASE typeof(e.value) WHEN 'blob' THEN length(e.value) END"
                      " FROM datasets d LEFT JOIN entries e"
                      " ON e.dataset = d.id AND e.key = ?2 WHERE d.name = ?1",
    [DS_STMT_LENGTH_OTHER] = "SELECT length(CAST(value AS BLOB)) FROM entries WHERE id = ?1",
    [DS_STMT_VALUE] = "SELECT value FROM entries WHERE id = ?1",
    [DS_STMT_INSERT] = "INSERT INTO entries (dataset, key, value) VALUES (?1, ?2, ?3)",
    [DS_STMT_REPLACE] = "UPDATE entries SET value = ?2 WHERE id = ?1",
    [DS_STMT_REMOVE] = "DELETE FROM entries WHERE id = ?1",
    [DS_STMT_USE] = "UPDATE datasets SET used = max(0, ?2 + " USED ") WHERE id = ?1",
    [DS_STMT_PAGES] = "PRAGMA page_count",
};

/* SQLite asks whether to try again for a lock that another connection holds. */
static int wait_for_lock(void *context, int tries)
{
    struct ds_conn *conn = context;
    conn->waited = true;
    int ms = tries < BUSY_WAIT_MAX_MS ? tries + 1 : BUSY_WAIT_MAX_MS;
    return ds_call_sleep(conn->call, ms) == 0;
}

/* SQLite asks now and then whether to give a long statement up. */
static int look_at_call(void *context)
{
    struct ds_conn *conn = context;
    return !conn->committing && ds_call_check(conn->call) != 0;
}

/* The name as SQLite takes it. It gives names such as ":memory:" a meaning of their own, and in a
 * URI percent signs, "?" and "#". NULL without memory. */
static char *make_path(const char *file, enum ds_conn_mode mode)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-";
    bool uri = mode == DS_CONN_UNCHANGING;
    struct ds_buf path = {0};
    int err = ds_buf_printf(&path, "%s%s", uri ? "file:" : "", file[0] == '/' ? "" : "./");
    for (const char *p = file; *p && !err; p++)
        err = !uri || strchr(plain, *p) ? ds_buf_append(&path, p, 1)
                                        : ds_buf_printf(&path, "%%%02X", (unsigned char)*p);
    if (!err && uri)
        err = ds_buf_puts(&path, "?immutable=1");
    if (err)
        ds_buf_free(&path);
    return path.data;
}

int ds_conn_open(const char *file, enum ds_conn_mode mode, struct ds_call *call,
                 struct ds_conn **out)
{
    static const int flags[] = {
        [DS_CONN_CHANGING] = SQLITE_OPEN_READWRITE,
        [DS_CONN_READING] = SQLITE_OPEN_READONLY,
        [DS_CONN_UNCHANGING] = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI,
    };
    struct ds_conn *conn = calloc(1, sizeof *conn);
    char *path DS_AUTO_FREE = make_path(file, mode);
    if (!conn || !path) {
        free(conn);
        return -ENOMEM;
    }
    conn->call = call;
    int code = sqlite3_open_v2(path, &conn->db, flags[mode] | SQLITE_OPEN_NOMUTEX, NULL);
    if (code != SQLITE_OK) {
        int err = ds_conn_fail(conn, code);
        ds_conn_close(conn, call);
        return err;
    }
    sqlite3_extended_result_codes(conn->db, 1);
    sqlite3_busy_handler(conn->db, wait_for_lock, conn);
    sqlite3_progress_handler(conn->db, PROGRESS_STEPS, look_at_call, conn);
    sqlite3_limit(conn->db, SQLITE_LIMIT_LENGTH, ROW_MAX_BYTES);
    sqlite3_db_config(conn->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(conn->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    /* We make none: what somebody else has put there does not run with our rights, nor decides what
     * becomes of a change. */
    sqlite3_db_config(conn->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    sqlite3_db_config(conn->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    *out = conn;
    return 0;
}

void ds_conn_close(struct ds_conn *conn, struct ds_call *call)
{
    if (!conn)
        return;
    conn->call = call;
    for (int i = 0; i < DS_STMT_COUNT; i++)
        sqlite3_finalize(conn->statements[i]);
    sqlite3_close(conn->db);
    free(conn);
}

/* What the system said of the file that `which` (SQLITE_FCNTL_…_POINTER) finds, 0 if nothing. */
static int last_errno(struct ds_conn *conn, int which)
{
    sqlite3_file *file = NULL;
    int error = 0;
    if (sqlite3_file_control(conn->db, "main", which, &file) != SQLITE_OK || !file ||
        !file->pMethods || file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &error) != 0)
        return 0;
    return error;
}

/* The errno behind a failure. SQLite does not note it for a COMMIT, but its files do. */
static int find_system_error(struct ds_conn *conn)
{
    int error = conn->db ? sqlite3_system_errno(conn->db) : 0;
    if (conn->db && !error)
        error = last_errno(conn, SQLITE_FCNTL_JOURNAL_POINTER);
    if (conn->db && !error)
        error = last_errno(conn, SQLITE_FCNTL_FILE_POINTER);
    return error;
}

static int fail_full(struct ds_conn *conn, int system_error)
{
    conn->full = true;
    return ds_call_fail(conn->call, -ENOSPC,
                        system_error == EFBIG
                            ? "the store file may not grow: the limit of file sizes (ulimit -f)"
                            : "no space is left where the store file lies");
}

int ds_conn_fail(struct ds_conn *conn, int code)
{
    struct ds_call *call = conn->call;
    int system_error = find_system_error(conn);
    int err = ds_local_errno(code, system_error);
    int primary = code & 0xFF;

    if (err == -EAGAIN || err == -EINTR) {
        /* A lock that was held to the deadline is a busy store, not a silent one. */
        int late = ds_call_check(call);
        if (late == -EINTR || (late && err == -EINTR))
            return late;
        return ds_call_fail(call, -EAGAIN, "another process holds the store locked");
    }
    if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB)
        return ds_call_fail(call, err, "the store file is damaged");
    if (err == -ENOSPC)
        return fail_full(conn, system_error);
    if (err == -EROFS)
        return ds_call_fail(call, err, "the store file cannot be written to: it is read-only");
    if (err == -EMFILE || err == -ENFILE)
        return ds_call_fail(call, err, "too many files are open: the limit of %s",
                            err == -EMFILE ? "this process (ulimit -n)" : "the whole system");
    return ds_call_fail(call, err, "the store file: %s", sqlite3_errstr(code));
}

int ds_conn_exec(struct ds_conn *conn, const char *text)
{
    int code = sqlite3_exec(conn->db, text, NULL, NULL, NULL);
    return code == SQLITE_OK ? 0 : ds_conn_fail(conn, code);
}

int ds_conn_number(struct ds_conn *conn, const char *text, int64_t *out)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(conn->db, text, -1, &statement, NULL);
    if (code != SQLITE_OK)
        return ds_conn_fail(conn, code);
    int row = ds_conn_step(conn, statement);
    if (row > 0)
        *out = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return row > 0 ? 0 : row < 0 ? row : ds_conn_fail(conn, SQLITE_CORRUPT);
}

/* False: it finds rows, or changes them, whatever their values are. */
static bool reads_values(enum ds_statement which)
{
    return which != DS_STMT_PLACE && which != DS_STMT_REPLACE && which != DS_STMT_REMOVE;
}

/* What it writes may not fit into the pages that there are. */
static bool may_grow(enum ds_statement which)
{
    return which == DS_STMT_CREATE || which == DS_STMT_UPDATE || which == DS_STMT_INSERT ||
           which == DS_STMT_REPLACE;
}

int ds_conn_statement(struct ds_conn *conn, enum ds_statement which, sqlite3_stmt **out)
{
    if (!conn->statements[which]) {
        int code = sqlite3_prepare_v3(conn->db, sql[which], -1, SQLITE_PREPARE_PERSISTENT,
                                      &conn->statements[which], NULL);
        if (code != SQLITE_OK)
            return ds_conn_fail(conn, code);
    }
    /* SQLite 3.34 counts a whole row even where it reads only what is in front of the value. */
    sqlite3_limit(conn->db, SQLITE_LIMIT_LENGTH, reads_values(which) ? ROW_MAX_BYTES : INT_MAX);
    if (may_grow(which))
        conn->grows = true;
    *out = conn->statements[which];
    return 0;
}

int ds_conn_step(struct ds_conn *conn, sqlite3_stmt *statement)
{
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        return 1;
    return code == SQLITE_DONE ? 0 : ds_conn_fail(conn, code);
}

void ds_conn_done(sqlite3_stmt *statement)
{
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
}

int ds_conn_run(struct ds_conn *conn, enum ds_statement which)
{
    sqlite3_stmt *statement = NULL;
    int err = ds_conn_statement(conn, which, &statement);
    if (err)
        return err;
    err = ds_conn_step(conn, statement);
    ds_conn_done(statement);
    return err;
}

int ds_conn_begin_read(struct ds_conn *conn)
{
    return ds_conn_run(conn, DS_STMT_BEGIN_READ);
}

int ds_conn_begin_change(struct ds_conn *conn)
{
    conn->full = conn->waited = conn->grows = false;
    return ds_conn_run(conn, DS_STMT_BEGIN_CHANGE);
}

/* Keeps the words of the failure that it follows. SQLite may have rolled back by itself. */
static void roll_back(struct ds_conn *conn)
{
    if (sqlite3_get_autocommit(conn->db))
        return;
    char text[DS_CALL_TEXT_BYTES];
    memcpy(text, conn->call->text, sizeof text);
    conn->committing = true;
    ds_conn_run(conn, DS_STMT_ROLLBACK);
    conn->committing = false;
    memcpy(conn->call->text, text, sizeof text);
}

/* The store has had its say, unless it was never heard. */
static int answered(struct ds_conn *conn, int err)
{
    if (err != -EAGAIN && err != -EINTR && err != -ETIMEDOUT)
        ds_call_set_sent(conn->call, DS_SENT_ANSWERED);
    return err;
}

int ds_conn_end_read(struct ds_conn *conn, int err)
{
    roll_back(conn);
    return answered(conn, err);
}

/* What is committed must find its place in the file later. To ask for the number of pages costs as
 * much as the rest of a change that is small: SQLite parses each PRAGMA anew. */
static int reserve(struct ds_conn *conn)
{
    sqlite3_stmt *statement = NULL;
    if (!conn->room || !conn->grows)
        return 0;
    int err = ds_conn_statement(conn, DS_STMT_PAGES, &statement);
    if (err)
        return err;
    int row = ds_conn_step(conn, statement);
    int64_t pages = row > 0 ? sqlite3_column_int64(statement, 0) : 0;
    ds_conn_done(statement);
    if (row < 0)
        return row;
    err = ds_room_reserve(conn->room, pages * conn->page_bytes);
    return err ? fail_full(conn, -err) : 0;
}

int ds_conn_end_change(struct ds_conn *conn, int err)
{
    if (!err)
        err = ds_call_check(conn->call);
    if (!err)
        err = reserve(conn);
    if (!err) {
        ds_call_set_sent(conn->call, DS_SENT_MAYBE);
        conn->committing = true;
        err = ds_conn_run(conn, DS_STMT_COMMIT);
        conn->committing = false;
        ds_call_set_sent(conn->call, DS_SENT_ANSWERED);
    }
    roll_back(conn);
    return answered(conn, err);
}

static void keep_log(struct ds_conn *conn)
{
    const char *file = sqlite3_db_filename(conn->db, "main");
    if (conn->room && file)
        ds_room_keep_log(sqlite3_filename_wal(file));
}

/* Waits for nobody. */
static int checkpoint(struct ds_conn *conn, int mode, bool *all)
{
    int frames = 0;
    int moved = 0;
    sqlite3_busy_handler(conn->db, NULL, NULL);
    int code = sqlite3_wal_checkpoint_v2(conn->db, "main", mode, &frames, &moved);
    sqlite3_busy_handler(conn->db, wait_for_lock, conn);
    *all = frames == moved;
    return code;
}

bool ds_conn_empty_log(struct ds_conn *conn)
{
    bool all;
    int code = checkpoint(conn, SQLITE_CHECKPOINT_TRUNCATE, &all);
    keep_log(conn);
    return code == SQLITE_OK || code == SQLITE_BUSY;
}

enum ds_settle_result ds_conn_settle(struct ds_conn *conn)
{
    bool all;
    int code = checkpoint(conn, SQLITE_CHECKPOINT_PASSIVE, &all);
    if (code == SQLITE_BUSY || code == SQLITE_LOCKED || (code == SQLITE_OK && !all))
        return DS_SETTLE_LATER;
    return code == SQLITE_OK ? DS_SETTLE_DONE : DS_SETTLE_FAILED;
}

int ds_conn_use_room(struct ds_conn *conn, struct ds_room *room)
{
    int64_t version;
    int err = ds_conn_number(conn, "PRAGMA page_size", &conn->page_bytes);
    if (!err) /* whoever reads makes the log */
        err = ds_conn_number(conn, "PRAGMA user_version", &version);
    if (err)
        return err;
    conn->room = room;
    keep_log(conn);
    return 0;
}
