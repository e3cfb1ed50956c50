/* The transport over open channels. */
#include "pool.h"

#include "../base/turns.h"
#include "../base/wait.h"
#include "channel.h"
#include "cleanup.h"
#include "unix.h"
#include "vsock.h"
#include "wire.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct pool {
    struct ds_transport transport;
    char *path;            /* NULL: AF_VSOCK */
    struct ds_turns turns; /* as many as there may be channels */
    int idle_ms;
    pthread_mutex_t mutex;
    struct ds_channel *idle; /* under mutex; the one used last comes first */
    unsigned lost;           /* under mutex: channels in a row that the host has closed at once */
    int64_t once_until_ms;   /* under mutex: till then a channel serves one exchange */
    pthread_t closer;        /* closes what has been idle for long */
    bool has_closer;
    bool closer_rests;     /* under mutex: it waits for a channel to become idle */
    bool ends;             /* under mutex */
    pthread_cond_t wanted; /* of the closer */
};

static struct ds_channel *pop_idle(struct pool *pool)
{
    DS_LOCK_SCOPE(&pool->mutex);
    struct ds_channel *channel = pool->idle;
    if (channel)
        pool->idle = channel->next;
    return channel;
}

static void push_idle(struct pool *pool, struct ds_channel *channel)
{
    DS_LOCK_SCOPE(&pool->mutex);
    channel->next = pool->idle;
    pool->idle = channel;
    /* One that waits for its time sees this channel when it wakes, in time. */
    if (pool->closer_rests)
        pthread_cond_signal(&pool->wanted);
}

/* Closes what has been idle for long. The time when the next one will have been, or -1. With the
 * mutex. */
static int64_t close_expired(struct pool *pool)
{
    int64_t now_ms = ds_call_now_ms();
    int64_t next_ms = -1;
    for (struct ds_channel **at = &pool->idle; *at;) {
        struct ds_channel *channel = *at;
        int64_t end_ms = channel->used_ms + pool->idle_ms;
        if (end_ms <= now_ms) {
            *at = channel->next;
            ds_channel_free(channel);
            continue;
        }
        if (next_ms < 0 || end_ms < next_ms)
            next_ms = end_ms;
        at = &channel->next;
    }
    return next_ms;
}

static void *run_closer(void *argument)
{
    struct pool *pool = argument;
    DS_LOCK_SCOPE(&pool->mutex);
    while (!pool->ends) {
        int64_t next_ms = close_expired(pool);
        pool->closer_rests = next_ms < 0;
        if (pool->closer_rests) {
            pthread_cond_wait(&pool->wanted, &pool->mutex);
            continue;
        }
        struct timespec until = {.tv_sec = next_ms / 1000, .tv_nsec = next_ms % 1000 * 1000000};
        pthread_cond_timedwait(&pool->wanted, &pool->mutex, &until);
    }
    return NULL;
}

/* 0 or a negative errno. */
static int start_closer(struct pool *pool)
{
    int err = -pthread_create(&pool->closer, NULL, run_closer, pool);
    pool->has_closer = !err;
    return err;
}

static void stop_closer(struct pool *pool)
{
    if (!pool->has_closer)
        return;
    pthread_mutex_lock(&pool->mutex);
    pool->ends = true;
    pthread_cond_signal(&pool->wanted);
    pthread_mutex_unlock(&pool->mutex);
    pthread_join(pool->closer, NULL);
}

/* The host has closed a channel that had answered before: as it may at any time, or as it does
 * after each answer. `during`: with a request on its way, of which nobody knows what became. */
static void note_closed(struct pool *pool, const struct ds_channel *channel, bool during)
{
    int64_t now_ms = ds_call_now_ms();
    DS_LOCK_SCOPE(&pool->mutex);
    if (now_ms - channel->used_ms >= DS_TOOLS_POOL_AT_ONCE_MS)
        return;
    pool->lost++;
    if (during || pool->lost >= DS_TOOLS_POOL_LOST)
        pool->once_until_ms = now_ms + DS_TOOLS_POOL_ONCE_MS;
}

static void note_kept(struct pool *pool)
{
    DS_LOCK_SCOPE(&pool->mutex);
    pool->lost = 0;
}

static bool serves_once(struct pool *pool)
{
    DS_LOCK_SCOPE(&pool->mutex);
    return ds_call_now_ms() < pool->once_until_ms;
}

