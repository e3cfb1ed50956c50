/* A bounded number of turns. */
#include "client/base/turns.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

enum { THREADS = 3, ROUNDS = 1000 };

static struct ds_turns turns;
static atomic_int inside, most;

static void test_bounded(void **state)
{
    (void)state;
    struct ds_call call;
    ds_call_init(&call, 10);
    assert_int_equal(ds_turns_init(&turns, 2), 0);
    assert_int_equal(ds_turns_take(&turns, &call, true), 0);
    assert_int_equal(ds_turns_take(&turns, &call, true), 0);
    assert_int_equal(ds_turns_take(&turns, &call, true), -ETIMEDOUT);
    ds_call_init(&call, 60000);
    ds_turns_give(&turns);
    assert_int_equal(ds_turns_take(&turns, &call, true), 0);
    ds_turns_give(&turns);
    ds_turns_give(&turns);
    assert_int_equal(atomic_load(&turns.left), 2);
    ds_turns_end(&turns);
}

static void *take_and_give(void *argument)
{
    unsigned seed = (unsigned)(uintptr_t)argument;
    for (int i = 0; i < ROUNDS; i++) {
        struct ds_call call;
        ds_call_init(&call, rand_r(&seed) % 8 != 0 ? 1 : 60000);
        if (ds_turns_take(&turns, &call, true) != 0)
            continue;
        int now = atomic_fetch_add(&inside, 1) + 1;
        int seen = atomic_load(&most);
        while (now > seen && !atomic_compare_exchange_weak(&most, &seen, now))
            continue;
        atomic_fetch_sub(&inside, 1);
        /* About as long as the one who waits does: he gives up as he is given one. */
        struct timespec held = {.tv_nsec = 1000000 + rand_r(&seed) % 300000};
        nanosleep(&held, NULL);
        ds_turns_give(&turns);
    }
    return NULL;
}

/* However many come and give up, no turn is lost, and none is there twice. */
static void test_threads(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    assert_int_equal(ds_turns_init(&turns, 2), 0);
    for (uintptr_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_and_give, (void *)(i + 1)), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_in_range(atomic_load(&most), 1, 2);
    assert_int_equal(atomic_load(&turns.left), 2);
    struct ds_call call;
    ds_call_init(&call, 10);
    assert_int_equal(ds_turns_take(&turns, &call, true), 0);
    assert_int_equal(ds_turns_take(&turns, &call, true), 0);
    assert_int_equal(ds_turns_take(&turns, &call, true), -ETIMEDOUT);
    ds_turns_end(&turns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bounded),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
