/* The JSON of the tools channel: arguments, replies in every shape, the host's errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client/base/json_text.h"
#include "client/tools/error.h"
#include "client/tools/json.h"
#include "client/tools/reply.h"
#include "client/tools/wire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of these pairs, as text, a message of `most` bytes holds so many. */
static void expect_pairs(size_t most, size_t taken, const char *text)
{
    const struct ds_pair pairs[] = {
        {.key = "a", .data = "1", .len = 1}, {.key = "b", .data = "\"", .len = 1}, {.key = "c"}};
    struct ds_buf out = {0};
    size_t got = 9;
    assert_int_equal(ds_buf_puts(&out, "set "), 0);
    assert_int_equal(ds_tools_json_pairs(&out, "d", pairs, 3, most, &got), 0);
    assert_int_equal(got, taken);
    assert_string_equal(out.data, text);
    assert_int_equal(out.len, strlen(text));
    ds_buf_free(&out);
}

static void test_pairs(void **state)
{
    (void)state;
    static const char one[] =
        "set {\"dataset\":\"d\",\"entries\":[{\"key\":\"a\",\"value\":\"1\"}]}";
    static const char two[] = "set {\"dataset\":\"d\",\"entries\":[{\"key\":\"a\",\"value\":\"1\"},"
                              "{\"key\":\"b\",\"value\":\"\\\"\"}]}";
    static const char all[] = "set {\"dataset\":\"d\",\"entries\":[{\"key\":\"a\",\"value\":\"1\"},"
                              "{\"key\":\"b\",\"value\":\"\\\"\"},{\"key\":\"c\",\"value\":\"\"}]}";
    /* To the byte, without what stood there before. */
    expect_pairs(strlen(one) - 5, 0, "set ");
    expect_pairs(strlen(one) - 4, 1, one);
    expect_pairs(strlen(two) - 5, 1, one);
    expect_pairs(strlen(two) - 4, 2, two);
    expect_pairs(strlen(all) - 5, 2, two);
    expect_pairs(strlen(all) - 4, 3, all);
    expect_pairs(1000, 3, all);
}

static void test_size(void **state)
{
    (void)state;
    for (int byte = 1; byte < 0x80; byte++) {
        char text[] = {(char)byte, '\0'};
        struct ds_buf string = {0};
        assert_int_equal(ds_buf_json_string(&string, text), 0);
        assert_int_equal(ds_tools_json_size(text, 1), string.len - 2);
        ds_buf_free(&string);
    }
    assert_int_equal(ds_tools_json_size("ä\"\x01", 4), 2 + 2 + 6);
    assert_int_equal(ds_tools_json_size(NULL, 0), 0);
}

static void test_fit(void **state)
{
    (void)state;
    assert_int_equal(ds_tools_json_fit("abc", 3, 3), 3);
    assert_int_equal(ds_tools_json_fit("abc", 3, 2), 2);
    assert_int_equal(ds_tools_json_fit("abc", 3, 0), 0);
    assert_int_equal(ds_tools_json_fit("a\"b", 3, 2), 1);
    assert_int_equal(ds_tools_json_fit("a\"b", 3, 3), 2);
    assert_int_equal(ds_tools_json_fit("\x01\x01", 2, 11), 1);
    assert_int_equal(ds_tools_json_fit("\x01\x01", 2, 12), 2);
    /* Never inside a code point. */
    assert_int_equal(ds_tools_json_fit("a😀b", 6, 4), 1);
    assert_int_equal(ds_tools_json_fit("a😀b", 6, 5), 5);
    assert_int_equal(ds_tools_json_fit("😀", 4, 3), 0);
    assert_int_equal(ds_tools_json_fit("aä", 3, 2), 1);
}

static void expect_text(struct ds_buf *text, const char *expected)
{
    assert_string_equal(text->data, expected);
    ds_buf_free(text);
}

