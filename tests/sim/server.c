#include "server.h"

#include "cleanup.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define LISTENERS_MAX 2

/* A connection's thread. The list belongs to the main thread. */
struct worker {
    struct worker *next;
    struct sim_connection connection;
    void (*serve)(struct sim_connection *connection);
    pthread_t thread;
    atomic_bool done;
};

static int address_of(const char *path, struct sockaddr_un *out)
{
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (!*path || strlen(path) >= sizeof out->sun_path)
        return -ENAMETOOLONG;
    memcpy(out->sun_path, path, strlen(path));
    return 0;
}

/* True if the socket is there and nobody listens. */
static bool is_abandoned(const struct sockaddr_un *address)
{
    int fd DS_AUTO_CLOSE = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const void *plain = address;
    return fd >= 0 && connect(fd, plain, sizeof *address) != 0 && errno == ECONNREFUSED;
}

int sim_server_listen(struct sim_listener *listener)
{
    struct sockaddr_un address;
    const void *plain = &address;
    int err = address_of(listener->path, &address);
    if (err)
        return err;
    if (is_abandoned(&address))
        unlink(listener->path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if (bind(fd, plain, sizeof address) != 0) { /* mode 0600 by the umask */
        err = -errno;
        close(fd);
        return err;
    }
    listener->fd = fd;
    if (listen(fd, SOMAXCONN) == 0)
        return 0;
    err = -errno;
    sim_server_close(listener);
    return err;
}

void sim_server_close(struct sim_listener *listener)
{
    if (listener->fd < 0)
        return;
    unlink(listener->path);
    close(listener->fd);
    listener->fd = -1;
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    worker->serve(&worker->connection);
    close(worker->connection.io.fd);
    atomic_store(&worker->done, true);
    return NULL;
}

/* Joins the workers that are done, or all. */
static void reap(struct worker **list, bool all)
{
    while (*list) {
        struct worker *worker = *list;
        if (!all && !atomic_load(&worker->done)) {
            list = &worker->next;
            continue;
        }
        pthread_join(worker->thread, NULL);
        *list = worker->next;
        free(worker);
    }
}

static void take_connection(struct sim_host *host, struct sim_listener *listener,
                            struct worker **list)
{
    struct sockaddr_un peer;
    socklen_t peer_len = sizeof peer;
    void *plain = &peer;
    int fd = accept4(listener->fd, plain, &peer_len, SOCK_CLOEXEC);
    struct worker *worker = fd >= 0 ? calloc(1, sizeof *worker) : NULL;
    if (!worker) {
        if (fd >= 0)
            close(fd);
        return;
    }
    worker->connection = (struct sim_connection){.host = host,
                                                 .number = ++listener->connections,
                                                 .io = {.fd = fd, .stop_fd = host->stop_fd}};
    ds_call_init(&worker->connection.call, 0);
    ds_call_set_cancel_fd(&worker->connection.call, host->stop_fd);
    worker->serve = listener->serve;
    if (pthread_create(&worker->thread, NULL, work, worker) != 0) {
        close(fd);
        free(worker);
        return;
    }
    worker->next = *list;
    *list = worker;
}

static void stop_all(struct sim_host *host, struct worker **list)
{
    uint64_t one = 1;
    if (write(host->stop_fd, &one, sizeof one) != sizeof one)
        abort();
    for (struct worker *worker = *list; worker; worker = worker->next)
        ds_call_cancel(&worker->connection.call);
    reap(list, true);
}

void sim_server_run(struct sim_host *host, struct sim_listener *listeners, size_t count,
                    int signal_fd)
{
    struct worker *workers = NULL;
    struct pollfd fds[1 + LISTENERS_MAX] = {{.fd = signal_fd, .events = POLLIN}};
    if (count > LISTENERS_MAX)
        abort();
    for (size_t i = 0; i < count; i++)
        fds[1 + i] = (struct pollfd){.fd = listeners[i].fd, .events = POLLIN};
    while (!fds[0].revents) {
        if (poll(fds, 1 + count, -1) < 0)
            continue;
        for (size_t i = 0; i < count && !fds[0].revents; i++) {
            if (fds[1 + i].revents)
                take_connection(host, &listeners[i], &workers);
        }
        reap(&workers, false);
    }
    stop_all(host, &workers);
}
