/* When all of a reply's head has come. */
#include "client/rest/reply_head.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Takes lines as libcurl gives them, the last NULL. */
static bool is_whole_after(const char *const *lines)
{
    struct ds_reply_head head = {0};
    for (; *lines; lines++) {
        char line[64];
        size_t len = strlen(*lines);
        memcpy(line, *lines, len); /* without an end, as there */
        assert_int_equal(ds_reply_head_take(line, 1, len, &head), len);
    }
    return head.whole;
}

#define WHOLE(...) assert_true(is_whole_after((const char *const[]){__VA_ARGS__, NULL}))
#define BROKEN(...) assert_false(is_whole_after((const char *const[]){__VA_ARGS__, NULL}))

static void test_one_head(void **state)
{
    (void)state;
    WHOLE("HTTP/1.1 204 No Content\r\n", "Date: today\r\n", "\r\n");
    WHOLE("HTTP/2 200 \r\n", "\r\n");
    WHOLE("HTTP/1.1 200 OK\n", "\n");
    BROKEN("HTTP/1.1 200 OK\r\n");
    BROKEN("HTTP/1.1 200 OK\r\n", "Content-Length: 5\r\n");
    BROKEN("HTTP/1.1 200 OK\r\n", "\r");
    BROKEN("HTTP/1.1 200 OK\r\n", "");
    BROKEN("HTTP/1.1 200 OK\r\n", " \n");
}

static void test_several_heads(void **state)
{
    (void)state;
    BROKEN("HTTP/1.1 100 Continue\r\n", "\r\n", "HTTP/1.1 200 OK\r\n");
    BROKEN("HTTP/1.1 103 Early Hints\r\n", "Link: x\r\n", "\r\n", "HTTP/1.1 200 OK\r\n",
           "A: b\r\n");
    WHOLE("HTTP/1.1 100 Continue\r\n", "\r\n", "HTTP/1.1 200 OK\r\n", "\r\n");
}

static void test_trailer(void **state)
{
    (void)state;
    WHOLE("HTTP/1.1 200 OK\r\n", "Transfer-Encoding: chunked\r\n", "\r\n", "Digest: x\r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_head),
        cmocka_unit_test(test_several_heads),
        cmocka_unit_test(test_trailer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
