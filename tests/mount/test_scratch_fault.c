/* Temporary files when the host refuses, breaks off or is silent: kept, tried again, reported. */
#include "harness.h"

#include "peer.h"
#include "shell.h"
#include "sim.h"
#include "temporary.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define LATER "scratch_delay=3600"
#define SOON "scratch_delay=1"
#define SET "command=datasets-set-entry"
#define REMOVE "command=datasets-delete-entry"
#define NO_ROOM "error=unable-to-allocate:"

/* A guest's mount "m" over the simulated host, of a DataSet "app" with "k". */
static struct harness_daemon *start(const char *options)
{
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_set("app", "k", "old");
    sim_start(NULL);
    struct harness_daemon *daemon = harness_start_source("m", sim_source(), options);
    assert_content("m/app/k", "old");
    return daemon;
}

static void assert_fired(uint64_t count)
{
    assert_int_equal(sim_fired(), count);
    sim_clear();
}

static void test_rename_refused(void **state)
{
    (void)state;
    start(LATER);
    temporary_leave("m/app/.k.Ab12cd", "new");
    sim_fault(NO_ROOM SET ":count=1");
    assert_errno(rename("m/app/.k.Ab12cd", "m/app/k"), ENOSPC);
    assert_fired(1);
    assert_content("m/app/.k.Ab12cd", "new");
    assert_content("m/app/k", "old");
    assert_ok(rename("m/app/.k.Ab12cd", "m/app/k"));
    assert_store("app", "k", "new");
}

/* The reply is lost, or the request: done once, and well. */
static void test_rename_broken(void **state)
{
    static const char *const faults[] = {"close:" SET ":count=1", "close-before:" SET ":count=1"};
    (void)state;
    start(LATER);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        temporary_leave("m/app/.k.Ab12cd", i == 0 ? "first" : "second");
        uint64_t fired = sim_fired();
        sim_fault("%s", faults[i]);
        assert_ok(rename("m/app/.k.Ab12cd", "m/app/k"));
        assert_int_equal(sim_fired() - fired, 1);
        sim_clear();
        assert_store("app", "k", i == 0 ? "first" : "second");
        assert_errno(access("m/app/.k.Ab12cd", F_OK), ENOENT);
    }
}

static void test_left_retried(void **state)
{
    (void)state;
    struct harness_daemon *daemon = start(SOON);
    sim_fault(NO_ROOM SET ":count=2");
    temporary_leave("m/app/.k.Ab12cd", "left");
    assert_soon(temporary_listed("/app/.k.Ab12cd\t4\t") && temporary_listed("\tfailed: "));
    assert_content("m/app/.k.Ab12cd", "left");
    assert_soon(peer_has("app", ".k.Ab12cd", "left"));
    assert_soon(!temporary_listed(".k.Ab12cd"));
    assert_fired(2);
    assert_sh_ok("dash", "1\n", "grep -c 'publish.*/app/.k.Ab12cd.ENOSPC' m/.datasetfs/errors");
    harness_stop(daemon);
}

/* The store's words break no line and no field of it. */
static void test_left_words(void **state)
{
    (void)state;
    start(SOON);
    sim_fault("rpc-error=some\x1f\twords:" SET);
    temporary_leave("m/app/.k.Ab12cd", "left");
    assert_soon(temporary_listed("\tfailed: "));
    assert_true(temporary_listed("some??words\n"));
    sim_clear();
}

/* The next try comes although somebody has the file open when it would be time. */
static void test_left_retried_after_another(void **state)
{
    (void)state;
    start(SOON);
    sim_fault(NO_ROOM SET ":count=1");
    temporary_leave("m/app/.k.Ab12cd", "left");
    assert_soon(temporary_listed("\tfailed: "));
    int fd = harness_open("m/app/.k.Ab12cd", O_RDWR);
    int64_t until_ms = harness_now_ms() + 1500; /* the pause is a second */
    assert_soon(harness_now_ms() > until_ms);
    assert_not_in_store("app", ".k.Ab12cd");
    assert_ok(close(fd));
    assert_soon(peer_has("app", ".k.Ab12cd", "left"));
    assert_fired(1);
}

