/* SQLite's result codes as errnos. */
#ifndef DS_LOCAL_ERROR_H
#define DS_LOCAL_ERROR_H

/* The negative errno of a (possibly extended) result code, 0 for SQLITE_OK, SQLITE_ROW and
 * SQLITE_DONE. `system_error` is the errno behind it (sqlite3_system_errno()), 0 if none is known.
 */
int ds_local_errno(int code, int system_error);

#endif
