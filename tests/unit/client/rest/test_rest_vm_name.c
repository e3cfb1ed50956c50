/* Names of virtual machines as vSphere stores them, both ways. */
#include "client/rest/vm_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define LEN(array) (sizeof(array) / sizeof *(array))

static void test_both_ways(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *stored;
    } rows[] = {
        {"web-01", "web-01"}, {"a/b", "a%2fb"}, {"a\\b", "a%5cb"},     {"100%", "100%25"},
        {"%2f", "%252f"},     {"%25", "%2525"}, {"/\\%", "%2f%5c%25"}, {"Größe", "Größe"},
        {"%", "%25"},         {"", ""},
    };
    for (size_t i = 0; i < LEN(rows); i++) {
        struct ds_buf stored = {0};
        assert_int_equal(ds_vm_name_store(&stored, rows[i].name), 0);
        assert_string_equal(stored.data, rows[i].stored);
        ds_vm_name_read(stored.data);
        assert_string_equal(stored.data, rows[i].name);
        ds_buf_free(&stored);
    }
}

/* Servers that store a name as it is, or in capitals. */
static void test_other_servers(void **state)
{
    (void)state;
    static const struct {
        const char *stored;
        const char *name;
    } rows[] = {
        {"a%2FB", "a/B"}, {"%5C", "\\"},  {"50%", "50%"}, {"50%2", "50%2"},
        {"%41", "%41"},   {"%2g", "%2g"}, {"%%2f", "%/"}, {"%2%2f", "%2/"},
    };
    for (size_t i = 0; i < LEN(rows); i++) {
        char name[16];
        snprintf(name, sizeof name, "%s", rows[i].stored);
        ds_vm_name_read(name);
        assert_string_equal(name, rows[i].name);
    }
}

static void expect_query(const char *url, const char *name, const char *expected)
{
    struct ds_buf buf = {0};
    assert_int_equal(ds_buf_puts(&buf, url), 0);
    assert_int_equal(ds_vm_name_add(&buf, name), 0);
    assert_string_equal(buf.data, expected);
    ds_buf_free(&buf);
}

static void test_queries(void **state)
{
    (void)state;
    expect_query("u", "web 1", "u?names=web%201");
    expect_query("u?a=b", "web", "u?a=b&names=web");
    expect_query("u", "a/b", "u?names=a%2Fb&names=a%252fb");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ways),
        cmocka_unit_test(test_other_servers),
        cmocka_unit_test(test_queries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
