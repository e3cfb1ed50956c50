/* The commands of the tools channel over a host made of words: batches, parts, pages, failures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../client/tools/commands.h"
#include "../../client/tools/tools.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A host that answers with the replies of a list, in turn, or that holds one value. */
struct host {
    struct ds_transport transport; /* first */
    const char *const *replies;    /* each with "1 " or "0 " before it; NULL: holds a value */
    size_t requests;
    struct ds_buf log; /* the requests, each as "MODE TEXT\n" */
    size_t longest;    /* bytes of a request */

    struct ds_buf value;
    bool exists;
    size_t break_at;    /* the request of this number, from 1 on, */
    size_t breaks;      /* and that many in a row are not answered */
    bool carry_out;     /* although they are carried out */
    size_t refuse_at;   /* the request of this number is refused */
    const char *reason; /* in these words */
    bool forgets;       /* appends are answered and not done */
};

static json_t *first_of(json_t *arguments, const char *name)
{
    return json_array_get(json_object_get(arguments, name), 0);
}

static void carry_out(struct host *host, const char *command, json_t *arguments,
                      struct ds_buf *reply)
{
    json_t *entry = first_of(arguments, "entries");
    const char *value = json_string_value(json_object_get(entry, "value"));
    bool append = json_is_true(json_object_get(entry, "append"));
    assert_string_equal(json_string_value(json_object_get(arguments, "dataset")), "d");
    if (!strcmp(command, "datasets-set-entry")) {
        if (!append)
            host->value.len = 0;
        if (!append || !host->forgets)
            ds_buf_puts(&host->value, value);
        host->exists = true;
    } else if (!strcmp(command, "datasets-delete-entry")) {
        host->value.len = 0;
        host->exists = false;
    } else if (host->exists) {
        ds_buf_puts(reply, "1 {\"result\":true,\"entries\":[{\"k\":");
        ds_buf_json_string(reply, host->value.len ? host->value.data : "");
        ds_buf_puts(reply, "}]}");
        return;
    } else {
        ds_buf_puts(reply, "1 {\"result\":true,\"entries\":[]}");
        return;
    }
    ds_buf_puts(reply, "1 {\"result\":true}");
}

static int hold_value(struct host *host, struct ds_call *call, const char *text,
                      struct ds_buf *reply)
{
    char command[32];
    size_t word = strcspn(text, " ");
    snprintf(command, sizeof command, "%.*s", (int)word, text);
    json_t *arguments = json_loads(text + word, 0, NULL);
    assert_non_null(arguments);
    size_t number = host->requests;
    bool breaks =
        host->break_at && number >= host->break_at && number < host->break_at + host->breaks;
    if (number == host->refuse_at)
        ds_buf_printf(reply, "1 {\"result\":false,\"error-message\":\"%s\"}", host->reason);
    else if (!breaks || host->carry_out)
        carry_out(host, command, arguments, reply);
    json_decref(arguments);
    if (breaks)
        return ds_call_fail(call, -EIO, "broken");
    return 0;
}

static int exchange(struct ds_transport *transport, struct ds_call *call, enum ds_exchange mode,
                    const char *text, size_t len, struct ds_answer *out)
{
    struct host *host = (struct host *)transport;
    struct ds_buf reply = {0};
    char *copy = strndup(text, len);
    int err = 0;
    host->requests++;
    if (len > host->longest)
        host->longest = len;
    ds_buf_printf(&host->log, "%c %s\n", "RCr"[mode], copy);
    ds_call_set_sent(call, DS_SENT_MAYBE);
    if (!host->replies) {
        err = hold_value(host, call, copy, &reply);
    } else {
        assert_non_null(*host->replies);
        ds_buf_puts(&reply, *host->replies++);
    }
    free(copy);
    if (err) {
        ds_buf_free(&reply);
        return err;
    }
    ds_call_set_sent(call, DS_SENT_ANSWERED);
    out->bytes = reply;
    out->text = reply.data + 2;
    out->len = reply.len - 2;
    out->success = reply.data[0] == '1';
    return 0;
}

static void end_host(struct ds_transport *transport)
{
    struct host *host = (struct host *)transport;
    ds_buf_free(&host->log);
    ds_buf_free(&host->value);
}

/* One test's host, client and call. */
struct test {
    struct host host;
    struct ds_client *client;
    struct ds_call call;
};

static struct test *begin(void **state, const char *const *replies)
{
    struct test *test = *state;
    test->host.replies = replies;
    test->host.requests = 0;
    test->host.log.len = 0;
    ds_call_init(&test->call, 60000);
    return test;
}

