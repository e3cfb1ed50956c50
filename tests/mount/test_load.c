/* Many at once, and a store that does not answer: nothing lost, nothing hung. */
#include "harness.h"

#include "cleanup.h"
#include "peer.h"
#include "shell.h"
#include "stats.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROCESSES 64
#define LINES 5u
#define THREADS 4
#define WRITERS (THREADS + 10)

struct worker {
    const char *point;
    unsigned number;
};

/* Appends LINES lines to one key and writes a key of its own; an errno. */
static int work(void *argument)
{
    const struct worker *worker = argument;
    char path[64];
    char line[64];
    for (unsigned i = 0; i < LINES; i++) {
        snprintf(path, sizeof path, "%s/app/log", worker->point);
        snprintf(line, sizeof line, "line %u of process %u\n", i, worker->number);
        int error = harness_write(path, O_APPEND | O_CREAT, line);
        if (error)
            return -error;
        snprintf(path, sizeof path, "%s/app/key%u", worker->point, worker->number);
        snprintf(line, sizeof line, "value %u\n", i);
        error = harness_write(path, O_CREAT | O_TRUNC, line);
        if (error)
            return -error;
        char got[64];
        if (harness_read(path, got, sizeof got) != (ssize_t)strlen(line) || strcmp(got, line) != 0)
            return EBADMSG;
    }
    return 0;
}

/* How often `line` stands in `text` as a whole line. */
static unsigned occurrences(const char *text, const char *line)
{
    unsigned count = 0;
    for (const char *at = text; (at = strstr(at, line)); at++)
        count += at == text || at[-1] == '\n';
    return count;
}

static void run_workers(const char *even, const char *odd)
{
    struct worker workers[PROCESSES];
    pid_t pids[PROCESSES];
    for (unsigned i = 0; i < PROCESSES; i++) {
        workers[i] = (struct worker){.point = i % 2 ? odd : even, .number = i};
        pids[i] = harness_fork(work, &workers[i]);
    }
    for (unsigned i = 0; i < PROCESSES; i++)
        assert_int_equal(harness_wait_child(pids[i], HARNESS_TEST_MS, false), 0);

    char *log DS_AUTO_FREE = peer_get("app", "log");
    assert_non_null(log);
    size_t expected_len = 0;
    for (unsigned i = 0; i < PROCESSES; i++) {
        char text[64];
        snprintf(text, sizeof text, "key%u", i);
        char value[64];
        snprintf(value, sizeof value, "value %u\n", LINES - 1);
        assert_store("app", text, value);
        for (unsigned j = 0; j < LINES; j++) {
            snprintf(text, sizeof text, "line %u of process %u\n", j, i);
            assert_int_equal(occurrences(log, text), 1);
            expected_len += strlen(text);
        }
    }
    assert_int_equal(strlen(log), expected_len);
    assert_int_equal(peer_keys("app"), PROCESSES + 1);
}

static void test_many_through_one_mount(void **state)
{
    (void)state;
    harness_start_app("timeout=60");
    run_workers("m", "m");
}

static void test_many_through_two_mounts(void **state)
{
    (void)state;
    if (harness_over_rest())
        skip(); /* has no append: two mounts that append at the same moment can lose lines */
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    harness_start("h", "timeout=60");
    harness_start("g", "timeout=60,side=guest");
    run_workers("h", "g");
}

static void test_many_shells(void **state)
{
    harness_start_app("timeout=60");
    assert_sh_ok(*state, "",
                 "for i in $(seq 64); do "
                 "{ echo $i > m/app/k$i; for j in 1 2 3; do echo $i.$j >> m/app/log; done; } & "
                 "done; wait");
    assert_sh_ok(*state, "192\n192\n", "wc -l < m/app/log; sort -u m/app/log | wc -l");
    assert_sh_ok(*state, "",
                 "for i in $(seq 64); do test \"$(cat m/app/k$i)\" = $i || echo $i; done");
    assert_int_equal(peer_keys("app"), 65);
}

static const char *const in_turn[] = {"first value", "other value"};

/* Readers of one key while one process overwrites it: each read(2) finds one of its values whole.
 */
