/* Random system calls on mounts, by one of several processes. What they answer is counted, and
 * nothing else is asked of them. */
#ifndef RANDOM_STEP_H
#define RANDOM_STEP_H

#include "random_calls.h"

#include <stdatomic.h>

enum { RANDOM_CALLS_MAX = 96, RANDOM_ERRNOS = 134 };

/* What several processes know of their calls, in shared memory. */
struct random_tally {
    atomic_ulong made[RANDOM_CALLS_MAX];
    atomic_ulong failed[RANDOM_CALLS_MAX][RANDOM_ERRNOS];
};

/* Makes a call and counts it; its row, which `*doing` tells others while it lasts. -ENOTCONN: a
 * daemon is dead; else 0. */
int random_step(struct random_caller *caller, struct random_tally *tally, atomic_int *doing);

/* Prints how often each call was made, and how it failed. */
void random_print(struct random_tally *tally);
const char *random_call_name(int number);

/* How many have succeeded. */
unsigned long random_succeeded(struct random_tally *tally);

#endif
