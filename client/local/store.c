/* The store file: making, recognising and preparing it. */
#include "store.h"

#include "../base/file_access.h"
#include "cleanup.h"
#include "guard.h"
#include "schema.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

/* From "Database File Format" (sqlite.org/fileformat2.html), section 1.3. */
enum {
    HEADER_BYTES = 100,
    HEADER_USER_VERSION = 60,
    HEADER_APPLICATION_ID = 68,
};
static const char header_magic[16] = "SQLite format 3";

static int fail_file(struct ds_call *call, const char *file, int error)
{
    if (error == ENOENT)
        return ds_call_fail(call, -ENOENT, "%s: its directory does not exist", file);
    if (error == EROFS)
        return ds_call_fail(call, -EROFS, "%s: the file system is read-only", file);
    if (error == EISDIR)
        return ds_call_fail(
            call, -EISDIR,
            "%s is a directory: name a store file, or end with a slash for all in it", file);
    return ds_call_fail(call, -error, "%s: %s", file, strerror(error));
}

static int not_a_store(struct ds_call *call, const char *file)
{
    return ds_call_fail(call, -EINVAL, "%s is not a datasetfs store", file);
}

static int no_such_store(struct ds_call *call, const char *file)
{
    return ds_call_fail(call, -ENOENT, "%s: there is no such store", file);
}

static int make_if_missing(const char *file, bool make, struct ds_call *call)
{
    struct stat status;
    if (stat(file, &status) < 0) {
        if (errno != ENOENT)
            return fail_file(call, file, errno);
        if (!make)
            return no_such_store(call, file);
        /* As open(O_CREAT|O_EXCL), but without a descriptor: closing one would drop the locks that
         * this process has on the file. Another process may be faster. */
        if (mknod(file, S_IFREG | 0600, 0) < 0 && errno != EEXIST)
            return fail_file(call, file, errno);
        return 0;
    }
    if (S_ISDIR(status.st_mode))
        return fail_file(call, file, EISDIR);
    /* The size is looked at here because SQLite takes a file of one byte for an empty one. */
    if (!S_ISREG(status.st_mode) || (status.st_size > 0 && status.st_size < HEADER_BYTES))
        return not_a_store(call, file);
    return 0;
}

