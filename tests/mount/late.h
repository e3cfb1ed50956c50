/* Lines written to keys over the channel of the simulated host, which commits them late. */
#ifndef LATE_H
#define LATE_H

#include "harness.h"

#include <stdbool.h>
#include <stddef.h>

#define LATE_LINE "line\n"
#define LATE_THROUGH 16 /* writes of a handle that are not gathered */

/* A mount "m" with the DataSet "app" and the keys "k" and "l", empty, and "other". */
struct harness_daemon *late_start(const char *options);

/* Writes so many lines; whether the key has exactly that many. */
void late_put(int fd, int count);
bool late_stored(const char *key, size_t count);

/* True if the words stand in m/.datasetfs/errors. */
bool late_reported(const char *words);

/* open(2) that must succeed. After a try in which nothing was answered the store counts as lost for
 * a while. */
int late_open(const char *path, int flags);

#endif