static void test_arguments(void **state)
{
    (void)state;
    struct ds_buf text = {0};
    const char *const keys[] = {"a\"b", "", "ä\n"};
    assert_int_equal(ds_tools_json_dataset(&text, "d\\", NULL), 0);
    expect_text(&text, "{\"dataset\":\"d\\\\\"}");
    assert_int_equal(ds_tools_json_dataset(&text, "d", "next \""), 0);
    expect_text(&text, "{\"dataset\":\"d\",\"context\":\"next \\\"\"}");
    assert_int_equal(ds_tools_json_keys(&text, "d", keys, 3, NULL), 0);
    expect_text(&text, "{\"dataset\":\"d\",\"keys\":[\"a\\\"b\",\"\",\"ä\\n\"]}");
    assert_int_equal(ds_tools_json_keys(&text, "d", keys + 1, 1, "c"), 0);
    expect_text(&text, "{\"dataset\":\"d\",\"keys\":[\"\"],\"context\":\"c\"}");
    /* Only the first two bytes are the value. */
    assert_int_equal(ds_tools_json_entry(&text, "d", "k", "v\x01x", 2, false), 0);
    expect_text(&text, "{\"dataset\":\"d\",\"entries\":[{\"key\":\"k\",\"value\":\"v\\u0001\"}]}");
    assert_int_equal(ds_tools_json_entry(&text, "d", "k", NULL, 0, true), 0);
    expect_text(&text,
                "{\"dataset\":\"d\",\"entries\":[{\"key\":\"k\",\"value\":\"\",\"append\":true}]}");
}

/* Parses a copy of exactly that length. */
static int parse(const char *text, size_t len, struct ds_tools_reply **out)
{
    char *copy = malloc(len ? len : 1);
    memcpy(copy, text, len);
    int err = ds_tools_reply_parse(copy, len, out);
    free(copy);
    return err;
}

static struct ds_tools_reply *reply_of(const char *text)
{
    struct ds_tools_reply *reply = NULL;
    if (parse(text, strlen(text), &reply))
        fail_msg("not parsed: %s", text);
    return reply;
}

static void test_not_replies(void **state)
{
    (void)state;
    static const char *const refused[] = {
        "",
        " ",
        "x",
        "[]",
        "true",
        "\"s\"",
        "{",
        "}",
        "{}}",
        "{\"a\":1]",
        "{\"a\":\"\\\x01\"}", /* an escape of nothing */
        "{\"a\":\"unfinished",
        "{\"a\":1} {}",
        "{\"a\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}",
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct ds_tools_reply *reply = NULL;
        int err = parse(refused[i], strlen(refused[i]), &reply);
        if (err != -EPROTO || reply)
            fail_msg("%zu: %s: %d", i, refused[i], err);
    }
}

static void test_bounds(void **state)
{
    (void)state;
    struct ds_buf text = {0};
    struct ds_tools_reply *reply = NULL;
    ds_buf_puts(&text, "{\"a\":[");
    for (unsigned i = 0; i < DS_JSON_TEXT_MAX_ELEMENTS - 2; i++)
        ds_buf_puts(&text, "1,");
    size_t len = text.len;
    ds_buf_puts(&text, "1]}");
    assert_int_equal(ds_tools_reply_parse(text.data, text.len, &reply), 0);
    ds_tools_reply_free(reply);
    reply = NULL;
    text.len = len;
    ds_buf_puts(&text, "1,1]}");
    assert_int_equal(ds_tools_reply_parse(text.data, text.len, &reply), -EPROTO);
    ds_buf_free(&text);

    char *longest = malloc(DS_WIRE_PAYLOAD_MAX_BYTES + 1);
    memset(longest, ' ', DS_WIRE_PAYLOAD_MAX_BYTES + 1);
    memcpy(longest, "{}", 2);
    assert_int_equal(ds_tools_reply_parse(longest, DS_WIRE_PAYLOAD_MAX_BYTES + 1, &reply), -EPROTO);
    assert_int_equal(ds_tools_reply_parse(longest, DS_WIRE_PAYLOAD_MAX_BYTES, &reply), 0);
    ds_tools_reply_free(reply);
    free(longest);
}