static uint32_t big_endian(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static int check_version(struct ds_call *call, const char *file, int64_t version)
{
    if (version > DS_SCHEMA_VERSION)
        return ds_call_fail(call, -EINVAL,
                            "%s is a store of version %lld, this program knows up to %d", file,
                            (long long)version, DS_SCHEMA_VERSION);
    return 0;
}

/* Reads the header through SQLite's own handle: no lock is taken, no journal of somebody else's
 * database is rolled back, and no descriptor is closed (see above). An empty file passes. */
static int recognise(struct ds_conn *conn, const char *file)
{
    sqlite3_file *handle = NULL;
    sqlite3_int64 size = 0;
    unsigned char header[HEADER_BYTES];

    sqlite3_file_control(conn->db, "main", SQLITE_FCNTL_FILE_POINTER, &handle);
    if (!handle || !handle->pMethods)
        return ds_conn_fail(conn, SQLITE_CANTOPEN);
    int code = handle->pMethods->xFileSize(handle, &size);
    if (code != SQLITE_OK)
        return ds_conn_fail(conn, code);
    if (size == 0)
        return 0;
    if (size < HEADER_BYTES)
        return not_a_store(conn->call, file);
    code = handle->pMethods->xRead(handle, header, HEADER_BYTES, 0);
    if (code != SQLITE_OK)
        return ds_conn_fail(conn, code);
    if (memcmp(header, header_magic, sizeof header_magic) != 0 ||
        big_endian(header + HEADER_APPLICATION_ID) != DS_SCHEMA_APPLICATION_ID)
        return not_a_store(conn->call, file);
    return check_version(conn->call, file, big_endian(header + HEADER_USER_VERSION));
}

/* Makes the tables, unless another process has done so meanwhile. All of it is one transaction, so
 * that a file is either empty or a store. */
static int initialise(struct ds_conn *conn, const char *file)
{
    int64_t pages = 0;
    int64_t id = 0;
    int err = ds_conn_exec(conn, "BEGIN EXCLUSIVE");
    if (!err)
        err = ds_conn_number(conn, "PRAGMA application_id", &id);
    if (!err && id != DS_SCHEMA_APPLICATION_ID) {
        err = ds_conn_number(conn, "SELECT count(*) FROM sqlite_schema", &pages);
        if (!err && (id || pages))
            err = not_a_store(conn->call, file);
        if (!err)
            err = ds_schema_make(conn);
    }
    return ds_conn_end_change(conn, err);
}

/* Readers shall not wait for writers. A file system without shared memory keeps the rollback
 * journal, which is as safe. SQLite does not always ask the busy handler here. */
static int use_write_ahead_log(struct ds_conn *conn)
{
    for (;;) {
        int err = ds_conn_exec(conn, "PRAGMA journal_mode = WAL");
        if (err != -EAGAIN || ds_call_left_ms(conn->call) == 0)
            return err;
        if (ds_call_sleep(conn->call, 1) == -EINTR)
            return -EINTR;
    }
}

/* Some builds of SQLite write zeros over all that is freed: those take as much of the log as the
 * value did, so that on a full disk nothing could be removed. FAST does that only within pages that
 * are written in any case. */
static const char settings[] = "PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;"
                               "PRAGMA cell_size_check = ON; PRAGMA journal_size_limit = 8388608;"
                               "PRAGMA secure_delete = FAST";

/* Somebody else may be about to make it. */
static int no_store_yet(struct ds_call *call, const char *file)
{
    return ds_call_fail(call, -ENOENT, "%s is empty: there is no store in it yet", file);
}

/* The tables must be ours; `read_only`: nothing is made or set for others. */
static int prepare(struct ds_conn *conn, const char *file, bool read_only)
{
    int64_t id = 0;
    int64_t version = 0;
    int err = ds_conn_number(conn, "PRAGMA application_id", &id);
    if (!err && id != DS_SCHEMA_APPLICATION_ID)
        err = read_only ? no_store_yet(conn->call, file) : initialise(conn, file);
    if (!err)
        err = ds_conn_number(conn, "PRAGMA user_version", &version);
    if (!err)
        err = check_version(conn->call, file, version);
    if (!err)
        err = ds_schema_check(conn, file);
    if (!err && !read_only)
        err = use_write_ahead_log(conn);
    if (!err)
        err = ds_conn_exec(conn, settings);
    return err;
}

/* What is there already, to be read only. */
static int expect_there(const char *file, struct ds_call *call)
{
    struct stat status;
    if (stat(file, &status) < 0)
        return errno == ENOENT ? no_such_store(call, file) : fail_file(call, file, errno);
    if (S_ISDIR(status.st_mode))
        return fail_file(call, file, EISDIR);
    /* To open a pipe that nobody writes to would never end. */
    return S_ISREG(status.st_mode) ? 0 : not_a_store(call, file);
}

/* Root may have become the store's owner in matters of files only. */
static bool may_change(const char *file)
{
    int err = ds_file_access(AT_FDCWD, file, W_OK);
    return err == -ENOSYS ? access(file, W_OK) == 0 : !err;
}

/* How to open a store that will not be changed. On a medium that cannot be written to, nobody else
 * changes it either; what waits in the log cannot be taken in there. */
static int choose_mode(const char *file, struct ds_call *call, enum ds_conn_mode *mode)
{
    char *log DS_AUTO_FREE = NULL;
    struct statvfs medium;
    struct stat status;
    if (asprintf(&log, "%s-wal", file) < 0) {
        log = NULL;
        return -ENOMEM;
    }
    if (statvfs(file, &medium) == 0 && (medium.f_flag & ST_RDONLY)) {
        if (stat(log, &status) == 0 && status.st_size > 0)
            return ds_call_fail(call, -EROFS,
                                "the medium is read-only, and changes wait to be taken in from %s",
                                log);
        *mode = DS_CONN_UNCHANGING;
    } else {
        *mode = may_change(file) ? DS_CONN_CHANGING : DS_CONN_READING;
    }
    return 0;
}

/* Looks at the file before it is opened. */
static int look_at(const char *file, enum ds_store_use use, struct ds_call *call,
                   enum ds_conn_mode *mode)
{
    bool read_only = use == DS_STORE_READ;
    int err = ds_guard_check(file, call);
    if (!err)
        err = read_only ? expect_there(file, call)
                        : make_if_missing(file, use == DS_STORE_MAKE, call);
    *mode = DS_CONN_CHANGING;
    if (!err && read_only)
        err = choose_mode(file, call, mode);
    return err;
}

int ds_store_connect(const char *file, enum ds_store_use use, struct ds_call *call,
                     struct ds_conn **out)
{
    bool read_only = use == DS_STORE_READ;
    struct ds_conn *conn = NULL;
    enum ds_conn_mode mode;
    int err = look_at(file, use, call, &mode);
    if (!err)
        err = ds_conn_open(file, mode, call, &conn);
    if (err)
        return err;
    err = recognise(conn, file);
    if (!err && !read_only && sqlite3_db_readonly(conn->db, "main"))
        err = ds_call_fail(call, -EROFS, "%s is read-only: -o ro reads it", file);
    if (!err)
        err = prepare(conn, file, read_only);
    /* Once more: since the first look somebody may have come in between. */
    if (!err)
        err = ds_guard_check(file, call);
    if (err) {
        char text[DS_CALL_TEXT_BYTES];
        memcpy(text, call->text, sizeof text);
        ds_conn_close(conn, call);
        memcpy(call->text, text, sizeof text);
        return err;
    }
    *out = conn;
    return 0;
}
