/* The JSON of vCenter's REST interface: right, wrong and hostile input, and what is written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client/base/json_text.h"
#include "client/rest/json.h"

#include "cleanup.h"
#include "utf8.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEN(array) (sizeof(array) / sizeof *(array))

/* A copy of exactly that length, so that a sanitizer sees what is read beyond it. */
static char *exact(const char *text, size_t len)
{
    char *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, text, len);
    return copy;
}

enum reader { STRING, WRAPPED, KEYS, IDS, ATTRIBUTES, READERS };

struct outputs {
    struct ds_buf string;
    struct ds_names names;
    struct ds_names ids;
    struct ds_attributes attributes;
};

static int read_with(enum reader reader, const char *text, size_t len, struct outputs *out)
{
    switch (reader) {
    case STRING:
        return ds_rest_json_read_string(text, len, &out->string);
    case WRAPPED:
        return ds_rest_json_read_wrapped(text, len, &out->string);
    case KEYS:
        return ds_rest_json_read_keys(text, len, &out->names);
    case IDS:
        return ds_rest_json_read_ids(text, len, "data_set", &out->names, &out->ids);
    case ATTRIBUTES:
        return ds_rest_json_read_attributes(text, len, &out->attributes);
    case READERS:
        break;
    }
    return -EINVAL;
}

/* -EPROTO, and the outputs are what they were. */
static void expect_wrong(enum reader reader, const char *text, size_t len)
{
    static char *names[] = {(char *)"n"};
    const struct outputs before = {
        .string = {.data = (char *)"s", .len = 1, .capacity = 2},
        .names = {.names = names, .count = 1, .capacity = 1},
        .ids = {.names = names, .count = 1, .capacity = 1},
        .attributes = {.description = (char *)"d", .host = DS_ACCESS_NONE},
    };
    struct outputs out = before;
    char *copy DS_AUTO_FREE = exact(text, len);
    int err = read_with(reader, copy, len, &out);
    if (err != -EPROTO)
        fail_msg("reader %d takes %.*s: %d", reader, (int)(len < 99 ? len : 99), text, err);
    assert_memory_equal(&out, &before, sizeof out);
}

static void expect_all_wrong(const char *text, size_t len)
{
    for (enum reader reader = STRING; reader < READERS; reader++)
        expect_wrong(reader, text, len);
}

static void test_no_json(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        " ",
        "\"",
        "\"unfinished",
        "\"a\" \"b\"",
        "\"a\"]",
        "'a'",
        "\xef\xbb\xbf\"a\"",
        "\"\xff\"",
        "\"\xc3\"",
        "\"\xed\xa0\x80\"",
        "\"\xc0\x80\"",
        "\"\xf4\x90\x80\x80\"",
        "\"\\ud800\"",
        "\"\\udc00\\ud800\"",
        "\"\\ud800x\"",
        "\"\\u0000\"",
        "\"a\\u0000b\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\\n\"",
        "tru",
        "nullx",
        "NaN",
        "-",
        "01",
        "1e999",
        "99999999999999999999",
        "[\"a\",]",
        "[,]",
        "[\"a\"",
        "[\"a\"}",
        "[\"a\" \"b\"]",
        "{\"value\":\"a\",}",
        "{\"value\" \"a\"}",
        "{value:\"a\"}",
        "{\"description\":\"a\"}{}",
        "<html>",
    };
    for (size_t i = 0; i < LEN(texts); i++)
        expect_all_wrong(texts[i], strlen(texts[i]));
    expect_all_wrong("\"a\0\"", 4);
    expect_all_wrong("\"a\"\0", 4);
}

