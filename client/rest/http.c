/* HTTP over TLS: one thread drives all transfers. */
#include "http.h"

#include "cleanup.h"
#include "log.h"
#include "rate.h"
#include "secret.h"
#include "transfer.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <utlist.h>

/* So long the thread sleeps when nothing happens; whatever happens wakes it. */
#define IDLE_MS 60000
/* And so long when libcurl fails. */
#define FAILING_MS 20

/* One ds_http_run(), on its caller's stack. */
struct job {
    struct ds_call *call;
    struct ds_http_request *const *requests;
    size_t count;
    size_t next;         /* the first that has not been started */
    size_t running;      /* transfers under way */
    bool heeded;         /* its cancellation has been seen to */
    bool done;           /* under the mutex */
    pthread_cond_t ends; /* with the mutex */
    struct job *prev, *next_job;
};

struct ds_http {
    const struct ds_http_options *options;
    CURLM *multi;
    pthread_t thread;
    pthread_mutex_t mutex;
    struct job *incoming; /* under the mutex */
    bool stop;            /* under the mutex */

    /* Only for the thread. */
    struct ds_rate rate;
    struct job *jobs;         /* whose turn it is comes first */
    struct ds_transfer *idle; /* kept for the next requests */
    struct ds_transfer **active;
    size_t active_count;
    size_t suspects; /* of these: their connections may be silent and are closed after them */
    struct curl_waitfd *waits; /* as many as there are jobs, at least */
    size_t waits_room;
    bool failing; /* libcurl has said so already */
};

/* A request that never became a transfer. */
static void refuse(struct ds_http_request *request, int error, const char *words)
{
    request->error = error;
    request->sent = DS_SENT_NO;
    snprintf(request->text, sizeof request->text, "%s", words);
}

static struct ds_transfer *take_idle(struct ds_http *http)
{
    struct ds_transfer *transfer = http->idle;
    if (!transfer)
        return ds_transfer_new();
    http->idle = transfer->next;
    return transfer;
}

static void put_idle(struct ds_http *http, struct ds_transfer *transfer)
{
    transfer->next = http->idle;
    http->idle = transfer;
}

static int errno_of(CURLMcode code)
{
    if (code == CURLM_OK)
        return 0;
    return code == CURLM_OUT_OF_MEMORY ? -ENOMEM : -EIO;
}

static void start_next(struct ds_http *http, struct job *job)
{
    struct ds_http_request *request = job->requests[job->next++];
    struct ds_transfer *transfer = take_idle(http);
    if (!transfer) {
        refuse(request, -ENOMEM, "out of memory");
        return;
    }
    int err = ds_transfer_begin(transfer, http->options, request, job->call, http->suspects > 0);
    if (!err) {
        CURLMcode code = curl_multi_add_handle(http->multi, transfer->easy);
        err = errno_of(code);
        if (err)
            ds_transfer_abort(transfer, err, curl_multi_strerror(code));
    }
    if (err) {
        put_idle(http, transfer);
        return;
    }
    transfer->owner = job;
    http->active[http->active_count++] = transfer;
    job->running++;
}

static bool is_complete(const struct job *job)
{
    return job->next == job->count && job->running == 0;
}

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* A machine that does not answer, or is read by many, must not have all places: its share is three
 * times as many as it leaves free for others, and never the last one, unless there is but one. */
static bool has_place(const struct ds_http *http, const struct ds_http_request *request)
{
    enum { SHARE = 3 };
    size_t taken = 0;
    if (!request->group)
        return true;
    for (size_t i = 0; i < http->active_count; i++)
        taken += http->active[i]->request->group == request->group;
    return taken < SHARE * (http->options->transfers - http->active_count) &&
           (taken + 1 < http->options->transfers || taken == 0);
}

/* The first in turn that may begin; NULL if there is none. */
static struct job *next_job(const struct ds_http *http)
{
    struct job *job = http->jobs;
    while (job && (job->next == job->count || !has_place(http, job->requests[job->next])))
        job = job->next_job;
    return job;
}

/* Starts what may run; of several jobs each has its turn. */
static void start_transfers(struct ds_http *http)
{
    while (http->active_count < http->options->transfers &&
           ds_rate_wait_us(&http->rate, now_us()) == 0) {
        struct job *job = next_job(http);
        if (!job)
            return;
        start_next(http, job);
        ds_rate_take(&http->rate, now_us());
        DL_DELETE2(http->jobs, job, prev, next_job);
        DL_APPEND2(http->jobs, job, prev, next_job);
    }
}

