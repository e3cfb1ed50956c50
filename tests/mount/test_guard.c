/* The daemon's parent and its second: nothing is left of a mount, however it ends. */
#include "harness.h"

#include "peer.h"
#include "shell.h"
#include "sim.h"

#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define USER 5 /* "games" */

/* No mount at the test's mount point, and no process of ours. */
static void assert_nothing_left(void)
{
    assert_soon(!harness_mounted("m", NULL, 0));
    assert_soon(waitpid(-1, NULL, WNOHANG) < 0);
    assert_ok(rmdir("m"));
}

static int mount_in_background(void *unused)
{
    (void)unused;
    execl(harness_binary(), "datasetfs", "local:s.db", "m", "-o", "commit=close", (char *)NULL);
    return 127;
}

struct family {
    pid_t guard, second, worker;
};

static struct family start_in_background(uid_t uid)
{
    struct family family = {0};
    assert_ok(mkdir("m", 0700));
    if (uid != 0)
        assert_sh_ok("dash", "", "chown %d . m s.db*", (int)uid);
    assert_int_equal(harness_in_child(uid, mount_in_background, NULL), 0);
    assert_int_equal(harness_children("datasetfs", &family.guard, 1), 1);
    assert_true(harness_find_family(family.guard, &family.second, &family.worker));
    return family;
}

static void make_app(void)
{
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_close();
}

/* Its parent unmounts and ends as it has. */
static void test_worker_is_killed(void **state)
{
    (void)state;
    make_app();
    struct family family = start_in_background(0);
    int fd = harness_open("m/app/k", O_WRONLY | O_CREAT); /* busy */
    int status = 0;
    assert_ok(kill(family.worker, SIGKILL));
    assert_int_equal(waitpid(family.guard, &status, 0), family.guard);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_nothing_left();
    close(fd);
    /* It can be mounted again at once. */
    start_in_background(0);
    assert_ok(umount2("m", 0));
    assert_nothing_left();
}

/* What waits is committed, and the parent's second unmounts. */
static void test_parent_is_killed(void **state)
{
    (void)state;
    make_app();
    struct family family = start_in_background(0);
    int fd = harness_open("m/app/k", O_WRONLY | O_CREAT);
    harness_put(fd, "kept");
    assert_ok(kill(family.guard, SIGKILL));
    assert_nothing_left();
    close(fd);
    assert_store("app", "k", "kept");
}

static void test_second_is_killed(void **state)
{
    (void)state;
    make_app();
    struct family family = start_in_background(0);
    assert_ok(kill(family.second, SIGKILL));
    assert_int_equal(harness_write("m/app/k", O_CREAT, "value"), 0);
    assert_ok(kill(family.guard, SIGTERM));
    assert_nothing_left();
}

/* A user's mount is undone by fusermount3, which needs the parent's rights, too. */
static void test_user(void **state)
{
    (void)state;
    struct stat status;
    bool named = getpwuid(USER) != NULL; // cppcheck-suppress getpwuidCalled
    if (access("/usr/bin/fusermount3", X_OK) != 0 || access("/etc/mtab", R_OK) != 0 || !named)
        skip();
    assert_ok(stat("/dev/fuse", &status));
    assert_ok(mknod("fuse", S_IFCHR | 0600, status.st_rdev));
    assert_ok(chmod("fuse", 0666));
    assert_ok(mount("fuse", "/dev/fuse", NULL, MS_BIND, NULL));
    make_app();
    struct family family = start_in_background(USER);
    assert_ok(kill(family.worker, SIGKILL));
    assert_nothing_left();
    family = start_in_background(USER);
    assert_ok(kill(family.guard, SIGTERM));
    assert_nothing_left();
    family = start_in_background(USER);
    assert_ok(kill(family.guard, SIGKILL));
    assert_nothing_left();
    assert_ok(umount2("/dev/fuse", 0));
}

/* A host that hangs holds up nothing for longer than its deadlines. */
static void test_silent_store(void **state)
{
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    sim_start(NULL);
    struct harness_daemon *daemon = harness_start_source("m", sim_source(), "timeout=2");
    sim_fault("never-reply");
    pid_t reader = shell_spawn(*state, "cat m/app/k");
    assert_soon(sim_fired() > 0);
    assert_ok(kill(daemon->worker, SIGKILL));
    daemon->status = 128 + SIGKILL;
    harness_stop_by(daemon, 0);
    assert_int_not_equal(shell_wait(reader), 0);
    assert_false(harness_mounted("m", NULL, 0));
}

/* Mounts have numbers that are given again at once: a daemon that ends late leaves the next one's
 * mount alone. */
static void test_next_mount_stays(void **state)
{
    for (int i = 0; i < 10; i++) {
        struct harness_daemon *daemon = harness_start("m", NULL);
        assert_ok(access("m/.datasetfs", F_OK)); /* it serves */
        assert_ok(kill(daemon->pid, SIGSTOP));
        assert_ok(umount2("m", 0));
        assert_sh_ok(*state, "", "$DATASETFS local:other.db m");
        assert_ok(kill(daemon->pid, SIGCONT));
        assert_int_equal(harness_wait_child(daemon->pid, HARNESS_SOON_MS, false), 0);
        close(daemon->pidfd);
        daemon->pid = 0;
        assert_true(harness_mounted("m", NULL, 0));
        assert_ok(umount2("m", 0));
        assert_soon(waitpid(-1, NULL, WNOHANG) < 0);
    }
}

/* One that has another number is left alone even where its own daemon is dead. */
static void test_dead_mount_stays(void **state)
{
    (void)state;
    struct harness_daemon *daemon = harness_start("m", NULL);
    assert_ok(access("m/.datasetfs", F_OK)); /* it serves */
    assert_ok(kill(daemon->pid, SIGSTOP));
    assert_ok(umount2("m", 0));
    harness_start_source("n", "local:n.db", NULL); /* takes the number */
    harness_kill(harness_start_source("m", "local:other.db", NULL));
    assert_ok(kill(daemon->pid, SIGCONT));
    assert_int_equal(harness_wait_child(daemon->pid, HARNESS_SOON_MS, false), 0);
    close(daemon->pidfd);
    daemon->pid = 0;
    assert_true(harness_mounted("m", NULL, 0));
    assert_ok(umount2("m", MNT_DETACH));
}

static const struct CMUnitTest tests[] = {
    HARNESS_TEST(test_worker_is_killed), HARNESS_TEST(test_parent_is_killed),
    HARNESS_TEST(test_second_is_killed), HARNESS_TEST(test_user),
    HARNESS_SHELLS(test_silent_store),   HARNESS_SHELLS(test_next_mount_stays),
    HARNESS_TEST(test_dead_mount_stays),
};

HARNESS_MAIN(tests)