/* JSON, but not of the kind that the reader reads. */
static void test_wrong_kinds(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned right; /* a bit per reader */
    } rows[] = {
        {"null", 0},
        {"true", 0},
        {"1", 0},
        {"-1.5", 0},
        {"\"a\"", 1 << STRING},
        {"[]", 1 << KEYS | 1 << IDS},
        {"[\"a\"]", 1 << KEYS},
        {"[[\"a\"]]", 0},
        {"[null]", 0},
        {"[1]", 0},
        {"[\"a\",1]", 1 << KEYS},
        {"[\"a\",{}]", 1 << KEYS},
        {"[{}]", 0},
        {"[{\"name\":1}]", 0},
        {"[{\"name\":\"a\"},{\"data_set\":null}]", 1 << IDS},
        {"[{\"name\":\"a\"},[]]", 1 << IDS},
        {"[{\"name\":\"a\"},\"b\"]", 1 << IDS | 1 << KEYS},
        {"[{\"vm\":\"a\"}]", 0},
        {"{}", 1 << ATTRIBUTES},
        {"{\"value\":1}", 1 << ATTRIBUTES},
        {"{\"value\":[\"a\"]}", 1 << ATTRIBUTES},
        {"{\"value\":{\"value\":\"a\"}}", 1 << ATTRIBUTES},
        {"{\"value\":\"a\"}", 1 << ATTRIBUTES | 1 << WRAPPED},
        {"{\"Value\":\"a\"}", 1 << ATTRIBUTES},
    };
    for (size_t i = 0; i < LEN(rows); i++) {
        for (enum reader reader = STRING; reader < READERS; reader++) {
            struct outputs out = {0};
            if (!(rows[i].right >> reader & 1)) {
                expect_wrong(reader, rows[i].text, strlen(rows[i].text));
                continue;
            }
            if (read_with(reader, rows[i].text, strlen(rows[i].text), &out))
                fail_msg("reader %d refuses %s", reader, rows[i].text);
            ds_buf_free(&out.string);
            ds_names_clear(&out.names);
            ds_names_clear(&out.ids);
            ds_attributes_clear(&out.attributes);
        }
    }
}

/* A text cut anywhere is no answer. */
static void test_truncated(void **state)
{
    (void)state;
    static const struct {
        enum reader reader;
        const char *text;
    } rows[] = {
        {STRING, "\"a\\\"\\u00e4\xf0\x9f\x98\x80\t\""},
        {WRAPPED, "{\"value\":\"token\",\"x\":[1,{}]}"},
        {KEYS, "[\"a\",\"\",\"\\ud83d\\ude00\"]"},
        {IDS, "[{\"data_set\":\"a\",\"name\":\"b\"},{\"name\":\"c\"}]"},
        {ATTRIBUTES, "{\"description\":\"d\",\"used\":12,\"host\":\"NONE\"}"},
    };
    for (size_t i = 0; i < LEN(rows); i++)
        for (size_t len = 0; len < strlen(rows[i].text); len++)
            expect_wrong(rows[i].reader, rows[i].text, len);
}

static void test_bounds(void **state)
{
    (void)state;
    struct ds_buf text DS_CLEANUP(ds_buf_free) = {0};
    /* Deep, beyond what the parser's stack could bear. */
    for (int i = 0; i < 100000; i++)
        assert_int_equal(ds_buf_puts(&text, i % 2 ? "[" : "{\"value\":"), 0);
    expect_all_wrong(text.data, text.len);
    text.len = 0;
    for (int i = 0; i < 100000; i++)
        assert_int_equal(ds_buf_puts(&text, "]"), 0);
    expect_all_wrong(text.data, text.len);
    /* Huge. */
    size_t size = DS_JSON_TEXT_MAX_BYTES + 1;
    char *huge DS_AUTO_FREE = malloc(size);
    assert_non_null(huge);
    memset(huge, ' ', size);
    memcpy(huge, "\"a\"", 3);
    struct ds_buf value = {0};
    assert_int_equal(ds_rest_json_read_string(huge, size, &value), -EPROTO);
    assert_int_equal(ds_rest_json_read_string(huge, size - 1, &value), 0);
    assert_string_equal(value.data, "a");
    ds_buf_free(&value);
}

