/* Several handles on one file: whose data, whose truncation and whose failure it is. */
#include "harness.h"

#include "cleanup.h"
#include "peer.h"
#include "sim.h"
#include "stats.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RELEASES "datasetfs_fuse_requests_total{opcode=\"release\"}"

/* Closes, with this errno, and waits until the mount has heard of it. */
static void close_and_release(int fd, int expected)
{
    uint64_t before = stats_counter("m", RELEASES);

    assert_int_equal(close(fd) == 0 ? 0 : errno, expected);
    assert_soon(stats_counter("m", RELEASES) > before);
}

/* RELEASE comes after close(2) has returned: perhaps when the next `> k` waits for its data. */
static void test_truncation_is_not_published_by_another(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_set("app", "k", "value");
    int old = harness_open("m/app/k", O_WRONLY);
    int new = harness_open("m/app/k", O_WRONLY | O_TRUNC);

    close_and_release(old, 0);
    assert_store("app", "k", "value");
    assert_int_equal(stats_requests("m", "set"), 0);
    assert_ok(close(new));
    assert_soon(peer_has("app", "k", ""));
}

/* The first half of a code point waits for the second, although another writer closes. */
static void test_cut_text_outlives_another(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_set("app", "k", "abcdefghij");
    int writer = harness_open("m/app/k", O_WRONLY);
    int other = harness_open("m/app/k", O_WRONLY);

    assert_int_equal(pwrite(writer, "12\xe2", 3, 0), 3);
    close_and_release(other, 0); /* what is no text yet is none of its */
    assert_store("app", "k", "abcdefghij");
    assert_int_equal(pwrite(writer,
                            "\x82\xac"
                            "5",
                            3, 3),
                     3);
    assert_ok(close(writer));
    assert_store("app", "k",
                 "12\xe2\x82\xac"
                 "5ghij");
}

/* A truncation whose first data was refused stays with the file when that is renamed. */
static void test_refused_truncation_is_renamed(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_set("app", "k", "old value");
    int fd = harness_open("m/app/k", O_WRONLY | O_TRUNC);

    assert_errno(write(fd, "\xff", 1), EILSEQ);
    assert_ok(rename("m/app/k", "m/app/l"));
    assert_store("app", "l", "old value");
    assert_int_equal(pwrite(fd, "new", 3, 0), 3);
    assert_ok(close(fd));
    assert_store("app", "l", "new");
}

/* What was acknowledged, refused and lost at the last close is not shown any more by who has it
 * open. */
static void test_lost_data_is_not_shown(void **state)
{
    char text[3] = "";

    (void)state;
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    sim_start(NULL);
    harness_start_source("m", sim_source(), NULL);
    int fd = harness_open("m/app/k", O_RDWR | O_CREAT);
    for (int i = 0; i < 20; i++)
        assert_int_equal(write(fd, "0123456789", 10), 10);
    assert_ok(fsync(fd));
    int reader = harness_open("m/app/k", O_RDONLY);
    sim_fault("error=unable-to-allocate:command=datasets-set-entry");
    assert_int_equal(pwrite(fd, "XX", 2, 10), 2);
    assert_int_equal(pread(reader, text, 2, 10), 2);
    assert_string_equal(text, "XX");
    assert_errno(fsync(fd), ENOSPC);
    assert_errno(close(fd), ENOSPC);
    assert_soon(pread(reader, text, 2, 10) == 2 && strcmp(text, "01") == 0);
    assert_ok(close(reader));
}

static int append_one(void *argument)
{
    const int *fds = argument;
    char byte;

    if (write(fds[2], "r", 1) != 1 || read(fds[0], &byte, 1) != 1)
        return errno;
    return write(fds[1], "X", 1) == 1 ? 0 : errno;
}

/* One who is killed while another's data is on its way, ahead of its own write, closes before that
 * write has ended. (The value is so long that its own bytes must be asked about alone.) */