/* A channel that has been used before and seems to be open still, or NULL. */
static struct ds_channel *reuse(struct pool *pool)
{
    struct ds_channel *channel;
    while ((channel = pop_idle(pool))) {
        bool quiet = ds_channel_is_quiet(channel);
        if (quiet && !serves_once(pool))
            return channel;
        if (!quiet)
            note_closed(pool, channel, false);
        ds_channel_free(channel);
    }
    return NULL;
}

static int open_channel(const struct pool *pool, struct ds_call *call, bool heed_cancel,
                        struct ds_channel **out)
{
    int fd;
    int err = pool->path ? ds_unix_connect(pool->path, call, heed_cancel, &fd)
                         : ds_vsock_connect(call, heed_cancel, &fd);
    return err ? err : ds_channel_new_take(fd, out);
}

struct
try {
    bool fresh; /* on a channel that was opened for it */
    bool begun; /* some of the request has been sent */
};

/* One try on a channel that is open or opened now. */
static int try_once(struct pool *pool, struct ds_call *call, enum ds_exchange mode,
                    const struct ds_buf *packet, struct ds_answer *out, struct try *try)
{
    struct ds_channel *channel = reuse(pool);
    int err = 0;
    *try = (struct try){.fresh = !channel};
    if (!channel)
        err = open_channel(pool, call, mode != DS_EXCHANGE_REST, &channel);
    if (err)
        return err;
    err = ds_channel_exchange(channel, call, mode, packet, out, &try->begun);
    if (!try->fresh && err == -EIO)
        note_closed(pool, channel, try->begun);
    else if (!try->fresh && !err)
        note_kept(pool);
    if (channel->unusable || serves_once(pool))
        ds_channel_free(channel);
    else
        push_idle(pool, channel);
    return err;
}

static int exchange_packet(struct pool *pool, struct ds_call *call, enum ds_exchange mode,
                           const struct ds_buf *packet, struct ds_answer *out)
{
    int64_t patience_ms = ds_call_now_ms() + DS_TOOLS_POOL_PATIENCE_MS;
    for (unsigned retries = 0;;) {
        struct try try;
        int err = try_once(pool, call, mode, packet, out, &try);
        if (try.begun || (err != -EIO && err != -EHOSTUNREACH))
            return err;
        /* A channel that has been idle may have been dropped at this very moment. */
        if (!try.fresh)
            continue;
        if (retries++ == DS_TOOLS_POOL_RETRIES || ds_call_now_ms() >= patience_ms ||
            ds_call_left_ms(call) <= DS_TOOLS_POOL_RETRY_MS)
            return err;
        err = ds_wait_ms(call, mode != DS_EXCHANGE_REST, DS_TOOLS_POOL_RETRY_MS);
        if (err)
            return err;
    }
}

static int pool_exchange(struct ds_transport *transport, struct ds_call *call,
                         enum ds_exchange mode, const char *text, size_t len, struct ds_answer *out)
{
    struct pool *pool = (struct pool *)transport;
    struct ds_buf packet = {0};
    ds_call_set_sent(call, mode == DS_EXCHANGE_REST ? DS_SENT_MAYBE : DS_SENT_NO);
    int err = ds_wire_encode(&packet, text, len, false);
    if (!err)
        err = ds_turns_take(&pool->turns, call, mode != DS_EXCHANGE_REST);
    if (!err) {
        err = exchange_packet(pool, call, mode, &packet, out);
        ds_turns_give(&pool->turns);
    }
    ds_buf_free(&packet);
    return err;
}

static void pool_free(struct ds_transport *transport)
{
    struct pool *pool = (struct pool *)transport;
    struct ds_channel *channel;
    stop_closer(pool);
    while ((channel = pop_idle(pool)))
        ds_channel_free(channel);
    ds_turns_end(&pool->turns);
    pthread_cond_destroy(&pool->wanted);
    pthread_mutex_destroy(&pool->mutex);
    free(pool->path);
    free(pool);
}

int ds_tools_pool_new(const char *path, unsigned channels, int idle_ms, struct ds_transport **out)
{
    struct pool *pool = calloc(1, sizeof *pool);
    pthread_condattr_t attributes;
    if (!pool)
        return -ENOMEM;
    pool->transport.exchange = pool_exchange;
    pool->transport.free = pool_free;
    pool->idle_ms = idle_ms;
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&pool->wanted, &attributes);
    pthread_condattr_destroy(&attributes);
    int err = ds_turns_init(&pool->turns, channels);
    if (!err && path) {
        pool->path = strdup(path);
        err = pool->path ? 0 : -ENOMEM;
    }
    if (!err)
        err = start_closer(pool);
    if (err) {
        pool_free(&pool->transport);
        return err;
    }
    *out = &pool->transport;
    return 0;
}
