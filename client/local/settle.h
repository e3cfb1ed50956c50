/* Moves what was committed from SQLite's log into the store file when changes have ceased, so that
 * a copy of the file is a copy of the store. */
#ifndef DS_LOCAL_SETTLE_H
#define DS_LOCAL_SETTLE_H

#include <stdbool.h>

struct ds_pool;
struct ds_settle;

/* How one try went. */
enum ds_settle_result { DS_SETTLE_DONE, DS_SETTLE_LATER, DS_SETTLE_FAILED };

/* Starts a thread that calls `try` half a second after the last ds_settle_changed(), and again with
 * growing pauses as long as that says LATER, but not for ever. It sleeps when nothing is left to be
 * done. 0 or a negative errno. */
int ds_settle_new(enum ds_settle_result (*try)(struct ds_pool *pool), struct ds_pool *pool,
                  struct ds_settle **out);

/* Something was committed. From any thread. */
void ds_settle_changed(struct ds_settle *settle);

/* Ends the thread; what was left to be done is tried once more now: nobody else would do it soon
 * where another process has the store open too, unless that one is at the log just then. Harmless
 * on NULL. */
void ds_settle_free(struct ds_settle *settle);

#endif