static void test_killed_behind_another(void **state)
{
    enum { LEN = DS_VALUE_MAX_BYTES, TAIL = 4 };
    int go[2], ready[2], fds[3];
    char *value DS_AUTO_FREE = calloc(1, LEN + 1);
    char byte;

    (void)state;
    memset(value, 'v', LEN - TAIL);
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_set("app", "k", value);
    sim_start(NULL);
    harness_start_source("m", sim_source(), "commit=close");
    assert_ok(pipe(go));
    assert_ok(pipe(ready));
    int fd = harness_open("m/app/k", O_WRONLY | O_APPEND);
    fds[0] = go[0];
    fds[1] = harness_open("m/app/k", O_WRONLY | O_APPEND);
    fds[2] = ready[1];
    pid_t pid = harness_fork(append_one, fds);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(fds[1]); /* it is the child's alone now */
    assert_int_equal(write(fd, "tail", TAIL), TAIL);
    sim_fault("delay=3000:count=1");
    uint64_t before = stats_counter("m", RELEASES);
    assert_int_equal(write(go[1], "g", 1), 1);
    assert_soon(sim_fired() == 1);
    assert_ok(kill(pid, SIGKILL));
    assert_int_equal(harness_wait_child(pid, HARNESS_SOON_MS, false), 128 + SIGKILL);
    assert_soon(stats_counter("m", RELEASES) > before);
    memcpy(value + LEN - TAIL, "tail", TAIL);
    assert_soon(peer_has("app", "k", value));
    assert_ok(close(fd));
    assert_true(peer_has("app", "k", value));
}

/* Nor does the first half at the end of the value keep others from writing to its middle. */
static void test_cut_append_harms_no_other(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_set("app", "k", "abc");
    int appender = harness_open("m/app/k", O_WRONLY | O_APPEND);
    int writer = harness_open("m/app/k", O_WRONLY);

    harness_put(appender, "\xc3");
    assert_int_equal(pwrite(writer, "X", 1, 0), 1);
    assert_store("app", "k", "Xbc");
    harness_put(appender, "\xa9");
    assert_ok(close(appender));
    assert_ok(close(writer));
    assert_store("app", "k", "Xbc\xc3\xa9");
}

/* A handle need not go on appending: then it writes over what it has appended. */
static void test_cut_append_is_overwritten(void **state)
{
    struct stat status;
    (void)state;
    harness_start_app(NULL);
    int fd = harness_open("m/app/k", O_WRONLY | O_CREAT | O_APPEND);

    harness_put(fd, "\xc3");
    assert_ok(fcntl(fd, F_SETFL, 0));
    assert_int_equal(pwrite(fd, "x", 1, 0), 1);
    harness_outlive_attributes();
    assert_ok(fstat(fd, &status));
    assert_int_equal(status.st_size, 1);
    assert_ok(close(fd));
    assert_store("app", "k", "x");
}

static void test_cut_append_outlives_truncation_to_its_size(void **state)
{
    (void)state;
    harness_start_app(NULL);
    int fd = harness_open("m/app/k", O_WRONLY | O_CREAT | O_APPEND);

    harness_put(fd, "caf\xc3");
    assert_ok(ftruncate(fd, 4));
    harness_put(fd, "\xa9");
    assert_ok(close(fd));
    assert_store("app", "k", "caf\xc3\xa9");

    fd = harness_open("m/app/k", O_WRONLY | O_APPEND);
    harness_put(fd, "\xc3");
    assert_ok(ftruncate(fd, 6));
    assert_errno(close(fd), EILSEQ);
}

static void test_cut_append_outlives_anothers_bad_write(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_set("app", "k", "");
    int appender = harness_open("m/app/k", O_WRONLY | O_APPEND);
    int writer = harness_open("m/app/k", O_WRONLY);

    harness_put(appender, "caf\xc3");
    assert_errno(pwrite(writer, "\xff", 1, 0), EILSEQ);
    harness_put(appender, "\xa9");
    assert_ok(close(appender));
    assert_ok(close(writer));
    assert_store("app", "k", "caf\xc3\xa9");
}

/* A truncation to the size that there is leaves nothing behind that hides the other side's change.
 */
static void test_truncation_to_the_same_size(void **state)
{
    (void)state;
    harness_start_app("commit=close");
    peer_set("app", "k", "");
    int fd = harness_open("m/app/k", O_WRONLY | O_APPEND);

    harness_put(fd, "line\n");
    assert_ok(ftruncate(fd, 5));
    close_and_release(fd, 0);
    assert_store("app", "k", "line\n");
    peer_set("app", "k", "the other side's");
    harness_outlive_attributes();
    assert_content("m/app/k", "the other side's");
}

