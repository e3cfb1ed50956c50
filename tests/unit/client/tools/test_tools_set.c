/* Sets and appends over a host that holds one value: messages of 64 KiB, values in parts, and what
 * stands there after a part broke, was refused or got lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client/tools/commands.h"
#include "client/tools/set.h"
#include "client/tools/tools.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What befalls requests, from the one of number `at` on (from 1 on; 0: none), `count` in a row. */
struct fault {
    size_t at;
    size_t count;
    int err;            /* they are not answered */
    bool carried_out;   /* although they are carried out */
    const char *reason; /* they are refused in these words */
    bool lost;          /* they are answered and not carried out */
};

enum { FAULTS = 3 };

struct host {
    struct ds_transport transport; /* first */
    struct fault faults[FAULTS];
    size_t requests;
    size_t longest;    /* bytes of a request */
    struct ds_buf log; /* the requests, each as "MODE TEXT\n" */
    struct ds_buf value;
    bool exists;
};

static json_t *first_of(json_t *arguments, const char *name)
{
    return json_array_get(json_object_get(arguments, name), 0);
}

static void carry_out(struct host *host, const char *command, json_t *arguments, bool lost,
                      struct ds_buf *reply)
{
    json_t *entry = first_of(arguments, "entries");
    const char *value = json_string_value(json_object_get(entry, "value"));
    bool append = json_is_true(json_object_get(entry, "append"));
    assert_string_equal(json_string_value(json_object_get(arguments, "dataset")), "d");
    if (!strcmp(command, "datasets-set-entry") && !lost) {
        if (!append)
            host->value.len = 0;
        ds_buf_puts(&host->value, value);
        host->exists = true;
    } else if (!strcmp(command, "datasets-delete-entry")) {
        if (!host->exists) {
            ds_buf_puts(reply, "1 {\"result\":false,\"error-id\":\"not-found\"}");
            return;
        }
        host->value.len = 0;
        host->exists = false;
    } else if (!strcmp(command, "datasets-get-entry")) {
        ds_buf_puts(reply, "1 {\"result\":true,\"entries\":[");
        if (host->exists) {
            ds_buf_puts(reply, "{\"k\":");
            ds_buf_json_string(reply, host->value.len ? host->value.data : "");
            ds_buf_puts(reply, "}");
        }
        ds_buf_puts(reply, "]}");
        return;
    }
    ds_buf_puts(reply, "1 {\"result\":true}");
}

static int answer(struct host *host, struct ds_call *call, const char *text, struct ds_buf *reply)
{
    char command[32];
    struct fault fault = {0};
    size_t word = strcspn(text, " ");
    snprintf(command, sizeof command, "%.*s", (int)word, text);
    for (size_t i = 0; i < FAULTS; i++) {
        const struct fault *at = &host->faults[i];
        if (host->requests >= at->at && host->requests < at->at + at->count)
            fault = *at;
    }
    if (fault.reason) {
        ds_buf_printf(reply, "1 {\"result\":false,\"error-message\":\"%s\"}", fault.reason);
    } else if (!fault.err || fault.carried_out) {
        json_t *arguments = json_loads(text + word, 0, NULL);
        assert_non_null(arguments);
        carry_out(host, command, arguments, fault.lost, reply);
        json_decref(arguments);
    }
    return fault.err ? ds_call_fail(call, fault.err, "broken") : 0;
}

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
    ds_call_set_sent(call, DS_SENT_MAYBE);
    int err = answer(host, call, copy, &reply);
    free(copy);
    if (err) {
        ds_buf_free(&reply);
        return err;
    }
    if (!reply.data)
        return -EPROTO;
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

