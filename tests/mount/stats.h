/* The counters that a mount shows in .datasetfs/stats. */
#ifndef STATS_H
#define STATS_H

#include <stdint.h>

/* One counter, by its full text before the value, for example
 * `datasetfs_store_requests_total{operation="get"}`. Fails the test if it is not there. */
uint64_t stats_counter(const char *point, const char *name);

/* Requests to the store for one operation ("get", "set", …), or all with NULL. */
uint64_t stats_requests(const char *point, const char *operation);

/* Those that change something in the store: sets, appends and removes. */
uint64_t stats_changes(const char *point);

/* What must cost so little only on a machine that does not stall for 20 ms, or for a second where
 * values are fetched ahead, is tried so often. */
#define STATS_TRIES 50

/* Runs `command` in `shell` for up to STATS_TRIES keys; each "KEY" in `prepare` (NULL: nothing) and
 * `command` is replaced by a fresh name. One must cost exactly the budget, and at any speed each
 * look of the kernel (LOOKUP, GETATTR, ACCESS, OPEN) may cost one request more at most. `before`
 * (NULL: nothing) is called with the key before each try. */
void stats_assert_budget(const char *shell, unsigned budget, void (*before)(const char *key),
                         const char *prepare, const char *command);

#endif
