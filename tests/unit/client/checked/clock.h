/* A program's own time: it stands still but for what is waited for, so that no machine is too slow
 * for a deadline. Included by one file of the program, it takes the place of the C library's clock
 * and of its poll(2) that waits for nothing but a cancellation. */
#ifndef CLOCK_H
#define CLOCK_H

#include <poll.h>
#include <stdint.h>
#include <time.h>

static int64_t clock_ms = INT64_C(1000000);
static int clock_late_ms; /* so much later than asked for a wait ends */

int clock_gettime(clockid_t clock_id, struct timespec *tp)
{
    (void)clock_id;
    tp->tv_sec = (time_t)(clock_ms / 1000);
    tp->tv_nsec = (long)(clock_ms % 1000) * 1000000;
    return 0;
}

/* poll(2), by another name, since the C library may have an inline function of that one: true if
 * one of them is readable now; else the time passes. */
int clock_poll(struct pollfd *fds, nfds_t nfds, int timeout) __asm__("poll");

int clock_poll(struct pollfd *fds, nfds_t nfds, int timeout)
{
    struct timespec none = {0};
    int ready = ppoll(fds, nfds, &none, NULL);
    if (ready == 0)
        clock_ms += timeout + clock_late_ms;
    return ready;
}

#endif