/* A host without faults that holds this value (NULL: none), and a new call. */
static struct test *begin(void **state, const char *before)
{
    struct test *test = *state;
    memset(test->host.faults, 0, sizeof test->host.faults);
    test->host.requests = 0;
    test->host.longest = 0;
    test->host.log.len = 0;
    test->host.exists = before != NULL;
    test->host.value.len = 0;
    ds_buf_puts(&test->host.value, before ? before : "");
    ds_call_init(&test->call, 60000);
    return test;
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

static int set(struct test *test, const char *value, const struct ds_previous *previous)
{
    return ds_client_set(test->client, &test->call, "d", "k", value, strlen(value), previous);
}

static int append(struct test *test, const char *data, const struct ds_previous *previous)
{
    return ds_client_append(test->client, &test->call, "d", "k", data, strlen(data), previous);
}

/* NULL: no key. */
static void expect_stored(const struct test *test, const char *text)
{
    assert_int_equal(test->host.exists, text != NULL);
    assert_int_equal(test->host.value.len, text ? strlen(text) : 0);
    if (text && *text)
        assert_memory_equal(test->host.value.data, text, strlen(text));
}

/* A set's message beside the value, and the bytes that it leaves. */
#define AROUND "datasets-set-entry {\"dataset\":\"d\",\"entries\":[{\"key\":\"k\",\"value\":\"\"}]}"
enum { ROOM = 65536 - (sizeof AROUND - 1) };

static void test_limits(void **state)
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
            assert_int_equal(set(test, value, NULL), 0);
            expect_stored(test, value);
            /* In one message; or in two, read back once. */
            assert_int_equal(test->host.requests, more ? 3 : 1);
            assert_true(test->host.longest <= 65536);
            assert_true(test->host.longest > 65536 - rows[i].escaped);
            free(value);
        }
    }
}

/* Every part of mixed widths ends at a code point's end: the host would not understand it else. */
static void test_parts(void **state)
{
    struct test *test = begin(state, NULL);
    char *value = letters("a\x01😀\"ä\\x\n", DS_VALUE_MAX_BYTES / 14);
    assert_int_equal(set(test, value, NULL), 0);
    expect_stored(test, value);
    assert_true(test->host.longest <= 65536);
    assert_int_equal(test->host.log.data[0], 'C');
    assert_null(strstr(test->host.log.data, "\nC"));
    assert_int_equal(ds_client_requests(test->client, DS_OP_GET), 1);
    free(value);

    begin(state, NULL);
    assert_int_equal(set(test, "", NULL), 0);
    expect_stored(test, "");
    assert_int_equal(test->host.requests, 1);
}

/* A value of PARTS messages and one of BEFORE_PARTS, and what may be known to have stood there. */
enum { PARTS = 4, BEFORE_PARTS = 3, BEFORES = 5 };

struct before {
    const char *stood;
    bool known;
    size_t requests; /* to make it stand there again */
    const char *words;
};

struct values {
    char *value;
    char *long_before;
    struct before before[BEFORES];
};

static struct values make_values(void)
{
    struct values values = {.value = letters("0123456789", 20000),
                            .long_before = letters("before", 25000)};
    const struct before before[BEFORES] = {
        {"old", false, 0, "a part of it may stand there now"},
        {"old", true, 1, "the previous value stands there again"},
        {"", true, 1, "the previous value stands there again"},
        {NULL, true, 1, "the key is gone again"},
        {values.long_before, true, BEFORE_PARTS + 1, "the previous value stands there again"},
    };
    memcpy(values.before, before, sizeof before);
    return values;
}

static void free_values(const struct values *values)
{
    free(values->value);
    free(values->long_before);
}

/* Sets under the host's faults: it fails with `err` after so many requests and those that make the
 * previous value stand there again. */
static void expect_broken(struct test *test, const struct values *values,
                          const struct before *before, int err, size_t requests)
{
    struct ds_previous previous = {.exists = before->stood != NULL,
                                   .data = before->stood,
                                   .len = before->stood ? strlen(before->stood) : 0};
    assert_int_equal(set(test, values->value, before->known ? &previous : NULL), err);
    assert_int_equal(test->host.requests, requests + before->requests);
    assert_non_null(strstr(test->call.text, before->words));
    if (before->known)
        expect_stored(test, before->stood);
    bool settled = before->known || err == -EIO;
    assert_int_equal(ds_call_sent(&test->call), settled ? DS_SENT_ANSWERED : DS_SENT_MAYBE);
}

/* A refusal of the first part changes nothing; one of another is taken back where that is possible.
 */
static void test_refused(void **state)
{
    struct values values = make_values();
    for (size_t kind = 0; kind < BEFORES; kind++) {
        const struct before *before = &values.before[kind];
        for (size_t at = 2; at <= PARTS; at++) {
            struct test *test = begin(state, before->stood);
            test->host.faults[0] = (struct fault){.at = at, .count = 1, .reason = "no space"};
            expect_broken(test, &values, before, -ENOSPC, at);
            assert_non_null(strstr(test->call.text, "no space"));
        }
        static const struct {
            const char *reason;
            int err;
        } rows[] = {{"no space", -ENOSPC}, {"for no known reason", -EIO}};
        for (size_t i = 0; i < 2; i++) {
            struct test *test = begin(state, before->stood);
            test->host.faults[0] = (struct fault){.at = 1, .count = 1, .reason = rows[i].reason};
            assert_int_equal(set(test, values.value, &(struct ds_previous){0}), rows[i].err);
            assert_int_equal(test->host.requests, 1);
            assert_int_equal(ds_call_sent(&test->call), DS_SENT_ANSWERED);
            expect_stored(test, before->stood);
        }
    }
    free_values(&values);
}

