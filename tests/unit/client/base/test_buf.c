/* The growing buffer and its JSON strings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "buf.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void test_empty(void **state)
{
    (void)state;
    struct ds_buf buf = {0};
    ds_buf_free(&buf);
    assert_int_equal(ds_buf_append(&buf, NULL, 0), 0);
    assert_int_equal(buf.len, 0);
    assert_string_equal(buf.data, "");
    ds_buf_free(&buf);
    assert_null(buf.data);
}

static void test_growth(void **state)
{
    (void)state;
    struct ds_buf buf = {0};
    for (int i = 0; i < 10000; i++) {
        char byte = (char)('a' + i % 26);
        assert_int_equal(ds_buf_append(&buf, &byte, 1), 0);
        assert_true(buf.capacity > buf.len);
        assert_int_equal(buf.data[buf.len], '\0');
    }
    assert_int_equal(buf.len, 10000);
    for (int i = 0; i < 10000; i++)
        assert_int_equal(buf.data[i], 'a' + i % 26);
    ds_buf_free(&buf);
}

static void test_overflow(void **state)
{
    (void)state;
    struct ds_buf buf = {0};
    assert_int_equal(ds_buf_puts(&buf, "kept"), 0);
    assert_int_equal(ds_buf_reserve(&buf, SIZE_MAX), -ENOMEM);
    assert_int_equal(ds_buf_reserve(&buf, SIZE_MAX - 4), -ENOMEM);
    assert_int_equal(ds_buf_append(&buf, "x", SIZE_MAX - 1), -ENOMEM);
    assert_int_equal(buf.len, 4);
    assert_string_equal(buf.data, "kept");
    ds_buf_free(&buf);
}

static void test_printf(void **state)
{
    (void)state;
    struct ds_buf buf = {0};
    assert_int_equal(ds_buf_printf(&buf, "%s", ""), 0);
    assert_int_equal(ds_buf_printf(&buf, "%d-%s", 42, "x"), 0);
    assert_int_equal(ds_buf_printf(&buf, "%200d", 7), 0);
    assert_int_equal(buf.len, 4 + 200);
    assert_memory_equal(buf.data, "42-x ", 5);
    ds_buf_free(&buf);
}

static void expect_json(const char *text, const char *json)
{
    struct ds_buf buf = {0};
    assert_int_equal(ds_buf_json_string(&buf, text), 0);
    assert_string_equal(buf.data, json);
    ds_buf_free(&buf);
}

static void test_json_escapes(void **state)
{
    (void)state;
    expect_json("", "\"\"");
    expect_json("plain /text", "\"plain /text\"");
    expect_json("\"\\", "\"\\\"\\\\\"");
    expect_json("\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\"");
    expect_json("\x01\x1f", "\"\\u0001\\u001f\"");
    expect_json("\x7f", "\"\x7f\"");
    expect_json("ä🙂", "\"ä🙂\"");
}

/* Another program's parser reads back what was written, for every byte. */
static void test_json_read_back(void **state)
{
    (void)state;
    char text[0x80 + 3];
    for (int i = 1; i < 0x80; i++)
        text[i - 1] = (char)i;
    memcpy(text + 0x7f, "ä", 3);
    struct ds_buf buf = {0};
    assert_int_equal(ds_buf_puts(&buf, "before"), 0);
    assert_int_equal(ds_buf_json_string(&buf, text), 0);
    json_t *read = json_loads(buf.data + 6, JSON_DECODE_ANY, NULL);
    assert_non_null(read);
    assert_string_equal(json_string_value(read), text);
    json_decref(read);
    ds_buf_free(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),        cmocka_unit_test(test_growth),
        cmocka_unit_test(test_overflow),     cmocka_unit_test(test_printf),
        cmocka_unit_test(test_json_escapes), cmocka_unit_test(test_json_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
