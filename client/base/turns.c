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
    turns->fd = eventfd(count, EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC);
    return turns->fd < 0 ? -errno : 0;
}

void ds_turns_end(struct ds_turns *turns)
{
    if (turns->fd >= 0)
        close(turns->fd);
    turns->fd = -1;
}

int ds_turns_take(struct ds_turns *turns, struct ds_call *call, bool heed_cancel)
{
    for (;;) {
        int err = ds_wait_check(call, heed_cancel);
        uint64_t turn;
        if (err || read(turns->fd, &turn, sizeof turn) == (ssize_t)sizeof turn)
            return err;
        err = ds_wait_fd(call, heed_cancel, turns->fd, POLLIN);
        if (err)
            return err;
    }
}

void ds_turns_give(struct ds_turns *turns)
{
    uint64_t turn = 1;
    ssize_t ignored = write(turns->fd, &turn, sizeof turn);
    (void)ignored;
}