static int read_whole(void *argument)
{
    for (unsigned i = 0; i < 100; i++) {
        char got[64] = "";
        int fd DS_AUTO_CLOSE = open(argument, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            return errno;
        ssize_t len = read(fd, got, sizeof got - 1);
        if (len < 0)
            return errno;
        if (strcmp(got, in_turn[0]) != 0 && strcmp(got, in_turn[1]) != 0)
            return EBADMSG;
    }
    return 0;
}

static int write_in_turn(void *argument)
{
    for (unsigned i = 0; i < 100; i++) {
        int error = harness_write(argument, 0, in_turn[i % 2]);
        if (error)
            return -error;
    }
    return 0;
}

static void test_readers_and_a_writer(void **state)
{
    (void)state;
    harness_start_app("timeout=60");
    peer_set("app", "k", in_turn[0]);
    char path[] = "m/app/k";
    pid_t pids[16];
    for (unsigned i = 0; i < 16; i++)
        pids[i] = harness_fork(i ? read_whole : write_in_turn, path);
    for (unsigned i = 0; i < 16; i++)
        assert_int_equal(harness_wait_child(pids[i], HARNESS_TEST_MS, false), 0);
    assert_store("app", "k", in_turn[1]);
}

static int write_one(void *argument)
{
    const struct worker *worker = argument;
    char path[64];
    snprintf(path, sizeof path, "%s/app/key%u", worker->point, worker->number);
    return -harness_write(path, O_TRUNC, "new");
}

/* The store is blocked and WRITERS processes wait in write(2): none has come back. */
static void block_writers(struct worker workers[WRITERS], pid_t pids[WRITERS])
{
    char key[16];
    for (unsigned i = 0; i < WRITERS; i++) {
        workers[i] = (struct worker){.point = "m", .number = i};
        snprintf(key, sizeof key, "key%u", i);
        peer_set("app", key, "old");
    }
    char path[64];
    for (unsigned i = 0; i < WRITERS; i++) {
        snprintf(path, sizeof path, "m/app/key%u", i);
        assert_content(path, "old");
    }
    assert_int_equal(harness_write("m/app/known", O_CREAT, "known"), 0);
    uint64_t writes = stats_counter("m", "datasetfs_fuse_requests_total{opcode=\"write\"}");
    peer_block();
    for (unsigned i = 0; i < WRITERS; i++)
        pids[i] = harness_fork(write_one, &workers[i]);
    assert_soon(stats_counter("m", "datasetfs_fuse_requests_total{opcode=\"write\"}") - writes ==
                WRITERS);
}

static void assert_all_waiting(const pid_t *pids, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_int_equal(waitpid(pids[i], NULL, WNOHANG), 0);
}

static int look(void *argument)
{
    struct stat status;
    struct statvfs room;
    char text[16384];
    (void)argument;
    if (stat("m/app/known", &status) != 0 || status.st_size != 5 || stat("m/app", &status) != 0)
        return errno;
    if (statvfs("m", &room) != 0)
        return errno;
    return harness_read("m/.datasetfs/stats", text, sizeof text) > 0 ? 0 : EIO;
}

static void test_blocked_store_blocks_nobody_else(void **state)
{
    (void)state;
    harness_start_app("max_threads=4,timeout=3600");
    struct worker workers[WRITERS];
    pid_t pids[WRITERS];
    block_writers(workers, pids);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(harness_in_child(0, look, NULL), 0);
        harness_outlive_attributes();
    }
    assert_all_waiting(pids, WRITERS);
    peer_unblock();
    for (unsigned i = 0; i < WRITERS; i++)
        assert_int_equal(harness_wait_child(pids[i], HARNESS_SOON_MS, false), 0);
    for (unsigned i = 0; i < WRITERS; i++) {
        char key[16];
        snprintf(key, sizeof key, "key%u", i);
        assert_store("app", key, "new");
    }
}

/* Whoever waits, with us or queued behind others, dies of its signal while the store still hangs.
 */
