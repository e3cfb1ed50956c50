/* What libcurl refuses to be told: then nothing is sent, since a request without one of its options
 * could go to any server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cleanup.h"
#include "client/rest/curl_compat.h"
#include "client/rest/http.h"
#include "client/rest/secret.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* The functions of libcurl that this program stands before. The next call to the one that is chosen
 * fails, after so many that do not. */
enum function { NONE, EASY_SETOPT, MULTI_SETOPT, SLIST_APPEND, ADD_HANDLE };
static enum function chosen;
static int calls_before;
static int code_of_failure;
static bool struck;

static bool strikes(enum function function)
{
    if (chosen != function || struck || calls_before-- > 0)
        return false;
    struck = true;
    return true;
}

/* True if the failure would be that of an older libcurl, which is used all the same. */
static bool is_missed(CURLoption option)
{
    return code_of_failure == CURLE_UNKNOWN_OPTION &&
           (option == CURLOPT_PREREQFUNCTION || option == CURLOPT_PROTOCOLS_STR ||
            option == CURLOPT_CA_CACHE_TIMEOUT || option == CURLOPT_QUICK_EXIT);
}

/* The names in curl.h are macros too, which check types. */
#undef curl_easy_setopt
#undef curl_multi_setopt

CURLcode curl_easy_setopt(CURL *curl, CURLoption option, ...)
{
    CURLcode (*real)(CURL *, CURLoption, ...);
    *(void **)&real = dlsym(RTLD_NEXT, "curl_easy_setopt");
    va_list list;
    CURLcode code;
    /* The last is for a transfer that has been sent and is given up. */
    if (option != CURLOPT_FORBID_REUSE && !is_missed(option) && strikes(EASY_SETOPT))
        return (CURLcode)code_of_failure;
    va_start(list, option);
    if (option >= CURLOPTTYPE_OFF_T)
        code = real(curl, option, va_arg(list, curl_off_t)); // NOLINT(bugprone-branch-clone)
    else if (option < CURLOPTTYPE_OBJECTPOINT)
        code = real(curl, option, va_arg(list, long));
    else
        code = real(curl, option, va_arg(list, void *));
    va_end(list);
    return code;
}

CURLMcode curl_multi_setopt(CURLM *multi_handle, CURLMoption option, ...)
{
    CURLMcode (*real)(CURLM *, CURLMoption, ...);
    *(void **)&real = dlsym(RTLD_NEXT, "curl_multi_setopt");
    va_list list;
    if (strikes(MULTI_SETOPT))
        return CURLM_OUT_OF_MEMORY;
    va_start(list, option);
    CURLMcode code = real(multi_handle, option, va_arg(list, long));
    va_end(list);
    return code;
}

struct curl_slist *curl_slist_append(struct curl_slist *list, const char *data)
{
    struct curl_slist *(*real)(struct curl_slist *, const char *);
    *(void **)&real = dlsym(RTLD_NEXT, "curl_slist_append");
    return strikes(SLIST_APPEND) ? NULL : real(list, data);
}

CURLMcode curl_multi_add_handle(CURLM *multi_handle, CURL *curl_handle)
{
    CURLMcode (*real)(CURLM *, CURL *);
    *(void **)&real = dlsym(RTLD_NEXT, "curl_multi_add_handle");
    return strikes(ADD_HANDLE) ? CURLM_OUT_OF_MEMORY : real(multi_handle, curl_handle);
}

/* A server that shows who comes. */
static int listener = -1;
static char url[64];

static int set_up(void **state)
{
    (void)state;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(listener >= 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 8), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
    snprintf(url, sizeof url, "https://127.0.0.1:%d/api/session", ntohs(address.sin_port));
    return ds_secret_protect_process();
}

static int tear_down(void **state)
{
    (void)state;
    chosen = NONE;
    close(listener);
    return 0;
}

/* Whether somebody has come; he is sent away. */
static bool has_visitor(int wait_ms)
{
    struct pollfd event = {.fd = listener, .events = POLLIN};
    struct sockaddr_in from;
    socklen_t len = sizeof from;
    if (poll(&event, 1, wait_ms) != 1)
        return false;
    int visitor DS_AUTO_CLOSE = accept(listener, (struct sockaddr *)&from, &len);
    return visitor >= 0;
}

