/* What a reply means: whose word counts, how long to wait, and what stays in doubt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client/rest/reply.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LEN(array) (sizeof(array) / sizeof *(array))
#define NOT_FOUND "{\"error_type\":\"NOT_FOUND\",\"messages\":[]}"
#define MESSAGE(type) "{\"error_type\":\"" type "\",\"messages\":[{\"default_message\":\"words\"}]}"

static struct ds_call call;

/* As http.c leaves an answer. */
static struct ds_http_request answer(int status, const char *body)
{
    struct ds_http_request request = {.status = status, .sent = DS_SENT_ANSWERED};
    if (*body)
        assert_int_equal(ds_buf_puts(&request.reply, body), 0);
    return request;
}

static int check(struct ds_http_request *request)
{
    ds_call_init(&call, 60000);
    ds_call_set_sent(&call, request->sent);
    int err = request->change ? ds_reply_check_change(request, &call, request->status == 201)
                              : ds_reply_check(request, &call);
    ds_buf_free(&request->reply);
    return err;
}

static void test_rows(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *body;
        bool change;
        bool html;
        int err;
        const char *words; /* NULL: none */
    } rows[] = {
        {200, "[]", false, false, 0, NULL},
        {200, "<html>", false, true, -EPROTO, "a page of HTML"},
        {204, "", true, false, 0, NULL},
        {200, "", true, false, 0, NULL},
        {200, " \n", true, false, 0, NULL},
        {201, "\"id\"", true, false, 0, NULL},
        {200, "null", true, false, 0, NULL},
        {200, "\"old\"", true, false, -EPROTO, "not understood (HTTP 200)"},
        {200, "OK", true, false, -EPROTO, "not understood (HTTP 200)"},
        {200, "<html>", true, true, -EPROTO, "a page of HTML"},
        {202, "", true, false, -EPROTO, "HTTP 202"},
        {301, "", true, false, -EPROTO, "redirects are not followed"},
        {302, NOT_FOUND, false, false, -EPROTO, "redirects are not followed"},
        {100, "", false, false, -EPROTO, "HTTP 100"},
        {0, "", false, false, -EPROTO, "HTTP 0"},
        {404, NOT_FOUND, false, false, -ENOENT, NULL},
        {404, "", false, false, -ENOENT, NULL},
        {500, NOT_FOUND, false, false, -ENOENT, NULL},
        /* "Not found" must be the store's own word. */
        {404, "<html>", false, true, -EPROTO, "a page of HTML"},
        {404, NOT_FOUND, false, true, -ENOENT, NULL},
        /* Nor is a URL that nobody knows a thing that is missing. */
        {404,
         "{\"error_type\":\"NOT_FOUND\",\"messages\":[{\"id\":"
         "\"com.vmware.vapi.rest.operationsForUrlNotFound\",\"default_message\":\"words\"}]}",
         false, false, -EOPNOTSUPP, "this vCenter has no DataSets"},
        {400, MESSAGE("UNAUTHORIZED"), false, false, -EACCES, "refuses (HTTP 400): words"},
        {403, "", false, false, -EACCES, "refuses (HTTP 403)"},
        {400, MESSAGE("ALREADY_EXISTS"), true, false, -EEXIST, "words"},
        {400, MESSAGE("RESOURCE_IN_USE"), true, false, -ENOTEMPTY, "words"},
        {400, MESSAGE("UNSUPPORTED"), false, false, -EOPNOTSUPP, "vmx-20"},
        {400, MESSAGE("NOT_ALLOWED_IN_CURRENT_STATE"), true, false, -EBUSY, "present state"},
        {500, MESSAGE("UNABLE_TO_ALLOCATE_RESOURCE"), true, false, -ENOSPC, "words"},
        {503, "<html>", false, true, -EAGAIN, "HTTP 503"},
        {429, "", true, false, -EAGAIN, "HTTP 429"},
    };
    for (size_t i = 0; i < LEN(rows); i++) {
        struct ds_http_request request = answer(rows[i].status, rows[i].body);
        request.change = rows[i].change;
        request.html = rows[i].html;
        int err = check(&request);
        bool said = rows[i].words ? strstr(call.text, rows[i].words) != NULL : !call.text[0];
        if (err != rows[i].err || !said)
            fail_msg("row %zu: %d '%s'", i, err, call.text);
        assert_int_equal(ds_call_sent(&call), DS_SENT_ANSWERED);
    }
}

