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

#define STATS_TRIES 5

/* Runs `command` in `shell` for up to STATS_TRIES keys; each "KEY" in `prepare` (NULL: nothing) and
 * `command` is replaced by a fresh name. No try may cost more than budget + 1 requests (the 20 ms
 * can pass on a stalled machine), and one must cost exactly the budget. `before`
 * (NULL: nothing) is called with the key before each try. */
void stats_assert_budget(const char *shell, unsigned budget, void (*before)(const char *key),
                         const char *prepare, const char *command);

#endif
