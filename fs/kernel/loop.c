/* Leaders and followers: two threads read and run what they read, the others wait. */
#include "loop.h"

#include "cleanup.h"
#include "log.h"
#include "signals.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <utlist.h>

/* A buffer that held a larger request is given back, so that memory follows the load down. */
enum { BUFFER_KEPT_BYTES = 256 * 1024 };
/* Each holds at most one write's data; the kernel itself seldom lets that many stand. */
enum { QUEUE_MAX = 4096 };
/* With one that reads and one that waits for the store, what is queued is run some time, even where
 * no further thread can be made. */
enum { WORKERS_MIN = 2 };
/* With two that read, one of them may wait for the store without anybody being woken for that; but
 * there must be a third one, lest nobody is free for what is queued. */
enum { READERS_MAX = 2, WORKERS_WANTED = READERS_MAX + 1 };
/* How often a reader that must stop is reminded: a signal just before read(2) is lost. */
enum { REMIND_MS = 5 };
/* How long to wait before the next look for memory to read a request into. */
enum { NO_MEMORY_MS = 10 };

struct fs_loop {
    struct fuse_session *session;
    struct fs_timer *timer;
    unsigned max_threads;
    int ended; /* borrowed eventfd */

    pthread_mutex_t lock;      /* everything below */
    pthread_cond_t idle;       /* workers with nothing to do wait here */
    pthread_cond_t left;       /* a worker has ended */
    struct fs_worker *workers; /* max_threads of them, `started` in use */
    unsigned started;
    unsigned running; /* threads that have not ended */
    unsigned idle_count;
    unsigned busy;    /* workers that run a request which may block */
    unsigned readers; /* workers that read, or run a request that has not said it may block */
    bool stop;
    int error;            /* why no more can be read; 0: the mount ended */
    struct fs_job *queue; /* the oldest first */
    unsigned queued;      /* how many */
};

static _Thread_local struct fs_worker *this_worker;

struct fs_worker *fs_loop_worker(void)
{
    return this_worker;
}

static void *worker_main(void *argument);

/* Starts one more thread; with the lock. */
static int start_worker(struct fs_loop *loop)
{
    struct fs_worker *worker = &loop->workers[loop->started];
    pthread_condattr_t attributes;
    int err;

    worker->loop = loop;
    worker->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (worker->cancel_fd < 0)
        return -errno;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&worker->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    err = -pthread_create(&worker->thread, NULL, worker_main, worker);
    if (err != 0) {
        close(worker->cancel_fd);
        pthread_cond_destroy(&worker->wake);
        return err;
    }
    loop->started++;
    loop->running++;
    return 0;
}

/* With the lock: somebody who is free, or new, takes what is queued. Where nobody can, a worker
 * that becomes free does. */
static void call_help(struct fs_loop *loop)
{
    if (loop->busy + 1 >= loop->max_threads)
        return;
    if (loop->idle_count > 0)
        pthread_cond_signal(&loop->idle);
    else if (loop->started < loop->max_threads)
        start_worker(loop);
}

/* With the lock: wakes or makes one who reads. False if there is none. */
static bool find_reader(struct fs_loop *loop)
{
    if (loop->idle_count > 0) {
        pthread_cond_signal(&loop->idle);
        return true;
    }
    return loop->started < loop->max_threads && start_worker(loop) == 0;
}

bool fs_loop_may_block(struct fs_worker *worker)
{
    struct fs_loop *loop = worker->loop;

    DS_LOCK_SCOPE(&loop->lock);
    if (!worker->reading)
        return true;
    if (loop->busy + 1 >= loop->max_threads || (loop->readers == 1 && !find_reader(loop)))
        return false;
    worker->reading = false;
    loop->readers--;
    loop->busy++;
    return true;
}

int fs_loop_queue(struct fs_loop *loop, struct fs_job *job, int64_t look_ms)
{
    DS_LOCK_SCOPE(&loop->lock);
    if (loop->queued == QUEUE_MAX || loop->stop)
        return -EAGAIN;
    DL_APPEND(loop->queue, job);
    loop->queued++;
    job->queued = true;
    if (look_ms != 0)
        fs_timer_set(loop->timer, &job->look, look_ms);
    call_help(loop);
    return 0;
}

/* With the lock. */
static void take_from_queue(struct fs_loop *loop, struct fs_job *job)
{
    DL_DELETE(loop->queue, job);
    loop->queued--;
    job->queued = false;
}

bool fs_loop_unqueue(struct fs_loop *loop, struct fs_job *job)
{
    DS_LOCK_SCOPE(&loop->lock);
    if (!job->queued)
        return false;
    take_from_queue(loop, job);
    return true;
}

/* Reads one request and runs it. 0 or a negative errno when there will be none any more. Without
 * the lock. */
static int read_one(struct fs_worker *worker)
{
    int received = fuse_session_receive_buf(worker->loop->session, &worker->buffer);

    if (received == -ENOMEM) { /* for the buffer: the request waits in the kernel */
        poll(NULL, 0, NO_MEMORY_MS);
        return 1;
    }

    if (received > 0) {
        fuse_session_process_buf(worker->loop->session, &worker->buffer);
        if (received > BUFFER_KEPT_BYTES) {
            free(worker->buffer.mem);
            worker->buffer.mem = NULL;
        }
    }
    return received == -EINTR || received == -EAGAIN ? 1 : received;
}