static int hold_back(void *key)
{
    char from[64], to[64];
    snprintf(from, sizeof from, "m/app/%s", (const char *)key);
    snprintf(to, sizeof to, "m/app/%s~", (const char *)key);
    return rename(from, to) == 0 ? 0 : errno;
}

/* Takes all the room that is left while a rename waits, unless the rename was there first. */
static bool rename_comes_late(int fd, unsigned delay_ms)
{
    enum { MIB = 1024 * 1024 };
    char key[16], path[64];
    snprintf(key, sizeof key, "k%u", delay_ms);
    snprintf(path, sizeof path, "m/app/%s", key);
    peer_set("app", key, "old");
    assert_content(path, "old");
    snprintf(path, sizeof path, "m/app/%s~", key);
    assert_ok(ftruncate(fd, (off_t)61 * MIB));
    harness_outlive_attributes();
    /* The kernel looks the new name up; then the rename asks for the key. */
    uint64_t fired = sim_fired();
    sim_fault("delay=%u:command=datasets-get-entry:skip=1:count=1", delay_ms);
    pid_t pid = harness_fork(hold_back, key);
    assert_soon(sim_fired() > fired);
    off_t full = temporary_fill(fd);
    assert_int_equal(harness_wait_child(pid, HARNESS_SOON_MS, false), 0);
    assert_content(path, "old");
    assert_errno(ftruncate(fd, full + 1), ENOSPC);
    assert_ok(ftruncate(fd, 0));
    /* What the rename took came on top of what was full already. */
    bool late = ftruncate(fd, full) == -1;
    assert_true(!late || errno == ENOSPC);
    assert_ok(ftruncate(fd, (off_t)61 * MIB));
    assert_ok(unlink(path));
    return late;
}

/* The limit for all holds also where a rename comes to its room after it was taken. */
static void test_limit_is_exceeded(void **state)
{
    (void)state;
    bool late = false;
    start(LATER ",timeout=60");
    int fd = temporary_make("m/app/.k.swp", "");
    for (unsigned delay_ms = 1000; delay_ms <= 16000 && !late; delay_ms *= 2)
        late = rename_comes_late(fd, delay_ms);
    assert_true(late);
    assert_ok(close(fd));
    assert_ok(unlink("m/app/.k.swp"));
}

/* The end of the mount is the last try. */
static void test_left_lost(void **state)
{
    (void)state;
    struct harness_daemon *daemon = start(SOON);
    sim_fault(NO_ROOM SET);
    assert_ok(rename("m/app/k", "m/app/k~"));
    temporary_leave("m/app/.k.Ab12cd", "left");
    assert_soon(temporary_listed("/app/.k.Ab12cd\t4\t") && temporary_listed("\tfailed: "));
    daemon->status = HARNESS_LOST;
    harness_stop(daemon);
    assert_sh_ok("dash", "1\n", "grep -c 'temporary file app/.k.Ab12cd is lost: ' %s", daemon->log);
    assert_sh_ok("dash", "1\n", "grep -c 'app/k could not be renamed to app/k~: ' %s", daemon->log);
    assert_store("app", "k", "old");
    assert_int_equal(peer_keys("app"), 1);
}

/* All of it takes longer than one operation may, but none does. */
static void test_left_slow(void **state)
{
    enum { FILES = 6 };
    char name[32];

    (void)state;
    struct harness_daemon *daemon = start("scratch_delay=3600,timeout=2");
    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof name, "m/app/.k.Ab12c%d", i);
        temporary_leave(name, "left");
    }
    sim_fault("delay=500:" SET);
    harness_stop(daemon);
    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof name, ".k.Ab12c%d", i);
        assert_store("app", name, "left");
    }
}