static int set_up(void **state)
{
    struct test *test = calloc(1, sizeof *test);
    test->host.transport.exchange = exchange;
    test->host.transport.free = end_host;
    *state = test;
    return ds_tools_make_take(&test->host.transport, 1, true, &test->client);
}

static int tear_down(void **state)
{
    struct test *test = *state;
    ds_client_free(test->client, &test->call);
    free(test);
    return 0;
}

#define REPLIES(...) ((const char *const[]){__VA_ARGS__, NULL})
#define OK "1 {\"result\":true}"

static void expect_log(const struct test *test, const char *log)
{
    assert_string_equal(test->host.log.data, log);
    if (test->host.replies)
        assert_null(*test->host.replies);
}

static void test_list(void **state)
{
    struct test *test =
        begin(state, REPLIES("1 {\"result\":true,\"datasets\":[{\"name\":\"d\"}]}"));
    struct ds_names names = {0};
    assert_int_equal(ds_client_list(test->client, &test->call, &names), 0);
    assert_int_equal(names.count, 1);
    assert_string_equal(names.names[0], "d");
    ds_names_clear(&names);
    expect_log(test, "R datasets-list\n");
    assert_int_equal(ds_client_requests(test->client, DS_OP_LIST), 1);
}

static void test_query(void **state)
{
    struct test *test = begin(state, REPLIES("1 {\"result\":true,\"guestAccess\":\"rw\"}"));
    struct ds_attributes found = {0};
    assert_int_equal(ds_client_query(test->client, &test->call, "d\"", &found), 0);
    assert_int_equal(found.guest, DS_ACCESS_READ_WRITE);
    ds_attributes_clear(&found);
    expect_log(test, "R datasets-query {\"dataset\":\"d\\\"\"}\n");
}

static void test_keys_in_parts(void **state)
{
    struct test *test =
        begin(state, REPLIES("1 {\"result\":true,\"keys\":[\"a\",\"b\"],\"context\":\"next\"}",
                             "1 {\"result\":true,\"keys\":[],\"context\":\"last\"}",
                             "1 {\"result\":true,\"keys\":[\"c\"],\"context\":\"\"}"));
    struct ds_names names = {0};
    assert_int_equal(ds_client_list_keys(test->client, &test->call, "d", &names), 0);
    assert_int_equal(names.count, 3);
    assert_string_equal(names.names[2], "c");
    ds_names_clear(&names);
    expect_log(test, "R datasets-list-keys {\"dataset\":\"d\"}\n"
                     "R datasets-list-keys {\"dataset\":\"d\",\"context\":\"next\"}\n"
                     "R datasets-list-keys {\"dataset\":\"d\",\"context\":\"last\"}\n");

    begin(state, REPLIES("1 {\"result\":true,\"keys\":[\"a\"],\"context\":\"next\"}",
                         "0 Permission denied"));
    assert_int_equal(ds_client_list_keys(test->client, &test->call, "d", &names), -EACCES);
    assert_int_equal(names.count, 0);
}

static void test_remove(void **state)
{
    struct test *test = begin(state, REPLIES(OK));
    assert_int_equal(ds_client_remove(test->client, &test->call, "d", "k", NULL), 0);
    expect_log(test, "C datasets-delete-entry {\"dataset\":\"d\",\"keys\":[\"k\"]}\n");
    begin(state, REPLIES("1 {\"result\":false,\"error-id\":\"not-found\"}"));
    assert_int_equal(ds_client_remove(test->client, &test->call, "d", "k", NULL), -ENOENT);
}

static void test_failures(void **state)
{
    static const struct {
        const char *reply;
        int error;
    } rows[] = {
        {"0 Unknown command", -EOPNOTSUPP},
        {"0 Permission denied", -EACCES},
        {"0 disabled", -EOPNOTSUPP},
        {"0 ", -EIO},
        {"0 {\"result\":false,\"error-id\":\"not-found\",\"error-message\":\"x\"}", -ENOENT},
        {"0 {\"result\":true}", -EIO},
        {"0 {not found", -ENOENT},
        {"1 {\"result\":false,\"error-id\":\"access-denied\"}", -EACCES},
        {"1 {\"result\":false}", -EIO},
        {"1 {\"result\":true}", -EPROTO},
        {"1 {}", -EPROTO},
        {"1 ", -EPROTO},
        {"1 words", -EPROTO},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct test *test = begin(state, REPLIES(rows[i].reply));
        struct ds_names names = {0};
        int err = ds_client_list(test->client, &test->call, &names);
        if (err != rows[i].error || !test->call.text[0])
            fail_msg("%s: %d '%s'", rows[i].reply, err, test->call.text);
        assert_int_equal(ds_call_sent(&test->call), DS_SENT_ANSWERED);
    }
}