/* Any one part or the reading back may break, carried out or not: the set goes on from what stands
 * there. */
static void test_breaks_once(void **state)
{
    struct values values = make_values();
    for (size_t at = 1; at <= PARTS + 1; at++) {
        for (int done = 0; done < 2; done++) {
            struct test *test = begin(state, NULL);
            test->host.faults[0] =
                (struct fault){.at = at, .count = 1, .err = -EIO, .carried_out = done};
            assert_int_equal(set(test, values.value, &(struct ds_previous){0}), 0);
            expect_stored(test, values.value);
            /* One look, and the part once more if it had not arrived; or the second reading. */
            assert_int_equal(test->host.requests, PARTS + 1 + 1 + (at <= PARTS && !done));
        }
    }
    free_values(&values);
}

/* As often as it gets on in between, whatever stood there before. */
static void test_breaks_again(void **state)
{
    struct values values = make_values();
    for (size_t kind = 0; kind < BEFORES; kind++) {
        const struct before *before = &values.before[kind];
        for (size_t first = 1; first <= PARTS; first++) {
            for (size_t second = 2; second <= PARTS; second++) {
                for (int done = 0; done < 2; done++) {
                    struct test *test = begin(state, before->stood);
                    for (size_t i = 0; i < FAULTS; i++)
                        test->host.faults[i] = (struct fault){.at = first + i * (second + 1),
                                                              .count = 1,
                                                              .err = -EIO,
                                                              .carried_out = done};
                    assert_int_equal(set(test, values.value, NULL), 0);
                    expect_stored(test, values.value);
                }
            }
        }
    }
    free_values(&values);
}

/* The same part again and again is too much: what stood there before is put back. */
static void test_breaks_too_often(void **state)
{
    struct values values = make_values();
    for (size_t kind = 0; kind < BEFORES; kind++) {
        const struct before *before = &values.before[kind];
        for (size_t at = 2; at <= PARTS; at++) {
            struct test *test = begin(state, before->stood);
            for (size_t i = 0; i < FAULTS; i++) /* each is followed by a look */
                test->host.faults[i] = (struct fault){.at = at + 2 * i, .count = 1, .err = -EIO};
            expect_broken(test, &values, before, -EIO, at + 2 * FAULTS - 1);
        }
        struct test *test = begin(state, before->stood);
        for (size_t i = 0; i < FAULTS; i++) /* not even the first part has arrived */
            test->host.faults[i] = (struct fault){.at = 1 + 2 * i, .count = 1, .err = -EIO};
        assert_int_equal(set(test, values.value, NULL), -EIO);
        assert_int_equal(test->host.requests, 2 * FAULTS);
        expect_stored(test, before->stood);
        begin(state, before->stood);
        test->host.faults[0] = (struct fault){.at = PARTS + 1, .count = 2, .err = -EIO};
        expect_broken(test, &values, before, -EIO, PARTS + 2);
    }
    free_values(&values);
}

/* A part that is lost without a word shows when the value is read back. */
static void test_lost_part(void **state)
{
    struct values values = make_values();
    for (size_t kind = 0; kind < BEFORES; kind++) {
        const struct before *before = &values.before[kind];
        for (size_t at = 1; at <= PARTS; at++) {
            struct test *test = begin(state, before->stood);
            test->host.faults[0] = (struct fault){.at = at, .count = 1, .lost = true};
            expect_broken(test, &values, before, -EIO, PARTS + 1);
            assert_non_null(strstr(test->call.text, "not what was written"));
        }
    }
    free_values(&values);
}

/* An answer to the first part that nobody understands leaves it in doubt. */
static void test_not_understood(void **state)
{
    struct values values = make_values();
    for (size_t kind = 0; kind < BEFORES; kind++) {
        const struct before *before = &values.before[kind];
        struct test *test = begin(state, before->stood);
        test->host.faults[0] =
            (struct fault){.at = 1, .count = 1, .err = -EPROTO, .carried_out = true};
        expect_broken(test, &values, before, -EPROTO, 1);
    }
    free_values(&values);
}

