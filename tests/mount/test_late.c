/* Gathered data whose commit comes late: it fails, or its caller is interrupted, or closes, or
 * dies. Nothing that was acknowledged may be lost without somebody being told. */
#include "harness.h"

#include "cleanup.h"
#include "peer.h"
#include "sim.h"
#include "sim_rest.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#define LINE "line\n"
#define THROUGH 16 /* writes of a handle that are not gathered */

static struct harness_daemon *start(const char *options)
{
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_set("app", "other", "x");
    peer_set("app", "k", "");
    peer_set("app", "l", "");
    sim_start(NULL);
    return harness_start_source("m", sim_source(), options);
}

static void put_lines(int fd, int count)
{
    for (int i = 0; i < count; i++)
        harness_put(fd, LINE);
}

static bool stored_lines(const char *key, size_t count)
{
    char *value DS_AUTO_FREE = peer_get("app", key);
    return value && strlen(value) == count * strlen(LINE);
}

static bool reported(const char *words)
{
    char text[4096];
    return harness_read("m/.datasetfs/errors", text, sizeof text) >= 0 && strstr(text, words);
}

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
    start("commit=close");
    int fd = harness_open("m/app/k", O_WRONLY | O_APPEND);
    put_lines(fd, 1);
    pid_t busy = take_connection();
    int error = 0;
    assert_true(fsync_insisting(fd, &error) > 0);
    assert_int_equal(error, 0);
    assert_true(stored_lines("k", 1));
    assert_ok(close(fd));
    assert_int_equal(harness_wait_child(busy, HARNESS_SOON_MS, false), 0);
}

/* A repeated write would stand twice, and one that is not repeated must not be lost. */
static void interrupted_write(int flags)
{
    start(NULL);
    int fd = harness_open("m/app/k", O_WRONLY | flags);
    pid_t busy = take_connection();
    alarms(true);
    put_lines(fd, 1);
    alarms(false);
    assert_int_equal(harness_wait_child(busy, HARNESS_SOON_MS, false), 0);
    put_lines(fd, 1);
    assert_ok(fsync(fd));
    assert_true(stored_lines("k", 2));
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
        written = write(fd, LINE, strlen(LINE));
    while (written < 0 && errno == EINTR);
    alarms(false);
    assert_int_equal(written, strlen(LINE));
    assert_ok(fsync(fd));
    assert_true(stored_lines("k", 1));
    assert_ok(close(fd));
}

/* --- a caller that is interrupted or killed after that --- */

/* The repeated call waits for the first one's outcome. */
static void test_interrupted_fsync_hears_of_failure(void **state)
{
    (void)state;
    start("commit=close,timeout=2");
    int fd = harness_open("m/app/k", O_WRONLY | O_APPEND);
    put_lines(fd, 1);
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
    start("commit=close");
    int fd = harness_open("m/app/k", O_WRONLY | O_APPEND);
    put_lines(fd, 1);
    pid_t busy = take_connection();
    kill_opener(open_in_child(O_RDONLY));
    assert_ok(fsync(fd));
    assert_true(stored_lines("k", 1));
    assert_ok(close(fd));
    assert_int_equal(harness_wait_child(busy, HARNESS_SOON_MS, false), 0);
}

/* After a try in which nothing was answered the store counts as lost for a while. */
static int open_soon(const char *path, int flags)
{
    int fd = -1;
    assert_soon((fd = open(path, flags | O_CLOEXEC, 0600)) >= 0);
    return fd;
}

