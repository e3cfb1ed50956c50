/* The packets of the tools channel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client/tools/wire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The bytes that hexadecimal digits, with any spaces between them, stand for. */
static struct ds_buf bytes_of(const char *hex)
{
    struct ds_buf bytes = {0};
    for (const char *p = hex; *p; p += 2) {
        p += strspn(p, " ");
        char digits[3] = {p[0], p[1], '\0'};
        unsigned char byte = (unsigned char)strtoul(digits, NULL, 16);
        assert_int_equal(ds_buf_append(&bytes, &byte, 1), 0);
    }
    return bytes;
}

static const char kept_open[] = "00000029"
                                "00000001 00000001 00000001 00000000"
                                "00000002 00000002 0000000d 64617461736574732d6c697374";
static const char closed_after[] = "00000039"
                                   "00000001 00000001 00000001 00000000"
                                   "00000002 00000002 0000000d 64617461736574732d6c697374"
                                   "00000001 00000003 00000001 00000000";

static void expect_encoded(bool close_after_reply, const char *hex)
{
    struct ds_buf expected = bytes_of(hex);
    struct ds_buf packet = {0};
    assert_int_equal(ds_wire_encode(&packet, "datasets-list", 13, close_after_reply), 0);
    assert_int_equal(packet.len, expected.len);
    assert_memory_equal(packet.data, expected.data, expected.len);
    ds_buf_free(&packet);
    ds_buf_free(&expected);
}

static void test_encode(void **state)
{
    (void)state;
    expect_encoded(false, kept_open);
    expect_encoded(true, closed_after);
}

static void test_encode_limits(void **state)
{
    (void)state;
    struct ds_buf packet = {0};
    struct ds_wire_packet decoded;
    size_t need = 1;
    char *payload = calloc(1, DS_WIRE_PAYLOAD_MAX_BYTES + 1);
    assert_int_equal(ds_wire_encode(&packet, payload, DS_WIRE_PAYLOAD_MAX_BYTES + 1, false),
                     -EMSGSIZE);
    assert_int_equal(packet.len, 0);
    assert_int_equal(ds_wire_encode(&packet, payload, DS_WIRE_PAYLOAD_MAX_BYTES, true), 0);
    assert_int_equal(ds_wire_decode(packet.data, packet.len, &decoded, &need), 0);
    assert_int_equal(need, 0);
    assert_int_equal(decoded.payload_len, DS_WIRE_PAYLOAD_MAX_BYTES);
    free(payload);
    ds_buf_free(&packet);

    assert_int_equal(ds_wire_encode(&packet, "", 0, false), 0);
    assert_int_equal(ds_wire_decode(packet.data, packet.len, &decoded, &need), 0);
    assert_int_equal(decoded.payload_len, 0);
    ds_buf_free(&packet);
}

/* Decodes from a copy of exactly that length, so that a sanitizer sees what is read beyond it. */
static int decode(const struct ds_buf *bytes, size_t len, struct ds_wire_packet *out, size_t *need,
                  char *payload)
{
    char *copy = malloc(len ? len : 1);
    if (len)
        memcpy(copy, bytes->data, len);
    int err = ds_wire_decode(copy, len, out, need);
    if (!err && !*need && payload)
        snprintf(payload, 64, "%.*s", (int)out->payload_len, out->payload);
    free(copy);
    return err;
}

static void test_every_prefix(void **state)
{
    (void)state;
    struct ds_buf bytes = bytes_of(closed_after);
    for (size_t len = 0; len < bytes.len; len++) {
        struct ds_wire_packet packet = {.size = 7};
        size_t need = 0;
        assert_int_equal(decode(&bytes, len, &packet, &need, NULL), 0);
        assert_int_equal(need, len < 4 ? 4 - len : bytes.len - len);
        assert_int_equal(packet.size, 7);
    }
    ds_buf_free(&bytes);
}

static void expect_decoded(const char *hex, const char *payload, bool close_after_reply)
{
    struct ds_buf bytes = bytes_of(hex);
    struct ds_wire_packet packet;
    char found[64];
    size_t need = 1;
    size_t size = bytes.len;
    /* What follows the packet does not matter. */
    assert_int_equal(ds_buf_puts(&bytes, "next"), 0);
    assert_int_equal(decode(&bytes, bytes.len, &packet, &need, found), 0);
    assert_int_equal(need, 0);
    assert_int_equal(packet.size, size);
    assert_int_equal(packet.close_after_reply, close_after_reply);
    assert_string_equal(found, payload);
    ds_buf_free(&bytes);
}

