/* rename over the channel and over REST when a step fails, or its caller is killed. */
#include "harness.h"

#include "cleanup.h"
#include "peer.h"
#include "shell.h"
#include "sim.h"
#include "sim_rest.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A line of .datasetfs/errors that reports the key that remained. */
static void assert_reported(const char *path, const char *name)
{
    assert_sh_ok("bash", "", "grep rename m/.datasetfs/errors | tail -n 1 >line");
    assert_sh_ok("bash", "", "grep -q '%s' line && grep -q '%s' line", path, name);
    assert_sh_ok("bash", "", "grep -q 'the old key remains' line");
}

/* The store's own words for a removal that failed, by each protocol. */
static void second_step_fails(const char *source, const char *options, const char *fault,
                              const char *words)
{
    harness_start_source("m", source, options);
    peer_set("app", "a", "A");
    peer_set("app", "b", "B");
    int fd = harness_open("m/app/a", O_RDWR);
    sim_fault("%s", fault);
    assert_sh_fails("bash", "cannot move", "mv m/app/a m/app/b");
    sim_clear();
    assert_store("app", "a", "A");
    assert_store("app", "b", "A");
    assert_reported("/app/a", words);
    /* The open file is still the old key's, and the next try ends what was begun. */
    assert_ok(pwrite(fd, "X", 1, 0));
    assert_ok(close(fd));
    assert_store("app", "a", "X");
    assert_store("app", "b", "A");
    assert_ok(rename("m/app/a", "m/app/b"));
    assert_store("app", "b", "X");
    assert_int_equal(peer_keys("app"), 1);
}

static void test_second_step_fails_over_tools(void **state)
{
    (void)state;
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    sim_start(NULL);
    second_step_fails(sim_source(), NULL,
                      "rpc-error=the host is out of sorts:command=datasets-delete-entry",
                      "out of sorts");
}

static void test_second_step_fails_over_rest(void **state)
{
    (void)state;
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    sim_start_rest(NULL);
    second_step_fails(sim_rest_source(), sim_rest_options(NULL),
                      "error=INTERNAL_SERVER_ERROR:command=rest-remove", "a failure by order");
}

/* A guest's mount of "app" where "a" stands under the name `from`, which may be a temporary one. */
static void start_with_a(const char *from, const char *options)
{
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_set("app", "a", "A");
    sim_start(NULL);
    harness_start_source("m", sim_source(), options);
    if (strcmp(from, "m/app/a") != 0)
        assert_ok(rename("m/app/a", from));
    assert_store("app", "a", "A");
}

static void half_rename_to_b(const char *from)
{
    sim_fault("error=permission-denied:command=datasets-delete-entry:count=1");
    assert_errno(rename(from, "m/app/b"), EACCES);
    assert_store("app", "a", "A");
    assert_store("app", "b", "A");
}

static void over_gathered(const char *from)
{
    char got[8];

    start_with_a(from, "commit=close");
    peer_set("app", "b", "old");
    int appender = harness_open("m/app/b", O_WRONLY | O_APPEND);
    harness_put(appender, "tail");
    half_rename_to_b(from);
    assert_ok(fsync(appender));
    assert_store("app", "b", "A");
    harness_put(appender, "+");
    int writer = harness_open("m/app/b", O_RDWR);
    assert_store("app", "b", "A+");
    assert_ok(ftruncate(writer, 1));
    assert_ok(pwrite(writer, "X", 1, 0));
    harness_assert_handle(writer, "X"); /* and the kernel has it in a page, of the same size */
    half_rename_to_b(from);
    /* The kernel's pages go a moment later. */
    assert_soon(pread(writer, got, sizeof got, 0) == 1 && got[0] == 'A');
    harness_assert_handle(writer, "A");
    assert_ok(close(writer));
    assert_ok(close(appender));
    assert_store("app", "b", "A");
}

/* What was written before the rename has been overwritten by it, also what was only gathered. */
static void test_second_step_fails_over_gathered(void **state)
{
    (void)state;
    over_gathered("m/app/a");
}

static void test_second_step_of_temporary_fails_over_gathered(void **state)
{
    (void)state;
    over_gathered("m/app/a~");
}

static void over_pending(const char *from)
{
    start_with_a(from, NULL);
    int fd = harness_open("m/app/b", O_RDWR | O_CREAT);
    assert_errno(write(fd, "\xff", 1), EILSEQ);
    half_rename_to_b(from);
    assert_ok(pwrite(fd, "B", 1, 1));
    assert_store("app", "b", "AB");
    assert_ok(ftruncate(fd, 0));
    half_rename_to_b(from);
    assert_ok(close(fd));
    assert_store("app", "b", "A");
}

/* A creation or truncation that waited, or was refused, was before the rename too. */
static void test_second_step_fails_over_pending(void **state)
{
    (void)state;
    over_pending("m/app/a");
}

static void test_second_step_of_temporary_fails_over_pending(void **state)
{
    (void)state;
    over_pending("m/app/a~");
}

