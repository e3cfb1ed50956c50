/* What random tests start from. */
#ifndef SEED_H
#define SEED_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* DS_SEED, which is shown in the log: a number, or "clock" for another one in every run. Without it
 * the same one always: a hunt for what nobody knows yet must not decide whether a change is good.
 */
static inline uint64_t seed_of_run(void)
{
    const char *given = getenv("DS_SEED");
    struct timespec now;
    uint64_t seed = 1;

    clock_gettime(CLOCK_REALTIME, &now);
    if (given && strcmp(given, "clock") == 0)
        seed = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    else if (given && *given)
        seed = strtoull(given, NULL, 10);
    printf("DS_SEED=%llu\n", (unsigned long long)seed);
    return seed;
}

#endif
