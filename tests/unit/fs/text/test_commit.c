/* The write policy as a state machine. */
#include "fs/text/commit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const enum fs_commit_event all_events[] = {
    FS_COMMIT_ON_WRITE, FS_COMMIT_ON_IDLE,   FS_COMMIT_ON_FLUSH,   FS_COMMIT_ON_FSYNC,
    FS_COMMIT_ON_OPEN,  FS_COMMIT_ON_RENAME, FS_COMMIT_ON_RELEASE, FS_COMMIT_ON_UNMOUNT,
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
        assert_true(fs_commit_due(&commit, FS_COMMIT_ON_FSYNC));
        assert_true(fs_commit_due(&commit, FS_COMMIT_ON_OPEN));
        assert_true(fs_commit_due(&commit, FS_COMMIT_ON_RENAME));
        assert_true(fs_commit_due(&commit, FS_COMMIT_ON_RELEASE));
        assert_true(fs_commit_due(&commit, FS_COMMIT_ON_UNMOUNT));
        fs_commit_done(&commit);
        assert_false(fs_commit_waits(&commit));
    }
}

static void test_first_write_commits(void **state)
{
    struct fs_commit commit = {0};

    (void)state;
    fs_commit_pend(&commit, FS_PENDING_TRUNCATE);
    fs_commit_wrote(&commit, 1);
    assert_true(fs_commit_due(&commit, FS_COMMIT_ON_WRITE));
    fs_commit_done(&commit);
    assert_int_equal(commit.pending, FS_PENDING_NONE);
    fs_commit_wrote(&commit, 1);
    assert_true(fs_commit_due(&commit, FS_COMMIT_ON_WRITE));
}

/* What was acknowledged waits on after a refusal: each flush tries again, and a while later it is
 * tried by itself; nothing is gathered meanwhile. */
static void test_refused_data_waits_on(void **state)
{
    struct fs_commit commit = {0};
    struct fs_budget spent = {.commits = FS_COMMIT_THROUGH};

    (void)state;
    fs_commit_wrote(&commit, 10);
    fs_commit_done(&commit);
    fs_commit_wrote(&commit, 1);
    assert_false(fs_commit_through(&commit, &spent, 1, 12, false));
    fs_commit_refused(&commit, 5000);
    assert_true(fs_commit_through(&commit, &spent, 1, 12, false));
    assert_true(fs_commit_due(&commit, FS_COMMIT_ON_FLUSH));
    assert_int_equal(fs_commit_idle_ms(&commit), 5000 + FS_COMMIT_RETRY_MS);
    fs_commit_done(&commit);
    assert_false(fs_commit_waits(&commit));
    assert_false(fs_commit_through(&commit, &spent, 1, 12, false));
}

/* A truncation whose commit was refused is tried again by a close, and not by the clock. */
static void test_refused_truncation_waits_on(void **state)
{
    struct fs_commit commit = {0};

    (void)state;
    fs_commit_pend(&commit, FS_PENDING_TRUNCATE);
    assert_false(fs_commit_due(&commit, FS_COMMIT_ON_FLUSH));
    fs_commit_refused(&commit, 5000);
    assert_true(fs_commit_due(&commit, FS_COMMIT_ON_FLUSH));
    assert_false(fs_commit_due(&commit, FS_COMMIT_ON_IDLE));
    assert_int_equal(fs_commit_idle_ms(&commit), 0);
}

/* A write that failed takes its own data out, and leaves what waited before. */
static void test_taking_back(void **state)
{
    struct fs_commit commit = {0}, before;

    (void)state;
    before = commit;
    fs_commit_wrote(&commit, 5);
    fs_commit_take_back(&commit, &before, false, 5000);
    assert_false(fs_commit_waits(&commit));
    fs_commit_wrote(&commit, 5);
    fs_commit_take_back(&commit, &before, true, 5000); /* the store may have it */
    assert_true(fs_commit_due(&commit, FS_COMMIT_ON_FLUSH));

    commit = (struct fs_commit){0};
    fs_commit_wrote(&commit, 3);
    before = commit;
    fs_commit_wrote(&commit, 5);
    fs_commit_take_back(&commit, &before, false, 5000);
    assert_int_equal(commit.unsent_bytes, 3);
    assert_true(fs_commit_due(&commit, FS_COMMIT_ON_FLUSH));

    commit = (struct fs_commit){0};
    fs_commit_pend(&commit, FS_PENDING_CREATE);
    before = commit;
    fs_commit_wrote(&commit, 5);
    fs_commit_take_back(&commit, &before, true, 5000);
    assert_true(commit.refused);
    assert_false(fs_commit_waits(&commit));
}

/* A refused first write leaves the old value, until further data comes or the file is closed. */
static void test_refusal_disarms_pending(void **state)
{
    struct fs_commit commit = {0};

    (void)state;
    fs_commit_pend(&commit, FS_PENDING_TRUNCATE);
    fs_commit_wrote(&commit, 1);
    fs_commit_give_up(&commit);
    assert_true(commit.refused);
    assert_false(fs_commit_waits(&commit));
    for (size_t i = 0; i < EVENT_COUNT; i++)
        assert_false(fs_commit_due(&commit, all_events[i]));

    struct fs_commit again = commit;
    fs_commit_wrote(&again, 1);
    assert_true(fs_commit_due(&again, FS_COMMIT_ON_WRITE));
    assert_int_equal(again.pending, FS_PENDING_TRUNCATE);
    fs_commit_done(&again);
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
    fs_commit_wrote(&commit, 1);
    fs_commit_pend(&commit, FS_PENDING_TRUNCATE);
    assert_false(commit.dirty);
}