/* With the lock, which is released meanwhile. */
static void run_queued(struct fs_loop *loop)
{
    struct fs_job *job = loop->queue;

    take_from_queue(loop, job);
    loop->busy++;
    if (loop->queue != NULL)
        call_help(loop); /* two that were queued at one moment may have called this worker */
    pthread_mutex_unlock(&loop->lock);
    job->run(job);
    pthread_mutex_lock(&loop->lock);
    loop->busy--;
}

/* With the lock, which is released meanwhile. */
static void be_reader(struct fs_loop *loop, struct fs_worker *worker)
{
    int more;

    loop->readers++;
    worker->reading = true;
    if (loop->queue != NULL)
        call_help(loop); /* this worker may have been woken for it */
    pthread_mutex_unlock(&loop->lock);
    more = read_one(worker);
    pthread_mutex_lock(&loop->lock);
    if (worker->reading) {
        worker->reading = false;
        loop->readers--;
    } else {
        loop->busy--; /* it gave the reading away and ran a request that may block */
    }
    if (more <= 0 && !loop->stop) {
        uint64_t one = 1;

        loop->error = more;
        loop->stop = true;
        pthread_cond_broadcast(&loop->idle);
        if (write(loop->ended, &one, sizeof(one)) < 0)
            ds_log(DS_LOG_ERROR, "cannot report the end of the session: %s", strerror(errno));
    }
}

static void *worker_main(void *argument)
{
    struct fs_worker *worker = argument;
    struct fs_loop *loop = worker->loop;

    this_worker = worker;
    pthread_mutex_lock(&loop->lock);
    while (!loop->stop) {
        bool may_run = loop->queue != NULL && loop->busy + 1 < loop->max_threads;
        unsigned readers_max = loop->started >= WORKERS_WANTED ? READERS_MAX : 1;

        if (loop->readers > 0 && may_run) {
            run_queued(loop);
        } else if (loop->readers < readers_max) {
            be_reader(loop, worker);
        } else {
            loop->idle_count++;
            pthread_cond_wait(&loop->idle, &loop->lock);
            loop->idle_count--;
        }
    }
    loop->running--;
    pthread_cond_broadcast(&loop->left);
    pthread_mutex_unlock(&loop->lock);
    return NULL;
}

int fs_loop_start(struct fs_kernel *kernel, unsigned max_threads, int ended)
{
    struct fs_loop *loop = calloc(1, sizeof(*loop));
    pthread_condattr_t attributes;
    int err = 0;

    if (loop == NULL)
        return -ENOMEM;
    loop->workers = calloc(max_threads, sizeof(*loop->workers));
    if (loop->workers == NULL) {
        free(loop);
        return -ENOMEM;
    }
    loop->session = kernel->session;
    loop->timer = kernel->timer;
    loop->max_threads = max_threads;
    loop->ended = ended;
    pthread_mutex_init(&loop->lock, NULL);
    pthread_cond_init(&loop->idle, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&loop->left, &attributes);
    pthread_condattr_destroy(&attributes);
    kernel->loop = loop;             /* the first request may come before this returns */
    pthread_mutex_lock(&loop->lock); /* they begin when it is known that both are there */
    for (unsigned i = 0; i < WORKERS_MIN && err == 0; i++)
        err = start_worker(loop);
    if (err == 0 && max_threads >= WORKERS_WANTED)
        start_worker(loop); /* without it each request that asks the store wakes another worker */
    loop->stop = err != 0;
    pthread_mutex_unlock(&loop->lock);
    if (err != 0) {
        fs_loop_free(loop);
        kernel->loop = NULL;
    }
    return err;
}

/* Waits until all threads have ended; with the lock. */
static void await_workers(struct fs_loop *loop)
{
    while (loop->running > 0) {
        struct timespec until;

        for (unsigned i = 0; i < loop->started; i++)
            if (loop->workers[i].reading)
                pthread_kill(loop->workers[i].thread, FS_SIGNALS_WAKE);
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += REMIND_MS * 1000000L;
        if (until.tv_nsec >= 1000000000L) {
            until.tv_nsec -= 1000000000L;
            until.tv_sec++;
        }
        pthread_cond_timedwait(&loop->left, &loop->lock, &until);
    }
}

void fs_loop_stop(struct fs_loop *loop)
{
    DS_LOCK_SCOPE(&loop->lock);
    loop->stop = true;
    pthread_cond_broadcast(&loop->idle);
    await_workers(loop);
    while (loop->queue != NULL) {
        struct fs_job *job = loop->queue;

        take_from_queue(loop, job);
        pthread_mutex_unlock(&loop->lock);
        job->drop(job, -ENOTCONN);
        pthread_mutex_lock(&loop->lock);
    }
}

int fs_loop_error(const struct fs_loop *loop)
{
    return loop->error;
}

void fs_loop_free(struct fs_loop *loop)
{
    for (unsigned i = 0; i < loop->started; i++) {
        pthread_join(loop->workers[i].thread, NULL);
        close(loop->workers[i].cancel_fd);
        pthread_cond_destroy(&loop->workers[i].wake);
        free(loop->workers[i].buffer.mem);
    }
    pthread_cond_destroy(&loop->idle);
    pthread_cond_destroy(&loop->left);
    pthread_mutex_destroy(&loop->lock);
    free(loop->workers);
    free(loop);
}
