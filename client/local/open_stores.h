/* The stores of a directory that are open.
 *
 * Thousands of machines may be asked in turn, and an open store has descriptors and a thread. At
 * most DS_OPEN_STORES_MAX stay open that nobody uses at the moment: of these the one that was used
 * longest ago is closed first. What was closed is opened again, as the same file, when it is used
 * next; nobody sees more of that than the time that it takes. */
#ifndef DS_LOCAL_OPEN_STORES_H
#define DS_LOCAL_OPEN_STORES_H

#include "identity.h"
#include "pool.h"

/* Each has 5 to 12 descriptors: together they fit into the usual 1024 of a process. */
#define DS_OPEN_STORES_MAX 32

struct ds_open_stores;

/* One client's store. */
struct ds_open_store {
    struct ds_open_stores *all; /* constant; NULL: it stays open */
    struct ds_identity identity;
    enum ds_store_use use; /* constant once it is open */
    /* With the lock of `all`. */
    struct ds_pool *pool;                /* NULL: closed */
    unsigned users;                      /* operations under way */
    struct ds_open_store *newer, *older; /* while it is open */
};

/* NULL without memory. Freed when it has no store any more; harmless on NULL. */
struct ds_open_stores *ds_open_stores_new(void);
void ds_open_stores_free(struct ds_open_stores *all);

/* Opens the store `identity->file` for the first time, with all that `store` needs to know but the
 * pool set. Errors as ds_pool_new(). */
int ds_open_store_begin(struct ds_open_store *store, struct ds_call *call);

/* Its pool, opened if it is closed, until ds_open_store_let_go(). Errors as ds_pool_new(). */
int ds_open_store_hold(struct ds_open_store *store, struct ds_call *call, struct ds_pool **out);
void ds_open_store_let_go(struct ds_open_store *store, struct ds_call *call);

/* Closes it for good, bounded by `call`; nobody may use it. */
void ds_open_store_end(struct ds_open_store *store, struct ds_call *call);

#endif
