/* The write policy as a state machine. */
#include "../../fs/commit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const enum fs_commit_event all_events[] = {
    FS_COMMIT_ON_WRITE, FS_COMMIT_ON_MAPPED_WRITE, FS_COMMIT_ON_FLUSH,   FS_COMMIT_ON_FSYNC,
    FS_COMMIT_ON_OPEN,  FS_COMMIT_ON_RENAME,       FS_COMMIT_ON_RELEASE, FS_COMMIT_ON_UNMOUNT,
};

#define EVENT_COUNT (sizeof(all_events) / sizeof(all_events[0]))

static void test_nothing_waits(void **state)
{
    struct fs_commit commit = {0};

    (void)state;
    assert_false(fs_commit_waits(&commit));
    for (size_t i = 0; i < EVENT_COUNT; i++)
        assert_false(fs_commit_due(&commit, all_events[i]));
}

/* `: > k`, and a shell's flush before its data. */
static void test_pending_waits_for_data(void **state)
{
    (void)state;
    for (int pending = FS_PENDING_CREATE; pending <= FS_PENDING_TRUNCATE; pending++) {
        struct fs_commit commit = {0};

        fs_commit_pend(&commit, pending);
        assert_true(fs_commit_waits(&commit));
        assert_false(fs_commit_due(&commit, FS_COMMIT_ON_FLUSH));
        assert_false(fs_commit_due(&commit, FS_COMMIT_ON_MAPPED_WRITE));
        assert_true(fs_commit_due(&commit, FS_COMMIT_ON_FSYNC));
        assert_true(fs_commit_due(&commit, FS_COMMIT_ON_OPEN));
        assert_true(fs_commit_due(&commit, FS_COMMIT_ON_RENAME));
        assert_true(fs_commit_due(&commit, FS_COMMIT_ON_RELEASE));
        assert_true(fs_commit_due(&commit, FS_COMMIT_ON_UNMOUNT));
        fs_commit_done(&commit, false);
        assert_false(fs_commit_waits(&commit));
    }
}

static void test_first_write_commits(void **state)
{
    struct fs_commit commit = {0};

    (void)state;
    fs_commit_pend(&commit, FS_PENDING_TRUNCATE);
    fs_commit_wrote(&commit, false);
    assert_true(fs_commit_due(&commit, FS_COMMIT_ON_WRITE));
    fs_commit_done(&commit, false);
    assert_int_equal(commit.pending, FS_PENDING_NONE);
    fs_commit_wrote(&commit, false);
    assert_true(fs_commit_due(&commit, FS_COMMIT_ON_WRITE));
}

static void test_held_data_stays_due(void **state)
{
    struct fs_commit commit = {0};

    (void)state;
    fs_commit_wrote(&commit, false);
    fs_commit_done(&commit, true);
    assert_true(fs_commit_waits(&commit));
    assert_true(fs_commit_due(&commit, FS_COMMIT_ON_FLUSH));
}

static void test_mapped_data_waits_for_flush(void **state)
{
    struct fs_commit commit = {0};

    (void)state;
    fs_commit_wrote(&commit, true);
    assert_false(fs_commit_due(&commit, FS_COMMIT_ON_MAPPED_WRITE));
    assert_true(fs_commit_due(&commit, FS_COMMIT_ON_FLUSH));
    fs_commit_wrote(&commit, false);
    assert_true(commit.mapped);
    fs_commit_done(&commit, false);
    assert_false(commit.mapped);
}

/* A refused first write leaves the old value, until further data comes or the file is closed. */
static void test_refusal_disarms_pending(void **state)
{
    struct fs_commit commit = {0};

    (void)state;
    fs_commit_pend(&commit, FS_PENDING_TRUNCATE);
    fs_commit_wrote(&commit, false);
    fs_commit_failed(&commit);
    assert_true(commit.refused);
    assert_false(fs_commit_waits(&commit));
    for (size_t i = 0; i < EVENT_COUNT; i++)
        assert_false(fs_commit_due(&commit, all_events[i]));

    struct fs_commit again = commit;
    fs_commit_wrote(&again, false);
    assert_true(fs_commit_due(&again, FS_COMMIT_ON_WRITE));
    assert_int_equal(again.pending, FS_PENDING_TRUNCATE);
    fs_commit_done(&again, false);
    assert_false(again.refused);

    fs_commit_closed(&commit);
    assert_int_equal(commit.pending, FS_PENDING_NONE);
    assert_false(commit.refused);
}

static void test_closing_keeps_what_still_waits(void **state)
{
    struct fs_commit commit = {0};

    (void)state;
    fs_commit_pend(&commit, FS_PENDING_CREATE);
    fs_commit_closed(&commit);
    assert_true(fs_commit_due(&commit, FS_COMMIT_ON_UNMOUNT));
}

static void test_creation_stays_a_creation(void **state)
{
    struct fs_commit commit = {0};

    (void)state;
    fs_commit_pend(&commit, FS_PENDING_CREATE);
    fs_commit_pend(&commit, FS_PENDING_TRUNCATE);
    assert_int_equal(commit.pending, FS_PENDING_CREATE);
    fs_commit_wrote(&commit, true);
    fs_commit_pend(&commit, FS_PENDING_TRUNCATE);
    assert_false(commit.dirty);
    assert_false(commit.mapped);
}

static void test_failure_without_pending(void **state)
{
    struct fs_commit commit = {0};

    (void)state;
    fs_commit_wrote(&commit, false);
    fs_commit_failed(&commit);
    assert_false(commit.refused);
    assert_false(fs_commit_waits(&commit));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_waits),
        cmocka_unit_test(test_pending_waits_for_data),
        cmocka_unit_test(test_first_write_commits),
        cmocka_unit_test(test_held_data_stays_due),
        cmocka_unit_test(test_mapped_data_waits_for_flush),
        cmocka_unit_test(test_refusal_disarms_pending),
        cmocka_unit_test(test_closing_keeps_what_still_waits),
        cmocka_unit_test(test_creation_stays_a_creation),
        cmocka_unit_test(test_failure_without_pending),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
