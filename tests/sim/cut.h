/* Ends connections of the REST interface after so many bytes of what the server sends: of all that
 * goes over the wire, or of a reply's head before it is encrypted. */
#ifndef SIM_CUT_H
#define SIM_CUT_H

#include <stddef.h>
#include <stdint.h>

/* A connection has begun, or ends, with this descriptor. */
void sim_cut_begin(int fd);
void sim_cut_end(int fd);

/* Ends those that there are now. */
void sim_cut_all(void);

enum sim_cut {
    SIM_CUT_WIRE, /* bytes on the wire: in TLS's handshake, or in a record */
    SIM_CUT_HEAD, /* bytes of the next reply, if its status line and its headers have more; what is
                   * before that the client can decrypt */
    SIM_CUTS
};

/* Ends the connection of this descriptor after so many bytes. */
void sim_cut_after(int fd, enum sim_cut kind, size_t bytes);

/* How many have been ended so so far. */
uint64_t sim_cut_count(void);

#endif
