/* Packets from a hostile host. */
#include "fuzz.h"

#include "client/tools/wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What was decoded survives being encoded and decoded again. */
static void go_round(const struct ds_wire_packet *packet)
{
    struct ds_buf bytes = {0};
    struct ds_wire_packet again;
    size_t need = 1;
    require(
        !ds_wire_encode(&bytes, packet->payload, packet->payload_len, packet->close_after_reply));
    require(!ds_wire_decode(bytes.data, bytes.len, &again, &need) && !need);
    require(again.size == bytes.len && again.payload_len == packet->payload_len);
    require(again.close_after_reply == packet->close_after_reply);
    require(!memcmp(again.payload, packet->payload, packet->payload_len));
    ds_buf_free(&bytes);
}

/* As a channel does: asks what is needed, and gets no more than that. */
static int decode_in_steps(const uint8_t *data, size_t size, struct ds_wire_packet *packet)
{
    size_t len = 0;
    size_t need = 0;
    for (;;) {
        int err = ds_wire_decode(data, len, packet, &need);
        if (err || !need)
            return err;
        require(need <= DS_WIRE_PACKET_MAX_BYTES);
        if (need > size - len)
            return -EAGAIN;
        len += need;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ds_wire_packet packet = {0};
    struct ds_wire_packet stepped = {0};
    size_t need = 0;
    int err = ds_wire_decode(data, size, &packet, &need);
    int step_err = decode_in_steps(data, size, &stepped);
    require(err == 0 || err == -EPROTO);
    require(step_err == (err ? err : need ? -EAGAIN : 0));
    if (err || need)
        return 0;
    const char *begin = (const char *)data;
    require(packet.size <= size && packet.payload == stepped.payload);
    require(packet.payload > begin && packet.payload + packet.payload_len <= begin + packet.size);
    go_round(&packet);
    return 0;
}
