/* Preloaded into the daemon and the simulator: lets triggers run, which they turn off, so that a
 * test can journal in the store what is changed there. */
#include <dlfcn.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>

/* Only for settings that are on or off. */
int sqlite3_db_config(sqlite3 *db, int op, ...)
{
    int (*real_config)(sqlite3 *, int, ...);
    va_list arguments;
    if (op == SQLITE_DBCONFIG_ENABLE_TRIGGER)
        return SQLITE_OK;
    *(void **)&real_config = dlsym(RTLD_NEXT, "sqlite3_db_config");
    va_start(arguments, op);
    int on = va_arg(arguments, int);
    int *before = va_arg(arguments, int *);
    va_end(arguments);
    return real_config(db, op, on, before);
}
