/* The threads that read the kernel's requests. Two read at a time, so that one may wait for the
 * store and the other goes on; the last one that reads lets another one read before it waits, and
 * if none is left the request is queued, so that a store that hangs never stops what needs no
 * store. */
#ifndef FS_LOOP_H
#define FS_LOOP_H

#include "kernel.h"

#include <fuse_lowlevel.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct fs_loop;

/* What waits for a worker. Embedded in what it belongs to, zeroed but for the functions. */
struct fs_job {
    void (*run)(struct fs_job *job);
    void (*drop)(struct fs_job *job, int error); /* instead, with a negative errno */
    struct fs_timer_entry look;                  /* fires if it waits for long */
    bool queued;
    struct fs_job *prev, *next; /* the loop's queue */
};

/* One thread of the loop. */
struct fs_worker {
    struct fs_loop *loop;
    pthread_t thread;
    pthread_cond_t wake; /* of the request that it runs; used with kernel->lock, CLOCK_MONOTONIC */
    int cancel_fd;       /* eventfd for the request that it runs */
    struct fuse_buf buffer; /* of the request that it read */
    bool reading;           /* is or is about to be in read(2); with the loop's lock */
};

/* Starts with three threads, or with two where there is no third; more follow as they are needed
 * and as the system gives them, up to `max_threads` (at least 2). Sets kernel->loop;
 * kernel->session and kernel->timer are there, and fs_signals_take() was called. `ended` (an
 * eventfd) becomes readable when the kernel has ended the session. 0 or a negative errno, also if
 * there cannot be two threads: one alone could not wait for the store. */
int fs_loop_start(struct fs_kernel *kernel, unsigned max_threads, int ended);

/* The worker that runs the calling thread. */
struct fs_worker *fs_loop_worker(void);

/* Lets the calling worker block: another one goes on reading. False if there is none: the caller
 * must give the request to fs_loop_queue() and return. Once true, always true for this request. */
bool fs_loop_may_block(struct fs_worker *worker);

/* Takes over a job, which another worker runs. `look_ms`: when its timer entry fires if it still
 * waits then; 0: never. -EAGAIN if too many wait already or the loop stops; it is then still the
 * caller's. */
int fs_loop_queue(struct fs_loop *loop, struct fs_job *job, int64_t look_ms);

/* Takes a job out of the queue again. False if it is no longer there. */
bool fs_loop_unqueue(struct fs_loop *loop, struct fs_job *job);

/* Stops reading, waits for the requests that run and drops what is queued. The threads end.
 */
void fs_loop_stop(struct fs_loop *loop);

/* After that: why requests could not be read any more, a negative errno; 0: the mount's end. */
int fs_loop_error(const struct fs_loop *loop);

/* Frees a loop that has been stopped. The timer must be gone: it takes jobs out of the queue.
 */
void fs_loop_free(struct fs_loop *loop);

#endif
