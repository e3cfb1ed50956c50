/* Waiting, reading and writing that end when the simulator does. */
#ifndef SIM_IO_H
#define SIM_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct sim_io {
    int fd;      /* the connection */
    int stop_fd; /* readable once the simulator ends */
};

/* True when there is something to read, the end included; false when the simulator ends. */
bool sim_io_wait(const struct sim_io *io);

/* Lets `ms` pass (-1: no limit). False when the simulator ends or, if `or_hangup`, the other end
 * has gone away. */
bool sim_io_sleep(const struct sim_io *io, int ms, bool or_hangup);

/* Reads up to `size` bytes, waiting for the first. 0: the end, of the connection or of the
 * simulator; a lost connection is one too. */
size_t sim_io_read(const struct sim_io *io, void *data, size_t size);

/* Writes all. False when that was not possible. */
bool sim_io_write(const struct sim_io *io, const void *data, size_t len);

#endif
