/* A bounded number of turns. */
#include "turns.h"

#include "wait.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

int ds_turns_init(struct ds_turns *turns, unsigned count)
{
    atomic_init(&turns->left, (int)count);
    turns->fd = eventfd(0, EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC);
    return turns->fd < 0 ? -errno : 0;
}

void ds_turns_end(struct ds_turns *turns)
{
    if (turns->fd >= 0)
        close(turns->fd);
    turns->fd = -1;
}

/* True if there was one among those given to who waits. */
static bool take_given(struct ds_turns *turns)
{
    uint64_t turn;
    if (read(turns->fd, &turn, sizeof turn) != (ssize_t)sizeof turn)
        return false;
    atomic_load(&turns->left); /* what the giver did before is seen */
    return true;
}

int ds_turns_take(struct ds_turns *turns, struct ds_call *call, bool heed_cancel)
{
    int err = ds_wait_check(call, heed_cancel);
    if (err || atomic_fetch_sub(&turns->left, 1) > 0)
        return err;
    while (!take_given(turns)) {
        err = ds_wait_fd(call, heed_cancel, turns->fd, POLLIN);
        if (!err)
            continue;
        /* Too late to go without one if somebody has counted on us meanwhile: he gives it at once.
         */
        if (atomic_fetch_add(&turns->left, 1) >= 0) {
            struct pollfd given = {.fd = turns->fd, .events = POLLIN};
            while (!take_given(turns))
                poll(&given, 1, -1);
        }
        return err;
    }
    return 0;
}

void ds_turns_give(struct ds_turns *turns)
{
    uint64_t turn = 1;
    if (atomic_fetch_add(&turns->left, 1) >= 0)
        return;
    ssize_t ignored = write(turns->fd, &turn, sizeof turn);
    (void)ignored;
}