/* False if fsync(2) failed because the reader's request had left when its time was over. */
static bool late_reader_costs_nothing(void)
{
    peer_set("app", "k", "");
    int fd = open_soon("m/app/k", O_WRONLY | O_APPEND);
    size_t sets = sim_log_count("command=datasets-set-entry");
    uint64_t fired = sim_fired();
    put_lines(fd, 1);
    sim_fault("never-reply-before:command=datasets-get-entry:count=1");
    pid_t busy = harness_fork(cat_other, NULL);
    assert_soon(sim_fired() > fired);
    pid_t reader = open_in_child(O_RDONLY);
    assert_true(harness_wait_child(reader, HARNESS_SOON_MS, false) >= 0);
    assert_true(harness_wait_child(busy, HARNESS_SOON_MS, false) >= 0);
    bool kept = fsync(fd) == 0;
    if (kept) {
        assert_true(stored_lines("k", 1));
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
    start("commit=close,timeout=2");
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
    put_lines(fd, 1);
    peer_block();
    int reader = open("m/app/k", O_RDONLY | O_CLOEXEC); /* whatever it is told */
    peer_unblock();
    assert_ok(fsync(fd));
    assert_true(stored_lines("k", 1));
    assert_ok(close(fd));
    if (reader >= 0)
        close(reader);
}

/* What waits for its first data is not published because a reader was killed. */
static void test_killed_reader_publishes_nothing(void **state)
{
    (void)state;
    start(NULL);
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
    start("commit=close");
    int fd = harness_open("m/app/k", O_WRONLY | O_APPEND);
    put_lines(fd, 1);
    sim_fault("delay-before=1500:command=datasets-set-entry:count=1");
    pid_t opener = open_in_child(O_WRONLY | O_TRUNC);
    assert_soon(sim_fired() == 1);
    kill_opener(opener);
    assert_ok(close(fd));
    assert_true(stored_lines("k", 1));
    assert_int_equal(harness_size("m/app/k"), strlen(LINE));
}

/* A rename that has set the new key is not "interrupted", which callers repeat. */
static void test_interrupted_half_of_a_rename(void **state)
{
    (void)state;
    start(NULL);
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
    assert_true(reported("the old key remains"));
}

/* --- closes of others, and failures of others' commits --- */

static int end_at_once(void *unused)
{
    (void)unused;
    return 0;
}

/* A child that ends closes what it has inherited. */
static void run_child(void)
{
    pid_t pid = harness_fork(end_at_once, NULL);
    assert_int_equal(harness_wait_child(pid, HARNESS_SOON_MS, false), 0);
}

#define NO_SPACE "error=unable-to-allocate-resource:command=datasets-set-entry"

/* Nothing is lost by the failure that it hears, and does not look at. */
static void test_commit_by_a_childs_close(void **state)
{
    (void)state;
    start("commit=close");
    int fd = harness_open("m/app/k", O_WRONLY | O_APPEND);
    put_lines(fd, 1);
    sim_fault(NO_SPACE ":count=1");
    run_child();
    assert_int_equal(sim_fired(), 1);
    assert_true(stored_lines("k", 0));
    put_lines(fd, 1);
    assert_ok(close(fd));
    assert_true(stored_lines("k", 2));
}

static void test_truncation_by_a_childs_close(void **state)
{
    (void)state;
    start("commit=close");
    peer_set("app", "k", "0123456789");
    int fd = harness_open("m/app/k", O_WRONLY);
    assert_ok(ftruncate(fd, 5));
    sim_fault(NO_SPACE);
    run_child();
    assert_int_equal(sim_fired(), 1);
    assert_errno(fsync(fd), ENOSPC);
    sim_clear();
    assert_ok(close(fd));
    assert_store("app", "k", "01234");
}

static void test_late_failure_outlives_a_childs_close(void **state)
{
    (void)state;
    start(NULL);
    int fd = harness_open("m/app/k", O_WRONLY | O_APPEND);
    put_lines(fd, THROUGH);
    sim_fault(NO_SPACE);
    put_lines(fd, 1);
    assert_soon(reported("commit"));
    run_child();
    assert_errno(fsync(fd), ENOSPC);
    sim_clear();
    assert_ok(close(fd));
    assert_true(stored_lines("k", THROUGH + 1));
}

static void test_every_close_tells(void **state)
{
    (void)state;
    start("commit=close");
    int fd = harness_open("m/app/k", O_WRONLY | O_APPEND);
    int same = dup(fd), third = dup(fd);
    put_lines(fd, 1);
    sim_fault(NO_SPACE);
    assert_errno(close(same), ENOSPC);
    assert_errno(close(fd), ENOSPC);
    sim_clear();
    assert_ok(close(third));
    assert_true(stored_lines("k", 1));
}

/* The idle commit is under way already, and fails while fsync waits for it. */
static void test_fsync_hears_of_the_commit_it_waits_for(void **state)
{
    (void)state;
    start("timeout=2");
    int fd = harness_open("m/app/k", O_WRONLY | O_APPEND);
    put_lines(fd, THROUGH);
    sim_fault("never-reply-before:command=datasets-set-entry:count=1");
    put_lines(fd, 1);
    assert_soon(sim_fired() == 1);
    assert_errno(fsync(fd), ETIMEDOUT);
    close(fd); /* it tells too if fsync's own time was over first */
}

/* rmdir commits first what waits, and fails with the first of it: the others are not given up. */
static void test_failed_rmdir_costs_only_what_hung(void **state)
{
    (void)state;
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    sim_start_rest(NULL);
    harness_start_source("m", sim_rest_source(), sim_rest_options("commit=close,timeout=2"));
    int first = harness_open("m/app/k", O_WRONLY | O_CREAT);
    int second = harness_open("m/app/l", O_WRONLY | O_CREAT);
    put_lines(first, 1);
    put_lines(second, 1);
    sim_fault("never-reply-before:command=rest-set:count=1");
    assert_errno(rmdir("m/app"), ETIMEDOUT);
    assert_int_equal(sim_fired(), 1);
    assert_ok(fsync(first)); /* nor is what hung: it is tried again */
    assert_ok(fsync(second));
    assert_true(stored_lines("k", 1) && stored_lines("l", 1));
    assert_ok(close(first));
    assert_ok(close(second));
}

/* Nor because a cut code point was met first, which is a failure of its own. */
static void test_failed_rmdir_after_cut_text(void **state)
{
    (void)state;
    enum { FILES = 5 };
    int fds[FILES], kept = 0;
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    sim_start_rest(NULL);
    harness_start_source("m", sim_rest_source(), sim_rest_options("commit=close,timeout=2"));
    for (int i = 0; i < FILES; i++) {
        char path[32];
        snprintf(path, sizeof path, "m/app/n%d", i);
        fds[i] = harness_open(path, O_WRONLY | O_CREAT);
        harness_put(fds[i], i == 0 ? "\xc3" : LINE);
    }
    sim_fault("never-reply-before:command=rest-set");
    assert_errno(rmdir("m/app"), ETIMEDOUT);
    sim_clear();
    for (int i = 1; i < FILES; i++)
        kept += fsync(fds[i]) == 0;
    assert_int_equal(kept, FILES - 1);
    assert_errno(close(fds[0]), EILSEQ);
    for (int i = 1; i < FILES; i++)
        assert_ok(close(fds[i]));
}

/* --- where no worker is free, or none reads any more --- */

/* Two commits that hang, one after the other, keep the only worker from the RELEASE of a new file.
 * False if that was there before the second: the fault has struck it instead. */
static bool release_waits(const char *key)
{
    char path[64], logged[64];
    snprintf(path, sizeof path, "m/app/%s", key);
    snprintf(logged, sizeof logged, "command=datasets-set-entry dataset=\"app\" keys=1 [\"%s\"]",
             key);
    int first = open_soon("m/app/k", O_WRONLY | O_APPEND);
    int second = open_soon("m/app/l", O_WRONLY | O_APPEND);
    int made = open_soon(path, O_WRONLY | O_CREAT);
    uint64_t fired = sim_fired();
    put_lines(first, THROUGH);
    put_lines(second, THROUGH);
    sim_fault("never-reply-before:command=datasets-set-entry:count=2");
    put_lines(first, 1);
    put_lines(second, 1);
    assert_soon(sim_fired() == fired + 1);
    assert_ok(close(made));
    assert_soon(sim_fired() == fired + 2);
    bool waited = sim_log_count(logged) == 0;
    assert_errno(fsync(first), ETIMEDOUT);
    if (fsync(second) != 0)
        assert_int_equal(errno, ETIMEDOUT);
    else
        waited = false;
    if (waited)
        assert_soon(peer_has("app", key, ""));
    assert_ok(close(first));
    close(second); /* it tells too if fsync's own time was over first */
    return waited;
}

/* Nobody waits for a RELEASE: it may stay in the queue for longer than the timeout. */
static void test_release_waits_for_a_worker(void **state)
{
    static const char *const keys[] = {"made", "made2", "made3", "made4", "made5"};
    (void)state;
    bool waited = false;
    struct harness_daemon *daemon = start("max_threads=2,timeout=1");
    for (size_t i = 0; i < sizeof keys / sizeof *keys && !waited; i++)
        waited = release_waits(keys[i]);
    assert_true(waited);
    harness_stop(daemon);
}

static void *sync_thread(void *fd)
{
    return (void *)(intptr_t)(fsync(*(int *)fd) == 0 ? 0 : errno);
}

static int read_inherited(void *fd)
{
    char byte;
    return pread(*(int *)fd, &byte, 1, 0) < 0;
}

static unsigned thread_count(pid_t pid)
{
    char path[64];
    unsigned count = 0;
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *tasks = opendir(path);
    while (tasks && readdir(tasks))
        count++;
    if (tasks)
        closedir(tasks);
    return count;
}

/* The mount ends while a commit hangs, and somebody reads the file whose data is lost then. The
 * kernel keeps that READ, which nobody takes any more, and waits for it before it forgets pages. */
static void test_end_with_lost_pages(void **state)
{
    (void)state;
    struct harness_daemon *daemon = start("timeout=2");
    pid_t pid = daemon->worker;
    daemon->status = HARNESS_LOST;
    int fd = harness_open("m/app/k", O_WRONLY | O_TRUNC);
    put_lines(fd, THROUGH);
    int reader = harness_open("m/app/k", O_RDONLY);
    sim_fault("never-reply-before:command=datasets-set-entry");
    put_lines(fd, 1);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, sync_thread, &fd), 0);
    assert_soon(sim_fired() == 1);
    unsigned threads = thread_count(pid);
    assert_ok(kill(pid, SIGTERM));
    assert_soon(thread_count(pid) + 2 <= threads); /* nobody reads requests any more */
    pid_t child = harness_fork(read_inherited, &reader);
    harness_stop(daemon);
    void *error = NULL;
    pthread_join(thread, &error);
    assert_int_equal((intptr_t)error, ETIMEDOUT);
    assert_true(harness_wait_child(child, HARNESS_SOON_MS, false) >= 0);
    close(reader);
    close(fd);
}

