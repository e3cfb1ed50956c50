#include "io.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

/* False when the simulator ends. */
static bool wait_for(const struct sim_io *io, short events)
{
    for (;;) {
        struct pollfd fds[] = {{.fd = io->fd, .events = events},
                               {.fd = io->stop_fd, .events = POLLIN}};
        int ready = poll(fds, 2, -1);
        if (ready < 0 && errno == EINTR)
            continue;
        return ready > 0 && !fds[1].revents;
    }
}

bool sim_io_wait(const struct sim_io *io)
{
    return wait_for(io, POLLIN);
}

static long long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool sim_io_sleep(const struct sim_io *io, int ms, bool or_hangup)
{
    long long end = now_ms() + ms;
    for (;;) {
        long long left = ms < 0 ? -1 : end - now_ms();
        if (ms >= 0 && left <= 0)
            return true;
        struct pollfd fds[] = {{.fd = io->stop_fd, .events = POLLIN},
                               {.fd = or_hangup ? io->fd : -1, .events = POLLRDHUP}};
        int ready = poll(fds, 2, (int)left);
        if (ready > 0 || (ready < 0 && errno != EINTR))
            return false;
    }
}

size_t sim_io_read(const struct sim_io *io, void *data, size_t size)
{
    while (sim_io_wait(io)) {
        ssize_t got = recv(io->fd, data, size, MSG_DONTWAIT);
        if (got >= 0)
            return (size_t)got;
        if (errno != EAGAIN && errno != EINTR)
            break;
    }
    return 0;
}

bool sim_io_write(const struct sim_io *io, const void *data, size_t len)
{
    const char *at = data;
    while (len > 0) {
        if (!wait_for(io, POLLOUT))
            return false;
        ssize_t sent = send(io->fd, at, len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN && errno != EINTR)
            return false;
        if (sent > 0) {
            at += sent;
            len -= (size_t)sent;
        }
    }
    return true;
}