/* A login as session.c sends it, of which the call number `before` of `function` fails. */
static struct ds_http_request log_in(const struct ds_http_options *options, enum function function,
                                     int before)
{
    struct ds_http *http = NULL;
    struct ds_call call;
    struct ds_http_request request = {.method = "POST",
                                      .url = url,
                                      .secret_header = "Authorization: Basic c2VjcmV0",
                                      .empty_body = true,
                                      .fresh = true,
                                      .change = true};
    struct ds_http_request *const requests[] = {&request};
    chosen = NONE;
    assert_int_equal(ds_http_new(options, &http), 0);
    struck = false;
    calls_before = before;
    chosen = function;
    ds_call_init(&call, 200);
    ds_http_run(http, &call, requests, 1);
    chosen = NONE;
    ds_http_free(http);
    ds_buf_free(&request.reply);
    return request;
}

/* Fails each call of `function` that a login makes, one after the other; how many there are. One
 * whose time was over before it came to the server is tried again. */
static int fail_each(const struct ds_http_options *options, enum function function)
{
    for (int before = 0, disturbed = 0;; before++) {
        struct ds_http_request request = log_in(options, function, before);
        if (!struck && !has_visitor(0)) {
            assert_true(++disturbed < 100);
            before--;
            continue;
        }
        if (!struck) {
            while (has_visitor(0))
                continue;
            return before;
        }
        assert_int_not_equal(request.error, 0);
        assert_int_equal(request.sent, DS_SENT_NO);
        assert_true(*request.text);
        assert_false(has_visitor(0));
    }
}

static void test_nothing_is_sent(void **state)
{
    (void)state;
    static const struct ds_http_options ways[] = {
        {.pin = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", .transfers = 1},
        {.cacert = "/etc/passwd", .transfers = 1},
        {.cacert = "/etc/passwd",
         .pin = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
         .transfers = 1},
        {.transfers = 1},
        {.insecure = true, .transfers = 1},
    };
    static const int codes[] = {CURLE_OUT_OF_MEMORY, CURLE_UNKNOWN_OPTION,
                                CURLE_BAD_FUNCTION_ARGUMENT};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        for (size_t j = 0; j < sizeof codes / sizeof *codes; j++) {
            code_of_failure = codes[j];
            assert_true(fail_each(&ways[i], EASY_SETOPT) >= 24);
        }
        assert_true(fail_each(&ways[i], SLIST_APPEND) >= 4);
        assert_int_equal(fail_each(&ways[i], ADD_HANDLE), 1);
    }
}

/* What is refused above is what would have been sent: a login of which nothing fails comes here. */
static void test_otherwise_it_comes(void **state)
{
    (void)state;
    static const struct ds_http_options options = {
        .pin = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", .transfers = 1};
    struct ds_http_request request = log_in(&options, NONE, 0);
    assert_int_not_equal(request.error, 0);
    assert_true(has_visitor(10000));
    while (has_visitor(0))
        continue;
}

/* A login of which that call fails, whose time was not over before it came so far. */
static struct ds_http_request fail_one(const struct ds_http_options *options,
                                       enum function function, int before)
{
    struct ds_http_request request;
    int tries = 0;
    do {
        assert_true(++tries < 100);
        request = log_in(options, function, before);
    } while (!struck);
    return request;
}

static void test_errno(void **state)
{
    (void)state;
    static const struct ds_http_options options = {.transfers = 1};
    code_of_failure = CURLE_OUT_OF_MEMORY;
    assert_int_equal(fail_one(&options, EASY_SETOPT, 5).error, -ENOMEM);
    assert_int_equal(fail_one(&options, SLIST_APPEND, 0).error, -ENOMEM);
    code_of_failure = CURLE_NOT_BUILT_IN;
    struct ds_http_request request = fail_one(&options, EASY_SETOPT, 5);
    assert_int_equal(request.error, -EIO);
    assert_non_null(strstr(request.text, "libcurl does not take"));
}

static void test_limits(void **state)
{
    (void)state;
    static const struct ds_http_options options = {.transfers = 3};
    struct ds_http *http = NULL;
    int before = 0;
    for (;; before++) {
        struck = false;
        calls_before = before;
        chosen = MULTI_SETOPT;
        int err = ds_http_new(&options, &http);
        chosen = NONE;
        if (!struck)
            break;
        assert_int_equal(err, -ENOMEM);
        assert_null(http);
    }
    ds_http_free(http);
    assert_int_equal(before, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_sent),
        cmocka_unit_test(test_otherwise_it_comes),
        cmocka_unit_test(test_errno),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
