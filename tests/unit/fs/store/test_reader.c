/* Who follows an order of names in either direction. */
#include "fs/store/reader.h"

#include "tests/unit/client/checked/clock.h"
#include "tests/unit/fs/store/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { NAMES = 100, LAST = NAMES - 1, LEFT_OUT = 16, LISTER = 110, READER = 121, STRANGER = 211 };

static struct fs_readers readers;
static struct fs_reader_sessions sessions;
static struct fs_listing *listing;
static struct fs_step step;

static int setup(void **state)
{
    (void)state;
    memset(&readers, 0, sizeof readers);
    memset(&sessions, 0, sizeof sessions);
    listing = list_names(NAMES);
    assert_non_null(listing);
    fs_reader_session_lists(&sessions, LISTER);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fs_readers_clear(&readers);
    fs_listing_unref(listing);
    return 0;
}

static bool comes(pid_t tid, size_t index)
{
    struct fs_reader *reader = fs_readers_enter(&readers, &sessions, tid);
    if (reader == NULL)
        return false;
    step = (struct fs_step){.listing = listing, .index = index};
    fs_reader_turn(reader, &step);
    return fs_readers_follow(&readers, reader, &step);
}

static void test_forwards(void **state)
{
    (void)state;
    assert_false(comes(READER, 10));
    assert_true(comes(READER, 11));
    assert_int_equal(step.run, 2);
    assert_true(comes(READER, 11));
    assert_true(comes(READER, 12));
    assert_int_equal(step.run, 3);
    assert_int_equal(step.index, 12);
    assert_false(step.back);
    assert_false(comes(STRANGER, 10));
    assert_false(comes(STRANGER, 11));
}

static void test_backwards(void **state)
{
    (void)state;
    assert_false(comes(READER, LAST));
    for (size_t i = LAST - 1; i > 50; i--) {
        assert_true(comes(READER, i));
        assert_true(step.back);
        assert_int_equal(step.index, LAST - i);
        assert_int_equal(step.run, LAST - i + 1);
    }
}

/* A gap leaves it in order, but as one that has just begun. */
static void test_gap(void **state)
{
    (void)state;
    for (size_t i = 0; i < 10; i++)
        comes(READER, i);
    assert_int_equal(step.run, 10);
    assert_true(comes(READER, 13));
    assert_int_equal(step.run, 2);
    assert_true(comes(READER, 14 + LEFT_OUT));
    assert_false(comes(READER, 15 + LEFT_OUT + LEFT_OUT + 1));
    assert_false(comes(READER, 90));
    assert_false(comes(READER, 40));
    assert_true(comes(READER, 41));
}

/* At the end it goes back, and the kernel may answer for the names that it has just seen. */
static void test_turns(void **state)
{
    (void)state;
    for (size_t i = LAST; i > 0; i--)
        comes(READER, i);
    assert_true(step.back);
    assert_false(comes(READER, 5));
    assert_false(step.back);
    assert_true(comes(READER, 6));
    assert_int_equal(step.index, 6);
    for (size_t i = 7; i < NAMES; i++)
        assert_true(comes(READER, i));
    assert_int_equal(step.run, NAMES - 5);
}

static void test_begins_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < NAMES; i++)
        comes(READER, i);
    assert_false(comes(READER, 3));
    assert_false(step.back);
    assert_true(comes(READER, 4));
    assert_int_equal(step.index, 4);
}

/* Who goes on from where he was after a pause begins anew. */
static void test_pause(void **state)
{
    (void)state;
    comes(READER, 1);
    assert_true(comes(READER, 2));
    clock_ms += FS_READER_PAUSE_MS + 1;
    assert_false(comes(READER, 3));
    assert_true(comes(READER, 4));
    assert_int_equal(step.since_ms, clock_ms);
}

/* The processes that one starts follow together, in one direction. */
static void test_children(void **state)
{
    (void)state;
    assert_false(comes(131, 10));
    assert_true(comes(132, 11));
    assert_true(step.children);
    assert_int_equal(step.reader, 130);
    assert_true(comes(133, 12));
    assert_int_equal(step.run, 3);
}

/* A process looks at each name before its child reads it: that one has begun with it. */
static void test_children_behind_parent(void **state)
{
    (void)state;
    assert_false(comes(130, 10));
    clock_ms++;
    int64_t begun_ms = clock_ms;
    assert_true(comes(130, 11));
    assert_false(comes(131, 11));
    clock_ms++;
    assert_true(comes(130, 12));
    assert_true(comes(132, 12));
    assert_int_equal(step.since_ms, begun_ms);
}

/* One that goes its own way has not. */
static void test_children_beside_parent(void **state)
{
    (void)state;
    comes(130, 30);
    assert_true(comes(130, 31));
    clock_ms++;
    assert_false(comes(131, 10));
    clock_ms++;
    int64_t begun_ms = clock_ms;
    assert_true(comes(132, 11));
    assert_int_equal(step.since_ms, begun_ms);
    clock_ms++;
    comes(130, 60);
    assert_false(comes(130, 12));
    assert_true(comes(133, 12));
    assert_int_equal(step.since_ms, begun_ms);
}

/* What one of them began does not count when they begin again. */
static void test_children_begin_again(void **state)
{
    (void)state;
    assert_false(comes(131, 10));
    assert_true(comes(131, 11));
    clock_ms += FS_READER_PAUSE_MS + 1;
    assert_false(comes(132, 20));
    clock_ms++;
    assert_true(comes(133, 21));
    assert_true(step.children);
    assert_int_equal(step.since_ms, clock_ms);
}

/* Who goes backwards is at no place of theirs. */
static void test_backwards_beside_children(void **state)
{
    (void)state;
    comes(134, LAST);
    assert_true(comes(134, LAST - 1));
    clock_ms += FS_READER_PAUSE_MS + 1;
    comes(131, 10);
    assert_true(comes(132, 11));
    assert_true(step.children);
    assert_false(comes(134, LAST - 10));
    assert_true(comes(134, LAST - 11));
    assert_false(step.children);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(test_forwards, setup, teardown),
    cmocka_unit_test_setup_teardown(test_backwards, setup, teardown),
    cmocka_unit_test_setup_teardown(test_gap, setup, teardown),
    cmocka_unit_test_setup_teardown(test_turns, setup, teardown),
    cmocka_unit_test_setup_teardown(test_begins_again, setup, teardown),
    cmocka_unit_test_setup_teardown(test_pause, setup, teardown),
    cmocka_unit_test_setup_teardown(test_children, setup, teardown),
    cmocka_unit_test_setup_teardown(test_children_behind_parent, setup, teardown),
    cmocka_unit_test_setup_teardown(test_children_beside_parent, setup, teardown),
    cmocka_unit_test_setup_teardown(test_children_begin_again, setup, teardown),
    cmocka_unit_test_setup_teardown(test_backwards_beside_children, setup, teardown),
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