static void expect_read(const char *text, size_t len, const char *expected)
{
    struct ds_buf value = {0};
    char *copy DS_AUTO_FREE = exact(text, len);
    if (ds_rest_json_read_string(copy, len, &value))
        fail_msg("not read: %s", text);
    assert_int_equal(value.len, strlen(expected));
    assert_string_equal(value.data, expected);
    assert_true(ds_utf8_valid(value.data, value.len));
    ds_buf_free(&value);
}

static void test_strings(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *expected;
    } rows[] = {
        {"\"\"", ""},
        {" \r\n\t\"a\" \r\n", "a"},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
        {"\"\\u00e4\\ud83d\\ude00\"", "ä😀"},
        {"\"ä😀\xef\xbf\xbf\x7f\"", "ä😀\xef\xbf\xbf\x7f"},
        /* Raw control characters, which JSON forbids. */
        {"\"a\nb\tc\r\x01\x1f\"", "a\nb\tc\r\x01\x1f"},
        {"\"\\\\\n\"", "\\\n"},
        {"\"[{]}\"", "[{]}"},
    };
    for (size_t i = 0; i < LEN(rows); i++)
        expect_read(rows[i].text, strlen(rows[i].text), rows[i].expected);
    struct ds_buf value = {0};
    static const char wrapped[] = "{\"x\":{\"value\":\"no\"},\"value\":\"a\",\"value\":\"b\"}";
    assert_int_equal(ds_rest_json_read_wrapped(wrapped, strlen(wrapped), &value), 0);
    assert_string_equal(value.data, "b");
    ds_buf_free(&value);
}

static void expect_names(struct ds_names *names, const char *expected)
{
    char joined[256] = "";
    for (size_t i = 0; i < names->count; i++)
        snprintf(joined + strlen(joined), sizeof joined - strlen(joined), "%s|", names->names[i]);
    assert_string_equal(joined, expected);
    ds_names_clear(names);
}

static void test_names(void **state)
{
    (void)state;
    static const char keys[] = "[\"b\",\"a/b\",\"\",\"b\",\"\\u00e4\",\"\x01\"]";
    struct ds_names names = {0};
    struct ds_names ids = {0};
    assert_int_equal(ds_rest_json_read_keys(keys, strlen(keys), &names), 0);
    expect_names(&names, "b|a/b||b|ä|\x01|");

    static const char pairs[] =
        "[{\"data_set\":\"1\",\"name\":\"one\",\"description\":\"d\"},{\"name\":\"two\"},"
        "{\"data_set\":\"3\"},{\"data_set\":4,\"name\":\"four\"},{\"data_set\":\"5\",\"name\":[]},"
        "{\"name\":\"x\",\"name\":\"six\",\"data_set\":\"6\"}]";
    assert_int_equal(ds_rest_json_read_ids(pairs, strlen(pairs), "data_set", &names, &ids), 0);
    expect_names(&names, "one|two|3|four|5|six|");
    expect_names(&ids, "1|two|3|four|5|6|");

    static const char machines[] = "[{\"vm\":\"vm-42\",\"name\":\"web\",\"memory_size_MiB\":1}]";
    assert_int_equal(ds_rest_json_read_ids(machines, strlen(machines), "vm", &names, &ids), 0);
    expect_names(&names, "web|");
    expect_names(&ids, "vm-42|");
}