static void test_waiting_process_can_be_killed(void **state)
{
    (void)state;
    struct harness_daemon *daemon = harness_start_app("max_threads=4,timeout=3600");
    struct worker workers[WRITERS];
    pid_t pids[WRITERS];
    block_writers(workers, pids);
    for (unsigned i = 0; i < WRITERS; i += 2) {
        int signal_number = i % 4 ? SIGTERM : SIGKILL;
        kill(pids[i], signal_number);
        assert_int_equal(harness_wait_child(pids[i], HARNESS_SOON_MS, false), 128 + signal_number);
    }
    for (unsigned i = 1; i < WRITERS; i += 2)
        assert_all_waiting(&pids[i], 1);
    peer_unblock();
    for (unsigned i = 1; i < WRITERS; i += 2)
        assert_int_equal(harness_wait_child(pids[i], HARNESS_SOON_MS, false), 0);
    /* And the mount goes on, though the store may count as lost for a second. */
    assert_soon(harness_write("m/app/known", O_TRUNC, "after") == 0);
    assert_store("app", "known", "after");
    harness_stop(daemon); /* whatever the killed have left waiting is committed now */
    for (unsigned i = 0; i < WRITERS; i++) {
        char key[16];
        snprintf(key, sizeof key, "key%u", i);
        if (i % 2)
            assert_store("app", key, "new");
        else
            assert_true(peer_has("app", key, "old") || peer_has("app", key, "new"));
    }
}

static void test_deadline(void **state)
{
    if (harness_over_rest())
        skip(); /* what has left may still be carried out when the store comes back */
    harness_start_app("timeout=1");
    assert_sh_ok(*state, "", "echo old > m/app/k");
    peer_block();
    assert_sh_fails(*state, "Resource temporarily unavailable", "env printf new > m/app/k");
    assert_sh_fails(*state, "Resource temporarily unavailable", "rm m/app/k");
    assert_sh_fails(*state, "Resource temporarily unavailable", "mkdir m/other");
    assert_errno(rename("m/app/k", "m/app/j"), EAGAIN);
    int fd = harness_open("m/app/k", O_WRONLY | O_APPEND);
    assert_errno(write(fd, "x", 1), EAGAIN);
    close(fd);
    peer_unblock();
    assert_store("app", "k", "old\n");
    assert_sh_ok(*state, "next\n",
                 "until { echo next > m/app/k; } 2> errors; do :; done; cat m/app/k");
    assert_int_equal(peer_keys("app"), 1);
}

static void test_deadline_of_queued_writers(void **state)
{
    (void)state;
    if (harness_over_rest())
        skip(); /* as above */
    struct harness_daemon *daemon = harness_start_app("max_threads=4,timeout=2");
    struct worker workers[WRITERS];
    pid_t pids[WRITERS];
    block_writers(workers, pids);
    for (unsigned i = 0; i < WRITERS; i++) {
        /* Those that were still waiting for a thread never asked the store. */
        int error = harness_wait_child(pids[i], HARNESS_SOON_MS, false);
        assert_true(error == EAGAIN || error == ETIMEDOUT);
    }
    peer_unblock();
    /* For a second the store may count as lost. */
    assert_soon(harness_write("m/app/key0", O_TRUNC, "after") == 0);
    harness_stop(daemon);
    assert_store("app", "key0", "after");
    for (unsigned i = 1; i < WRITERS; i++) {
        char key[16];
        snprintf(key, sizeof key, "key%u", i);
        assert_store("app", key, "old");
    }
}

static void test_end_while_blocked(void **state)
{
    (void)state;
    struct harness_daemon *daemon = harness_start_app("max_threads=4,timeout=2");
    struct worker workers[WRITERS];
    pid_t pids[WRITERS];
    block_writers(workers, pids);
    harness_stop(daemon);
    for (unsigned i = 0; i < WRITERS; i++) {
        int status = harness_wait_child(pids[i], HARNESS_SOON_MS, false);
        assert_true(status > 0 && status < 128);
    }
    peer_unblock();
    if (!harness_over_rest()) /* as above */
        assert_store("app", "key1", "old");
}

static const struct CMUnitTest tests[] = {
    HARNESS_TEST(test_many_through_one_mount),
    HARNESS_TEST(test_many_through_two_mounts),
    HARNESS_SHELLS(test_many_shells),
    HARNESS_TEST(test_readers_and_a_writer),
    HARNESS_TEST(test_blocked_store_blocks_nobody_else),
    HARNESS_TEST(test_waiting_process_can_be_killed),
    HARNESS_SHELLS(test_deadline),
    HARNESS_TEST(test_deadline_of_queued_writers),
    HARNESS_TEST(test_end_while_blocked),
};

HARNESS_MAIN(tests)
