/* The connections to a store file, opened when first needed. */
#ifndef DS_LOCAL_POOL_H
#define DS_LOCAL_POOL_H

#include "identity.h"
#include "store.h"

#define DS_POOL_CONNECTIONS 4

struct ds_pool;

/* A pool with one open connection, so that what is wrong with the store shows now. `identity` is
 * borrowed until it is freed: if it is not known it is noted, else it must be that file, which is
 * not made. Errors as ds_local_open() in local.h, and -ENODEV for what is listed and not there; as
 * ds_identity_check(). */
int ds_pool_new(struct ds_identity *identity, enum ds_store_use use, struct ds_call *call,
                struct ds_pool **out);

/* A connection for one operation of `call`, which ds_pool_give() must end with the same `change`;
 * waits for a free one, and a change for its turn, until the deadline or cancellation. -EAGAIN: the
 * turn did not come; -ETIMEDOUT; -EINTR; as ds_identity_check(), or as ds_pool_new() for one more.
 */
int ds_pool_take(struct ds_pool *pool, struct ds_call *call, bool change, struct ds_conn **out);
void ds_pool_give(struct ds_pool *pool, struct ds_conn *conn, bool change);

/* As ds_identity_check(): what is changed after the name leads elsewhere would be gone with the
 * last connection, and nobody else would see it. */
int ds_pool_check(const struct ds_pool *pool, struct ds_call *call);

/* Closes all connections, bounded by `call`; what is still in SQLite's log is moved into the file
 * before, unless another process is at it just then. None may be taken. Harmless on NULL. */
void ds_pool_free(struct ds_pool *pool, struct ds_call *call);

#endif
