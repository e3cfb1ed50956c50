/* The timer thread: a list of entries in the order of their times. */
#include "timer.h"

#include "call.h"
#include "cleanup.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <utlist.h>

struct fs_timer {
    pthread_t thread;
    pthread_mutex_t lock;          /* everything below */
    pthread_cond_t changed;        /* an earlier entry, or `stop` */
    pthread_cond_t fired;          /* `firing` became NULL */
    struct fs_timer_entry *head;   /* armed entries, soonest first */
    struct fs_timer_entry *firing; /* being fired now */
    bool stop;
};

static int by_due(const struct fs_timer_entry *a, const struct fs_timer_entry *b)
{
    return (a->due_ms > b->due_ms) - (a->due_ms < b->due_ms);
}

static void disarm(struct fs_timer *timer, struct fs_timer_entry *entry)
{
    if (entry->armed) {
        DL_DELETE(timer->head, entry);
        entry->armed = false;
    }
}

static void *timer_main(void *argument)
{
    struct fs_timer *timer = argument;

    DS_LOCK_SCOPE(&timer->lock);
    while (!timer->stop) {
        struct fs_timer_entry *entry = timer->head;

        if (entry == NULL) {
            pthread_cond_wait(&timer->changed, &timer->lock);
        } else if (entry->due_ms > ds_call_now_ms()) {
            struct timespec due = {.tv_sec = entry->due_ms / 1000,
                                   .tv_nsec = entry->due_ms % 1000 * 1000000};
            pthread_cond_timedwait(&timer->changed, &timer->lock, &due);
        } else {
            disarm(timer, entry);
            timer->firing = entry;
            pthread_mutex_unlock(&timer->lock);
            entry->fire(entry);
            pthread_mutex_lock(&timer->lock);
            timer->firing = NULL;
            pthread_cond_broadcast(&timer->fired);
        }
    }
    return NULL;
}

int fs_timer_new(struct fs_timer **out)
{
    struct fs_timer *timer = calloc(1, sizeof(*timer));
    pthread_condattr_t attributes;
    int err;

    if (timer == NULL)
        return -ENOMEM;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&timer->lock, NULL);
    pthread_cond_init(&timer->changed, &attributes);
    pthread_cond_init(&timer->fired, &attributes);
    pthread_condattr_destroy(&attributes);
    err = -pthread_create(&timer->thread, NULL, timer_main, timer);
    if (err != 0) {
        free(timer);
        return err;
    }
    *out = timer;
    return 0;
}

void fs_timer_set(struct fs_timer *timer, struct fs_timer_entry *entry, int64_t due_ms)
{
    DS_LOCK_SCOPE(&timer->lock);
    disarm(timer, entry);
    entry->due_ms = due_ms;
    entry->armed = true;
    DL_INSERT_INORDER(timer->head, entry, by_due);
    if (timer->head == entry)
        pthread_cond_signal(&timer->changed);
}

void fs_timer_cancel(struct fs_timer *timer, struct fs_timer_entry *entry)
{
    DS_LOCK_SCOPE(&timer->lock);
    for (;;) {
        disarm(timer, entry);
        if (timer->firing != entry || pthread_equal(pthread_self(), timer->thread))
            return;
        pthread_cond_wait(&timer->fired, &timer->lock);
    }
}

void fs_timer_free(struct fs_timer *timer)
{
    if (timer == NULL)
        return;
    pthread_mutex_lock(&timer->lock);
    timer->stop = true;
    pthread_cond_signal(&timer->changed);
    pthread_mutex_unlock(&timer->lock);
    pthread_join(timer->thread, NULL);
    pthread_cond_destroy(&timer->changed);
    pthread_cond_destroy(&timer->fired);
    pthread_mutex_destroy(&timer->lock);
    free(timer);
}