static void remove_active(struct ds_http *http, struct ds_transfer *transfer)
{
    struct job *job = transfer->owner;
    size_t at = 0;
    while (http->active[at] != transfer)
        at++;
    http->active[at] = http->active[--http->active_count];
    http->suspects -= transfer->suspect;
    job->running--;
}

static struct ds_transfer *find_active(const struct ds_http *http, const CURL *easy)
{
    size_t at = 0;
    while (http->active[at]->easy != easy)
        at++;
    return http->active[at];
}

static void take_away(struct ds_http *http, struct ds_transfer *transfer)
{
    CURLMcode code = curl_multi_remove_handle(http->multi, transfer->easy);
    if (code != CURLM_OK)
        ds_log(DS_LOG_WARNING, "a transfer does not end: %s", curl_multi_strerror(code));
}

static void take_ended(struct ds_http *http)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(http->multi, &left))) {
        struct ds_transfer *transfer;
        CURLcode code = message->data.result;
        CURL *easy = message->easy_handle;
        if (message->msg != CURLMSG_DONE)
            continue;
        transfer = find_active(http, easy);
        take_away(http, transfer);
        remove_active(http, transfer);
        ds_transfer_end(transfer, http->options, code);
        put_idle(http, transfer);
    }
}

/* Somebody got no answer in time. A connection can be dead without a word, as when a firewall has
 * forgotten it, and over HTTP/2 the next request would join it: those that are open now are closed
 * with the last of their transfers, and new transfers use others until then. */
static void suspect_connections(struct ds_http *http)
{
    for (size_t i = 0; i < http->active_count; i++) {
        bool before = http->active[i]->suspect;
        ds_transfer_suspect(http->active[i]);
        http->suspects += http->active[i]->suspect - before;
    }
}

/* Ends what of the job can be ended: all, or what need not be finished once it is cancelled. */
static void abort_job(struct ds_http *http, struct job *job, int error, const char *words)
{
    bool all = error == -ETIMEDOUT;
    if (all && ds_call_now_ms() >= job->call->last_deadline_ms && job->running)
        suspect_connections(http);
    while (job->next < job->count)
        refuse(job->requests[job->next++], error, words);
    for (size_t i = http->active_count; i-- > 0;) {
        struct ds_transfer *transfer = http->active[i];
        if (transfer->owner != job ||
            (!all && transfer->departure.begun && transfer->request->change))
            continue;
        take_away(http, transfer);
        remove_active(http, transfer);
        ds_transfer_abort(transfer, error, words);
        put_idle(http, transfer);
    }
}

static void look_after(struct ds_http *http)
{
    struct job *job;
    for (job = http->jobs; job; job = job->next_job) {
        if (ds_call_left_ms(job->call) == 0) {
            abort_job(http, job, -ETIMEDOUT, "no answer within the time limit");
        } else if (!job->heeded && atomic_load(&job->call->cancelled)) {
            job->heeded = true;
            abort_job(http, job, -EINTR, "interrupted");
        }
    }
}

/* Takes in new jobs and lets go of those that are done. False when the thread is to end. */
static bool exchange_jobs(struct ds_http *http)
{
    struct job *job;
    struct job *after;
    DS_LOCK_SCOPE(&http->mutex);
    DL_CONCAT2(http->jobs, http->incoming, prev, next_job);
    http->incoming = NULL;
    for (job = http->jobs; job; job = after) {
        after = job->next_job;
        if (!is_complete(job))
            continue;
        DL_DELETE2(http->jobs, job, prev, next_job);
        job->done = true;
        pthread_cond_signal(&job->ends);
    }
    return !http->stop;
}

/* When the rate lets one more begin, rounded up. */
static int rate_ms(const struct ds_http *http)
{
    int64_t wait_us = ds_rate_wait_us(&http->rate, now_us());
    return wait_us > 0 ? (int)(wait_us / 1000) + 1 : IDLE_MS;
}

/* The descriptors that tell of cancellations, and how long to sleep at the most. */
static unsigned prepare_wait(struct ds_http *http, int *ms)
{
    struct job *job;
    unsigned count = 0;
    *ms = next_job(http) ? rate_ms(http) : IDLE_MS;
    for (job = http->jobs; job; job = job->next_job) {
        int left_ms = ds_call_left_ms(job->call);
        int fd = job->heeded ? -1 : atomic_load(&job->call->cancel_fd);
        if (left_ms < *ms)
            *ms = left_ms;
        if (fd >= 0 && count == http->waits_room) {
            size_t room = http->waits_room ? http->waits_room * 2 : 16;
            struct curl_waitfd *waits = realloc(http->waits, room * sizeof *waits);
            if (!waits)
                continue; /* its cancellation is seen at the next wake-up only */
            http->waits = waits;
            http->waits_room = room;
        }
        if (fd >= 0)
            http->waits[count++] = (struct curl_waitfd){.fd = fd, .events = CURL_WAIT_POLLIN};
    }
    return count;
}