static void test_failure_without_pending(void **state)
{
    struct fs_commit commit = {0};

    (void)state;
    fs_commit_wrote(&commit, 1);
    fs_commit_give_up(&commit);
    assert_false(commit.refused);
    assert_false(fs_commit_waits(&commit));
}

/* One write of `bytes` as the daemon makes it: true if it was committed. The value has as many
 * bytes as have been written. */
static bool write_bytes(struct fs_commit *commit, struct fs_budget *budget, size_t bytes,
                        int64_t now_ms)
{
    size_t value_bytes = commit->sent_bytes + commit->unsent_bytes + bytes;
    bool through = fs_commit_through(commit, budget, bytes, value_bytes, false);

    fs_commit_wrote(commit, bytes);
    if (!through) {
        fs_commit_gather(commit, now_ms);
        return false;
    }
    budget->commits++;
    fs_commit_done(commit);
    return true;
}

/* bash sends one write per line. */
static void test_first_commits_of_a_small_value_go_through(void **state)
{
    struct fs_commit commit = {0};
    struct fs_budget budget = {0};

    (void)state;
    for (int i = 0; i < FS_COMMIT_THROUGH; i++)
        assert_true(write_bytes(&commit, &budget, 10, 0));
    assert_false(write_bytes(&commit, &budget, 10, 0));
    assert_true(commit.gathered);
}

static void test_a_large_value_is_gathered_sooner(void **state)
{
    struct fs_commit commit = {0};
    struct fs_budget budget = {0};

    (void)state;
    assert_true(write_bytes(&commit, &budget, FS_COMMIT_THROUGH_MAX_BYTES + 1, 0));
    assert_false(write_bytes(&commit, &budget, 1, 0));
}

static void test_the_first_write_of_a_handle_goes_through(void **state)
{
    struct fs_commit commit = {0};
    struct fs_budget first = {0}, second = {0};

    (void)state;
    assert_true(write_bytes(&commit, &first, 100000, 0));
    assert_false(write_bytes(&commit, &first, 10, 0));
    assert_true(write_bytes(&commit, &second, 1, 0));
    assert_int_equal(commit.unsent_bytes, 0);
}

/* A value in N pieces costs FS_COMMIT_THROUGH + log2(N) commits, and sends at most twice its size
 * beyond the first ones. */
static void test_gathering_doubles(void **state)
{
    enum { PIECES = 100000, THROUGH_BYTES = FS_COMMIT_THROUGH * FS_COMMIT_THROUGH };
    struct fs_commit commit = {0};
    struct fs_budget budget = {0};
    size_t commits = 0, sent = 0;

    (void)state;
    for (size_t i = 1; i <= PIECES; i++) {
        if (write_bytes(&commit, &budget, 1, 0)) {
            commits++;
            sent += i; /* the whole value */
        }
    }
    assert_in_range(commits, FS_COMMIT_THROUGH + 10, FS_COMMIT_THROUGH + 13);
    assert_in_range(sent, 1, THROUGH_BYTES + 2 * PIECES);
    assert_true(commit.gathered);
}

static void test_close_gathers_always(void **state)
{
    struct fs_commit commit = {0};
    struct fs_budget budget = {0};

    (void)state;
    assert_false(fs_commit_through(&commit, &budget, 10, 10, true));
}

static void test_gathered_data_is_due_when_idle(void **state)
{
    struct fs_commit commit = {0};

    (void)state;
    assert_int_equal(fs_commit_idle_ms(&commit), 0);
    assert_false(fs_commit_due(&commit, FS_COMMIT_ON_IDLE));
    fs_commit_wrote(&commit, 1);
    assert_int_equal(fs_commit_idle_ms(&commit), 0); /* nor are mapped pages */
    fs_commit_gather(&commit, 1000);
    assert_true(fs_commit_due(&commit, FS_COMMIT_ON_IDLE));
    assert_int_equal(fs_commit_idle_ms(&commit), 1000 + FS_COMMIT_IDLE_MS);
    fs_commit_gather(&commit, 1040);
    assert_int_equal(fs_commit_idle_ms(&commit), 1040 + FS_COMMIT_IDLE_MS);
    fs_commit_gather(&commit, 1990);
    assert_int_equal(fs_commit_idle_ms(&commit), 1000 + FS_COMMIT_LATEST_MS);
    fs_commit_done(&commit);
    assert_int_equal(fs_commit_idle_ms(&commit), 0);
    assert_false(fs_commit_due(&commit, FS_COMMIT_ON_IDLE));
}

/* The next one who opens it begins anew. */
static void test_closing_forgets_what_was_sent(void **state)
{
    struct fs_commit commit = {0};
    struct fs_budget budget = {0};

    (void)state;
    write_bytes(&commit, &budget, 100000, 0);
    fs_commit_closed(&commit);
    assert_int_equal(commit.sent_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_waits),
        cmocka_unit_test(test_pending_waits_for_data),
        cmocka_unit_test(test_first_write_commits),
        cmocka_unit_test(test_refused_data_waits_on),
        cmocka_unit_test(test_refused_truncation_waits_on),
        cmocka_unit_test(test_taking_back),
        cmocka_unit_test(test_refusal_disarms_pending),
        cmocka_unit_test(test_closing_keeps_what_still_waits),
        cmocka_unit_test(test_creation_stays_a_creation),
        cmocka_unit_test(test_failure_without_pending),
        cmocka_unit_test(test_first_commits_of_a_small_value_go_through),
        cmocka_unit_test(test_a_large_value_is_gathered_sooner),
        cmocka_unit_test(test_the_first_write_of_a_handle_goes_through),
        cmocka_unit_test(test_gathering_doubles),
        cmocka_unit_test(test_close_gathers_always),
        cmocka_unit_test(test_gathered_data_is_due_when_idle),
        cmocka_unit_test(test_closing_forgets_what_was_sent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