/* What cannot be put back is said, and is no success in any way. */
static void test_not_put_back(void **state)
{
    struct values values = make_values();
    const struct ds_previous old = {.exists = true, .data = "old", .len = 3};
    const struct ds_previous long_before = {
        .exists = true, .data = values.long_before, .len = 150000};
    static const char words[] = "could not be put back";

    struct test *test = begin(state, "old");
    test->host.faults[0] = (struct fault){.at = 2, .count = 100, .err = -EIO};
    assert_int_equal(set(test, values.value, &old), -EIO);
    assert_int_equal(test->host.requests, 2 + 2 + 1); /* two looks are in vain */
    assert_int_equal(ds_call_sent(&test->call), DS_SENT_ANSWERED);
    assert_non_null(strstr(test->call.text, words));

    begin(state, "old");
    test->host.faults[0] = (struct fault){.at = 3, .count = 100, .reason = "no space"};
    assert_int_equal(set(test, values.value, &old), -EIO);
    assert_int_equal(test->host.requests, 3 + 1);
    assert_non_null(strstr(test->call.text, words));
    assert_non_null(strstr(test->call.text, "no space"));

    /* Parts of the previous value are lost as well. */
    begin(state, values.long_before);
    test->host.faults[0] = (struct fault){.at = 2, .count = 1, .lost = true};
    test->host.faults[1] = (struct fault){.at = PARTS + 3, .count = 1, .lost = true};
    assert_int_equal(set(test, values.value, &long_before), -EIO);
    assert_int_equal(test->host.requests, PARTS + 1 + BEFORE_PARTS + 1);
    assert_non_null(strstr(test->call.text, words));

    /* There is no time left for it: the host's silence is what the caller is told of. */
    begin(state, "old");
    test->host.faults[0] = (struct fault){.at = 2, .count = 100, .err = -ETIMEDOUT};
    assert_int_equal(set(test, values.value, &old), -ETIMEDOUT);
    assert_int_equal(ds_call_sent(&test->call), DS_SENT_MAYBE);
    assert_non_null(strstr(test->call.text, words));

    /* With the DataSet everything is gone. */
    begin(state, "old");
    test->host.faults[0] = (struct fault){.at = 2, .count = 100, .reason = "not found"};
    assert_int_equal(set(test, values.value, &old), -ENOENT);
    assert_non_null(strstr(test->call.text, "the DataSet is gone now"));
    free_values(&values);
}

/* A host that is busy for a while delays the rest of a change and does not break it. */
static void test_busy(void **state)
{
    struct values values = make_values();
    const struct ds_previous old = {.exists = true, .data = "old", .len = 3};
    for (size_t at = 1; at <= PARTS + 1; at++) {
        struct test *test = begin(state, "old");
        test->host.faults[0] = (struct fault){.at = at, .count = 2, .reason = "busy"};
        assert_int_equal(set(test, values.value, &old), 0);
        expect_stored(test, values.value);
        assert_int_equal(test->host.requests, PARTS + 1 + 2);
    }
    /* Also while the previous value is put back. */
    for (int exists = 0; exists < 2; exists++) {
        struct test *test = begin(state, exists ? "old" : NULL);
        test->host.faults[0] = (struct fault){.at = 2, .count = 1, .reason = "no space"};
        test->host.faults[1] = (struct fault){.at = 3, .count = 2, .reason = "busy"};
        assert_int_equal(set(test, values.value, exists ? &old : &(struct ds_previous){0}),
                         -ENOSPC);
        expect_stored(test, exists ? "old" : NULL);
        assert_int_equal(test->host.requests, 5);
    }
    /* No longer than the deadline. */
    struct test *test = begin(state, "old");
    ds_call_init(&test->call, 100);
    test->host.faults[0] = (struct fault){.at = 2, .count = 1000, .reason = "busy"};
    assert_int_equal(set(test, values.value, &old), -EIO);
    assert_non_null(strstr(test->call.text, "could not be put back"));
    free_values(&values);
}

static void test_append(void **state)
{
    struct test *test = begin(state, "a");
    assert_int_equal(append(test, "b", NULL), 0);
    expect_stored(test, "ab");
    assert_string_equal(test->host.log.data,
                        "C datasets-set-entry {\"dataset\":\"d\",\"entries\":[{\"key\":\"k\","
                        "\"value\":\"b\",\"append\":true}]}\n");

    size_t limit = ROOM - strlen(",\"append\":true");
    for (size_t more = 0; more < 2; more++) {
        char *value = letters("x", limit + more);
        begin(state, NULL);
        assert_int_equal(append(test, value, NULL), 0);
        expect_stored(test, value);
        assert_int_equal(test->host.requests, more ? 3 : 1);
        free(value);
    }
}