static void test_result(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool whole_rpc;
        int error;
    } rows[] = {
        {"{\"result\":true}", false, 0},
        {"{\"result\":false,\"x\":[{}],\"result\":true}", false, 0},
        {"{\"result\":true,\"error-id\":\"not-found\"}", false, 0},
        {"{\"result\":false,\"error-id\":\"not-found\"}", false, -ENOENT},
        {"{\"result\":false,\"error-message\":\"Permission denied\"}", false, -EACCES},
        {"{\"result\":false,\"error-id\":7,\"error-message\":[]}", false, -EIO},
        {"{\"result\":false}", false, -EIO},
        {"{\"error-id\":\"not-found\"}", true, -ENOENT},
        {"{\"result\":true}", true, -EIO},
        {"{}", false, -EPROTO},
        {"{\"result\":1}", false, -EPROTO},
        {"{\"result\":\"true\"}", false, -EPROTO},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ds_call call;
        ds_call_init(&call, 1000);
        struct ds_tools_reply *reply = reply_of(rows[i].text);
        int err = ds_tools_reply_result(reply, &call, rows[i].whole_rpc);
        if (err != rows[i].error || (err && !call.text[0]))
            fail_msg("%s: %d '%s'", rows[i].text, err, call.text);
        ds_tools_reply_free(reply);
    }
}

static void expect_names(int err, struct ds_names *names, const char *expected)
{
    char joined[256] = "";
    for (size_t i = 0; i < names->count; i++)
        snprintf(joined + strlen(joined), sizeof joined - strlen(joined), "%s|", names->names[i]);
    assert_int_equal(err, 0);
    assert_string_equal(joined, expected);
    ds_names_clear(names);
}

static void test_names(void **state)
{
    (void)state;
    struct ds_names names = {0};
    struct ds_tools_reply *reply = reply_of(
        "{\"result\":true,\"datasets\":[{\"name\":\"b\",\"description\":\"x\"},{\"name\":\"a\"}]}");
    expect_names(ds_tools_reply_datasets(reply, &names), &names, "b|a|");
    assert_int_equal(ds_tools_reply_keys(reply, &names), -EPROTO);
    ds_tools_reply_free(reply);

    reply = reply_of("{\"keys\":[\"\",\"a/b\",\"\\u00e4\",\"\x01\x1f\"],\"more\":{}}");
    expect_names(ds_tools_reply_keys(reply, &names), &names, "|a/b|ä|\x01\x1f|");
    ds_tools_reply_free(reply);

    static const char *const wrong[] = {"{\"keys\":{},\"datasets\":7}",
                                        "{\"keys\":[1],\"datasets\":[{}]}",
                                        "{\"keys\":[null],\"datasets\":[{\"name\":1}]}",
                                        "{\"keys\":[[\"a\"]],\"datasets\":[[\"a\"]]}"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        reply = reply_of(wrong[i]);
        assert_int_equal(ds_tools_reply_keys(reply, &names), -EPROTO);
        assert_int_equal(ds_tools_reply_datasets(reply, &names), -EPROTO);
        assert_int_equal(names.count, 0);
        ds_tools_reply_free(reply);
    }
    ds_names_clear(&names);

    /* What is no text, or no string at all, hides nothing but itself. */
    reply = reply_of("{\"keys\":[\"a\",\"\xff\",7,\"\\u0000\",\"\\ud800\",null,\"b\"],"
                     "\"datasets\":[{\"name\":\"\xc3\"},{},\"d\",{\"name\":\"e\",\"description\":"
                     "\"\xff\"}],\"x\":123456789012345678901234567890}");
    assert_int_equal(ds_tools_reply_keys(reply, &names), 0);
    assert_int_equal(names.left_out, 5);
    names.left_out = 0;
    expect_names(0, &names, "a|b|");
    assert_int_equal(ds_tools_reply_datasets(reply, &names), 0);
    assert_int_equal(names.left_out, 2);
    expect_names(0, &names, "d|e|");
    ds_tools_reply_free(reply);
}