/* Gets "a", "b" and "c" and asserts "VALUE" or an errno's number of each. */
static void expect_get(struct test *test, const char *a, const char *b, const char *c)
{
    struct ds_entry entries[] = {{.key = "a"}, {.key = "b"}, {.key = "c"}};
    const char *expected[] = {a, b, c};
    assert_int_equal(ds_client_get(test->client, &test->call, "d", entries, 3), 0);
    for (size_t i = 0; i < 3; i++) {
        char found[32];
        if (entries[i].error)
            snprintf(found, sizeof found, "%d", entries[i].error);
        else
            snprintf(found, sizeof found, "%s", entries[i].value.data);
        assert_string_equal(found, expected[i]);
        ds_buf_free(&entries[i].value);
    }
    assert_null(*test->host.replies);
}

#define ENTRIES(entries) "1 {\"result\":true,\"entries\":[" entries "]}"
#define NOT_FOUND "1 {\"result\":false,\"error-id\":\"not-found\"}"

static void test_get(void **state)
{
    char enoent[16];
    char eproto[16];
    snprintf(enoent, sizeof enoent, "%d", -ENOENT);
    snprintf(eproto, sizeof eproto, "%d", -EPROTO);

    expect_get(begin(state, REPLIES(ENTRIES("{\"c\":\"3\"},{\"a\":\"1\"}"))), "1", enoent, "3");
    /* In parts. */
    struct test *test =
        begin(state, REPLIES("1 {\"result\":true,\"entries\":[{\"a\":\"1\"}],\"context\":\"x\"}",
                             ENTRIES("{\"key\":\"b\",\"value\":\"2\"}")));
    expect_get(test, "1", "2", enoent);
    expect_log(test,
               "R datasets-get-entry {\"dataset\":\"d\",\"keys\":[\"a\",\"b\",\"c\"]}\n"
               "R datasets-get-entry {\"dataset\":\"d\",\"keys\":[\"a\",\"b\",\"c\"],\"context\":"
               "\"x\"}\n");
    /* One missing key fails all: asked again in halves, once the DataSet is known to be there. */
    test = begin(state, REPLIES(NOT_FOUND, OK, ENTRIES("{\"a\":\"1\"}"), NOT_FOUND,
                                ENTRIES("{\"b\":\"2\"}"), NOT_FOUND));
    expect_get(test, "1", "2", enoent);
    assert_int_equal(ds_client_requests(test->client, DS_OP_QUERY), 1);
    /* So does one that is not understood. */
    expect_get(begin(state, REPLIES(ENTRIES("{\"a\":\"\\ud800\"}"), ENTRIES("{\"a\":\"\\ud800\"}"),
                                    ENTRIES("{\"b\":\"2\"},{\"c\":\"3\"}"))),
               eproto, "2", "3");
    expect_get(begin(state, REPLIES(ENTRIES("{\"a\":7},{\"b\":\"2\"}"))), eproto, "2", enoent);
}

static void test_get_fails(void **state)
{
    static const struct {
        const char *replies[4];
        int error;
    } rows[] = {
        {{"0 Permission denied"}, -EACCES},
        {{NOT_FOUND, NOT_FOUND}, -ENOENT}, /* the DataSet too */
        {{NOT_FOUND, OK, "0 Permission denied"}, -EACCES},
        {{"1 x", ENTRIES("{\"a\":\"1\"}"), "0 Permission denied"}, -EACCES},
        {{"1 {\"result\":true,\"entries\":[{\"a\":\"1\"}],\"context\":\"x\"}", "0 what"}, -EIO},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct test *test = begin(state, rows[i].replies);
        struct ds_entry entries[] = {{.key = "a"}, {.key = "b"}};
        assert_int_equal(ds_client_get(test->client, &test->call, "d", entries, 2), rows[i].error);
        assert_null(*test->host.replies);
        for (size_t j = 0; j < 2; j++) {
            assert_int_equal(entries[j].error, rows[i].error);
            assert_null(entries[j].value.data);
        }
    }
}

