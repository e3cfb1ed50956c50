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
    char *file;
    bool read_only;
    bool listed; /* in an inventory */
    struct ds_room *room;
    struct ds_settle *settle; /* NULL if read_only */
    dev_t device;             /* the file's, so that all connections lead to the same one */
    ino_t inode;
    struct ds_turns connections; /* that operations may have */
    struct ds_turns changes;     /* SQLite makes them one after the other */
    pthread_mutex_t mutex;
    struct ds_conn *idle; /* under mutex; the last one given back first, its cache is warm */
};

/* Notes which file the name leads to. */
static int note_identity(struct ds_pool *pool, struct ds_call *call)
{
    struct stat status;
    if (stat(pool->file, &status) < 0)
        return ds_call_fail(call, -errno, "%s: %s", pool->file, strerror(errno));
    pool->device = status.st_dev;
    pool->inode = status.st_ino;
    return 0;
}

static int fail_replaced(struct ds_pool *pool, struct ds_call *call)
{
    /* The name stands last: however long it is, it does not push the advice out. */
    if (pool->listed)
        return ds_call_fail(call, -ENODEV,
                            "the virtual machine is gone: its store file was removed or replaced: "
                            "%s",
                            pool->file);
    return ds_call_fail(call, -EIO, "the store file was removed or replaced: mount again: %s",
                        pool->file);
}

int ds_pool_check(struct ds_pool *pool, struct ds_call *call)
{
    struct stat status;
    if (stat(pool->file, &status) < 0)
        return errno == ENOENT || errno == ENOTDIR
                   ? fail_replaced(pool, call)
                   : ds_call_fail(call, -EIO, "%s: %s", pool->file, strerror(errno));
    if (status.st_dev != pool->device || status.st_ino != pool->inode)
        return fail_replaced(pool, call);
    return 0;
}

/* The same for a connection just made, which opened the name at another time than we look at it. */
static int check_connection(struct ds_pool *pool, struct ds_conn *conn, struct ds_call *call)
{
    int moved = 0;
    int code = sqlite3_file_control(conn->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
    if (code == SQLITE_OK && moved)
        return fail_replaced(pool, call);
    return ds_pool_check(pool, call);
}

/* The parts of opening that every connection needs. */
static int finish_connection(struct ds_pool *pool, struct ds_conn *conn, struct ds_call *call)
{
    int err = check_connection(pool, conn, call);
    if (!err && !pool->read_only)
        err = ds_conn_use_room(conn, pool->room);
    return err;
}

/* One more connection, to the same file: never to another one that took its name meanwhile, nor to
 * one that we make. */
static int connect_again(struct ds_pool *pool, struct ds_call *call, struct ds_conn **out)
{
    struct ds_conn *conn = NULL;
    int err = ds_store_connect(pool->file, pool->read_only ? DS_STORE_READ : DS_STORE_CHANGE, call,
                               &conn);
    if (err == -ENOENT)
        return fail_replaced(pool, call);
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
    err = ds_pool_check(pool, call);
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

/* The first connection. */
static int connect_first(struct ds_pool *pool, enum ds_store_use use, struct ds_call *call)
{
    int err = ds_store_connect(pool->file, use, call, &pool->idle);
    return err == -ENOENT && pool->listed ? -ENODEV : err;
}

int ds_pool_new(const char *file, enum ds_store_use use, bool listed, struct ds_call *call,
                struct ds_pool **out)
{
    bool read_only = use == DS_STORE_READ;
    struct ds_pool *pool = calloc(1, sizeof *pool);
    if (!pool)
        return -ENOMEM;
    pool->read_only = read_only;
    pool->listed = listed;
    pthread_mutex_init(&pool->mutex, NULL);
    int err = ds_turns_init(&pool->connections, DS_POOL_CONNECTIONS);
    int changes_err = ds_turns_init(&pool->changes, 1);
    err = err ? err : changes_err;
    if (!err) {
        pool->file = strdup(file);
        err = pool->file ? connect_first(pool, use, call) : -ENOMEM;
    }
    if (!err)
        err = note_identity(pool, call);
    if (!err)
        pool->room = ds_room_hold(file, pool->device, pool->inode);
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
    free(pool->file);
    free(pool);
}