static void test_attributes(void **state)
{
    (void)state;
    static const char *const hosts[] = {"host", "host-access", "host_access", "hostAccess"};
    static const char *const guests[] = {"guest", "guest-access", "guest_access", "guestAccess"};
    for (size_t i = 0; i < 8; i++) {
        struct ds_buf text = {0};
        struct ds_attributes found = {0};
        const char *open = i < 4 ? "" : "\"dataset\":{";
        ds_buf_printf(&text,
                      "{\"result\":true,%s\"description\":\"ä\",\"%s\":\"READ_ONLY\","
                      "\"%s\":\"none\",\"used\":12,\"omit_from_snapshot_and_clone\":true}%s",
                      open, hosts[i % 4], guests[i % 4], i < 4 ? "" : "}");
        struct ds_tools_reply *reply = reply_of(text.data);
        assert_int_equal(ds_tools_reply_attributes(reply, &found), 0);
        assert_string_equal(found.description, "ä");
        assert_int_equal(found.host, DS_ACCESS_READ_ONLY);
        assert_int_equal(found.guest, DS_ACCESS_NONE);
        assert_int_equal(found.omit_from_snapshot_and_clone, DS_FLAG_ON);
        assert_true(found.used_known);
        assert_int_equal(found.used_bytes, 12);
        ds_attributes_clear(&found);
        ds_tools_reply_free(reply);
        ds_buf_free(&text);
    }
}

static enum ds_access access_in(const char *value)
{
    struct ds_buf text = {0};
    struct ds_attributes found = {0};
    ds_buf_printf(&text, "{\"guest\":%s}", value);
    struct ds_tools_reply *reply = reply_of(text.data);
    assert_int_equal(ds_tools_reply_attributes(reply, &found), 0);
    enum ds_access guest = found.guest;
    ds_attributes_clear(&found);
    ds_tools_reply_free(reply);
    ds_buf_free(&text);
    return guest;
}

static void test_access_words(void **state)
{
    (void)state;
    static const char *const words[][4] = {
        {"\"READ_WRITE\"", "\"NONE\"", "\"READ_ONLY\"", "\"SOMETHING\""},
        {"\"read-write\"", "\"none\"", "\"read-only\"", "7"},
        {"\"readWrite\"", "\"No Access\"", "\"readOnly\"", "null"},
        {"\"rw\"", "\"ACCESS_NONE\"", "\"ro\"", "{\"read\":true}"},
        {"\"DATA_SET_READ_WRITE\"", "\"no-access\"", "\"Read only\"", "\"\""},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        assert_int_equal(access_in(words[i][0]), DS_ACCESS_READ_WRITE);
        assert_int_equal(access_in(words[i][1]), DS_ACCESS_NONE);
        assert_int_equal(access_in(words[i][2]), DS_ACCESS_READ_ONLY);
        assert_int_equal(access_in(words[i][3]), DS_ACCESS_UNKNOWN);
    }
}

static void test_odd_attributes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool known;
        uint64_t used;
    } rows[] = {
        {"{}", false, 0},
        {"{\"used\":\"77\"}", true, 77},
        {"{\"used\":5.0}", true, 5},
        {"{\"used\":-1}", false, 0},
        {"{\"used\":\"-1\"}", false, 0},
        {"{\"used\":\"7x\"}", false, 0},
        {"{\"used\":\"\"}", false, 0},
        {"{\"used\":1e300}", false, 0},
        {"{\"used\":null,\"description\":7,\"host\":[],\"omit-from-snapshot-and-clone\":1}", false,
         0},
        /* What stands at the top is nearer than what is nested. */
        {"{\"d\":{\"used\":1},\"used\":2}", true, 2},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ds_attributes found = {0};
        struct ds_tools_reply *reply = reply_of(rows[i].text);
        assert_int_equal(ds_tools_reply_attributes(reply, &found), 0);
        if (found.used_known != rows[i].known || found.used_bytes != rows[i].used)
            fail_msg("%s", rows[i].text);
        assert_null(found.description);
        assert_int_equal(found.host, DS_ACCESS_UNKNOWN);
        ds_tools_reply_free(reply);
    }
}