static char *letters(const char *pattern, size_t count)
{
    size_t len = strlen(pattern);
    char *text = malloc(count * len + 1);
    assert_non_null(text);
    for (size_t i = 0; i < count; i++)
        memcpy(text + i * len, pattern, len + 1);
    text[count * len] = '\0';
    return text;
}

/* Keys as long as any may be go out in many messages, none too long. */
static void test_get_long_keys(void **state)
{
    enum { KEYS = 40 };
    static const char *const patterns[] = {"x", "\x01"};
    for (size_t p = 0; p < 2; p++) {
        struct test *test = begin(state, NULL);
        struct ds_entry entries[KEYS] = {0};
        for (size_t i = 0; i < KEYS; i++)
            entries[i].key = letters(patterns[p], DS_KEY_MAX_BYTES);
        test->host.longest = 0;
        assert_int_equal(ds_client_get(test->client, &test->call, "d", entries, KEYS), 0);
        for (size_t i = 0; i < KEYS; i++) {
            assert_int_equal(entries[i].error, -ENOENT);
            free((char *)entries[i].key);
        }
        assert_true(test->host.longest <= DS_TOOLS_MESSAGE_MAX_BYTES);
        assert_int_equal(test->host.requests, p ? 20 : 3);
    }
}

static void expect_stored(const struct test *test, const char *data, size_t len)
{
    assert_true(test->host.exists);
    assert_int_equal(test->host.value.len, len);
    if (len)
        assert_memory_equal(test->host.value.data, data, len);
}

/* A set's message beside the value, and the bytes that it leaves. */
#define AROUND "datasets-set-entry {\"dataset\":\"d\",\"entries\":[{\"key\":\"k\",\"value\":\"\"}]}"
enum { ROOM = 65536 - (sizeof AROUND - 1) };

static void test_set_limits(void **state)
{
    static const struct {
        const char *pattern;
        size_t escaped;
    } rows[] = {{"x", 1}, {"\x01", 6}, {"\"", 2}, {"😀", 4}, {"\n", 2}, {"ä", 2}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t limit = ROOM / rows[i].escaped;
        for (size_t more = 0; more < 2; more++) {
            struct test *test = begin(state, NULL);
            char *value = letters(rows[i].pattern, limit + more);
            test->host.longest = 0;
            assert_int_equal(
                ds_client_set(test->client, &test->call, "d", "k", value, strlen(value), NULL), 0);
            expect_stored(test, value, strlen(value));
            /* In one message; or in two, read back once. */
            assert_int_equal(test->host.requests, more ? 3 : 1);
            assert_true(test->host.longest <= 65536);
            assert_true(test->host.longest > 65536 - rows[i].escaped);
            free(value);
        }
    }
}

/* Every part of mixed widths ends at a code point's end: the host would not understand it else. */
static void test_set_parts(void **state)
{
    struct test *test = begin(state, NULL);
    char *value = letters("a\x01😀\"ä\\x\n", DS_VALUE_MAX_BYTES / 14);
    size_t len = strlen(value);
    assert_int_equal(ds_client_set(test->client, &test->call, "d", "k", value, len, NULL), 0);
    expect_stored(test, value, len);
    assert_true(test->host.longest <= 65536);
    assert_int_equal(test->host.log.data[0], 'C');
    assert_null(strstr(test->host.log.data, "\nC"));
    assert_int_equal(ds_client_requests(test->client, DS_OP_GET), 1);
    free(value);

    begin(state, NULL);
    assert_int_equal(ds_client_set(test->client, &test->call, "d", "k", "", 0, NULL), 0);
    expect_stored(test, "", 0);
    assert_int_equal(test->host.requests, 1);
}

static void test_set_breaks(void **state)
{
    char *value = letters("0123456789", 20000);
    /* Any one part may break, done or not: it is begun once more. */
    for (size_t at = 1; at <= 4; at++) {
        for (int done = 0; done < 2; done++) {
            struct test *test = begin(state, NULL);
            test->host.break_at = at;
            test->host.breaks = 1;
            test->host.carry_out = done;
            assert_int_equal(ds_client_set(test->client, &test->call, "d", "k", value, 200000,
                                           &(struct ds_previous){0}),
                             0);
            expect_stored(test, value, 200000);
            assert_int_equal(test->host.requests, at + 5);
        }
    }
    /* Twice is too much; nobody may take what stands there for somebody else's value. */
    struct test *test = begin(state, NULL);
    test->host.break_at = 2;
    test->host.breaks = 100;
    assert_int_equal(
        ds_client_set(test->client, &test->call, "d", "k", value, 200000, &(struct ds_previous){0}),
        -EIO);
    assert_int_equal(ds_call_sent(&test->call), DS_SENT_ANSWERED);
    /* Parts that are lost without a word show when it is read back. */
    begin(state, NULL);
    test->host.break_at = 0;
    test->host.forgets = true;
    assert_int_equal(ds_client_set(test->client, &test->call, "d", "k", value, 200000, NULL), -EIO);
    assert_non_null(strstr(test->call.text, "not what was written"));
    free(value);
}

