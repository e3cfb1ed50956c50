/* Gathered data whose commit comes late, at a close or at the mount's end, and fails. Nothing that
 * was acknowledged may be lost without somebody being told. */
#include "late.h"

#include "peer.h"
#include "sim.h"
#include "sim_rest.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

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
    late_start("commit=close");
    int fd = harness_open("m/app/k", O_WRONLY | O_APPEND);
    late_put(fd, 1);
    sim_fault(NO_SPACE ":count=1");
    run_child();
    assert_int_equal(sim_fired(), 1);
    assert_true(late_stored("k", 0));
    late_put(fd, 1);
    assert_ok(close(fd));
    assert_true(late_stored("k", 2));
}

static void test_truncation_by_a_childs_close(void **state)
{
    (void)state;
    late_start("commit=close");
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
    late_start(NULL);
    int fd = harness_open("m/app/k", O_WRONLY | O_APPEND);
    late_put(fd, LATE_THROUGH);
    sim_fault(NO_SPACE);
    late_put(fd, 1);
    assert_soon(late_reported("commit"));
    run_child();
    assert_errno(fsync(fd), ENOSPC);
    sim_clear();
    assert_ok(close(fd));
    assert_true(late_stored("k", LATE_THROUGH + 1));
}

static void test_every_close_tells(void **state)
{
    (void)state;
    late_start("commit=close");
    int fd = harness_open("m/app/k", O_WRONLY | O_APPEND);
    int same = dup(fd), third = dup(fd);
    late_put(fd, 1);
    sim_fault(NO_SPACE);
    assert_errno(close(same), ENOSPC);
    assert_errno(close(fd), ENOSPC);
    sim_clear();
    assert_ok(close(third));
    assert_true(late_stored("k", 1));
}

/* The idle commit is under way already, and fails while fsync waits for it. */
static void test_fsync_hears_of_the_commit_it_waits_for(void **state)
{
    (void)state;
    late_start("timeout=2");
    int fd = harness_open("m/app/k", O_WRONLY | O_APPEND);
    late_put(fd, LATE_THROUGH);
    sim_fault("never-reply-before:command=datasets-set-entry:count=1");
    late_put(fd, 1);
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
    late_put(first, 1);
    late_put(second, 1);
    sim_fault("never-reply-before:command=rest-set:count=1");
    assert_errno(rmdir("m/app"), ETIMEDOUT);
    assert_int_equal(sim_fired(), 1);
    assert_ok(fsync(first)); /* nor is what hung: it is tried again */
    assert_ok(fsync(second));
    assert_true(late_stored("k", 1) && late_stored("l", 1));
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
        harness_put(fds[i], i == 0 ? "\xc3" : LATE_LINE);
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
    int first = late_open("m/app/k", O_WRONLY | O_APPEND);
    int second = late_open("m/app/l", O_WRONLY | O_APPEND);
    int made = late_open(path, O_WRONLY | O_CREAT);
    uint64_t fired = sim_fired();
    late_put(first, LATE_THROUGH);
    late_put(second, LATE_THROUGH);
    sim_fault("never-reply-before:command=datasets-set-entry:count=2");
    late_put(first, 1);
    late_put(second, 1);
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
    struct harness_daemon *daemon = late_start("max_threads=2,timeout=1");
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
    struct harness_daemon *daemon = late_start("timeout=2");
    pid_t pid = daemon->worker;
    daemon->status = HARNESS_LOST;
    int fd = harness_open("m/app/k", O_WRONLY | O_TRUNC);
    late_put(fd, LATE_THROUGH);
    int reader = harness_open("m/app/k", O_RDONLY);
    sim_fault("never-reply-before:command=datasets-set-entry");
    late_put(fd, 1);
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
    struct harness_daemon *daemon = late_start("commit=close,timeout=2");
    size_t kept = 0;
    daemon->status = HARNESS_LOST;
    int fds[FILES];
    char key[16], path[32];
    for (int i = 0; i < FILES; i++) {
        snprintf(path, sizeof path, "m/app/end%d", i);
        fds[i] = harness_open(path, O_WRONLY | O_CREAT);
        late_put(fds[i], 1);
    }
    sim_fault("never-reply-before:command=datasets-set-entry:count=1");
    harness_stop(daemon);
    for (int i = 0; i < FILES; i++) {
        snprintf(key, sizeof key, "end%d", i);
        kept += late_stored(key, 1);
        close(fds[i]);
    }
    assert_int_equal(kept, FILES - 1);
}

static const struct CMUnitTest tests[] = {
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
