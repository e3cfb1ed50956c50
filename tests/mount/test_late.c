/* Gathered data whose commit comes late, and whose caller is interrupted or dies. Nothing that was
 * acknowledged may be lost without somebody being told. */
#include "late.h"

#include "peer.h"
#include "sim.h"
#include "sim_rest.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

/* --- interrupted before anything was sent --- */

static int cat(const char *path)
{
    char text[64];
    return harness_read(path, text, sizeof text) < 0;
}

static int cat_other(void *unused)
{
    (void)unused;
    return cat("m/app/other");
}

/* Another process takes the only connection, for longer than an interrupted call waits. */
static pid_t take_connection(void)
{
    uint64_t before = sim_fired();
    sim_fault("delay-before=2500:command=datasets-get-entry:count=1");
    pid_t pid = harness_fork(cat_other, NULL);
    assert_soon(sim_fired() > before);
    return pid;
}

static void ignore_alarm(int number)
{
    (void)number;
}

/* Interrupts this process again and again, as Go does to itself. */
static void alarms(bool on)
{
    struct sigaction action = {.sa_handler = ignore_alarm};
    struct itimerval often = {{0, on ? 100000 : 0}, {0, on ? 100000 : 0}};
    assert_ok(sigaction(SIGALRM, &action, NULL));
    assert_ok(setitimer(ITIMER_REAL, &often, NULL));
}

/* As Python and Go do. Returns how often it was interrupted; `*error` is what came in the end. */
static int fsync_insisting(int fd, int *error)
{
    int interrupted = 0;
    alarms(true);
    do
        *error = fsync(fd) == 0 ? 0 : errno;
    while (*error == EINTR && ++interrupted > 0);
    alarms(false);
    return interrupted;
}

static void test_interrupted_fsync_keeps_data(void **state)
{
    (void)state;
    late_start("commit=close");
    int fd = harness_open("m/app/k", O_WRONLY | O_APPEND);
    late_put(fd, 1);
    pid_t busy = take_connection();
    int error = 0;
    assert_true(fsync_insisting(fd, &error) > 0);
    assert_int_equal(error, 0);
    assert_true(late_stored("k", 1));
    assert_ok(close(fd));
    assert_int_equal(harness_wait_child(busy, HARNESS_SOON_MS, false), 0);
}

/* A repeated write would stand twice, and one that is not repeated must not be lost. */
static void interrupted_write(int flags)
{
    late_start(NULL);
    int fd = harness_open("m/app/k", O_WRONLY | flags);
    pid_t busy = take_connection();
    alarms(true);
    late_put(fd, 1);
    alarms(false);
    assert_int_equal(harness_wait_child(busy, HARNESS_SOON_MS, false), 0);
    late_put(fd, 1);
    assert_ok(fsync(fd));
    assert_true(late_stored("k", 2));
    assert_ok(close(fd));
}

static void test_interrupted_write_is_gathered(void **state)
{
    (void)state;
    interrupted_write(O_TRUNC);
}

static void test_interrupted_append_is_gathered(void **state)
{
    (void)state;
    interrupted_write(O_APPEND);
}

/* A login that lingers is not the write, which waits for it. */
static void test_interrupted_append_during_login(void **state)
{
    (void)state;
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_set("app", "k", "");
    sim_start_rest(NULL);
    harness_start_source("m", sim_rest_source(), sim_rest_options(NULL));
    int fd = harness_open("m/app/k", O_WRONLY | O_APPEND);
    assert_string_equal(sim_control("expire"), "ok");
    sim_fault("delay-before=2500:command=rest-login:count=1");
    ssize_t written;
    alarms(true);
    do
        written = write(fd, LATE_LINE, strlen(LATE_LINE));
    while (written < 0 && errno == EINTR);
    alarms(false);
    assert_int_equal(written, strlen(LATE_LINE));
    assert_ok(fsync(fd));
    assert_true(late_stored("k", 1));
    assert_ok(close(fd));
}

/* --- a caller that is interrupted or killed after that --- */

/* The repeated call waits for the first one's outcome. */
static void test_interrupted_fsync_hears_of_failure(void **state)
{
    (void)state;
    late_start("commit=close,timeout=2");
    int fd = harness_open("m/app/k", O_WRONLY | O_APPEND);
    late_put(fd, 1);
    sim_fault("never-reply-before:command=datasets-set-entry:count=1");
    int error = 0;
    assert_true(fsync_insisting(fd, &error) > 0);
    assert_int_equal(error, ETIMEDOUT);
    assert_ok(close(fd));
    assert_store("app", "k", "");
}

static int open_k(void *flags)
{
    int fd = open("m/app/k", *(int *)flags | O_CLOEXEC);
    return fd < 0 || close(fd) != 0;
}

static bool opens(pid_t pid)
{
    char path[64], text[256];
    snprintf(path, sizeof path, "/proc/%d/syscall", (int)pid);
    return harness_read(path, text, sizeof text) > 0 && strtol(text, NULL, 10) == SYS_openat;
}

/* Starts a child whose open commits the gathered line of others. */
static pid_t open_in_child(int flags)
{
    pid_t pid = harness_fork(open_k, &flags);
    assert_soon(opens(pid));
    return pid;
}

static void kill_opener(pid_t pid)
{
    assert_ok(kill(pid, SIGTERM));
    assert_int_equal(harness_wait_child(pid, HARNESS_SOON_MS, false), 128 + SIGTERM);
}

