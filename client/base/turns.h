/* A bounded number of turns; who finds none waits for one, with deadline and cancellation. Who
 * finds one makes no system call. */
#ifndef DS_BASE_TURNS_H
#define DS_BASE_TURNS_H

#include "call.h"

#include <stdatomic.h>
#include <stdbool.h>

struct ds_turns {
    atomic_int left; /* below 0: so many wait */
    int fd;          /* eventfd semaphore: turns given to those who wait; -1 if ended */
};

/* 0 or a negative errno; then `turns` can only be ended. */
int ds_turns_init(struct ds_turns *turns, unsigned count);
void ds_turns_end(struct ds_turns *turns);

/* 0; -ETIMEDOUT; -EINTR when cancelled, if `heed_cancel`. */
int ds_turns_take(struct ds_turns *turns, struct ds_call *call, bool heed_cancel);
void ds_turns_give(struct ds_turns *turns);

#endif
