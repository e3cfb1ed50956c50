/* The packets of the tools channel. */
#include "wire.h"

#include <errno.h>
#include <stdint.h>

enum field_type { TYPE_INT64 = 1, TYPE_STRING = 2 };
enum field_id { ID_PACKET_TYPE = 1, ID_PAYLOAD = 2, ID_CLOSE_AFTER_REPLY = 3 };
enum { PACKET_TYPE_DATA = 1 };

enum {
    NUMBER_BYTES = 4,
    HEADER_BYTES = 2 * NUMBER_BYTES, /* a field's type and id */
    INT64_BYTES = HEADER_BYTES + 2 * NUMBER_BYTES,
    STRING_BYTES = HEADER_BYTES + NUMBER_BYTES, /* and the string itself */
    MAX_FIELDS = 64                             /* three are known */
};

static void put_number(unsigned char **at, uint32_t number)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        *(*at)++ = (unsigned char)(number >> shift);
}

static void put_int64(unsigned char **at, enum field_id id, uint64_t value)
{
    put_number(at, TYPE_INT64);
    put_number(at, id);
    put_number(at, (uint32_t)value);
    put_number(at, (uint32_t)(value >> 32));
}

int ds_wire_encode(struct ds_buf *out, const void *payload, size_t len, bool close_after_reply)
{
    if (len > DS_WIRE_PAYLOAD_MAX_BYTES)
        return -EMSGSIZE;
    size_t after_length = INT64_BYTES + STRING_BYTES + len + (close_after_reply ? INT64_BYTES : 0);
    int err = ds_buf_reserve(out, NUMBER_BYTES + after_length);
    if (err)
        return err;

    unsigned char before[NUMBER_BYTES + INT64_BYTES + STRING_BYTES];
    unsigned char *at = before;
    put_number(&at, (uint32_t)after_length);
    put_int64(&at, ID_PACKET_TYPE, PACKET_TYPE_DATA);
    put_number(&at, TYPE_STRING);
    put_number(&at, ID_PAYLOAD);
    put_number(&at, (uint32_t)len);
    unsigned char after[INT64_BYTES];
    at = after;
    put_int64(&at, ID_CLOSE_AFTER_REPLY, 1);

    /* There is room: these cannot fail. */
    ds_buf_append(out, before, sizeof before);
    ds_buf_append(out, payload, len);
    if (close_after_reply)
        ds_buf_append(out, after, sizeof after);
    return 0;
}

/* What is left of a packet, and the fields that it has had. */
struct reader {
    const unsigned char *data;
    size_t len;
    uint32_t ids[MAX_FIELDS];
    size_t fields;
};

static uint32_t number_at(const unsigned char *data)
{
    return (uint32_t)data[0] << 24 | (uint32_t)data[1] << 16 | (uint32_t)data[2] << 8 | data[3];
}

static int take_number(struct reader *reader, uint32_t *out)
{
    if (reader->len < NUMBER_BYTES)
        return -EPROTO;
    *out = number_at(reader->data);
    reader->data += NUMBER_BYTES;
    reader->len -= NUMBER_BYTES;
    return 0;
}

static int note_field(struct reader *reader, uint32_t id)
{
    for (size_t i = 0; i < reader->fields; i++)
        if (reader->ids[i] == id)
            return -EPROTO;
    if (reader->fields == MAX_FIELDS)
        return -EPROTO;
    reader->ids[reader->fields++] = id;
    return 0;
}

static int take_int64(struct reader *reader, uint32_t id, struct ds_wire_packet *packet)
{
    uint32_t low;
    uint32_t high;
    int err = take_number(reader, &low);
    if (!err)
        err = take_number(reader, &high);
    if (err)
        return err;
    if (id == ID_PAYLOAD || (id == ID_PACKET_TYPE && (low != PACKET_TYPE_DATA || high)))
        return -EPROTO;
    if (id == ID_CLOSE_AFTER_REPLY)
        packet->close_after_reply = low || high;
    return 0;
}

static int take_string(struct reader *reader, uint32_t id, struct ds_wire_packet *packet)
{
    uint32_t len;
    int err = take_number(reader, &len);
    if (err)
        return err;
    if (len > reader->len || id == ID_PACKET_TYPE || id == ID_CLOSE_AFTER_REPLY)
        return -EPROTO;
    if (id == ID_PAYLOAD) {
        packet->payload = (const char *)reader->data;
        packet->payload_len = len;
    }
    reader->data += len;
    reader->len -= len;
    return 0;
}

static int take_field(struct reader *reader, struct ds_wire_packet *packet)
{
    uint32_t type;
    uint32_t id;
    int err = take_number(reader, &type);
    if (!err)
        err = take_number(reader, &id);
    if (!err)
        err = note_field(reader, id);
    if (err)
        return err;
    if (type == TYPE_INT64)
        return take_int64(reader, id, packet);
    if (type == TYPE_STRING)
        return take_string(reader, id, packet);
    return -EPROTO;
}

int ds_wire_decode(const void *data, size_t len, struct ds_wire_packet *out, size_t *need)
{
    if (len < NUMBER_BYTES) {
        *need = NUMBER_BYTES - len;
        return 0;
    }
    uint32_t after_length = number_at(data);
    if (after_length < STRING_BYTES || after_length > DS_WIRE_PACKET_MAX_BYTES - NUMBER_BYTES)
        return -EPROTO;
    size_t size = NUMBER_BYTES + (size_t)after_length;
    if (len < size) {
        *need = size - len;
        return 0;
    }

    struct ds_wire_packet packet = {.size = size};
    struct reader reader = {.data = (const unsigned char *)data + NUMBER_BYTES,
                            .len = after_length};
    while (reader.len) {
        int err = take_field(&reader, &packet);
        if (err)
            return err;
    }
    if (!packet.payload)
        return -EPROTO;
    *out = packet;
    *need = 0;
    return 0;
}
