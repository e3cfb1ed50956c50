/* A DataSet's attributes: words, copies, JSON both ways and every refusal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dataset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void test_access_words(void **state)
{
    (void)state;
    for (enum ds_access access = DS_ACCESS_NONE; access <= DS_ACCESS_READ_WRITE; access++)
        assert_int_equal(ds_access_parse(ds_access_name(access)), access);
    assert_int_equal(ds_access_parse("read_Only"), DS_ACCESS_READ_ONLY);
    assert_int_equal(ds_access_parse("UNKNOWN"), DS_ACCESS_UNKNOWN);
    assert_int_equal(ds_access_parse(""), DS_ACCESS_UNKNOWN);
    assert_int_equal(ds_access_parse("NONE "), DS_ACCESS_UNKNOWN);
    assert_string_equal(ds_access_name(DS_ACCESS_UNKNOWN), "UNKNOWN");
    struct ds_attributes attributes = {.host = DS_ACCESS_NONE, .guest = DS_ACCESS_READ_ONLY};
    assert_int_equal(ds_attributes_access(&attributes, DS_SIDE_HOST), DS_ACCESS_NONE);
    assert_int_equal(ds_attributes_access(&attributes, DS_SIDE_GUEST), DS_ACCESS_READ_ONLY);
}

static void test_copy(void **state)
{
    (void)state;
    struct ds_attributes copy, empty = {0};
    struct ds_attributes from = {.description = "x", .used_known = true, .used_bytes = 9};
    assert_int_equal(ds_attributes_copy(&copy, &from), 0);
    assert_string_equal(copy.description, "x");
    assert_ptr_not_equal(copy.description, from.description);
    assert_int_equal(copy.used_bytes, 9);
    ds_attributes_clear(&copy);
    ds_attributes_clear(&copy);
    assert_int_equal(ds_attributes_copy(&copy, &empty), 0);
    assert_null(copy.description);
}

static void test_names(void **state)
{
    (void)state;
    struct ds_names names = {0};
    for (int i = 0; i < 100; i++)
        assert_int_equal(ds_names_add(&names, i % 2 ? "odd" : ""), 0);
    assert_int_equal(names.count, 100);
    assert_string_equal(names.names[99], "odd");
    ds_names_clear(&names);
    ds_names_clear(&names);
    assert_null(names.names);
}

static void expect_json(const char *name, const struct ds_attributes *attributes, const char *json)
{
    struct ds_buf out = {0};
    assert_int_equal(ds_buf_puts(&out, "> "), 0);
    assert_int_equal(ds_attributes_to_json(name, attributes, &out), 0);
    assert_string_equal(out.data + 2, json);
    ds_buf_free(&out);
}

static void test_to_json(void **state)
{
    (void)state;
    struct ds_attributes none = {0};
    struct ds_attributes all = {.description = "a\"b",
                                .host = DS_ACCESS_NONE,
                                .guest = DS_ACCESS_READ_ONLY,
                                .omit_from_snapshot_and_clone = DS_FLAG_ON,
                                .used_known = true,
                                .used_bytes = 100000000};
    struct ds_attributes off = {.omit_from_snapshot_and_clone = DS_FLAG_OFF};
    expect_json(NULL, &none, "{}");
    expect_json("n", &none, "{\"name\":\"n\"}");
    expect_json(NULL, &off, "{\"omit_from_snapshot_and_clone\":false}");
    expect_json("d", &all,
                "{\"name\":\"d\",\"description\":\"a\\\"b\",\"host\":\"NONE\","
                "\"guest\":\"READ_ONLY\",\"used\":100000000,"
                "\"omit_from_snapshot_and_clone\":true}");
}

static void test_from_json(void **state)
{
    (void)state;
    char why[DS_WHY_BYTES] = "";
    struct ds_attributes read = {0};
    const char *json =
        " {\"guest\":\"none\", \"description\":\"a\\n\\u00e4\",\"host\":\"Read_Write\","
        "\"omit_from_snapshot_and_clone\":false}\n";
    assert_int_equal(ds_attributes_from_json(json, strlen(json), &read, why), 0);
    assert_string_equal(read.description, "a\nä");
    assert_int_equal(read.host, DS_ACCESS_READ_WRITE);
    assert_int_equal(read.guest, DS_ACCESS_NONE);
    assert_int_equal(read.omit_from_snapshot_and_clone, DS_FLAG_OFF);
    assert_false(read.used_known);
    ds_attributes_clear(&read);

    assert_int_equal(ds_attributes_from_json("{}", 2, &read, why), 0);
    assert_null(read.description);
    assert_int_equal(read.host, DS_ACCESS_UNKNOWN);
    assert_int_equal(read.omit_from_snapshot_and_clone, DS_FLAG_UNKNOWN);
}

static void test_from_json_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *json, *words;
    } refusals[] = {
        {"", "not one JSON object"},
        {"null", "not one JSON object"},
        {"[]", "not one JSON object"},
        {"\"x\"", "not one JSON object"},
        {"{", "not one JSON object"},
        {"{} {}", "not one JSON object"},
        {"{\"host\":\"NONE\"", "not one JSON object"},
        {"{\"host\":\"NONE\",\"host\":\"NONE\"}", "duplicate"},
        {"{\"description\":1}", "description must be a string"},
        {"{\"description\":null}", "description must be a string"},
        {"{\"description\":\"a\\u0000b\"}", "not one JSON object"},
        {"{\"description\":\"\xff\"}", "not one JSON object"},
        {"{\"host\":\"ALL\"}", "host must be"},
        {"{\"host\":true}", "host must be"},
        {"{\"guest\":\"\"}", "READ_WRITE"},
        {"{\"guest\":\"UNKNOWN\"}", "guest must be"},
        {"{\"omit_from_snapshot_and_clone\":\"true\"}", "true or false"},
        {"{\"omit_from_snapshot_and_clone\":1}", "true or false"},
        {"{\"name\":\"x\"}", "name cannot be changed"},
        {"{\"used\":1}", "used cannot be changed"},
        {"{\"Host\":\"NONE\"}", "unknown member 'Host'"},
        {"{\"a\\nb\":1}", "unknown member 'a?b'"},
        {"{\"description\":\"leaks?\",\"x\":1}", "unknown member 'x'"},
    };
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        char why[DS_WHY_BYTES] = "";
        struct ds_attributes read = {.used_bytes = 5};
        int err = ds_attributes_from_json(refusals[i].json, strlen(refusals[i].json), &read, why);
        assert_int_equal(err, -EINVAL);
        assert_int_equal(read.used_bytes, 5);
        assert_null(strchr(why, '\n'));
        if (!strstr(why, refusals[i].words))
            fail_msg("%s: '%s' does not say '%s'", refusals[i].json, why, refusals[i].words);
    }
}

static void test_description_limit(void **state)
{
    (void)state;
    for (size_t len = DS_DESCRIPTION_MAX_BYTES; len <= DS_DESCRIPTION_MAX_BYTES + 1; len++) {
        char why[DS_WHY_BYTES];
        struct ds_attributes read = {0};
        struct ds_buf json = {0};
        assert_int_equal(ds_buf_printf(&json, "{\"description\":\"%0*d\"}", (int)len, 0), 0);
        int err = ds_attributes_from_json(json.data, json.len, &read, why);
        assert_int_equal(err, len > DS_DESCRIPTION_MAX_BYTES ? -EINVAL : 0);
        if (err)
            assert_non_null(strstr(why, "1024"));
        ds_attributes_clear(&read);
        ds_buf_free(&json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_access_words),
        cmocka_unit_test(test_copy),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_to_json),
        cmocka_unit_test(test_from_json),
        cmocka_unit_test(test_from_json_refusals),
        cmocka_unit_test(test_description_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