static void test_machines(void **state)
{
    (void)state;
    static const char text[] =
        "[{\"vm\":\"vm-1\",\"name\":\"web\",\"power_state\":\"POWERED_ON\",\"cpu_count\":1},"
        "{\"vm\":\"vm-2\",\"name\":\"a%2fb%25\",\"power_state\":\"POWERED_OFF\"},"
        "{\"vm\":\"vm-3\",\"name\":\"c\",\"power_state\":\"SUSPENDED\"},"
        "{\"vm\":\"vm-4\",\"name\":\"d\",\"power_state\":\"ASLEEP\"},"
        "{\"vm\":\"vm-5\",\"name\":\"e\"},"
        "{\"vm\":\"vm-6\"},{\"name\":\"f\"},{\"vm\":7,\"name\":\"g\"},{\"vm\":\"\xff\",\"name\":"
        "\"h\"},{\"vm\":\"vm-8/9\",\"name\":\"i\"}]";
    static const char *const wrong[] = {"",  "{}",  "7", "[7]", "[[]]", "[{\"vm\":\"vm-1\"},\"x\"]",
                                        "[", "null"};
    static const struct ds_machine expected[] = {{"vm-1", "web", DS_POWER_ON},
                                                 {"vm-2", "a/b%", DS_POWER_OFF},
                                                 {"vm-3", "c", DS_POWER_SUSPENDED},
                                                 {"vm-4", "d", DS_POWER_UNKNOWN},
                                                 {"vm-5", "e", DS_POWER_UNKNOWN}};
    struct ds_machines machines = {0};
    assert_int_equal(ds_rest_json_read_machines(text, strlen(text), &machines), 0);
    assert_int_equal(machines.count, LEN(expected));
    assert_int_equal(machines.left_out, 5);
    for (size_t i = 0; i < LEN(expected); i++) {
        assert_string_equal(machines.list[i].id, expected[i].id);
        assert_string_equal(machines.list[i].name, expected[i].name);
        assert_int_equal(machines.list[i].power, expected[i].power);
    }
    /* More of them come behind. */
    assert_int_equal(ds_rest_json_read_machines("[]", 2, &machines), 0);
    assert_int_equal(ds_rest_json_read_machines(text, strlen(text), &machines), 0);
    assert_int_equal(machines.count, 2 * LEN(expected));
    ds_machines_clear(&machines);
    for (size_t i = 0; i < LEN(wrong); i++)
        assert_int_equal(ds_rest_json_read_machines(wrong[i], strlen(wrong[i]), &machines),
                         -EPROTO);
    ds_machines_clear(&machines);
}

/* What is no text, or no string at all, hides nothing but itself. */
static void test_some_names(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t len;
        const char *expected;
        size_t left_out;
    } keys[] = {
        {"[\"a\",\"\xff\",\"b\"]", 0, "a|b|", 1},
        {"[\"\\u0000\",\"x\\ud800y\",\"\\udc00\\ud800\",\"b\"]", 0, "b|", 3},
        {"[\"a\0\",\"\xc3\",\"\xed\xa0\x80\",\"\xc3\xa9\"]", 21, "é|", 3},
        {"[\"a\",7,null,[\"x\"],{\"y\":1e999},true]", 0, "a|", 5},
        {"[\"a\",123456789012345678901234567890]", 0, "a|", 1},
        {"[\"\xff\"]", 0, "", 1},
    };
    struct ds_names names = {0};
    struct ds_names ids = {0};
    for (size_t i = 0; i < LEN(keys); i++) {
        size_t len = keys[i].len ? keys[i].len : strlen(keys[i].text);
        assert_int_equal(ds_rest_json_read_keys(keys[i].text, len, &names), 0);
        assert_int_equal(names.left_out, keys[i].left_out);
        expect_names(&names, keys[i].expected);
    }
    static const char pairs[] =
        "[{\"name\":\"\xff\",\"data_set\":\"1\"},{\"name\":\"b\",\"description\":\"\xff\\u0000\"},"
        "{\"name\":\"c\",\"\xff\\u0000\":1e999,\"data_set\":\"\\ud800\"}]";
    assert_int_equal(ds_rest_json_read_ids(pairs, strlen(pairs), "data_set", &names, &ids), 0);
    assert_int_equal(names.left_out, 2);
    expect_names(&names, "b|");
    expect_names(&ids, "b|");
}