/* Asserts what the reply says of the keys "k" and "key"; a number stands for an error. */
static void expect_entries(const char *text, const char *k, const char *key)
{
    struct ds_entry entries[] = {{.key = "k", .error = -ENOENT}, {.key = "key", .error = -ENOENT}};
    const char *expected[] = {k, key};
    struct ds_tools_reply *reply = reply_of(text);
    assert_int_equal(ds_tools_reply_entries(reply, entries, 2), 0);
    for (size_t i = 0; i < 2; i++) {
        char found[64];
        if (entries[i].error)
            snprintf(found, sizeof found, "%d", entries[i].error);
        else
            snprintf(found, sizeof found, "=%s", entries[i].value.data);
        if (strcmp(found, expected[i]) != 0)
            fail_msg("%s: %s is %s, not %s", text, entries[i].key, found, expected[i]);
        ds_buf_free(&entries[i].value);
    }
    ds_tools_reply_free(reply);
}

static void test_entries(void **state)
{
    (void)state;
    char enoent[16];
    char eproto[16];
    snprintf(enoent, sizeof enoent, "%d", -ENOENT);
    snprintf(eproto, sizeof eproto, "%d", -EPROTO);

    expect_entries("{\"entries\":[]}", enoent, enoent);
    expect_entries("{\"entries\":[{\"k\":\"v\"},{\"key\":\"w\"}]}", "=v", "=w");
    expect_entries("{\"entries\":[{\"key\":\"w\",\"k\":\"\"}]}", "=", "=w");
    expect_entries("{\"entries\":[{\"key\":\"k\",\"value\":\"v\"}]}", "=v", enoent);
    expect_entries("{\"entries\":[{\"value\":\"v\",\"key\":\"key\"}]}", enoent, "=v");
    /* Three members: a pair, if it is of a key that was asked for. */
    expect_entries("{\"entries\":[{\"key\":\"k\",\"value\":\"v\",\"x\":\"\"}]}", "=v", enoent);
    expect_entries("{\"entries\":[{\"key\":\"k\",\"value\":\"v\",\"size\":1}]}", "=v", enoent);
    expect_entries("{\"entries\":[{\"key\":\"key\",\"value\":\"v\",\"k\":1}]}", enoent, "=v");
    expect_entries("{\"entries\":[{\"key\":\"w\",\"value\":\"v\",\"k\":\"x\"}]}", "=x", "=w");
    expect_entries("{\"entries\":[{\"k\":\"a\",\"k\":\"b\"}]}", "=b", enoent);
    expect_entries("{\"entries\":[{\"k\":null}]}", enoent, enoent);
    expect_entries("{\"entries\":[{\"k\":7},{\"key\":\"w\"}]}", eproto, "=w");
    expect_entries("{\"entries\":[{\"key\":\"k\",\"value\":[]}]}", eproto, enoent);
    expect_entries("{\"entries\":[{\"k\":\"\t\x1b\\u0001\\\\\\\"\"}]}", "=\t\x1b\x01\\\"", enoent);

    static const char *const wrong[] = {"{}", "{\"entries\":{}}", "{\"entries\":[[]]}",
                                        "{\"entries\":[\"k\"]}"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct ds_entry entry = {.key = "k", .error = -ENOENT};
        struct ds_tools_reply *reply = reply_of(wrong[i]);
        assert_int_equal(ds_tools_reply_entries(reply, &entry, 1), -EPROTO);
        ds_tools_reply_free(reply);
    }
}

static void test_too_long_value(void **state)
{
    (void)state;
    for (size_t more = 0; more < 2; more++) {
        struct ds_buf text = {0};
        struct ds_entry entry = {.key = "k", .error = -ENOENT};
        struct ds_tools_reply *reply = NULL;
        ds_buf_puts(&text, "{\"entries\":[{\"k\":\"");
        for (size_t i = 0; i < DS_VALUE_MAX_BYTES + more; i++)
            ds_buf_puts(&text, "\\u0001");
        ds_buf_puts(&text, "\"}]}");
        assert_int_equal(ds_tools_reply_parse(text.data, text.len, &reply), 0);
        assert_int_equal(ds_tools_reply_entries(reply, &entry, 1), 0);
        assert_int_equal(entry.error, more ? -EPROTO : 0);
        assert_int_equal(entry.value.len, more ? 0 : DS_VALUE_MAX_BYTES);
        ds_buf_free(&entry.value);
        ds_tools_reply_free(reply);
        ds_buf_free(&text);
    }
}