/* True if a job can be let go of, or a place has become free for another transfer. */
static bool has_news(const struct ds_http *http, size_t active_before)
{
    const struct job *job = http->jobs;
    while (job && !is_complete(job))
        job = job->next_job;
    return job || http->active_count < active_before;
}

/* When libcurl cannot go on or wait, as without memory, it is not asked again at once. The
 * deadlines of those who wait stand. */
static void rest(struct ds_http *http, CURLMcode code, int ms)
{
    if (code && !http->failing)
        ds_log(DS_LOG_WARNING, "libcurl: %s", curl_multi_strerror(code));
    http->failing = code != CURLM_OK;
    if (code)
        poll(NULL, 0, ms < FAILING_MS ? ms : FAILING_MS);
}

static void *drive(void *argument)
{
    struct ds_http *http = argument;
    while (exchange_jobs(http)) {
        int running;
        int ms;
        look_after(http);
        start_transfers(http);
        CURLMcode code = curl_multi_perform(http->multi, &running);
        size_t before = http->active_count;
        take_ended(http);
        if (has_news(http, before))
            continue;
        unsigned count = prepare_wait(http, &ms);
        ds_secret_clear_registers(); /* requests carry the session's token */
        if (!code)
            code = curl_multi_poll(http->multi, http->waits, count, ms, NULL);
        rest(http, code, ms);
    }
    return NULL;
}

/* How far the furthest got of which the outcome is not known; else of any. */
static enum ds_sent how_far(struct ds_http_request *const *requests, size_t count)
{
    enum ds_sent sent = DS_SENT_NO;
    for (size_t i = 0; i < count; i++) {
        if (requests[i]->sent == DS_SENT_MAYBE)
            return DS_SENT_MAYBE;
        if (requests[i]->sent == DS_SENT_ANSWERED)
            sent = DS_SENT_ANSWERED;
    }
    return sent;
}

void ds_http_run(struct ds_http *http, struct ds_call *call,
                 struct ds_http_request *const *requests, size_t count)
{
    struct job job = {.call = call, .requests = requests, .count = count};
    ds_call_set_sent(call, DS_SENT_NO);
    pthread_cond_init(&job.ends, NULL);
    pthread_mutex_lock(&http->mutex);
    DL_APPEND2(http->incoming, &job, prev, next_job);
    curl_multi_wakeup(http->multi);
    ds_secret_clear_registers();
    while (!job.done)
        pthread_cond_wait(&job.ends, &http->mutex);
    pthread_mutex_unlock(&http->mutex);
    pthread_cond_destroy(&job.ends);
    ds_call_set_sent(call, how_far(requests, count));
}

/* The process's signals are for other threads. */
static int start_thread(struct ds_http *http)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int err = -pthread_create(&http->thread, NULL, drive, http);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return err;
}

static void free_parts(struct ds_http *http)
{
    for (struct ds_transfer *transfer; (transfer = http->idle);) {
        http->idle = transfer->next;
        ds_transfer_free(transfer);
    }
    curl_multi_cleanup(http->multi);
    pthread_mutex_destroy(&http->mutex);
    free(http->active);
    free(http->waits);
    free(http);
}

static int set_limits(CURLM *multi, long transfers)
{
    CURLMcode code = curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, transfers);
    if (!code)
        code = curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, transfers);
    if (!code)
        code = curl_multi_setopt(multi, CURLMOPT_MAX_CONCURRENT_STREAMS, transfers);
    return errno_of(code);
}

int ds_http_new(const struct ds_http_options *options, struct ds_http **out)
{
    struct ds_http *http = calloc(1, sizeof *http);
    if (!http)
        return -ENOMEM;
    http->options = options;
    http->rate = (struct ds_rate){.per_second = options->rate, .burst = options->transfers};
    pthread_mutex_init(&http->mutex, NULL);
    http->active = calloc(options->transfers, sizeof(struct ds_transfer *));
    http->multi = curl_multi_init();
    int err = http->active && http->multi ? 0 : -ENOMEM;
    if (!err) {
        err = set_limits(http->multi, (long)options->transfers);
        if (!err)
            err = start_thread(http);
    }
    if (err)
        free_parts(http);
    else
        *out = http;
    return err;
}

void ds_http_free(struct ds_http *http)
{
    if (!http)
        return;
    pthread_mutex_lock(&http->mutex);
    http->stop = true;
    curl_multi_wakeup(http->multi);
    pthread_mutex_unlock(&http->mutex);
    pthread_join(http->thread, NULL);
    free_parts(http);
}
