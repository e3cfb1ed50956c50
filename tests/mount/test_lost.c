/* A store that answers nothing at all: who comes after the first does not wait as long as he did.
 * What was sent is counted, since each that is sent waits. */
#include "harness.h"

#include "peer.h"
#include "shell.h"
#include "sim.h"
#include "temporary.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEYS = 10 };

static void make_keys(void)
{
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    for (int i = 0; i < KEYS; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", i);
        peer_set("app", key, "v");
    }
}

static void start(const char *options)
{
    make_keys();
    sim_start(NULL);
    harness_start_source("m", sim_source(), options);
    assert_sh_ok("bash", "10\n", "ls -l m/app | grep -c k");
}

static size_t unanswered(const char *command)
{
    return sim_log_count(command, "fault=never-reply-before");
}

/* Of ten rm those that ask first wait for the store, and for the others it is lost, but for a probe
 * now and then. What memory knows is shown meanwhile. Each says so in a file of its own: they end
 * at one moment and write their lines in pieces. */
static void test_removes(void **state)
{
    start("timeout=2");
    sim_fault("never-reply-before");
    assert_sh_ok(*state, "10\n",
                 "for i in $(seq 0 9); do rm m/app/k$i 2>said$i & done; wait; "
                 "cat said? | grep -c 'timed out'");
    assert_sh_ok(*state, "10\n", "ls m/app | wc -l");
    assert_true(unanswered("command=datasets-delete-entry") <= 4);
    sim_clear();
    assert_soon(shell_run("bash", "rm m/app/k0")->status == 0);
    assert_not_in_store("app", "k0");
    assert_sh_ok(*state, "9\n", "ls -l m/app | grep -c k");
}

/* So it is for readers and lookups, of keys that are known and others. */
static void test_reads(void **state)
{
    start("timeout=2");
    sim_fault("never-reply-before");
    for (int i = 0; i < 30; i++)
        assert_sh_fails(*state, "timed out", "cat m/app/%s%d", i % 2 ? "k" : "none", i % KEYS);
    assert_true(unanswered("command=datasets-get-entry") <= 8);
    for (int i = 0; i < KEYS; i++)
        assert_sh_ok(*state, "", "test -e m/app/k%d", i);
    assert_sh_ok(*state, "", "grep -q 'ETIMEDOUT.*asked once a second' m/.datasetfs/errors");
    sim_clear();
    assert_soon(shell_run("bash", "cat m/app/none 2>&1 | grep -q 'No such file'")->status == 0);
    assert_content("m/app/k1", "v");
}

/* Keys that are listed and of which nothing else is known, as after rm that were killed while they
 * looked: ls -l waits for one of them, and not for each in turn. */
static void test_listing_after_kills(void **state)
{
    make_keys();
    sim_start(NULL);
    harness_start_source("m", sim_source(), "timeout=2");
    assert_sh_ok(*state, "10\n", "ls m/app | wc -l");
    sim_fault("never-reply-before");
    shell_run(*state, "for i in $(seq 0 9); do timeout -s KILL 0.2 rm m/app/k$i; done 2>/dev/null");
    size_t before = unanswered("command=datasets-get-entry");
    shell_run(*state, "ls -l m/app >/dev/null 2>&1");
    shell_run(*state, "ls -l m/app >/dev/null 2>&1");
    assert_true(unanswered("command=datasets-get-entry") - before <= 5);
    sim_clear();
    assert_soon(shell_run("bash", "ls -l m/app >/dev/null 2>&1")->status == 0);
    assert_int_equal(peer_keys("app"), KEYS);
}

/* What nobody comes back to always waits and is sent: fsync and close, and what is left at the end.
 */
static void test_flushes(void **state)
{
    (void)state;
    start("timeout=2,commit=close,channels=4"); /* lest one waits for another's */
    sim_fault("never-reply-before");
    assert_sh_fails("bash", "timed out", "cat m/app/none");
    for (int i = 0; i < 3; i++) {
        size_t before = unanswered("command=datasets-set-entry");
        char path[32];
        snprintf(path, sizeof path, "m/app/k%d", i);
        int fd = harness_open(path, O_WRONLY | O_TRUNC);
        assert_int_equal(write(fd, "new", 3), 3);
        assert_errno(fsync(fd), ETIMEDOUT);
        assert_true(unanswered("command=datasets-set-entry") > before);
        close(fd);
    }
    sim_clear();
    assert_soon(harness_write("m/app/k9", O_TRUNC, "newer") == 0);
    assert_store("app", "k9", "newer");
}

/* Whoever shuts the system down waits for one deadline, and not for as many as there are files: one
 * is tried for so long, one more for a second, which is a quarter of it. */
static void test_end(void **state)
{
    (void)state;
    make_keys();
    sim_start(NULL);
    struct harness_daemon *daemon =
        harness_start_source("m", sim_source(), "timeout=4,scratch_delay=86400");
    for (int i = 0; i < KEYS; i++) {
        char path[32];
        snprintf(path, sizeof path, "m/app/.k.Ab12c%d", i);
        temporary_leave(path, "left");
    }
    sim_fault("never-reply-before");
    daemon->status = HARNESS_LOST;
    harness_stop(daemon);
    assert_sh_ok("dash", "10\n", "grep -c 'temporary file app/.* is lost: ' %s", daemon->log);
    assert_in_range(unanswered("command=datasets-set-entry"), 1, 2);
}

/* The next one asks at once, since it may have been that connection alone; and one answer, to
 * whomever, and the store is no longer lost. */
static void test_recovery(void **state)
{
    start("timeout=2");
    sim_fault("never-reply-before");
    assert_sh_fails(*state, "timed out", "cat m/app/none");
    sim_clear();
    for (int i = 0; i < KEYS; i++)
        assert_sh_ok(*state, "v", "cat m/app/k%d", i);
}

static const struct CMUnitTest tests[] = {
    HARNESS_SHELLS(test_removes),
    HARNESS_SHELLS(test_reads),
    HARNESS_SHELLS(test_listing_after_kills),
    HARNESS_TEST(test_flushes),
    HARNESS_TEST(test_end),
    HARNESS_SHELLS(test_recovery),
};

HARNESS_MAIN(tests)
