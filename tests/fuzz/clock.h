/* A time of the program's own, which passes by looking at it and as it is told to, so that an input
 * always does the same. Included by one file of a program; it takes the place of the C library's
 * monotonic clock. */
#ifndef FUZZ_CLOCK_H
#define FUZZ_CLOCK_H

#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int64_t clock_us; /* since the input began */

int clock_gettime(clockid_t clock_id, struct timespec *tp)
{
    enum { BEGIN_S = 1000 };
    if (clock_id != CLOCK_MONOTONIC)
        return (int)syscall(SYS_clock_gettime, clock_id, tp);
    clock_us++;
    tp->tv_sec = (time_t)(BEGIN_S + clock_us / 1000000);
    tp->tv_nsec = (long)(clock_us % 1000000) * 1000;
    return 0;
}

#endif
