/* Deadlines, cancellation and words of a call. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "call.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static void test_deadline(void **state)
{
    (void)state;
    struct ds_call call;
    ds_call_init(&call, 0);
    assert_string_equal(call.text, "");
    assert_int_equal(ds_call_left_ms(&call), 0);
    assert_int_equal(ds_call_check(&call), -ETIMEDOUT);
    assert_string_not_equal(call.text, "");
    assert_int_equal(ds_call_sleep(&call, 10), -ETIMEDOUT);

    ds_call_init(&call, INT64_C(1) << 40);
    assert_int_equal(ds_call_left_ms(&call), INT_MAX);
    assert_int_equal(ds_call_check(&call), 0);
    assert_int_equal(ds_call_sleep(&call, 1), 0);
    assert_int_equal(ds_call_sleep(&call, 0), 0);
}

static void test_sleep_ends_at_deadline(void **state)
{
    (void)state;
    struct ds_call call;
    ds_call_init(&call, 5);
    assert_int_equal(ds_call_sleep(&call, INT_MAX), -ETIMEDOUT);
}

static void *cancel_it(void *call)
{
    ds_call_cancel(call);
    return NULL;
}

static void test_cancel_wakes_sleep(void **state)
{
    (void)state;
    for (int i = 0; i < 200; i++) {
        struct ds_call call;
        pthread_t thread;
        int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        ds_call_init(&call, INT64_C(600000));
        if (i % 2)
            ds_call_set_cancel_fd(&call, fd);
        pthread_create(&thread, NULL, cancel_it, &call);
        if (!(i % 2))
            ds_call_set_cancel_fd(&call, fd);
        assert_int_equal(ds_call_sleep(&call, 600000), -EINTR);
        pthread_join(thread, NULL);
        struct pollfd readable = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&readable, 1, 0), 1);
        close(fd);
    }
}

static void test_cancelled_before_deadline(void **state)
{
    (void)state;
    struct ds_call call;
    ds_call_init(&call, 0);
    ds_call_cancel(&call);
    ds_call_cancel(&call);
    assert_int_equal(ds_call_check(&call), -EINTR);
    assert_int_equal(ds_call_sleep(&call, 5), -EINTR);
}

static void test_sent(void **state)
{
    (void)state;
    struct ds_call call;
    ds_call_init(&call, 1);
    assert_int_equal(ds_call_sent(&call), DS_SENT_NO);
    ds_call_set_sent(&call, DS_SENT_MAYBE);
    assert_int_equal(ds_call_sent(&call), DS_SENT_MAYBE);
}

static void test_text(void **state)
{
    (void)state;
    struct ds_call call;
    char longest[600];
    ds_call_init(&call, 1);
    assert_int_equal(ds_call_fail(&call, -EIO, "%s is %d", "it", 7), -EIO);
    assert_string_equal(call.text, "it is 7");
    assert_int_equal(ds_call_fail(&call, -EIO, "again: %s", call.text), -EIO);
    assert_string_equal(call.text, "again: it is 7");

    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    ds_call_fail(&call, -EIO, "%s", longest);
    assert_int_equal(strlen(call.text), DS_CALL_TEXT_BYTES - 1);
    /* Not cut inside a code point. */
    memcpy(longest + DS_CALL_TEXT_BYTES - 2, "ä", 2);
    ds_call_fail(&call, -EIO, "%s", longest);
    assert_int_equal(strlen(call.text), DS_CALL_TEXT_BYTES - 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_sleep_ends_at_deadline),
        cmocka_unit_test(test_cancel_wakes_sleep),
        cmocka_unit_test(test_cancelled_before_deadline),
        cmocka_unit_test(test_sent),
        cmocka_unit_test(test_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
