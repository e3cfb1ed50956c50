/* The last failures, for .datasetfs/errors and the log. Thread-safe; its lock is a leaf.
 *
 * A failure that repeats within FS_ERROR_LOG_REPEAT_MS is counted and not logged again; when that
 * time is over the log gets the count. More than FS_ERROR_LOG_LOGGED lines in that time are counted
 * too, whatever they are: somebody else may make failures as fast as he can. */
#ifndef FS_ERROR_LOG_H
#define FS_ERROR_LOG_H

#include "buf.h"
#include "timer.h"

#include <stdbool.h>

struct fs_error_log;

#define FS_ERROR_LOG_KEPT 64
#define FS_ERROR_LOG_REPEAT_MS (60 * 1000)
#define FS_ERROR_LOG_LOGGED 100

/* What a failure was about; each may be NULL. `info`: the DataSet's file in .datasetfs/info. */
struct fs_error_log_about {
    const char *machine; /* its file name */
    const char *dataset;
    const char *key;
    bool info;
};

/* `repeat_ms` is FS_ERROR_LOG_REPEAT_MS but in tests. NULL when there is no memory. */
struct fs_error_log *fs_error_log_new(int repeat_ms);

/* Lets the counts be logged in time from now on, by this timer; NULL: no longer, so that it can be
 * freed. Counts that are left are logged then. */
void fs_error_log_set_timer(struct fs_error_log *errors, struct fs_timer *timer);

/* Remembers a failure of `operation` (static): a negative errno and words, and writes a line to the
 * log unless the same has failed just before. */
void fs_error_log_note(struct fs_error_log *errors, const char *operation,
                       const struct fs_error_log_about *about, int error, const char *text);

/* Appends one line per failure, the oldest first: time (UTC) of the first of equal ones, operation,
 * path as in the mount, errno name and message with the number of those that followed, separated by
 * tabs. 0 or -ENOMEM. */
int fs_error_log_print(struct fs_error_log *errors, struct ds_buf *out);

/* Harmless on NULL. */
void fs_error_log_free(struct fs_error_log *errors);

#endif
