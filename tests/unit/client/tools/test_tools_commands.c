/* The commands of the tools channel over a host made of words: batches, pages, failures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client/tools/commands.h"
#include "client/tools/tools.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A host that answers with the replies of a list, in turn. */
struct host {
    struct ds_transport transport; /* first */
    const char *const *replies;    /* each with "1 " or "0 " before it; NULL: has no entry */
    size_t requests;
    struct ds_buf log; /* the requests, each as "MODE TEXT\n" */
    size_t longest;    /* bytes of a request */
};

static int exchange(struct ds_transport *transport, struct ds_call *call, enum ds_exchange mode,
                    const char *text, size_t len, struct ds_answer *out)
{
    struct host *host = (struct host *)transport;
    struct ds_buf reply = {0};
    char *copy = strndup(text, len);
    host->requests++;
    if (len > host->longest)
        host->longest = len;
    ds_buf_printf(&host->log, "%c %s\n", "RCr"[mode], copy);
    free(copy);
    if (host->replies)
        assert_non_null(*host->replies);
    ds_buf_puts(&reply, host->replies ? *host->replies++ : "1 {\"result\":true,\"entries\":[]}");
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
    expect_get(begin(state, REPLIES(ENTRIES("{\"a\":\"1\"},7"), ENTRIES("{\"a\":\"1\"},7"),
                                    ENTRIES("{\"b\":\"2\"},{\"c\":\"3\"}"))),
               eproto, "2", "3");
    /* A value that is no text concerns its key alone. */
    expect_get(begin(state, REPLIES(ENTRIES("{\"a\":\"\\ud800\"},{\"b\":\"\xff\"},{\"c\":\"3\"}"))),
               eproto, eproto, "3");
    /* More members than a pair needs. */
    expect_get(begin(state, REPLIES(ENTRIES("{\"key\":\"a\",\"value\":\"1\",\"size\":1},"
                                            "{\"value\":\"2\",\"b\":\"x\",\"key\":\"b\"}"))),
               "1", "2", enoent);
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

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_list),     TEST(test_query), TEST(test_keys_in_parts), TEST(test_remove),
        TEST(test_failures), TEST(test_get),   TEST(test_get_fails),     TEST(test_get_long_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