static void test_killed_reader_costs_the_writer_nothing(void **state)
{
    (void)state;
    late_start("commit=close");
    int fd = harness_open("m/app/k", O_WRONLY | O_APPEND);
    late_put(fd, 1);
    pid_t busy = take_connection();
    kill_opener(open_in_child(O_RDONLY));
    assert_ok(fsync(fd));
    assert_true(late_stored("k", 1));
    assert_ok(close(fd));
    assert_int_equal(harness_wait_child(busy, HARNESS_SOON_MS, false), 0);
}

/* False if fsync(2) failed because the reader's request had left when its time was over. */
static bool late_reader_costs_nothing(void)
{
    peer_set("app", "k", "");
    int fd = late_open("m/app/k", O_WRONLY | O_APPEND);
    size_t sets = sim_log_count("command=datasets-set-entry");
    uint64_t fired = sim_fired();
    late_put(fd, 1);
    sim_fault("never-reply-before:command=datasets-get-entry:count=1");
    pid_t busy = harness_fork(cat_other, NULL);
    assert_soon(sim_fired() > fired);
    pid_t reader = open_in_child(O_RDONLY);
    assert_true(harness_wait_child(reader, HARNESS_SOON_MS, false) >= 0);
    assert_true(harness_wait_child(busy, HARNESS_SOON_MS, false) >= 0);
    bool kept = fsync(fd) == 0;
    if (kept) {
        assert_true(late_stored("k", 1));
    } else {
        assert_int_equal(errno, ETIMEDOUT);
        assert_soon(sim_log_count("command=datasets-set-entry") > sets);
    }
    assert_true(close(fd) == 0 || !kept);
    return kept;
}

/* Nor does one whose own time is over before its turn comes. A machine that is slow in the last
 * moment may try again. */
static void test_late_reader_costs_the_writer_nothing(void **state)
{
    (void)state;
    bool kept = false;
    late_start("commit=close,timeout=2");
    for (int tries = 0; tries < 5 && !kept; tries++)
        kept = late_reader_costs_nothing();
    assert_true(kept);
}

static void test_late_reader_of_a_locked_store(void **state)
{
    (void)state;
    harness_start_app("commit=close,timeout=1");
    peer_set("app", "k", "");
    int fd = harness_open("m/app/k", O_WRONLY | O_APPEND);
    late_put(fd, 1);
    peer_block();
    int reader = open("m/app/k", O_RDONLY | O_CLOEXEC); /* whatever it is told */
    peer_unblock();
    assert_ok(fsync(fd));
    assert_true(late_stored("k", 1));
    assert_ok(close(fd));
    if (reader >= 0)
        close(reader);
}

/* What waits for its first data is not published because a reader was killed. */
static void test_killed_reader_publishes_nothing(void **state)
{
    (void)state;
    late_start(NULL);
    peer_set("app", "k", "old");
    int fd = harness_open("m/app/k", O_WRONLY | O_TRUNC);
    pid_t busy = take_connection();
    kill_opener(open_in_child(O_RDONLY));
    assert_int_equal(harness_wait_child(busy, HARNESS_SOON_MS, false), 0);
    harness_outlive_attributes();
    harness_outlive_attributes(); /* gathered data would be sent by now */
    assert_errno(write(fd, "\xff", 1), EILSEQ);
    assert_ok(close(fd));
    assert_store("app", "k", "old");
}

static void test_killed_truncation_is_none(void **state)
{
    (void)state;
    late_start("commit=close");
    int fd = harness_open("m/app/k", O_WRONLY | O_APPEND);
    late_put(fd, 1);
    sim_fault("delay-before=1500:command=datasets-set-entry:count=1");
    pid_t opener = open_in_child(O_WRONLY | O_TRUNC);
    assert_soon(sim_fired() == 1);
    kill_opener(opener);
    assert_ok(close(fd));
    assert_true(late_stored("k", 1));
    assert_int_equal(harness_size("m/app/k"), strlen(LATE_LINE));
}

/* A rename that has set the new key is not "interrupted", which callers repeat. */
static void test_interrupted_half_of_a_rename(void **state)
{
    (void)state;
    late_start(NULL);
    peer_set("app", "k", "old");
    assert_ok(rename("m/app/k", "m/app/k~"));
    assert_int_equal(harness_write("m/app/k~", O_APPEND, "+"), 0);
    harness_outlive_attributes();
    /* The new name is looked up and looked for; then it is seen whether k is still what it was. */
    sim_fault("delay-before=2500:command=datasets-get-entry:count=1:skip=2");
    alarms(true);
    assert_errno(renameat2(AT_FDCWD, "m/app/k~", AT_FDCWD, "m/app/j", RENAME_NOREPLACE), EIO);
    alarms(false);
    assert_store("app", "j", "old+");
    assert_true(late_reported("the old key remains"));
}

static const struct CMUnitTest tests[] = {
    HARNESS_TEST(test_interrupted_fsync_keeps_data),
    HARNESS_TEST(test_interrupted_write_is_gathered),
    HARNESS_TEST(test_interrupted_append_is_gathered),
    HARNESS_TEST(test_interrupted_append_during_login),
    HARNESS_TEST(test_interrupted_fsync_hears_of_failure),
    HARNESS_TEST(test_killed_reader_costs_the_writer_nothing),
    HARNESS_TEST(test_late_reader_costs_the_writer_nothing),
    HARNESS_TEST(test_late_reader_of_a_locked_store),
    HARNESS_TEST(test_killed_reader_publishes_nothing),
    HARNESS_TEST(test_killed_truncation_is_none),
    HARNESS_TEST(test_interrupted_half_of_a_rename),
};

HARNESS_MAIN(tests)