static void test_machine(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *power;
        unsigned version;
    } machines[] = {
        {"{\"name\":\"n\",\"power_state\":\"SUSPENDED\",\"hardware\":{\"version\":\"VMX_19\"}}",
         "SUSPENDED", 19},
        {"{\"hardware\":{\"version\":\"VMX_07\"},\"power_state\":\"a\\u001bb\"}", "a?b", 7},
        {"{\"power_state\":\"LONGER THAN WHAT THERE IS ROOM FOR\"}", "LONGER THAN WHA", 0},
        {"{\"power_state\":7,\"hardware\":\"VMX_20\"}", "", 0},
        {"{\"hardware\":{\"version\":\"VMX_99999999999999999999\"}}", "", 0},
        {"{\"hardware\":{\"version\":\"twenty\"}}", "", 0},
        {"{}", "", 0},
    };
    char power[16];
    unsigned version;
    for (size_t i = 0; i < LEN(machines); i++) {
        const char *text = machines[i].text;
        assert_int_equal(
            ds_rest_json_read_machine(text, strlen(text), power, sizeof power, &version), 0);
        assert_string_equal(power, machines[i].power);
        assert_int_equal(version, machines[i].version);
    }
    assert_int_equal(ds_rest_json_read_machine("[]", 2, power, sizeof power, &version), -EPROTO);
    assert_int_equal(ds_rest_json_read_machine("{", 1, power, sizeof power, &version), -EPROTO);
}

static struct ds_attributes attributes_of(const char *text)
{
    struct ds_attributes found = {0};
    if (ds_rest_json_read_attributes(text, strlen(text), &found))
        fail_msg("not read: %s", text);
    return found;
}

static void test_attributes(void **state)
{
    (void)state;
    struct ds_attributes found = attributes_of(
        "{\"name\":\"n\",\"description\":\"ä\\n\",\"host\":\"READ_ONLY\",\"guest\":\"none\","
        "\"used\":4503599627370496,\"omit_from_snapshot_and_clone\":true,\"new\":[{}]}");
    assert_string_equal(found.description, "ä\n");
    assert_int_equal(found.host, DS_ACCESS_READ_ONLY);
    assert_int_equal(found.guest, DS_ACCESS_NONE);
    assert_int_equal(found.omit_from_snapshot_and_clone, DS_FLAG_ON);
    assert_true(found.used_known && found.used_bytes == 4503599627370496);
    ds_attributes_clear(&found);

    static const char *const unknown[] = {
        "{}",
        "{\"description\":null,\"host\":null,\"guest\":1,\"used\":null}",
        "{\"description\":[],\"host\":[\"NONE\"],\"used\":\"one\"}",
        "{\"used\":-1,\"host\":\"\",\"guest\":\"SOMETHING\"}",
        "{\"used\":-1.5,\"omit_from_snapshot_and_clone\":\"true\",\"host\":{}}",
        "{\"used\":-9223372036854775808,\"omit_from_snapshot_and_clone\":1}",
        "{\"d\":{\"used\":1,\"description\":\"x\",\"host\":\"NONE\"},\"used\":true}",
    };
    static const struct ds_attributes nothing;
    for (size_t i = 0; i < LEN(unknown); i++) {
        found = attributes_of(unknown[i]);
        assert_memory_equal(&found, &nothing, sizeof found);
    }
    static const struct {
        const char *text;
        uint64_t used;
    } used[] = {
        {"{\"used\":\"12\"}", 12},
        {"{\"used\":12.0}", 12},
        {"{\"used\":1e3}", 1000},
        {"{\"used\":1.9}", 1},
        {"{\"used\":100000000}", 100000000},
    };
    for (size_t i = 0; i < LEN(used); i++) {
        found = attributes_of(used[i].text);
        assert_true(found.used_known && found.used_bytes == used[i].used);
    }
    static const char *const odd[] = {
        "{\"used\":9223372036854775808,\"host\":\"NONE\"}",
        "{\"used\":99999999999999999999,\"host\":\"NONE\"}",
        "{\"used\":-99999999999999999999,\"host\":\"NONE\"}",
        "{\"used\":1e999,\"host\":\"NONE\"}",
        "{\"used\":-1e999,\"host\":\"NONE\"}",
        "{\"used\":\"1e999\",\"host\":\"NONE\"}",
        "{\"used\":\"\xff\",\"host\":\"NONE\"}",
    };
    for (size_t i = 0; i < LEN(odd); i++) {
        found = attributes_of(odd[i]);
        assert_false(found.used_known);
        assert_int_equal(found.host, DS_ACCESS_NONE);
    }
    found = attributes_of("{\"description\":\"a\xff\\u0000\\ud800z\"}");
    assert_string_equal(found.description, "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz");
    ds_attributes_clear(&found);
    found = attributes_of("{\"used\":0,\"description\":\"\",\"omit_from_snapshot_and_clone\":false,"
                          "\"host\":\"NONE\",\"host\":\"READ_WRITE\"}");
    assert_true(found.used_known && !found.used_bytes);
    assert_string_equal(found.description, "");
    assert_int_equal(found.omit_from_snapshot_and_clone, DS_FLAG_OFF);
    assert_int_equal(found.host, DS_ACCESS_READ_WRITE);
    ds_attributes_clear(&found);
}

