/* Waiting with a call's deadline and, where asked for, its cancellation. */
#include "wait.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

int ds_wait_check(struct ds_call *call, bool heed_cancel)
{
    if (heed_cancel)
        return ds_call_check(call);
    if (ds_call_left_ms(call) == 0)
        return ds_call_fail(call, -ETIMEDOUT, "no answer within the time limit");
    return 0;
}

int ds_wait_fd(struct ds_call *call, bool heed_cancel, int fd, short events)
{
    for (;;) {
        int err = ds_wait_check(call, heed_cancel);
        if (err)
            return err;
        struct pollfd fds[] = {
            {.fd = fd, .events = events},
            {.fd = heed_cancel ? atomic_load(&call->cancel_fd) : -1, .events = POLLIN}};
        if (poll(fds, 2, ds_call_left_ms(call)) > 0 && fds[0].revents)
            return 0;
    }
}

int ds_wait_ms(struct ds_call *call, bool heed_cancel, int ms)
{
    if (heed_cancel)
        return ds_call_sleep(call, ms);
    int64_t end_ms = ds_call_now_ms() + ms;
    for (;;) {
        int err = ds_wait_check(call, heed_cancel);
        int64_t wait_ms = end_ms - ds_call_now_ms();
        if (err || wait_ms <= 0)
            return err;
        int left_ms = ds_call_left_ms(call);
        poll(NULL, 0, wait_ms < left_ms ? (int)wait_ms : left_ms);
    }
}

int ds_wait_connected(struct ds_call *call, bool heed_cancel, int fd, int *error)
{
    int err = ds_wait_fd(call, heed_cancel, fd, POLLOUT);
    if (err)
        return err;
    int found = 0;
    socklen_t size = sizeof found;
    *error = getsockopt(fd, SOL_SOCKET, SO_ERROR, &found, &size) < 0 ? errno : found;
    return 0;
}
