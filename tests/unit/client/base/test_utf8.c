/* UTF-8, compared with a decoder that knows nothing but code points. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The length of the code point's encoding, by definition: the shortest form, no surrogates. */
static size_t encode(uint32_t code, unsigned char out[4])
{
    if (code < 0x80) {
        out[0] = (unsigned char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (unsigned char)(0xC0 | code >> 6);
        out[1] = (unsigned char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (unsigned char)(0xE0 | code >> 12);
        out[1] = (unsigned char)(0x80 | (code >> 6 & 0x3F));
        out[2] = (unsigned char)(0x80 | (code & 0x3F));
        return 3;
    }
    out[0] = (unsigned char)(0xF0 | code >> 18);
    out[1] = (unsigned char)(0x80 | (code >> 12 & 0x3F));
    out[2] = (unsigned char)(0x80 | (code >> 6 & 0x3F));
    out[3] = (unsigned char)(0x80 | (code & 0x3F));
    return 4;
}

/* One bit for each sequence of one, two and three bytes that is a code point or begins one. */
static unsigned char whole[3][1 << 21];
static unsigned char begins[3][1 << 21];

static void mark(unsigned char *table, const unsigned char *bytes, size_t len)
{
    uint32_t index = 0;
    for (size_t i = 0; i < len; i++)
        index = index << 8 | bytes[i];
    table[index >> 3] |= (unsigned char)(1 << (index & 7));
}

static bool marked(const unsigned char *table, uint32_t index)
{
    return table[index >> 3] >> (index & 7) & 1;
}

static void fill_tables(void)
{
    for (uint32_t code = 1; code <= 0x10FFFF; code++) {
        unsigned char bytes[4];
        if (code >= 0xD800 && code <= 0xDFFF)
            continue;
        size_t len = encode(code, bytes);
        if (len <= 3)
            mark(whole[len - 1], bytes, len);
        for (size_t i = 1; i < len; i++)
            mark(begins[i - 1], bytes, i);
    }
}

/* The answer for the `len` bytes that `sequence` holds, from the tables. */
static size_t expected(uint32_t sequence, size_t len, bool *incomplete)
{
    size_t at = 0;
    *incomplete = false;
    while (at < len) {
        size_t step = 0;
        for (size_t n = 1; n <= len - at && !step; n++) {
            uint32_t part = sequence >> 8 * (len - at - n) & (uint32_t)((UINT64_C(1) << 8 * n) - 1);
            if (marked(whole[n - 1], part))
                step = n;
            else if (n == len - at)
                *incomplete = marked(begins[n - 1], part);
        }
        if (!step)
            return at;
        at += step;
    }
    return at;
}

static void test_every_sequence(void **state)
{
    (void)state;
    fill_tables();
    for (size_t len = 1; len <= 3; len++) {
        uint32_t wrong = 0;
        for (uint32_t sequence = 0; sequence < UINT32_C(1) << 8 * len; sequence++) {
            char bytes[3];
            bool cut, expected_cut;
            for (size_t i = 0; i < len; i++)
                bytes[i] = (char)(sequence >> 8 * (len - 1 - i));
            size_t prefix = ds_utf8_prefix(bytes, len, &cut);
            wrong += prefix != expected(sequence, len, &expected_cut) || cut != expected_cut ||
                     ds_utf8_valid(bytes, len) != (prefix == len);
        }
        assert_int_equal(wrong, 0);
    }
}

static void test_four_bytes(void **state)
{
    (void)state;
    bool cut;
    for (uint32_t code = 0x10000; code <= 0x10FFFF; code++) {
        unsigned char bytes[4];
        encode(code, bytes);
        if (!ds_utf8_valid((char *)bytes, 4))
            fail_msg("U+%X", code);
        if (ds_utf8_prefix((char *)bytes, 3, &cut) != 0 || !cut)
            fail_msg("U+%X cut", code);
    }
    assert_int_equal(ds_utf8_prefix("\xf0\x8f\xbf\xbf", 4, &cut), 0);
    assert_false(cut);
    assert_false(ds_utf8_valid("\xf4\x90\x80\x80", 4));
    assert_false(ds_utf8_valid("\xf5\x80\x80\x80", 4));
}

/* Valid text with one byte changed at a random place: the prefix ends where it should. */
static void test_long_texts(void **state)
{
    (void)state;
    unsigned seed = (unsigned)time(NULL);
    print_message("seed %u\n", seed);
    for (int round = 0; round < 2000; round++) {
        char text[200];
        size_t starts[200];
        size_t len = 0, count = 0;
        while (len < sizeof text - 4) {
            uint32_t code = rand_r(&seed) % 4 ? 1 + (uint32_t)rand_r(&seed) % 0x7F
                                              : 0x80 + (uint32_t)rand_r(&seed) % 0xD000;
            starts[count++] = len;
            len += encode(code, (unsigned char *)text + len);
        }
        assert_true(ds_utf8_valid(text, len));
        size_t bad = starts[(size_t)rand_r(&seed) % count];
        text[bad] = rand_r(&seed) % 2 ? '\0' : '\xff';
        bool cut;
        assert_int_equal(ds_utf8_prefix(text, len, &cut), bad);
        assert_false(cut);
    }
    assert_true(ds_utf8_valid("", 0));
    assert_int_equal(ds_utf8_prefix("a", 1, NULL), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_sequence),
        cmocka_unit_test(test_four_bytes),
        cmocka_unit_test(test_long_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
