/* Who may use a value that came ahead, and for how long. */
#include "fs/model/open_ticket.h"

#include "tests/unit/client/checked/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { TOOK_MS = 300, THREAD = 7 };

static struct fs_value value;
static struct fs_node node;

/* A value that was asked for just now comes after TOOK_MS; the result is when it was asked for. */
static int64_t bring(void)
{
    int64_t asked_ms = clock_ms;
    node = (struct fs_node){0};
    fs_ticket_expect(&node);
    assert_true(fs_ticket_is_expected(&node));
    clock_ms += TOOK_MS;
    node.seen.value = &value;
    node.seen.fetched_ms = clock_ms;
    fs_ticket_expected(&node, asked_ms, true);
    assert_false(fs_ticket_is_expected(&node));
    return asked_ms;
}

/* One stat and one open of who has begun before it was asked for. */
static void test_uses(void **state)
{
    (void)state;
    int64_t asked_ms = bring();
    assert_true(fs_ticket_came_ahead(&node));
    assert_false(fs_ticket_take_ahead(&node, FS_TICKET_OPEN, asked_ms + 1));
    assert_true(fs_ticket_take_ahead(&node, FS_TICKET_OPEN, asked_ms));
    assert_false(fs_ticket_take_ahead(&node, FS_TICKET_OPEN, asked_ms));
    assert_true(fs_ticket_waits(&node, FS_TICKET_STAT, asked_ms));
    assert_true(fs_ticket_take_ahead(&node, FS_TICKET_STAT, asked_ms));
    assert_false(fs_ticket_waits(&node, FS_TICKET_STAT, asked_ms));
}

/* As old as that since it came. */
static void test_age(void **state)
{
    (void)state;
    int64_t asked_ms = bring();
    clock_ms += FS_TICKET_AHEAD_MS;
    assert_true(fs_ticket_waits(&node, FS_TICKET_OPEN, asked_ms));
    clock_ms++;
    assert_false(fs_ticket_take_ahead(&node, FS_TICKET_OPEN, asked_ms));
}

static void test_did_not_come(void **state)
{
    (void)state;
    node = (struct fs_node){0};
    fs_ticket_expect(&node);
    fs_ticket_expected(&node, clock_ms, false);
    node.seen.value = &value;
    assert_false(fs_ticket_is_expected(&node));
    assert_false(fs_ticket_waits(&node, FS_TICKET_STAT, 0));
    assert_false(fs_ticket_came_ahead(&node));
}

/* A value that is another one since, or is to be asked for again. */
static void test_void(void **state)
{
    (void)state;
    bring();
    fs_ticket_give(&node, THREAD);
    fs_ticket_void(&node);
    assert_false(fs_ticket_take(&node, THREAD));
    assert_false(fs_ticket_waits(&node, FS_TICKET_STAT, 0));
    assert_false(fs_ticket_came_ahead(&node));
    node.seen.fetched_ms = 0;
    assert_false(fs_ticket_came_ahead(&node));
}

/* The thread's own, once. */
static void test_own(void **state)
{
    (void)state;
    bring();
    fs_ticket_give(&node, THREAD);
    assert_false(fs_ticket_take(&node, THREAD + 1));
    fs_ticket_give(&node, THREAD);
    assert_true(fs_ticket_take(&node, THREAD));
    assert_false(fs_ticket_take(&node, THREAD));
    fs_ticket_give(&node, THREAD);
    clock_ms += FS_FRESH_MS + 1;
    assert_false(fs_ticket_take(&node, THREAD));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_uses),         cmocka_unit_test(test_age),
        cmocka_unit_test(test_did_not_come), cmocka_unit_test(test_void),
        cmocka_unit_test(test_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