static int rename_to_new(void *unused)
{
    (void)unused;
    return renameat2(AT_FDCWD, "m/app/a", AT_FDCWD, "m/app/b", RENAME_NOREPLACE) == 0 ? 0 : errno;
}

/* The other side removes the key while the new one is asked for, and somebody sees that. */
static void test_removed_meanwhile(void **state)
{
    struct stat status;

    (void)state;
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_set("app", "a", "A");
    sim_start(NULL);
    harness_start_source("m", sim_source(), "channels=2");
    assert_ok(stat("m/app/a", &status));
    harness_outlive_attributes();
    /* The kernel looks the new name up; then the rename asks for the old one, and for the new one.
     */
    sim_fault("delay=2000:command=datasets-get-entry:skip=2:count=1");
    pid_t pid = harness_fork(rename_to_new, NULL);
    assert_soon(sim_fired() == 1);
    peer_remove("app", "a");
    harness_outlive_attributes();
    assert_errno(stat("m/app/a", &status), ENOENT);
    assert_int_equal(harness_wait_child(pid, HARNESS_SOON_MS, false), ENOENT);
    assert_int_equal(peer_keys("app"), 0);
}

/* Whoever kills mv between the two steps finds in the log that both keys are there. */
static void test_killed_between_the_steps(void **state)
{
    (void)state;
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    sim_start(NULL);
    harness_start_source("m", sim_source(), NULL);
    peer_set("app", "a", "A");
    sim_fault("delay=300:command=datasets-set-entry:count=1");
    pid_t pid = shell_spawn("dash", "exec mv m/app/a m/app/b");
    assert_soon(sim_fired() == 1);
    assert_ok(kill(pid, SIGKILL));
    assert_int_equal(shell_wait(pid), 128 + SIGKILL);
    assert_soon(shell_run("bash", "grep -q 'the old key remains' m/.datasetfs/errors")->status ==
                0);
    assert_store("app", "a", "A");
    assert_store("app", "b", "A");
}

/* A value that goes in parts and breaks off leaves the key that it was to replace as it was. */
static void test_broken_first_step_keeps_target(void **state)
{
    (void)state;
    char *large DS_AUTO_FREE = calloc(1, 200001);
    assert_non_null(large);
    memset(large, 'a', 200000);
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    sim_start(NULL);
    harness_start_source("m", sim_source(), NULL);
    peer_set("app", "large", large);
    peer_set("app", "k", "old");
    assert_content("m/app/k", "old");
    sim_fault("rpc-error=no room:command=datasets-set-entry:skip=2:count=1");
    assert_int_equal(rename("m/app/large", "m/app/k"), -1);
    assert_store("app", "large", large);
    assert_store("app", "k", "old");
    assert_content("m/app/k", "old");
    sim_fault("rpc-error=no room:command=datasets-set-entry:skip=2:count=1");
    assert_int_equal(rename("m/app/large", "m/app/new"), -1);
    assert_not_in_store("app", "new");
    assert_errno(access("m/app/new", F_OK), ENOENT);
}

static int rename_a_to_b(void *unused)
{
    (void)unused;
    return rename("m/app/a", "m/app/b") == 0 ? 0 : errno;
}

/* A rename whose caller is killed goes on without it. What others do to the old name meanwhile
 * must not hit the file under its new one. */
static void abandon_rename(void)
{
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    sim_start(NULL);
    harness_start_source("m", sim_source(), NULL);
    peer_set("app", "a", "A");
    assert_content("m/app/a", "A");
    sim_fault("delay=1000:command=datasets-delete-entry:count=1");
    pid_t mover = harness_fork(rename_a_to_b, NULL);
    assert_soon(sim_fired() == 1);
    assert_ok(kill(mover, SIGKILL));
    assert_int_equal(harness_wait_child(mover, HARNESS_SOON_MS, false), 128 + SIGKILL);
}

static void test_unlink_during_abandoned_rename(void **state)
{
    (void)state;
    abandon_rename();
    assert_errno(unlink("m/app/a"), ENOENT);
    assert_store("app", "b", "A");
    assert_content("m/app/b", "A");
}

static void test_rename_during_abandoned_rename(void **state)
{
    (void)state;
    abandon_rename();
    assert_errno(rename("m/app/a", "m/app/c"), ENOENT);
    assert_store("app", "b", "A");
    assert_int_equal(peer_keys("app"), 1);
}

static const struct CMUnitTest tests[] = {
    HARNESS_TEST(test_second_step_fails_over_tools),
    HARNESS_TEST(test_second_step_fails_over_rest),
    HARNESS_TEST(test_second_step_fails_over_gathered),
    HARNESS_TEST(test_second_step_of_temporary_fails_over_gathered),
    HARNESS_TEST(test_second_step_fails_over_pending),
    HARNESS_TEST(test_second_step_of_temporary_fails_over_pending),
    HARNESS_TEST(test_removed_meanwhile),
    HARNESS_TEST(test_killed_between_the_steps),
    HARNESS_TEST(test_broken_first_step_keeps_target),
    HARNESS_TEST(test_unlink_during_abandoned_rename),
    HARNESS_TEST(test_rename_during_abandoned_rename),
};

HARNESS_MAIN(tests)
