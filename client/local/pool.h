/* The connections to a store file, opened when first needed. */
#ifndef DS_LOCAL_POOL_H
#define DS_LOCAL_POOL_H

#include "store.h"

#define DS_POOL_CONNECTIONS 4

struct ds_pool;

/* A pool with one open connection, so that what is wrong with the store shows now. `listed`: it is
 * a machine of an inventory, which is gone when the file is. Errors as ds_local_open() in local.h,
 * and -ENODEV for what is listed and not there. */
int ds_pool_new(const char *file, enum ds_store_use use, bool listed, struct ds_call *call,
                struct ds_pool **out);

/* A connection for one operation of `call`, which ds_pool_give() must end with the same `change`;
 * waits for a free one, and a change for its turn, until the deadline or cancellation. -EAGAIN: the
 * turn did not come; -ETIMEDOUT; -EINTR; as ds_pool_check(), or as ds_pool_new() for one more. */
int ds_pool_take(struct ds_pool *pool, struct ds_call *call, bool change, struct ds_conn **out);
void ds_pool_give(struct ds_pool *pool, struct ds_conn *conn, bool change);

/* 0 while the file's name leads to the file that all connections have open; else -EIO, or -ENODEV
 * for what is listed. What is changed after that would be gone with the last connection, and nobody
 * else would see it. Costs one stat(2). */
int ds_pool_check(struct ds_pool *pool, struct ds_call *call);

/* Closes all connections, bounded by `call`; none may be taken. Harmless on NULL. */
void ds_pool_free(struct ds_pool *pool, struct ds_call *call);

#endif