static void expect_context(const char *text, int error, const char *expected)
{
    char *context = NULL;
    struct ds_tools_reply *reply = reply_of(text);
    assert_int_equal(ds_tools_reply_context(reply, &context), error);
    if (expected)
        assert_string_equal(context, expected);
    else
        assert_null(context);
    free(context);
    ds_tools_reply_free(reply);
}

static void test_context(void **state)
{
    (void)state;
    expect_context("{}", 0, NULL);
    expect_context("{\"context\":null}", 0, NULL);
    expect_context("{\"context\":\"\"}", 0, NULL);
    expect_context("{\"context\":\"a b\"}", 0, "a b");
    expect_context("{\"context\":7}", -EPROTO, NULL);
    struct ds_buf text = {0};
    ds_buf_puts(&text, "{\"context\":\"");
    for (unsigned i = 0; i <= DS_TOOLS_CONTEXT_MAX_BYTES; i++)
        ds_buf_puts(&text, "x");
    ds_buf_puts(&text, "\"}");
    expect_context(text.data, -EPROTO, NULL);
    ds_buf_free(&text);
}

static void test_errors(void **state)
{
    (void)state;
    static const struct {
        const char *id;
        const char *message;
        int error;
    } rows[] = {
        {"not-found", NULL, -ENOENT},
        {"NOT_FOUND", "x", -ENOENT},
        {NULL, "Not found", -ENOENT},
        {"entry-not-found", "permission denied", -ENOENT},
        {NULL, "no such key", -ENOENT},
        {NULL, "the entry does not exist", -ENOENT},
        {"already-exists", NULL, -EEXIST},
        {"permission-denied", NULL, -EACCES},
        {"access-denied", "not found", -EACCES},
        {"UNAUTHORIZED", NULL, -EACCES},
        {"unauthenticated", NULL, -EACCES},
        {"unable-to-allocate-resource", NULL, -ENOSPC},
        {NULL, "No space left", -ENOSPC},
        {NULL, "not enough space", -ENOSPC},
        {NULL, "out of space", -ENOSPC},
        {"quota-exceeded", NULL, -ENOSPC},
        {"resource-busy", NULL, -EAGAIN},
        {"concurrent-change", NULL, -EAGAIN},
        {"service-unavailable", NULL, -EAGAIN},
        {NULL, "try again later", -EAGAIN},
        {"not-allowed-in-current-state", NULL, -EBUSY},
        {NULL, "the virtual machine is suspended", -EBUSY},
        {NULL, "Unknown command", -EOPNOTSUPP},
        {"unsupported", NULL, -EOPNOTSUPP},
        {NULL, "not supported", -EOPNOTSUPP},
        {NULL, "disabled", -EOPNOTSUPP},
        {"invalid-argument", NULL, -EINVAL},
        {"invalid-argument", "malformed", -EINVAL},
        {"invalid-argument", "the value is too long", -EFBIG},
        {"invalid-argument", "value of key k exceeds the limit", -EFBIG},
        {"invalid-argument", "the key is longer than 4096 bytes", -ENAMETOOLONG},
        {"invalid-argument", "name too long", -ENAMETOOLONG},
        {"value-too-large", NULL, -EFBIG},
        {"key-too-long", NULL, -ENAMETOOLONG},
        {NULL, "too big", -EFBIG},
        {"", "", -EIO},
        {NULL, NULL, -EIO},
        {"something-else", "entirely", -EIO},
        /* The one published id may be said of all. */
        {"invalid-argument", "Key not found", -ENOENT},
        {"invalid-argument", "Permission denied", -EACCES},
        {"invalid-argument", "usage: datasets-get-entry {...}; the entry is missing", -ENOENT},
        {"invalid-argument", "missing argument: keys", -EINVAL},
        {"invalid-argument", "unknown parameter 'x'", -EINVAL},
        {"invalid-argument", "resource exhausted", -ENOSPC},
        {"invalid", "DataSet is read-only", -EACCES},
        {"error", "no such entry", -ENOENT},
        /* Words that people use for the same. */
        {"non-existent", NULL, -ENOENT},
        {"nonexistent-key", NULL, -ENOENT},
        {"missing", NULL, -ENOENT},
        {"key-missing", NULL, -ENOENT},
        {"no-entry", NULL, -ENOENT},
        {"unknown", NULL, -ENOENT},
        {"unknown-key", "x", -ENOENT},
        {"unknown-dataset", NULL, -ENOENT},
        {NULL, "The key doesn't exist", -ENOENT},
        {NULL, "key did not exist", -ENOENT},
        {"no-permission", NULL, -EACCES},
        {"read-only", NULL, -EACCES},
        {"forbidden", NULL, -EACCES},
        {"not-permitted", NULL, -EACCES},
        {"not-authorized", NULL, -EACCES},
        {"resource-exhausted", NULL, -ENOSPC},
        {"limit", NULL, -ENOSPC},
        {"limit-exceeded", "100 MB of keys and values", -ENOSPC},
        {"size-limit-reached", NULL, -ENOSPC},
        {"quota", NULL, -ENOSPC},
        {"no-space", NULL, -ENOSPC},
        {"dataset-full", NULL, -ENOSPC},
        {"disk-full", NULL, -ENOSPC},
        {"store-full", NULL, -ENOSPC},
        {NULL, "The data set is full", -ENOSPC},
        {"limit-exceeded", "the value is too long", -EFBIG},
        {"unknown-error", NULL, -EIO},
        {NULL, "unknown error", -EIO},
        /* What the host quotes is somebody's key, and not its own word. */
        {"invalid-argument", "bad value for key 'missing-busy'", -EINVAL},
        {"invalid-argument", "bad value for key \"not found\"", -EINVAL},
        {NULL, "'readonly' does not exist", -ENOENT},
        {NULL, "can't write: access denied, don't retry", -EACCES},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int error = ds_tools_errno(rows[i].id, rows[i].message);
        if (error != rows[i].error)
            fail_msg("%s, %s: %d, not %d", rows[i].id, rows[i].message, error, rows[i].error);
    }
}

