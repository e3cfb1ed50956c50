/* The connections to a store file. */
#include "pool.h"

#include "../base/turns.h"
#include "cleanup.h"
#include "store.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Nobody waits for the log to be emptied. */
enum { SETTLE_MS = 10000 };

struct ds_pool {
    const struct ds_identity *identity; /* of the one file that all connections lead to */
    bool read_only;
    struct ds_room *room;
    struct ds_settle *settle;    /* NULL if read_only */
    struct ds_turns connections; /* that operations may have */
    struct ds_turns changes;     /* SQLite makes them one after the other */
    pthread_mutex_t mutex;
    struct ds_conn *idle; /* under mutex; the last one given back first, its cache is warm */
};

/* As ds_identity_check() for a connection just made, which opened the name at another time than we
 * look at it. */
static int check_connection(struct ds_pool *pool, struct ds_conn *conn, struct ds_call *call)
{
    int moved = 0;
    int code = sqlite3_file_control(conn->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
    if (code == SQLITE_OK && moved)
        return ds_identity_fail(pool->identity, call);
    return ds_identity_check(pool->identity, call);
}

/* The parts of opening that every connection needs. */
static int finish_connection(struct ds_pool *pool, struct ds_conn *conn, struct ds_call *call)
{
    int err = check_connection(pool, conn, call);
    if (!err && !pool->read_only)
        err = ds_conn_use_room(conn, pool->room);
    return err;
}

int ds_pool_check(const struct ds_pool *pool, struct ds_call *call)
{
    return ds_identity_check(pool->identity, call);
}

/* A connection to the file that is known: never to another one that took its name meanwhile, nor to
 * one that we make. */
static int connect_known(struct ds_pool *pool, struct ds_call *call, struct ds_conn **out)
{
    int err = ds_store_connect(pool->identity->file,
                               pool->read_only ? DS_STORE_READ : DS_STORE_CHANGE, call, out);
    return err == -ENOENT ? ds_identity_fail(pool->identity, call) : err;
}

/* One more connection. */
static int connect_again(struct ds_pool *pool, struct ds_call *call, struct ds_conn **out)
{
    struct ds_conn *conn = NULL;
    int err = connect_known(pool, call, &conn);
    if (err)
        return err;
    err = finish_connection(pool, conn, call);
    if (err)
        ds_conn_close(conn, call);
    else
        *out = conn;
    return err;
}

static struct ds_conn *pop_idle(struct ds_pool *pool)
{
    DS_LOCK_SCOPE(&pool->mutex);
    struct ds_conn *conn = pool->idle;
    if (conn)
        pool->idle = conn->next;
    return conn;
}

/* A connection that no other operation has. */
static int take_connection(struct ds_pool *pool, struct ds_call *call, struct ds_conn **out)
{
    int err = ds_turns_take(&pool->connections, call, true);
    if (err)
        return err;
    struct ds_conn *conn = NULL;
    /* First, for SQLite would find the other store's log beside ours. */
    err = ds_identity_check(pool->identity, call);
    if (!err)
        conn = pop_idle(pool);
    if (!err && !conn)
        err = connect_again(pool, call, &conn);
    if (err) {
        ds_turns_give(&pool->connections);
        /* Here it would say that the DataSet does not exist. */
        return err == -ENOENT ? -EIO : err;
    }
    conn->call = call;
    *out = conn;
    return 0;
}

/* Whoever waits behind a change that waits for a lock is told the same as that one. */
static int take_change_turn(struct ds_pool *pool, struct ds_call *call)
{
    int err = ds_turns_take(&pool->changes, call, true);
    if (err == -ETIMEDOUT)
        return ds_call_fail(call, -EAGAIN, "the store is busy with another change");
    return err;
}

int ds_pool_take(struct ds_pool *pool, struct ds_call *call, bool change, struct ds_conn **out)
{
    /* First the turn, so that changes that wait for each other leave the connections to readers. */
    int err = change ? take_change_turn(pool, call) : 0;
    if (err)
        return err;
    err = take_connection(pool, call, out);
    if (err && change)
        ds_turns_give(&pool->changes);
    return err;
}

static void note_change(struct ds_pool *pool)
{
    if (pool->settle)
        ds_settle_changed(pool->settle);
}

static enum ds_settle_result settle(struct ds_pool *pool)
{
    struct ds_conn *conn;
    struct ds_call call;
    ds_call_init(&call, SETTLE_MS);
    int err = ds_pool_take(pool, &call, false, &conn);
    if (err) /* a store that is gone has nothing to lose any more */
        return err == -ETIMEDOUT ? DS_SETTLE_LATER : DS_SETTLE_DONE;
    enum ds_settle_result result = ds_conn_settle(conn);
    ds_pool_give(pool, conn, false);
    return result;
}

void ds_pool_give(struct ds_pool *pool, struct ds_conn *conn, bool change)
{
    conn->call = NULL;
    {
        DS_LOCK_SCOPE(&pool->mutex);
        conn->next = pool->idle;
        pool->idle = conn;
    }
    ds_turns_give(&pool->connections);
    if (change) {
        ds_turns_give(&pool->changes);
        note_change(pool);
    }
}

/* The first connection: of a file that is not known, whatever the name leads to. */
static int connect_first(struct ds_pool *pool, struct ds_identity *identity, enum ds_store_use use,
                         struct ds_call *call)
{
    if (identity->known) {
        /* First, as above. */
        int err = ds_identity_check(identity, call);
        return err ? err : connect_known(pool, call, &pool->idle);
    }
    int err = ds_store_connect(identity->file, use, call, &pool->idle);
    if (err == -ENOENT && identity->listed)
        return -ENODEV;
    return err ? err : ds_identity_note(identity, call);
}

int ds_pool_new(struct ds_identity *identity, enum ds_store_use use, struct ds_call *call,
                struct ds_pool **out)
{
    bool read_only = use == DS_STORE_READ;
    struct ds_pool *pool = calloc(1, sizeof *pool);
    if (!pool)
        return -ENOMEM;
    pool->read_only = read_only;
    pool->identity = identity;
    pthread_mutex_init(&pool->mutex, NULL);
    int err = ds_turns_init(&pool->connections, DS_POOL_CONNECTIONS);
    int changes_err = ds_turns_init(&pool->changes, 1);
    err = err ? err : changes_err;
    if (!err)
        err = connect_first(pool, identity, use, call);
    if (!err)
        pool->room = ds_room_hold(identity->file, identity->device, identity->inode);
    if (!err && !pool->room)
        err = -ENOMEM;
    if (!err)
        err = finish_connection(pool, pool->idle, call);
    if (!err && !read_only)
        err = ds_settle_new(settle, pool, &pool->settle);
    if (err) {
        ds_pool_free(pool, call);
        return err;
    }
    /* A daemon that was killed may have left something in the log. */
    note_change(pool);
    *out = pool;
    return 0;
}

void ds_pool_free(struct ds_pool *pool, struct ds_call *call)
{
    if (!pool)
        return;
    ds_settle_free(pool->settle);
    while (pool->idle) {
        struct ds_conn *conn = pop_idle(pool);
        ds_conn_close(conn, call);
    }
    ds_room_drop(pool->room); /* behind the last connection */
    ds_turns_end(&pool->connections);
    ds_turns_end(&pool->changes);
    pthread_mutex_destroy(&pool->mutex);
    free(pool);
}
