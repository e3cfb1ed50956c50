/* The thread that empties the log of an idle store. */
#include "settle.h"

#include "call.h"
#include "cleanup.h"
#include "log.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

/* With the work itself that is within a second; the last pause is a minute long. */
enum { PAUSE_MS = 500, TRIES_MAX = 8 };

struct ds_settle {
    enum ds_settle_result (*try)(struct ds_pool *pool);
    struct ds_pool *pool;
    pthread_t thread;
    pthread_mutex_t mutex; /* everything below */
    pthread_cond_t wake;
    bool due; /* there is something to do, at `due_ms` */
    int64_t due_ms;
    unsigned tries;
    bool stop;
};

static void warn(void)
{
    ds_log(DS_LOG_WARNING, "what was changed last is not in the store file itself, but in the log "
                           "beside it");
}

/* With the lock. */
static void plan_again(struct ds_settle *settle, enum ds_settle_result result)
{
    if (result == DS_SETTLE_DONE || settle->due)
        return;
    if (result == DS_SETTLE_LATER && ++settle->tries < TRIES_MAX) {
        settle->due = true;
        settle->due_ms = ds_call_now_ms() + ((int64_t)PAUSE_MS << settle->tries);
    } else {
        warn();
    }
}

static void *settle_main(void *argument)
{
    struct ds_settle *settle = argument;
    DS_LOCK_SCOPE(&settle->mutex);
    while (!settle->stop) {
        struct timespec until = {.tv_sec = settle->due_ms / 1000,
                                 .tv_nsec = settle->due_ms % 1000 * 1000000};
        if (!settle->due) {
            pthread_cond_wait(&settle->wake, &settle->mutex);
        } else if (ds_call_now_ms() < settle->due_ms) {
            pthread_cond_timedwait(&settle->wake, &settle->mutex, &until);
        } else {
            settle->due = false;
            pthread_mutex_unlock(&settle->mutex);
            enum ds_settle_result result = settle->try(settle->pool);
            pthread_mutex_lock(&settle->mutex);
            plan_again(settle, result);
        }
    }
    return NULL;
}

int ds_settle_new(enum ds_settle_result (*try)(struct ds_pool *pool), struct ds_pool *pool,
                  struct ds_settle **out)
{
    struct ds_settle *settle = calloc(1, sizeof *settle);
    pthread_condattr_t attributes;
    if (!settle)
        return -ENOMEM;
    settle->try = try;
    settle->pool = pool;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&settle->mutex, NULL);
    pthread_cond_init(&settle->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    int err = -pthread_create(&settle->thread, NULL, settle_main, settle);
    if (err) {
        free(settle);
        return err;
    }
    *out = settle;
    return 0;
}

void ds_settle_changed(struct ds_settle *settle)
{
    DS_LOCK_SCOPE(&settle->mutex);
    /* One that sleeps until an earlier time sees then that it moved. */
    if (!settle->due)
        pthread_cond_signal(&settle->wake);
    settle->due = true;
    settle->due_ms = ds_call_now_ms() + PAUSE_MS;
    settle->tries = 0;
}

void ds_settle_free(struct ds_settle *settle)
{
    if (!settle)
        return;
    pthread_mutex_lock(&settle->mutex);
    settle->stop = true;
    pthread_cond_signal(&settle->wake);
    pthread_mutex_unlock(&settle->mutex);
    pthread_join(settle->thread, NULL);
    if (settle->due && settle->try(settle->pool) == DS_SETTLE_FAILED)
        warn();
    pthread_cond_destroy(&settle->wake);
    pthread_mutex_destroy(&settle->mutex);
    free(settle);
}
