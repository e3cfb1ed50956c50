/* Unix sockets and the threads that serve their connections. */
#ifndef SIM_SERVER_H
#define SIM_SERVER_H

#include "sim.h"

struct sim_listener {
    const char *path;
    void (*serve)(struct sim_connection *connection); /* until the connection is to be closed */
    int fd;
    unsigned long connections; /* so far */
};

/* Listens at `listener->path` with mode 0600; a socket that a dead simulator left there is
 * replaced. 0 or a negative errno. */
int sim_server_listen(struct sim_listener *listener);

/* Serves until `signal_fd`, a signalfd, is readable; then ends all connections. */
void sim_server_run(struct sim_host *host, struct sim_listener *listeners, size_t count,
                    int signal_fd);

/* Closes and removes the socket. Harmless if it does not listen. */
void sim_server_close(struct sim_listener *listener);

#endif