static void expect_fault(const char *text, size_t len, const char *type, const char *message)
{
    struct ds_rest_fault fault;
    char *copy DS_AUTO_FREE = exact(text, len);
    memset(&fault, 'x', sizeof fault);
    ds_rest_json_read_fault(copy, len, &fault);
    if (strcmp(fault.type, type) != 0 || strcmp(fault.message, message) != 0)
        fail_msg("%.*s: '%s' '%s'", (int)len, text, fault.type, fault.message);
}

static void test_faults(void **state)
{
    (void)state;
    static const char legacy[] = "com.vmware.vapi.std.errors.not_found";
    static const struct {
        const char *text;
        const char *type;
        const char *message;
    } rows[] = {
        {"{\"error_type\":\"NOT_FOUND\",\"messages\":[{\"id\":\"i\",\"default_message\":\"no VM\","
         "\"args\":[]}]}",
         "NOT_FOUND", "no VM"},
        {"{\"error_type\":\"NOT_FOUND\",\"messages\":[]}", "NOT_FOUND", ""},
        {"{\"messages\":[{\"default_message\":\"m\"},{\"default_message\":\"n\"}]}", "", "m"},
        {"{\"type\":\"com.vmware.vapi.std.errors.not_found\",\"value\":{\"messages\":["
         "{\"default_message\":\"m\"}]}}",
         legacy, "m"},
        {"{\"type\":\"com.vmware.vapi.std.errors.not_found\",\"value\":{\"messages\":[],"
         "\"error_type\":\"NOT_FOUND\"}}",
         legacy, ""},
        {"{\"type\":\"com.vmware.vapi.std.errors.not_found\"}", legacy, ""},
        {"{\"error_type\":\"A\",\"type\":\"B\",\"value\":{\"messages\":[{\"default_message\":"
         "\"m\"}]}}",
         "A", ""},
        /* A member that is there, but says nothing. */
        {"{\"error_type\":null,\"type\":\"com.vmware.vapi.std.errors.not_found\",\"value\":"
         "{\"messages\":[{\"default_message\":\"m\"}]}}",
         legacy, "m"},
        {"{\"error_type\":7,\"type\":\"T\",\"messages\":[{\"default_message\":\"m\"}]}", "T", "m"},
        {"{\"error_type\":7,\"messages\":{\"default_message\":\"m\"}}", "", ""},
        {"{\"messages\":[7]}", "", ""},
        {"{\"messages\":[{\"default_message\":[]}]}", "", ""},
        {"{\"value\":[]}", "", ""},
        {"[]", "", ""},
        {"\"NOT_FOUND\"", "", ""},
        {"null", "", ""},
        {"", "", ""},
        {"<html>404</html>", "", ""},
        {"{\"error_type\":\"NOT_FOUND\"", "", ""},
        {"{\"error_type\":\"\xff\"}", "?", ""},
        /* It ends on terminals and in logs: one line, nothing that a terminal obeys. */
        {"{\"error_type\":\"A\",\"messages\":[{\"default_message\":\"a\\nb\\u001b[2J\\u007f\t\"}]}",
         "A", "a?b?[2J??"},
    };
    for (size_t i = 0; i < LEN(rows); i++)
        expect_fault(rows[i].text, strlen(rows[i].text), rows[i].type, rows[i].message);
    struct ds_rest_fault fault;
    ds_rest_json_read_fault(NULL, 0, &fault);
    assert_string_equal(fault.type, "");
}