static void test_decode(void **state)
{
    (void)state;
    expect_decoded(kept_open, "datasets-list", false);
    expect_decoded(closed_after, "datasets-list", true);
    /* The payload alone, first, and after fields that nobody knows. */
    expect_decoded("0000000e 00000002 00000002 00000002 3120", "1 ", false);
    expect_decoded("0000002e 00000002 00000002 00000002 3120"
                   "00000001 00000003 00000000 00000001 00000001 00000001 00000001 00000000",
                   "1 ", true);
    expect_decoded("0000002d 00000002 00000063 00000003 616263"
                   "00000001 00000064 ffffffff ffffffff 00000002 00000002 00000002 3120",
                   "1 ", false);
    expect_decoded("0000001e 00000001 00000003 00000000 00000000"
                   "00000002 00000002 00000002 3120",
                   "1 ", false);
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const refused[] = {
        "00000000",                                     /* nothing in it */
        "0000000b",                                     /* too short for a payload */
        "ffffffff",                                     /* too long, seen at once */
        "00800401",                                     /* one byte too long */
        "48545450 2f312e31",                            /* HTTP/1.1 */
        "0000000d 00000002 00000002 00000002 31",       /* a string past the end */
        "0000000d 00000002 00000002 ffffffff 31",       /* far past it */
        "0000000f 00000001 00000001 00000001 000000",   /* a number past the end */
        "0000000f 00000002 00000002 00000002 3120 00",  /* a field past the end */
        "0000000d 00000002 00000063 00000001 31",       /* no payload */
        "00000010 00000001 00000001 00000001 00000000", /* no payload */
        "00000010 00000001 00000002 00000001 00000000", /* a payload that is a number */
        "0000000d 00000002 00000001 00000001 31",       /* a packet type that is a string */
        "0000000d 00000002 00000003 00000001 31",       /* a flag that is a string */
        "0000000d 00000003 00000063 00000001 31",       /* a field of unknown type */
        "0000001a 00000002 00000002 00000001 31 00000002 00000002 00000001 31", /* twice */
        /* an unknown one twice */
        "00000025 000000020000000200000001 31 000000020000006300000000 000000020000006300000000",
        "0000001d 00000002 00000002 00000001 31 00000001 00000001 00000002 00000000", /* not data */
        "0000001d 00000002 00000002 00000001 31 00000001 00000001 00000001 00000001",
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct ds_buf bytes = bytes_of(refused[i]);
        struct ds_wire_packet packet = {.size = 7};
        size_t need = 0;
        int err = decode(&bytes, bytes.len, &packet, &need, NULL);
        if (err != -EPROTO || packet.size != 7)
            fail_msg("%s: %d, need %zu", refused[i], err, need);
        ds_buf_free(&bytes);
    }
}

static void test_many_fields(void **state)
{
    (void)state;
    for (unsigned count = 63; count <= 64; count++) {
        struct ds_buf bytes = {0};
        struct ds_buf payload = bytes_of("00000002 00000002 00000002 3120");
        unsigned char length[4] = {0, 0, (unsigned char)((count * 16 + 14) >> 8),
                                   (unsigned char)(count * 16 + 14)};
        struct ds_wire_packet packet;
        size_t need = 1;
        ds_buf_append(&bytes, length, sizeof length);
        for (unsigned i = 0; i < count; i++) {
            unsigned char field[16] = {0, 0, 0, 1, 0, 0, 1, (unsigned char)i};
            ds_buf_append(&bytes, field, sizeof field);
        }
        ds_buf_append(&bytes, payload.data, payload.len);
        assert_int_equal(decode(&bytes, bytes.len, &packet, &need, NULL),
                         count == 63 ? 0 : -EPROTO);
        ds_buf_free(&bytes);
        ds_buf_free(&payload);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_encode),       cmocka_unit_test(test_encode_limits),
        cmocka_unit_test(test_every_prefix), cmocka_unit_test(test_decode),
        cmocka_unit_test(test_refused),      cmocka_unit_test(test_many_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
