/* A bounded number of open stores. */
#include "open_stores.h"

#include "cleanup.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <utlist.h>

struct ds_open_stores {
    pthread_mutex_t lock;      /* everything below; nothing is opened or closed with it */
    struct ds_open_store *all; /* the one used last first */
    unsigned count;
};

struct ds_open_stores *ds_open_stores_new(void)
{
    struct ds_open_stores *all = calloc(1, sizeof *all);
    if (all)
        pthread_mutex_init(&all->lock, NULL);
    return all;
}

void ds_open_stores_free(struct ds_open_stores *all)
{
    if (!all)
        return;
    pthread_mutex_destroy(&all->lock);
    free(all);
}

/* With the lock. */
static void put_first(struct ds_open_stores *all, struct ds_open_store *store)
{
    DL_PREPEND2(all->all, store, newer, older);
    all->count++;
}

static struct ds_pool *take_out(struct ds_open_stores *all, struct ds_open_store *store)
{
    struct ds_pool *pool = store->pool;
    DL_DELETE2(all->all, store, newer, older);
    all->count--;
    store->pool = NULL;
    return pool;
}

/* The pool of the store that was used longest ago, if more than `most` are open and not all of them
 * are in use. */
static struct ds_pool *take_oldest(struct ds_open_stores *all, unsigned most)
{
    DS_LOCK_SCOPE(&all->lock);
    if (all->count <= most)
        return NULL;
    /* The first one's `newer` is the last one, as utlist has it. */
    struct ds_open_store *store = all->all->newer;
    while (store->users && store != all->all)
        store = store->newer;
    return store->users ? NULL : take_out(all, store);
}

static void close_oldest(struct ds_open_stores *all, unsigned most, struct ds_call *call)
{
    struct ds_pool *pool;
    while ((pool = take_oldest(all, most)))
        ds_pool_free(pool, call);
}

/* Another open store in the file that `store` is in, which has lost its name to it: the same file
 * would be open here under two names, and SQLite would look for its log, or remove it, under the
 * wrong one. */
static struct ds_open_store *find_renamed(const struct ds_open_store *store, struct ds_call *call)
{
    struct ds_open_store *other;
    struct ds_identity now = {.file = store->identity.file};
    if (ds_identity_note(&now, call) != 0)
        return NULL;
    DL_FOREACH2(store->all->all, other, older)
    {
        if (other->identity.device == now.device && other->identity.inode == now.inode &&
            ds_identity_check(&other->identity, call) != 0)
            break;
    }
    return other;
}

/* Closes that one. -EAGAIN while it is in use. */
static int close_renamed(const struct ds_open_store *store, struct ds_call *call)
{
    struct ds_pool *pool = NULL;
    {
        DS_LOCK_SCOPE(&store->all->lock);
        struct ds_open_store *other = find_renamed(store, call);
        if (other && other->users)
            return ds_call_fail(call, -EAGAIN,
                                "the store file was renamed, and is in use under its old name: %s",
                                other->identity.file);
        if (other)
            pool = take_out(store->all, other);
    }
    call->text[0] = '\0';
    ds_pool_free(pool, call);
    return 0;
}

/* Uses the pool that the store has, or else `*pool`, which is then NULL: taken. False if there is
 * neither. */
static bool use(struct ds_open_store *store, struct ds_pool **pool, struct ds_pool **out)
{
    struct ds_open_stores *all = store->all;
    DS_LOCK_SCOPE(&all->lock);
    if (store->pool) {
        DL_DELETE2(all->all, store, newer, older);
        DL_PREPEND2(all->all, store, newer, older);
    } else if (*pool) {
        store->pool = *pool;
        *pool = NULL;
        put_first(all, store);
    } else {
        return false;
    }
    store->users++;
    *out = store->pool;
    return true;
}

int ds_open_store_hold(struct ds_open_store *store, struct ds_call *call, struct ds_pool **out)
{
    struct ds_pool *pool = NULL;
    if (!store->all) {
        *out = store->pool;
        return 0;
    }
    if (use(store, &pool, out))
        return 0;
    /* Before it is opened: there may be no descriptor left. */
    close_oldest(store->all, DS_OPEN_STORES_MAX - 1, call);
    int err = close_renamed(store, call);
    if (!err)
        err = ds_pool_new(&store->identity, store->use, call, &pool);
    if (err)
        return err;
    use(store, &pool, out);
    ds_pool_free(pool, call); /* somebody was faster */
    return 0;
}

void ds_open_store_let_go(struct ds_open_store *store, struct ds_call *call)
{
    if (!store->all)
        return;
    {
        DS_LOCK_SCOPE(&store->all->lock);
        store->users--;
    }
    close_oldest(store->all, DS_OPEN_STORES_MAX, call);
}

int ds_open_store_begin(struct ds_open_store *store, struct ds_call *call)
{
    if (!store->all)
        return ds_pool_new(&store->identity, store->use, call, &store->pool);
    struct ds_pool *pool;
    int err = ds_open_store_hold(store, call, &pool);
    if (!err)
        ds_open_store_let_go(store, call);
    return err;
}

void ds_open_store_end(struct ds_open_store *store, struct ds_call *call)
{
    struct ds_pool *pool = NULL;
    if (store->all) {
        DS_LOCK_SCOPE(&store->all->lock);
        pool = store->pool ? take_out(store->all, store) : NULL;
    } else {
        pool = store->pool;
    }
    ds_pool_free(pool, call);
}