static void test_long_fault(void **state)
{
    (void)state;
    for (int shift = 0; shift < 4; shift++) {
        struct ds_buf text DS_CLEANUP(ds_buf_free) = {0};
        struct ds_buf words DS_CLEANUP(ds_buf_free) = {0};
        struct ds_rest_fault fault;
        assert_int_equal(ds_buf_append(&words, "abc", (size_t)shift), 0);
        for (int i = 0; i < 1000; i++)
            assert_int_equal(ds_buf_puts(&words, "😀"), 0);
        assert_int_equal(ds_buf_printf(&text,
                                       "{\"error_type\":\"%s\",\"messages\":[{"
                                       "\"default_message\":\"%s\"}]}",
                                       words.data, words.data),
                         0);
        ds_rest_json_read_fault(text.data, text.len, &fault);
        assert_true(ds_utf8_valid(fault.message, strlen(fault.message)));
        assert_true(ds_utf8_valid(fault.type, strlen(fault.type)));
        assert_true(strlen(fault.message) > sizeof fault.message - 5);
        assert_memory_equal(fault.message, words.data, strlen(fault.message));
    }
}

static void test_answers(void **state)
{
    (void)state;
    static const char *const yes[] = {"",     " ",    "\r\n\t ", "{}",        "[]",
                                      "null", "\"\"", " true ",  "\"a\nb\"\n"};
    static const char *const no[] = {"<html>", "{", "{}{}", "OK", "\xff", "\x0b"};
    static const char *const nothing[] = {"", " ", "\r\n\t ", "{}", "null", " { } \n"};
    static const char *const something[] = {
        "[]", "\"\"", "true", "0", "\"old\"", "[\"k\"]", "{\"description\":\"\"}"};
    for (size_t i = 0; i < LEN(yes); i++)
        assert_int_equal(ds_rest_json_check(yes[i], strlen(yes[i]), true), 0);
    for (size_t i = 0; i < LEN(nothing); i++)
        assert_int_equal(ds_rest_json_check(nothing[i], strlen(nothing[i]), false), 0);
    for (size_t i = 0; i < LEN(something); i++)
        assert_int_equal(ds_rest_json_check(something[i], strlen(something[i]), false), -EPROTO);
    for (int tells = 0; tells < 2; tells++) {
        for (size_t i = 0; i < LEN(no); i++)
            assert_int_equal(ds_rest_json_check(no[i], strlen(no[i]), tells), -EPROTO);
        assert_int_equal(ds_rest_json_check(NULL, 0, tells), 0);
        assert_int_equal(ds_rest_json_check("\0", 1, tells), -EPROTO);
        assert_int_equal(ds_rest_json_check(" \0", 2, tells), -EPROTO);
    }
}

static void expect_round_trip(const char *data, size_t len)
{
    struct ds_buf text DS_CLEANUP(ds_buf_free) = {0};
    struct ds_buf value DS_CLEANUP(ds_buf_free) = {0};
    char *copy DS_AUTO_FREE = exact(data, len);
    assert_int_equal(ds_rest_json_put_string(&text, copy, len), 0);
    assert_true(text.len < DS_JSON_TEXT_MAX_BYTES);
    for (size_t i = 0; i < text.len; i++)
        assert_true((unsigned char)text.data[i] >= 0x20);
    assert_int_equal(ds_rest_json_read_string(text.data, text.len, &value), 0);
    assert_int_equal(value.len, len);
    assert_true(!len || !memcmp(value.data, data, len));
}

