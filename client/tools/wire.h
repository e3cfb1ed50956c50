/* The packets of the tools channel, both ways; pure, and also used by the simulated host.
 *
 * A packet is a 32-bit length of all that follows and then fields in any order; all numbers are
 * big-endian, a 64-bit number is two of 32 bits, low half first. From open-vm-tools,
 * lib/include/dataMap.h and vmware/guestrpc/guest_msg_def.h. */
#ifndef DS_TOOLS_WIRE_H
#define DS_TOOLS_WIRE_H

#include "buf.h"

#include <stdbool.h>
#include <stddef.h>

/* A host's reply holds about 1 MiB of text ("Data Sets", VMware); one whose every character is
 * escaped is six times as long. */
#define DS_WIRE_PAYLOAD_MAX_BYTES (8u * 1024 * 1024)
/* Room for the other fields and for ones that this program does not know. */
#define DS_WIRE_PACKET_MAX_BYTES (DS_WIRE_PAYLOAD_MAX_BYTES + 1024)

struct ds_wire_packet {
    const char *payload; /* inside the bytes that were decoded; not NUL-terminated */
    size_t payload_len;
    bool close_after_reply;
    size_t size; /* bytes of the whole packet: where the next one begins */
};

/* Appends a data packet. 0; -EMSGSIZE if the payload is over DS_WIRE_PAYLOAD_MAX_BYTES; -ENOMEM;
 * `out` is unchanged then. */
int ds_wire_encode(struct ds_buf *out, const void *payload, size_t len, bool close_after_reply);

/* Looks at the first `len` bytes of a packet. 0 with `*need` 0: it is complete and in `out`. 0 with
 * another `*need`: at least so many bytes more are needed, and no more of this packet than that
 * will come; `out` is unchanged. -EPROTO: this is no data packet, whatever follows: longer than
 * DS_WIRE_PACKET_MAX_BYTES, a length that runs past the packet, a duplicate field, a field of
 * unknown type (which cannot be skipped), no payload. Fields of unknown id are skipped. */
int ds_wire_decode(const void *data, size_t len, struct ds_wire_packet *out, size_t *need);

#endif
