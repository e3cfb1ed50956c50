/* The last failures, for .datasetfs/errors and the log. Thread-safe; its lock is a leaf.
 *
 * A failure that repeats within FS_ERRORS_REPEAT_MS is counted and not logged again; when that time
 * is over the log gets the count. More than FS_ERRORS_LOGGED lines in that time are counted too,
 * whatever they are: somebody else may make failures as fast as he can. */
#ifndef FS_ERRORS_H
#define FS_ERRORS_H

#include "buf.h"
#include "timer.h"

#include <stdbool.h>

struct fs_errors;

#define FS_ERRORS_KEPT 64
#define FS_ERRORS_REPEAT_MS (60 * 1000)
#define FS_ERRORS_LOGGED 100

/* What a failure was about; either may be NULL. `info`: the DataSet's file in .datasetfs/info. */
struct fs_errors_about {
    const char *dataset;
    const char *key;
    bool info;
};

/* `repeat_ms` is FS_ERRORS_REPEAT_MS but in tests. NULL when there is no memory. */
struct fs_errors *fs_errors_new(int repeat_ms);

/* Lets the counts be logged in time from now on, by this timer; NULL: no longer, so that it can be
 * freed. Counts that are left are logged then. */
void fs_errors_set_timer(struct fs_errors *errors, struct fs_timer *timer);

/* Remembers a failure of `operation` (static): a negative errno and words, and writes a line to the
 * log unless the same has failed just before. */
void fs_errors_note(struct fs_errors *errors, const char *operation,
                    const struct fs_errors_about *about, int error, const char *text);

/* The same for a DataSet or a key of it. */
void fs_errors_add(struct fs_errors *errors, const char *operation, const char *dataset,
                   const char *key, int error, const char *text);

/* Appends one line per failure, the oldest first: time (UTC) of the first of equal ones, operation,
 * path as in the mount, errno name and message with the number of those that followed, separated by
 * tabs. 0 or -ENOMEM. */
int fs_errors_print(struct fs_errors *errors, struct ds_buf *out);

/* Harmless on NULL. */
void fs_errors_free(struct fs_errors *errors);

#endif
