/* Who follows a listing, told from the keys that threads come to. */
#include "fs/store/walk.h"

#include "tests/unit/client/checked/clock.h"
#include "tests/unit/fs/store/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { KEYS = 400, MOST = 256, LISTER = 110, OTHER = 121, OF_ANOTHER_SESSION = 211 };

static struct fs_dataset dataset;

static int setup(void **state)
{
    (void)state;
    memset(&dataset, 0, sizeof dataset);
    dataset.listing = list_names(KEYS);
    assert_non_null(dataset.listing);
    fs_walk_listed(&dataset, LISTER);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fs_walk_end(&dataset);
    fs_listing_unref(dataset.listing);
    return 0;
}

static struct fs_step step;

static bool comes(pid_t tid, int index)
{
    bool follows = fs_walk_comes(&dataset, tid, name_of(index), &step);
    if (follows)
        assert_int_equal(step.index, index);
    return follows;
}

static void test_lister(void **state)
{
    (void)state;
    assert_true(comes(LISTER, 0));
    assert_true(comes(LISTER, 300));
    assert_false(comes(LISTER, 299)); /* back is not on */
    assert_true(comes(LISTER, 301));
    assert_true(comes(LISTER, 0)); /* but for the beginning */
    assert_true(fs_walk_listed_ms(&dataset, LISTER) > 0);
    assert_int_equal(fs_walk_listed_ms(&dataset, OTHER), 0);
}

static void test_other_threads(void **state)
{
    (void)state;
    assert_false(comes(OTHER, 5));
    clock_ms += 10;
    assert_true(comes(OTHER, 6));
    assert_int_equal(step.since_ms, clock_ms);
    int64_t since_ms = clock_ms;
    clock_ms += 10;
    assert_true(comes(OTHER, 9)); /* a few left out */
    assert_int_equal(step.since_ms, since_ms);
    assert_false(comes(OTHER, 8));
    /* From there on it goes anywhere, until it has paused. */
    assert_false(comes(OTHER, 9));
    assert_false(comes(OTHER, 10));
    assert_false(comes(OTHER, 0));
    assert_false(comes(OTHER, 1));
    clock_ms += FS_READER_PAUSE_MS + 1;
    assert_false(comes(OTHER, 2));
    assert_true(comes(OTHER, 3));
    assert_false(comes(OTHER, 100)); /* too many */
}

/* From the start again, as of then. */
static void test_again(void **state)
{
    (void)state;
    assert_false(comes(OTHER, 5));
    assert_true(comes(OTHER, 6));
    clock_ms += 10;
    assert_false(comes(OTHER, 0));
    assert_true(comes(OTHER, 1));
    assert_int_equal(step.since_ms, clock_ms);
}

/* Not even the first two may have one between them. */
static void test_neighbours(void **state)
{
    (void)state;
    assert_false(comes(OTHER, 5));
    assert_false(comes(OTHER, 7));
    assert_false(comes(OTHER, 8));
}

static void test_other_session(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++)
        assert_false(comes(OF_ANOTHER_SESSION, i));
}

/* A shell in a container has the session 0: its leader is outside. */
static void test_session_outside(void **state)
{
    (void)state;
    assert_false(comes(21, 0));
    assert_false(comes(21, 1));
    fs_walk_listed(&dataset, 10);
    assert_false(comes(22, 0));
    assert_true(comes(22, 1));
    for (int session = 3; session < 7; session++)
        fs_walk_listed(&dataset, session * 100);
    assert_false(comes(23, 0)); /* four others have listed since */
    assert_false(comes(23, 1));
}

/* Each key by another child; and who is a child of somebody else goes his own way. */
static void test_children(void **state)
{
    (void)state;
    assert_false(comes(131, 0));
    for (int i = 1; i < 9; i++) {
        assert_false(comes(141 + i, 50 - i));
        assert_true(comes(131 + i, i));
        assert_true(step.children);
        assert_int_equal(step.reader, 130);
    }
}

/* A few keys by each child: the next one goes on behind it, as of when that began. */
static void test_children_in_turn(void **state)
{
    (void)state;
    assert_false(comes(131, 0));
    clock_ms += 10;
    assert_true(comes(131, 1));
    int64_t since_ms = step.since_ms;
    assert_true(comes(131, 2));
    clock_ms += 10;
    assert_true(comes(132, 3));
    assert_int_equal(step.since_ms, since_ms);
    assert_true(comes(132, 4));
    assert_true(comes(133, 5));
}

/* LOOKUP, GETATTR and OPEN come to one key, a poller for ever. */
static void test_one_key(void **state)
{
    (void)state;
    assert_false(comes(OTHER, 0));
    for (int i = 0; i < 6; i++)
        assert_true(comes(OTHER, 1));
    for (int i = 0; i < 6; i++)
        comes(OTHER, 1);
    assert_false(comes(OTHER, 1));
}

static size_t batch_after(size_t given, int64_t ms)
{
    fs_walk_given(&dataset, &step, given, clock_ms);
    clock_ms += ms;
    return fs_walk_batch(&dataset, &step, MOST);
}

/* Who listed gets all that a request takes, others a part that grows; and who is slow less than has
 * grown too old for him. */
static void test_batches(void **state)
{
    (void)state;
    assert_true(comes(LISTER, 0));
    assert_int_equal(fs_walk_batch(&dataset, &step, MOST), MOST);
    comes(OTHER, 0);
    assert_true(comes(OTHER, 1));
    assert_int_equal(fs_walk_batch(&dataset, &step, MOST), MOST / 16);
    assert_int_equal(batch_after(16, 100), 32);
    assert_int_equal(batch_after(200, 100), MOST);
    assert_int_equal(batch_after(100, 600), 100);
    assert_int_equal(batch_after(200, 2000), 50);
    assert_int_equal(batch_after(20, 100000), 16);
    assert_int_equal(fs_walk_batch(&dataset, &step, 3), 3);
}

/* A request that took longer than a pause is none. */
static void test_slow_store(void **state)
{
    (void)state;
    comes(OTHER, 0);
    assert_true(comes(OTHER, 1));
    int64_t asked_ms = clock_ms;
    clock_ms += 3 * FS_READER_PAUSE_MS;
    fs_walk_given(&dataset, &step, 16, asked_ms);
    assert_true(comes(OTHER, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lister, setup, teardown),
        cmocka_unit_test_setup_teardown(test_other_threads, setup, teardown),
        cmocka_unit_test_setup_teardown(test_again, setup, teardown),
        cmocka_unit_test_setup_teardown(test_neighbours, setup, teardown),
        cmocka_unit_test_setup_teardown(test_other_session, setup, teardown),
        cmocka_unit_test_setup_teardown(test_session_outside, setup, teardown),
        cmocka_unit_test_setup_teardown(test_children, setup, teardown),
        cmocka_unit_test_setup_teardown(test_children_in_turn, setup, teardown),
        cmocka_unit_test_setup_teardown(test_one_key, setup, teardown),
        cmocka_unit_test_setup_teardown(test_batches, setup, teardown),
        cmocka_unit_test_setup_teardown(test_slow_store, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