static void start_sim(const char *options)
{
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_set("app", "k", "0123456789");
    peer_set("app", "other", "x");
    sim_start(NULL);
    harness_start_source("m", sim_source(), options);
}

static void test_truncation_of_cut_text(void **state)
{
    (void)state;
    start_sim("commit=close");
    int fd = harness_open("m/app/k", O_WRONLY | O_TRUNC);

    harness_put(fd, "ab\xc3");
    assert_ok(ftruncate(fd, 0));
    assert_ok(close(fd));
    assert_soon(peer_has("app", "k", ""));
}

static void test_refused_ftruncate_is_told_once(void **state)
{
    (void)state;
    start_sim(NULL);
    int fd = harness_open("m/app/k", O_WRONLY);

    sim_fault("error=unable-to-allocate-resource:command=datasets-set-entry:count=1");
    assert_errno(ftruncate(fd, 5), ENOSPC);
    harness_put(fd, "x");
    assert_ok(close(fd));
    assert_store("app", "k", "x123456789");
}

static int read_other(void *unused)
{
    char text[8];
    (void)unused;
    return harness_read("m/app/other", text, sizeof text) < 0;
}

/* False if fsync(2) failed because a commit had left when its caller's time was over. */
static bool late_truncation_costs_nothing(void)
{
    size_t sets = sim_log_count("command=datasets-set-entry");
    uint64_t fired = sim_fired();
    peer_set("app", "k", "0123456789");
    int fd = -1;
    /* After a try in which a deadline passed, the store counts as lost until it is asked again. */
    assert_soon((fd = open("m/app/k", O_WRONLY | O_APPEND | O_CLOEXEC)) >= 0);

    harness_put(fd, "+");
    sim_fault("never-reply-before:command=datasets-get-entry:count=1");
    pid_t busy = harness_fork(read_other, NULL);
    assert_soon(sim_fired() > fired);
    int late = open("m/app/k", O_WRONLY | O_TRUNC | O_CLOEXEC);
    if (late >= 0) { /* it had its turn in the last moment */
        assert_errno(write(late, "\xff", 1), EILSEQ);
        assert_ok(close(late));
    }
    assert_true(harness_wait_child(busy, HARNESS_SOON_MS, false) >= 0);
    bool kept = fsync(fd) == 0;
    if (kept) {
        assert_store("app", "k", "0123456789+");
    } else {
        assert_int_equal(errno, ETIMEDOUT);
        assert_soon(sim_log_count("command=datasets-set-entry") > sets);
    }
    assert_true(close(fd) == 0 || !kept);
    return kept;
}

/* An open with O_TRUNC that has no time left to commit what others wrote does not drop that. A
 * machine that is slow in the last moment may try again. */
static void test_late_truncation_costs_nobody(void **state)
{
    (void)state;
    bool kept = false;
    start_sim("commit=close,timeout=2");
    for (int tries = 0; tries < 5 && !kept; tries++)
        kept = late_truncation_costs_nothing();
    assert_true(kept);
}

static const struct CMUnitTest tests[] = {
    HARNESS_TEST(test_truncation_is_not_published_by_another),
    HARNESS_TEST(test_cut_text_outlives_another),
    HARNESS_TEST(test_truncation_to_the_same_size),
    HARNESS_TEST(test_truncation_of_cut_text),
    HARNESS_TEST(test_refused_ftruncate_is_told_once),
    HARNESS_TEST(test_late_truncation_costs_nobody),
    HARNESS_TEST(test_cut_append_harms_no_other),
    HARNESS_TEST(test_cut_append_is_overwritten),
    HARNESS_TEST(test_cut_append_outlives_truncation_to_its_size),
    HARNESS_TEST(test_cut_append_outlives_anothers_bad_write),
    HARNESS_TEST(test_refused_truncation_is_renamed),
    HARNESS_TEST(test_lost_data_is_not_shown),
    HARNESS_TEST(test_killed_behind_another),
};

HARNESS_MAIN(tests)
