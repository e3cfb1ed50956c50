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

struct pool {
    struct ds_transport transport;
    char *path;            /* NULL: AF_VSOCK */
    struct ds_turns turns; /* as many as there may be channels */
    pthread_mutex_t mutex;
    struct ds_channel *idle; /* under mutex; the one used last comes first */
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
}

/* A channel that has been used before and seems to be open still, or NULL. */
static struct ds_channel *reuse(struct pool *pool)
{
    struct ds_channel *channel;
    while ((channel = pop_idle(pool))) {
        if (ds_call_now_ms() - channel->used_ms < DS_TOOLS_POOL_IDLE_MS &&
            ds_channel_is_quiet(channel))
            return channel;
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

/* One try on a channel that is open or opened now. `*fresh` tells which; `*begun` if anything of
 * the request has been sent. */
static int try_once(struct pool *pool, struct ds_call *call, enum ds_exchange mode,
                    const struct ds_buf *packet, struct ds_answer *out, bool *fresh, bool *begun)
{
    struct ds_channel *channel = reuse(pool);
    int err = 0;
    *begun = false;
    *fresh = !channel;
    if (!channel)
        err = open_channel(pool, call, mode != DS_EXCHANGE_REST, &channel);
    if (err)
        return err;
    err = ds_channel_exchange(channel, call, mode, packet, out, begun);
    if (channel->unusable)
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
        bool fresh;
        bool begun;
        int err = try_once(pool, call, mode, packet, out, &fresh, &begun);
        if (begun || (err != -EIO && err != -EHOSTUNREACH))
            return err;
        /* A channel that has been idle may have been dropped at this very moment. */
        if (!fresh)
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
    while ((channel = pop_idle(pool)))
        ds_channel_free(channel);
    ds_turns_end(&pool->turns);
    pthread_mutex_destroy(&pool->mutex);
    free(pool->path);
    free(pool);
}

int ds_tools_pool_new(const char *path, unsigned channels, struct ds_transport **out)
{
    struct pool *pool = calloc(1, sizeof *pool);
    if (!pool)
        return -ENOMEM;
    pool->transport.exchange = pool_exchange;
    pool->transport.free = pool_free;
    pthread_mutex_init(&pool->mutex, NULL);
    int err = ds_turns_init(&pool->turns, channels);
    if (!err && path) {
        pool->path = strdup(path);
        err = pool->path ? 0 : -ENOMEM;
    }
    if (err) {
        pool_free(&pool->transport);
        return err;
    }
    *out = &pool->transport;
    return 0;
}