static void test_set_refused(void **state)
{
    char *value = letters("x", 200000);
    for (size_t at = 1; at <= 3; at++) {
        struct test *test = begin(state, NULL);
        test->host.refuse_at = at;
        test->host.reason = "no space";
        assert_int_equal(ds_client_set(test->client, &test->call, "d", "k", value, 200000, NULL),
                         -ENOSPC);
        assert_int_equal(test->host.requests, at);
        /* What stands there is known only if the first part was refused. */
        assert_int_equal(ds_call_sent(&test->call), at == 1 ? DS_SENT_ANSWERED : DS_SENT_MAYBE);
    }
    free(value);
}

static struct test *begin_append(void **state, const char *before)
{
    struct test *test = begin(state, NULL);
    test->host.break_at = 0;
    test->host.refuse_at = 0;
    test->host.exists = before != NULL;
    test->host.value.len = 0;
    ds_buf_puts(&test->host.value, before ? before : "");
    return test;
}

static void test_append(void **state)
{
    struct test *test = begin_append(state, "a");
    assert_int_equal(ds_client_append(test->client, &test->call, "d", "k", "b", 1, NULL), 0);
    expect_stored(test, "ab", 2);
    expect_log(test,
               "C datasets-set-entry {\"dataset\":\"d\",\"entries\":[{\"key\":\"k\",\"value\":"
               "\"b\",\"append\":true}]}\n");

    size_t limit = ROOM - strlen(",\"append\":true");
    for (size_t more = 0; more < 2; more++) {
        char *value = letters("x", limit + more);
        begin_append(state, NULL);
        assert_int_equal(
            ds_client_append(test->client, &test->call, "d", "k", value, limit + more, NULL), 0);
        expect_stored(test, value, limit + more);
        assert_int_equal(test->host.requests, more ? 3 : 1);
        free(value);
    }
}

static void test_append_fails(void **state)
{
    char *value = letters("x", 1000000);
    char *before = letters("y", DS_VALUE_MAX_BYTES - 999999);

    /* Too long in all: nothing is changed. */
    struct test *test = begin_append(state, before);
    assert_int_equal(ds_client_append(test->client, &test->call, "d", "k", value, 1000000, NULL),
                     -EFBIG);
    expect_stored(test, before, strlen(before));
    assert_int_equal(test->host.requests, 1);

    /* Refused half-way: taken back. The first request reads. */
    for (size_t at = 2; at <= 4; at++) {
        begin_append(state, "before");
        test->host.refuse_at = at;
        test->host.reason = "no space";
        assert_int_equal(ds_client_append(test->client, &test->call, "d", "k", value, 200000, NULL),
                         -ENOSPC);
        expect_stored(test, "before", 6);
        begin_append(state, NULL);
        test->host.refuse_at = at;
        assert_int_equal(ds_client_append(test->client, &test->call, "d", "k", value, 200000, NULL),
                         -ENOSPC);
        assert_false(test->host.exists);
    }

    /* Broken half-way: the policy of repeats reads it and finds neither the old nor the new value,
     * unless it was the last part. */
    struct ds_previous previous = {.exists = true, .data = "before", .len = 6};
    for (size_t at = 3; at <= 5; at++) {
        begin_append(state, "before");
        test->host.break_at = at;
        test->host.breaks = 1;
        test->host.carry_out = at == 5;
        assert_int_equal(
            ds_client_append(test->client, &test->call, "d", "k", value, 200000, &previous),
            at == 5 ? 0 : -EIO);
    }
    free(value);
    free(before);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_list),      TEST(test_query),         TEST(test_keys_in_parts),
        TEST(test_remove),    TEST(test_failures),      TEST(test_get),
        TEST(test_get_fails), TEST(test_get_long_keys), TEST(test_set_limits),
        TEST(test_set_parts), TEST(test_set_breaks),    TEST(test_set_refused),
        TEST(test_append),    TEST(test_append_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
