/* So many requests a second. */
#include "client/rest/rate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { MS = 1000, SECOND = 1000 * MS };

static const int64_t start = 5 * (int64_t)SECOND;

/* How many leave in that time if each leaves as soon as it may. */
static unsigned leave(struct ds_rate *rate, int64_t from_us, int64_t until_us)
{
    unsigned count = 0;
    for (int64_t now_us = from_us; now_us < until_us;) {
        int64_t wait_us = ds_rate_wait_us(rate, now_us);
        if (wait_us > 0) {
            now_us += wait_us;
            continue;
        }
        ds_rate_take(rate, now_us);
        count++;
    }
    return count;
}

static void test_unbounded(void **state)
{
    (void)state;
    struct ds_rate rate = {.burst = 1};
    for (int i = 0; i < 100000; i++) {
        assert_int_equal(ds_rate_wait_us(&rate, start), 0);
        ds_rate_take(&rate, start);
    }
}

static void test_steady(void **state)
{
    (void)state;
    static const unsigned rates[] = {1, 3, 200, 1500, 7000, 9999, 10000};
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        struct ds_rate rate = {.per_second = rates[i], .burst = 1};
        unsigned count = leave(&rate, start, start + 10 * (int64_t)SECOND);
        assert_in_range(count, 10 * rates[i] - rates[i] / 9, 10 * rates[i] + 1);
    }
}

/* A burst leaves at once, and then what the rate lets; after a pause the burst is there again, and
 * not more than that. */
static void test_burst(void **state)
{
    (void)state;
    struct ds_rate rate = {.per_second = 100, .burst = 24};
    assert_int_equal(leave(&rate, start, start + 1), 24);
    assert_int_equal(ds_rate_wait_us(&rate, start), 10 * MS);
    assert_int_equal(leave(&rate, start + 1, start + SECOND), 99);
    int64_t later = start + 3600 * (int64_t)SECOND;
    assert_int_equal(leave(&rate, later, later + 1), 24);
    /* Half of it comes back in half the time. */
    assert_int_equal(leave(&rate, later + 120 * MS, later + 120 * MS + 1), 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unbounded),
        cmocka_unit_test(test_steady),
        cmocka_unit_test(test_burst),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
