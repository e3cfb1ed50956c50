/* The daemon's end, by SIGKILL under load and by signals that it may answer. */
#include "harness.h"

#include "cleanup.h"
#include "peer.h"
#include "shell.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define WRITERS 8
#define ENOUGH 50 /* acknowledged writes per writer before the kill */

/* Writes keys and appends lines until it fails, noting in "acked.N" what was acknowledged. */
static int write_until_error(void *argument)
{
    unsigned number = *(const unsigned *)argument;
    char path[64];
    snprintf(path, sizeof path, "acked.%u", number);
    int notes = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (notes < 0)
        return 1;
    for (unsigned i = 0;; i++) {
        char text[64];
        snprintf(path, sizeof path, "m/app/key.%u.%u", number, i);
        snprintf(text, sizeof text, "value %u.%u", number, i);
        if (harness_write(path, O_CREAT, text) != 0)
            return 0;
        snprintf(text, sizeof text, "line %u.%u\n", number, i);
        if (harness_write("m/app/log", O_CREAT | O_APPEND, text) != 0)
            return 0;
        if (write(notes, "x", 1) != 1)
            return 1;
    }
}

static bool size_reached(unsigned number, off_t size)
{
    char path[64];
    snprintf(path, sizeof path, "acked.%u", number);
    struct stat status;
    return stat(path, &status) == 0 && status.st_size >= size;
}

static void assert_acknowledged(void)
{
    char *log DS_AUTO_FREE = peer_get("app", "log");
    assert_non_null(log);
    for (unsigned number = 0; number < WRITERS; number++) {
        char path[64];
        snprintf(path, sizeof path, "acked.%u", number);
        off_t acked = harness_size(path);
        for (unsigned i = 0; i < (unsigned)acked; i++) {
            char value[64];
            snprintf(path, sizeof path, "m/app/key.%u.%u", number, i);
            snprintf(value, sizeof value, "value %u.%u", number, i);
            assert_content(path, value);
            assert_store("app", strrchr(path, '/') + 1, value);
            char line[64];
            snprintf(line, sizeof line, "line %u.%u\n", number, i);
            const char *at = strstr(log, line);
            assert_non_null(at);
            assert_null(strstr(at + 1, line));
        }
    }
}

static void test_kill_under_load(void **state)
{
    (void)state;
    struct harness_daemon *daemon = harness_start_app(NULL);
    unsigned numbers[WRITERS];
    pid_t pids[WRITERS];
    for (unsigned i = 0; i < WRITERS; i++) {
        numbers[i] = i;
        pids[i] = harness_fork(write_until_error, &numbers[i]);
    }
    for (unsigned i = 0; i < WRITERS; i++)
        assert_soon(size_reached(i, ENOUGH));
    harness_kill(daemon);
    for (unsigned i = 0; i < WRITERS; i++)
        assert_int_equal(harness_wait_child(pids[i], HARNESS_SOON_MS, false), 0);
    assert_errno(access("m/app", F_OK), ENOTCONN);
    assert_sh_ok("dash", "", "umount -l m");
    assert_false(harness_mounted("m", NULL, 0));
    harness_start("m", NULL);
    assert_acknowledged();
    assert_sh_ok("dash", "", "echo on > m/app/k");
    assert_store("app", "k", "on\n");
}

/* Started on what a killed daemon has left behind: says so and what to do. */
static void test_stale_mount_point(void **state)
{
    harness_kill(harness_start_app(NULL));
    assert_true(harness_mounted("m", NULL, 0));
    const struct shell_result *ran = shell_run(*state, "$DATASETFS %s m", HARNESS_SOURCE);
    assert_int_equal(ran->status, 32);
    assert_non_null(strstr(ran->err, "umount"));
    assert_non_null(strstr(ran->err, "m"));
    char *newline = strchr(ran->err, '\n');
    assert_true(newline && newline[1] == '\0');
    assert_sh_ok(*state, "", "umount m");
    harness_start("m", NULL);
    assert_sh_ok(*state, "x\n", "echo x > m/app/k && cat m/app/k");
}

/* Bytes that were written but are not yet a whole value are lost with the daemon; the old value is
 * not. */
static void test_kill_with_pending_truncation(void **state)
{
    (void)state;
    struct harness_daemon *daemon = harness_start_app(NULL);
    peer_set("app", "k", "old");
    int fd = harness_open("m/app/k", O_WRONLY | O_TRUNC);
    harness_kill(daemon);
    assert_errno(write(fd, "x", 1), ENOTCONN);
    close(fd);
    assert_store("app", "k", "old");
    assert_int_equal(umount2("m", MNT_DETACH), 0);
}

static void end_by(int signal_number)
{
    struct harness_daemon *daemon = harness_start_app(NULL);
    peer_set("app", "k", "old");
    int truncated = harness_open("m/app/k", O_WRONLY | O_TRUNC);
    int created = harness_open("m/app/new", O_WRONLY | O_CREAT);
    int written = harness_open("m/app/w", O_WRONLY | O_CREAT);
    assert_int_equal(write(written, "data", 4), 4);
    harness_stop_by(daemon, signal_number);
    assert_store("app", "k", "");
    assert_store("app", "new", "");
    assert_store("app", "w", "data");
    close(truncated);
    close(created);
    close(written);
    assert_errno(access("m/app", F_OK), ENOENT);
    harness_start("m", NULL);
    assert_content("m/app/w", "data");
}

static void test_sigterm_commits(void **state)
{
    (void)state;
    end_by(SIGTERM);
}

static void test_sigint_commits(void **state)
{
    (void)state;
    end_by(SIGINT);
}

static void test_umount(void **state)
{
    struct harness_daemon *daemon = harness_start_app(NULL);
    assert_sh_ok(*state, "", "echo x > m/app/k && : > m/app/empty");
    assert_sh_fails(*state, "busy", "cd m/app && umount ../../m");
    assert_sh_ok(*state, "", "umount m");
    harness_stop_by(daemon, 0);
    assert_store("app", "k", "x\n");
    assert_store("app", "empty", "");
}

static void test_shell_with_open_descriptor(void **state)
{
    struct harness_daemon *daemon = harness_start_app(NULL);
    peer_set("app", "k", "old");
    assert_sh_ok(*state, "", "mkfifo go");
    pid_t pid = shell_spawn(*state, "exec 3> m/app/k; : > opened; cat go");
    assert_soon(access("opened", F_OK) == 0);
    assert_store("app", "k", "old");
    harness_stop(daemon);
    assert_store("app", "k", "");
    assert_sh_ok(*state, "", ": > go");
    assert_int_equal(shell_wait(pid), 0);
}

static const struct CMUnitTest tests[] = {
    HARNESS_TEST(test_kill_under_load),
    HARNESS_SHELLS(test_stale_mount_point),
    HARNESS_TEST(test_kill_with_pending_truncation),
    HARNESS_TEST(test_sigterm_commits),
    HARNESS_TEST(test_sigint_commits),
    HARNESS_SHELLS(test_umount),
    HARNESS_SHELLS(test_shell_with_open_descriptor),
};

HARNESS_MAIN(tests)