/* One request that is never answered costs what it was about, and nothing else. */
static void test_end_goes_on_after_a_silent_request(void **state)
{
    (void)state;
    enum { FILES = 4 };
    struct harness_daemon *daemon = start("commit=close,timeout=2");
    size_t kept = 0;
    daemon->status = HARNESS_LOST;
    int fds[FILES];
    char key[16], path[32];
    for (int i = 0; i < FILES; i++) {
        snprintf(path, sizeof path, "m/app/end%d", i);
        fds[i] = harness_open(path, O_WRONLY | O_CREAT);
        put_lines(fds[i], 1);
    }
    sim_fault("never-reply-before:command=datasets-set-entry:count=1");
    harness_stop(daemon);
    for (int i = 0; i < FILES; i++) {
        snprintf(key, sizeof key, "end%d", i);
        kept += stored_lines(key, 1);
        close(fds[i]);
    }
    assert_int_equal(kept, FILES - 1);
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
    HARNESS_TEST(test_commit_by_a_childs_close),
    HARNESS_TEST(test_truncation_by_a_childs_close),
    HARNESS_TEST(test_late_failure_outlives_a_childs_close),
    HARNESS_TEST(test_every_close_tells),
    HARNESS_TEST(test_fsync_hears_of_the_commit_it_waits_for),
    HARNESS_TEST(test_failed_rmdir_costs_only_what_hung),
    HARNESS_TEST(test_failed_rmdir_after_cut_text),
    HARNESS_TEST(test_release_waits_for_a_worker),
    HARNESS_TEST(test_end_with_lost_pages),
    HARNESS_TEST(test_end_goes_on_after_a_silent_request),
};

HARNESS_MAIN(tests)
