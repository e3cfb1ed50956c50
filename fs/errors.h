/* The last failures, for .datasetfs/errors. Thread-safe; its lock is a leaf. */
#ifndef FS_ERRORS_H
#define FS_ERRORS_H

#include "buf.h"

struct fs_errors;

#define FS_ERRORS_KEPT 64

/* NULL when there is no memory. */
struct fs_errors *fs_errors_new(void);

/* Remembers a failure of `operation` on `dataset` and `key` (either may be NULL): a negative errno
 * and words, and writes a line to the log. */
void fs_errors_add(struct fs_errors *errors, const char *operation, const char *dataset,
                   const char *key, int error, const char *text);

/* Makes words of the store fit for a line whose fields tabs divide. */
void fs_errors_clean(char *text);

/* Appends one line per failure, the oldest first: time (UTC), operation, path as in the mount,
 * errno name and message, separated by tabs. 0 or -ENOMEM. */
int fs_errors_print(struct fs_errors *errors, struct ds_buf *out);

/* Harmless on NULL. */
void fs_errors_free(struct fs_errors *errors);

#endif