/* Too long in all: nothing is changed. */
static void test_append_too_long(void **state)
{
    char *value = letters("x", 1000000);
    char *before = letters("y", DS_VALUE_MAX_BYTES - 999999);
    struct test *test = begin(state, before);
    assert_int_equal(append(test, value, NULL), -EFBIG);
    expect_stored(test, before);
    assert_int_equal(test->host.requests, 1);
    free(value);
    free(before);
}

/* Refused half-way: taken back. The first request reads. */
static void test_append_refused(void **state)
{
    struct values values = make_values();
    static const char *const before[] = {"before", NULL};
    for (size_t at = 2; at <= PARTS + 1; at++) {
        for (size_t i = 0; i < 2; i++) {
            struct test *test = begin(state, before[i]);
            test->host.faults[0] = (struct fault){.at = at, .count = 1, .reason = "no space"};
            assert_int_equal(append(test, values.value, NULL), -ENOSPC);
            expect_stored(test, before[i]);
            assert_int_equal(test->host.requests, at == 2 ? at : at + 1);
        }
    }
    struct test *test = begin(state, "before");
    test->host.faults[0] = (struct fault){.at = 3, .count = 2, .reason = "no space"};
    assert_int_equal(append(test, values.value, NULL), -EIO);
    assert_int_equal(ds_call_sent(&test->call), DS_SENT_ANSWERED);
    assert_non_null(strstr(test->call.text, "only a part of it was accepted"));
    free_values(&values);
}

/* Broken once, in any part and carried out or not: the rest goes on from what stands there, nothing
 * is added twice. */
static void test_append_breaks(void **state)
{
    struct values values = make_values();
    static const char *const before[] = {"before", NULL};
    for (size_t i = 0; i < 2; i++) {
        struct ds_previous previous = {.exists = before[i], .data = "before", .len = 6};
        struct ds_buf sum = {0};
        assert_int_equal(ds_buf_puts(&sum, before[i] ? before[i] : ""), 0);
        assert_int_equal(ds_buf_puts(&sum, values.value), 0);
        for (size_t at = 2; at <= PARTS + 1; at++) {
            for (int done = 0; done < 2; done++) {
                struct test *test = begin(state, before[i]);
                test->host.faults[0] =
                    (struct fault){.at = at, .count = 1, .err = -EIO, .carried_out = done};
                assert_int_equal(append(test, values.value, &previous), 0);
                expect_stored(test, sum.data);
                /* One look, and the part once more if it had not arrived. */
                assert_int_equal(test->host.requests, 1 + PARTS + 1 + !done);
            }
        }
        ds_buf_free(&sum);
    }
    struct ds_previous previous = {.exists = true, .data = "before", .len = 6};
    struct test *test = begin(state, "before");
    for (size_t i = 0; i < FAULTS; i++) /* each time another part */
        test->host.faults[i] = (struct fault){.at = 2 + 3 * i, .count = 1, .err = -EIO};
    assert_int_equal(append(test, values.value, &previous), 0);
    /* The same one again and again: what was added is taken back, and that is no doubt. */
    begin(state, "before");
    for (size_t i = 0; i < FAULTS; i++)
        test->host.faults[i] = (struct fault){.at = 3 + 2 * i, .count = 1, .err = -EIO};
    struct ds_call *call = &test->call;
    struct ds_tools *tools = (struct ds_tools *)test->client;
    assert_int_equal(
        ds_set_append(&tools->client, call, "d", "k", values.value, strlen(values.value)), -EIO);
    assert_int_equal(ds_call_sent(call), DS_SENT_NO);
    expect_stored(test, "before");
    /* Nor can that be done. */
    begin(state, "before");
    test->host.faults[0] = (struct fault){.at = 3, .count = 1000, .err = -EIO};
    assert_int_equal(append(test, values.value, &previous), -EIO);
    assert_non_null(strstr(test->call.text, "in doubt"));
    free_values(&values);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_limits),         TEST(test_parts),          TEST(test_refused),
        TEST(test_breaks_once),    TEST(test_breaks_again),   TEST(test_breaks_too_often),
        TEST(test_lost_part),      TEST(test_not_understood), TEST(test_not_put_back),
        TEST(test_busy),           TEST(test_append),         TEST(test_append_too_long),
        TEST(test_append_refused), TEST(test_append_breaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
