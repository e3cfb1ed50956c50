/* SQLite's result codes as errnos: one row for each row of the table, and what has none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client/local/error.h"

#include <errno.h>
#include <sqlite3.h>

static void test_rows(void **state)
{
    (void)state;
    static const struct {
        int code, system_error, error;
    } rows[] = {
        {SQLITE_OK, 0, 0},
        {SQLITE_ROW, 0, 0},
        {SQLITE_DONE, 0, 0},
        {SQLITE_IOERR_NOMEM, 0, -ENOMEM},
        {SQLITE_READONLY_DBMOVED, 0, -EIO},
        {SQLITE_BUSY, 0, -EAGAIN},
        {SQLITE_BUSY_SNAPSHOT, 0, -EAGAIN},
        {SQLITE_BUSY_RECOVERY, 0, -EAGAIN},
        {SQLITE_LOCKED, 0, -EAGAIN},
        {SQLITE_PROTOCOL, 0, -EAGAIN},
        {SQLITE_INTERRUPT, 0, -EINTR},
        {SQLITE_NOMEM, 0, -ENOMEM},
        {SQLITE_READONLY, 0, -EROFS},
        {SQLITE_READONLY_DIRECTORY, 0, -EROFS},
        {SQLITE_IOERR, 0, -EIO},
        {SQLITE_IOERR_FSYNC, EIO, -EIO},
        {SQLITE_IOERR_WRITE, ENOSPC, -ENOSPC},
        {SQLITE_IOERR_WRITE, EDQUOT, -ENOSPC},
        {SQLITE_IOERR_WRITE, EFBIG, -ENOSPC},
        {SQLITE_IOERR_SHMSIZE, ENOSPC, -ENOSPC},
        {SQLITE_CORRUPT, 0, -EIO},
        {SQLITE_CORRUPT_INDEX, 0, -EIO},
        {SQLITE_NOTADB, 0, -EIO},
        {SQLITE_FULL, ENOSPC, -ENOSPC},
        {SQLITE_CANTOPEN, 0, -EIO},
        {SQLITE_CANTOPEN, ENOENT, -EIO},
        {SQLITE_CANTOPEN, EACCES, -EACCES},
        {SQLITE_CANTOPEN, EPERM, -EACCES},
        {SQLITE_CANTOPEN, EROFS, -EROFS},
        {SQLITE_CANTOPEN, EMFILE, -EMFILE},
        {SQLITE_IOERR, ENFILE, -ENFILE},
        {SQLITE_PERM, 0, -EACCES},
        {SQLITE_AUTH, 0, -EACCES},
        {SQLITE_TOOBIG, 0, -EFBIG},
        {SQLITE_CONSTRAINT, 0, -EEXIST},
        {SQLITE_CONSTRAINT_UNIQUE, 0, -EEXIST},
        {SQLITE_ERROR, 0, -EIO},
        {SQLITE_MISUSE, 0, -EIO},
        {SQLITE_NOLFS, 0, -EIO},
        {0x7F, 0, -EIO},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (ds_local_errno(rows[i].code, rows[i].system_error) != rows[i].error)
            fail_msg("code %d with errno %d", rows[i].code, rows[i].system_error);
}

/* A stale errno must not colour codes that have a meaning of their own. */
static void test_no_code_is_enoent(void **state)
{
    (void)state;
    assert_int_equal(ds_local_errno(SQLITE_BUSY, ENOSPC), -EAGAIN);
    for (int code = 0; code < 0x4000; code++)
        assert_int_not_equal(ds_local_errno(code, ENOENT), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_no_code_is_enoent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
