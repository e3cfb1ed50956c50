/* libclockjump.so, to be preloaded: the clock of the day jumps as the test says through the shared
 * file of clockjump.h. Other clocks go on, as they do when somebody sets that one. */
#include "clockjump.h"
#include "preloaded.h"

#include <stddef.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT int jumping_clock_gettime(clockid_t clock, struct timespec *out) __asm__("clock_gettime");
EXPORT int jumping_gettimeofday(struct timeval *out, void *zone) __asm__("gettimeofday");
EXPORT time_t jumping_time(time_t *out) __asm__("time");

static struct clockjump *control;

__attribute__((constructor)) static void begin(void)
{
    control = preloaded_control(CLOCKJUMP_FILE, sizeof *control);
}

/* How far the clock is ahead. */
static long look(void)
{
    long seconds = control ? atomic_load(&control->seconds) : 0;
    if (seconds)
        atomic_fetch_add(&control->looks, 1);
    return seconds;
}

int jumping_clock_gettime(clockid_t clock, struct timespec *out)
{
    int err = (int)syscall(SYS_clock_gettime, clock, out);
    if (!err && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        out->tv_sec += look();
    return err;
}

int jumping_gettimeofday(struct timeval *out, void *zone)
{
    struct timespec now;
    (void)zone;
    if (jumping_clock_gettime(CLOCK_REALTIME, &now) != 0)
        return -1;
    *out = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
    return 0;
}

time_t jumping_time(time_t *out)
{
    struct timespec now;
    if (jumping_clock_gettime(CLOCK_REALTIME, &now) != 0)
        return (time_t)-1;
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}