/* The removal of what was renamed away fails: nothing is different then. */
static void test_unlink_refused(void **state)
{
    (void)state;
    start(LATER);
    assert_ok(rename("m/app/k", "m/app/k~"));
    sim_fault(NO_ROOM REMOVE ":count=1");
    assert_errno(unlink("m/app/k~"), ENOSPC);
    assert_fired(1);
    assert_content("m/app/k~", "old");
    assert_errno(access("m/app/k", F_OK), ENOENT);
    assert_store("app", "k", "old");
    assert_ok(unlink("m/app/k~"));
    assert_int_equal(peer_keys("app"), 0);
}

/* Each second step fails once. */
static void test_second_step(void **state)
{
    (void)state;
    start(LATER);
    assert_ok(rename("m/app/k", "m/app/k~"));
    sim_fault(NO_ROOM REMOVE ":count=1");
    assert_errno(rename("m/app/k~", "m/app/n"), ENOSPC);
    assert_fired(1);
    assert_sh_ok("dash", "1\n", "grep -c 'but the old key remains' m/.datasetfs/errors");
    assert_content("m/app/n", "old");
    assert_content("m/app/k~", "old");
    assert_errno(access("m/app/k", F_OK), ENOENT);
    assert_ok(rename("m/app/k~", "m/app/n"));
    assert_int_equal(peer_keys("app"), 1);
    assert_store("app", "n", "old");
}

static void test_second_step_of_left(void **state)
{
    (void)state;
    struct harness_daemon *daemon = start(SOON);
    sim_fault(NO_ROOM REMOVE ":count=1");
    assert_ok(rename("m/app/k", "m/app/k~"));
    assert_soon(temporary_listed("\tfailed: "));
    assert_fired(1);
    assert_store("app", "k~", "old");
    assert_store("app", "k", "old");
    assert_soon(peer_lacks("app", "k"));
    assert_soon(!temporary_listed("k~"));
    assert_content("m/app/k~", "old");
    harness_stop(daemon);
}

/* A new value that the host refuses leaves the old one where it was put. */
static void test_made_again_refused(void **state)
{
    (void)state;
    start(LATER);
    assert_ok(rename("m/app/k", "m/app/k~"));
    sim_fault(NO_ROOM SET ":count=1");
    assert_int_equal(harness_write("m/app/k", O_CREAT, "new"), -ENOSPC);
    assert_fired(1);
    assert_soon(access("m/app/k", F_OK) == -1 && errno == ENOENT);
    assert_content("m/app/k~", "old");
    assert_store("app", "k", "old");
    assert_int_equal(harness_write("m/app/k", O_CREAT, "new"), 0);
    assert_store("app", "k", "new");
    assert_ok(unlink("m/app/k~"));
    assert_store("app", "k", "new");
}

/* The host need not answer for what is in memory, and does not hold up the end for ever. */
static void test_silent(void **state)
{
    char got[8];
    (void)state;
    struct harness_daemon *daemon = start(LATER ",timeout=2");
    int fd = temporary_make("m/app/.k.swp", "swap");
    sim_fault("never-reply");
    assert_int_equal(write(fd, "ped", 3), 3);
    assert_ok(fsync(fd));
    assert_int_equal(pread(fd, got, sizeof got, 0), 7);
    assert_ok(ftruncate(fd, 4));
    assert_ok(close(fd));
    assert_content("m/app/.k.swp", "swap");
    daemon->status = HARNESS_LOST;
    harness_stop(daemon);
    assert_sh_ok("dash", "1\n", "grep -c 'temporary file app/.k.swp is lost: ' %s", daemon->log);
}

static const struct CMUnitTest tests[] = {
    HARNESS_TEST(test_rename_refused),
    HARNESS_TEST(test_rename_broken),
    HARNESS_TEST(test_left_retried),
    HARNESS_TEST(test_left_words),
    HARNESS_TEST(test_left_retried_after_another),
    HARNESS_TEST(test_limit_is_exceeded),
    HARNESS_TEST(test_left_lost),
    HARNESS_TEST(test_left_slow),
    HARNESS_TEST(test_unlink_refused),
    HARNESS_TEST(test_second_step),
    HARNESS_TEST(test_second_step_of_left),
    HARNESS_TEST(test_made_again_refused),
    HARNESS_TEST(test_silent),
};

HARNESS_MAIN(tests)