static void test_written_strings(void **state)
{
    (void)state;
    for (int byte = 1; byte < 0x80; byte++)
        expect_round_trip((char[]){(char)byte, 'x', (char)byte}, 3);
    expect_round_trip("", 0);
    expect_round_trip("ä€😀\xf4\x8f\xbf\xbf\xef\xbb\xbf", 16);
    expect_round_trip("\\u0000\\\"</script>", 17);
    /* What comes first stays. */
    struct ds_buf text = {0};
    assert_int_equal(ds_buf_puts(&text, "x"), 0);
    assert_int_equal(ds_rest_json_put_string(&text, NULL, 0), 0);
    assert_string_equal(text.data, "x\"\"");
    ds_buf_free(&text);
    /* The longest value, with the longest text. */
    static const char fill[] = {'\x01', '\x7f', '"'};
    char *longest DS_AUTO_FREE = malloc(DS_VALUE_MAX_BYTES);
    assert_non_null(longest);
    for (size_t i = 0; i < LEN(fill); i++) {
        memset(longest, fill[i], DS_VALUE_MAX_BYTES);
        expect_round_trip(longest, DS_VALUE_MAX_BYTES);
    }
    /* The same with raw control characters, as no server should send it. */
    struct ds_buf value = {0};
    longest[0] = longest[DS_VALUE_MAX_BYTES - 1] = '"';
    memset(longest + 1, '\x01', DS_VALUE_MAX_BYTES - 2);
    assert_int_equal(ds_rest_json_read_string(longest, DS_VALUE_MAX_BYTES, &value), 0);
    assert_int_equal(value.len, DS_VALUE_MAX_BYTES - 2);
    ds_buf_free(&value);
}

static void test_written_attributes(void **state)
{
    (void)state;
    char description[] = "a \"b\"\n\x01";
    static const struct ds_attributes nothing = {.used_known = true, .used_bytes = 7};
    const struct ds_attributes all = {.description = description,
                                      .host = DS_ACCESS_NONE,
                                      .guest = DS_ACCESS_READ_ONLY,
                                      .omit_from_snapshot_and_clone = DS_FLAG_ON,
                                      .used_known = true};
    struct ds_buf text = {0};
    assert_int_equal(ds_rest_json_put_create(&text, "n\"", &nothing), 0);
    assert_string_equal(text.data,
                        "{\"name\":\"n\\\"\",\"description\":\"\",\"host\":\"READ_WRITE\","
                        "\"guest\":\"READ_WRITE\","
                        "\"omit_from_snapshot_and_clone\":false}");
    ds_buf_free(&text);
    assert_int_equal(ds_rest_json_put_update(&text, &nothing), 0);
    assert_string_equal(text.data, "{}");
    ds_buf_free(&text);

    assert_int_equal(ds_rest_json_put_update(&text, &all), 0);
    assert_null(strstr(text.data, "name"));
    assert_null(strstr(text.data, "used"));
    struct ds_attributes found = attributes_of(text.data);
    assert_string_equal(found.description, description);
    assert_int_equal(found.host, DS_ACCESS_NONE);
    assert_int_equal(found.guest, DS_ACCESS_READ_ONLY);
    assert_int_equal(found.omit_from_snapshot_and_clone, DS_FLAG_ON);
    assert_false(found.used_known);
    ds_attributes_clear(&found);
    ds_buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_json),
        cmocka_unit_test(test_wrong_kinds),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_machines),
        cmocka_unit_test(test_some_names),
        cmocka_unit_test(test_attributes),
        cmocka_unit_test(test_machine),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_long_fault),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_written_strings),
        cmocka_unit_test(test_written_attributes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