static void test_words(void **state)
{
    (void)state;
    struct ds_call call;
    char longest[2000];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    ds_call_init(&call, 1000);
    assert_int_equal(ds_tools_fail(&call, NULL, "Unknown command", true), -EOPNOTSUPP);
    assert_string_equal(call.text,
                        "this host does not know DataSets (vSphere 8 and hardware version "
                        "20 are needed)");
    assert_int_equal(ds_tools_fail(&call, NULL, "Permission denied", true), -EACCES);
    assert_non_null(strstr(call.text, "root is needed"));
    assert_int_equal(ds_tools_fail(&call, "access-denied", "no", false), -EACCES);
    assert_null(strstr(call.text, "root"));
    assert_int_equal(ds_tools_fail(&call, "odd", NULL, false), -EIO);
    assert_non_null(strstr(call.text, "odd"));
    assert_int_equal(ds_tools_fail(&call, NULL, longest, true), -EIO);
    assert_int_equal(ds_tools_fail(&call, NULL, NULL, true), -EIO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_size),         cmocka_unit_test(test_fit),
        cmocka_unit_test(test_arguments),    cmocka_unit_test(test_not_replies),
        cmocka_unit_test(test_bounds),       cmocka_unit_test(test_result),
        cmocka_unit_test(test_names),        cmocka_unit_test(test_attributes),
        cmocka_unit_test(test_access_words), cmocka_unit_test(test_odd_attributes),
        cmocka_unit_test(test_entries),      cmocka_unit_test(test_too_long_value),
        cmocka_unit_test(test_context),      cmocka_unit_test(test_errors),
        cmocka_unit_test(test_words),        cmocka_unit_test(test_pairs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
