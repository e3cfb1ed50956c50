/* SQLite's result codes as errnos. */
#include "error.h"

#include <errno.h>
#include <sqlite3.h>
#include <stddef.h>

/* Extended codes stand before the primary code that they refine. */
static const struct {
    int code;
    int error;
} table[] = {
    {SQLITE_OK, 0},
    {SQLITE_ROW, 0},
    {SQLITE_DONE, 0},
    {SQLITE_IOERR_NOMEM, -ENOMEM},
    {SQLITE_READONLY_DBMOVED, -EIO}, /* somebody moved the file away under us */
    {SQLITE_BUSY, -EAGAIN},
    {SQLITE_LOCKED, -EAGAIN},
    {SQLITE_PROTOCOL, -EAGAIN}, /* the WAL's locking protocol lost a race */
    {SQLITE_INTERRUPT, -EINTR},
    {SQLITE_NOMEM, -ENOMEM},
    {SQLITE_READONLY, -EROFS},
    {SQLITE_IOERR, -EIO},
    {SQLITE_CORRUPT, -EIO},
    {SQLITE_NOTADB, -EIO}, /* what is not a store at all was refused before */
    {SQLITE_FULL, -ENOSPC},
    {SQLITE_CANTOPEN, -EIO},
    {SQLITE_PERM, -EACCES},
    {SQLITE_AUTH, -EACCES},
    {SQLITE_TOOBIG, -EFBIG},
    {SQLITE_CONSTRAINT, -EEXIST},
};

static int lookup(int code)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].code == code)
            return table[i].error;
    return 1;
}

int ds_local_errno(int code, int system_error)
{
    int primary = code & 0xFF;
    if (primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN) {
        /* SQLite has no code of its own for these; EFBIG is the limit of file sizes. ENOENT would
         * say that the store answered. */
        if (system_error == ENOSPC || system_error == EDQUOT || system_error == EFBIG)
            return -ENOSPC;
        if (system_error == EACCES || system_error == EPERM)
            return -EACCES;
        if (system_error == EROFS || system_error == EMFILE || system_error == ENFILE)
            return -system_error;
    }
    int error = lookup(code);
    if (error > 0)
        error = lookup(primary);
    return error > 0 ? -EIO : error;
}