/* A gateway that gives up does not know what became of the change. */
static void test_doubt(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *body;
        enum ds_sent sent_change;
    } rows[] = {
        {502, "", DS_SENT_MAYBE},
        {504, "<html>", DS_SENT_MAYBE},
        {500, "", DS_SENT_MAYBE},
        {500, MESSAGE("INTERNAL_SERVER_ERROR"), DS_SENT_ANSWERED},
        {504, MESSAGE("TIMED_OUT"), DS_SENT_ANSWERED},
        {503, "", DS_SENT_MAYBE},
        {503, MESSAGE("SERVICE_UNAVAILABLE"), DS_SENT_ANSWERED},
        {429, "", DS_SENT_ANSWERED},
        {501, "", DS_SENT_ANSWERED},
        {507, "", DS_SENT_ANSWERED},
        {400, "", DS_SENT_ANSWERED},
    };
    for (size_t i = 0; i < LEN(rows); i++) {
        struct ds_http_request change = answer(rows[i].status, rows[i].body);
        struct ds_http_request read = answer(rows[i].status, rows[i].body);
        change.change = true;
        assert_true(check(&change) < 0);
        if (ds_call_sent(&call) != rows[i].sent_change)
            fail_msg("HTTP %d %s: %d", rows[i].status, rows[i].body, ds_call_sent(&call));
        assert_true(check(&read) < 0);
        assert_int_equal(ds_call_sent(&call), DS_SENT_ANSWERED);
    }
}

static void test_not_answered(void **state)
{
    (void)state;
    static const int errors[] = {EHOSTUNREACH, EIO, EPROTO, ETIMEDOUT, EINTR, ENOMEM};
    for (size_t i = 0; i < LEN(errors); i++) {
        struct ds_http_request request = {.error = -errors[i], .sent = DS_SENT_MAYBE};
        snprintf(request.text, sizeof request.text, "why");
        assert_int_equal(check(&request), -errors[i]);
        assert_string_equal(call.text, "why");
        assert_int_equal(ds_call_sent(&call), DS_SENT_MAYBE);
        request.text[0] = '\0';
        assert_int_equal(check(&request), -errors[i]);
    }
}

/* Of several that were refused together the longest wish counts. */
static void test_retry_after(void **state)
{
    (void)state;
    static const int wishes_ms[] = {1000, 5000, 0, 2000};
    ds_call_init(&call, 60000);
    for (size_t i = 0; i < LEN(wishes_ms); i++) {
        struct ds_http_request request = answer(i % 2 ? 429 : 503, "");
        request.retry_after_ms = wishes_ms[i];
        assert_int_equal(ds_reply_check(&request, &call), -EAGAIN);
    }
    assert_int_equal(call.retry_after_ms, 5000);
    /* Others have no say. */
    static const int statuses[] = {200, 404, 403, 502};
    for (size_t i = 0; i < LEN(statuses); i++) {
        struct ds_http_request request = answer(statuses[i], "");
        request.retry_after_ms = 9000;
        check(&request);
        assert_int_equal(call.retry_after_ms, 0);
    }
}

/* The server's words are cut, and stay one line and text. */
static void test_long_words(void **state)
{
    (void)state;
    static const char *const types[] = {"UNSUPPORTED", "NOT_ALLOWED_IN_CURRENT_STATE", "ERROR"};
    for (size_t i = 0; i < LEN(types); i++) {
        struct ds_http_request request = answer(400, "");
        assert_int_equal(ds_buf_printf(&request.reply,
                                       "{\"error_type\":\"%s\",\"messages\":[{\"default_message\":"
                                       "\"x\\n%%s%%n",
                                       types[i]),
                         0);
        for (int j = 0; j < 5000; j++)
            assert_int_equal(ds_buf_puts(&request.reply, "word "), 0);
        assert_int_equal(ds_buf_puts(&request.reply, "\"}]}"), 0);
        assert_true(check(&request) < 0);
        assert_non_null(strstr(call.text, "x?%s%nword word"));
        assert_null(strchr(call.text, '\n'));
        assert_true(strlen(call.text) < DS_CALL_TEXT_BYTES - 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),         cmocka_unit_test(test_doubt),
        cmocka_unit_test(test_not_answered), cmocka_unit_test(test_retry_after),
        cmocka_unit_test(test_long_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
