/* A store that refuses for a while what open files have written: each line whose write succeeded
 * stands there exactly once in the end, and none of those that failed. */
#include "harness.h"

#include "buf.h"
#include "cleanup.h"
#include "peer.h"
#include "shell.h"
#include "sim.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How the file is written to. */
struct way {
    const char *name;
    int flags;
    bool syncs, closes; /* after each line: fsync, or the close of another descriptor */
    const char *options;
};

static const struct way ways[] = {
    {"write", O_WRONLY | O_CREAT | O_TRUNC, false, false, NULL},
    {"append", O_WRONLY | O_CREAT | O_APPEND, false, false, NULL},
    {"read and write", O_RDWR | O_CREAT | O_TRUNC, false, false, NULL},
    {"write, fsync", O_WRONLY | O_CREAT | O_TRUNC, true, false, NULL},
    {"append, fsync", O_WRONLY | O_CREAT | O_APPEND, true, false, NULL},
    {"write, close", O_WRONLY | O_CREAT | O_TRUNC, false, true, NULL},
    {"append, close", O_WRONLY | O_CREAT | O_APPEND, false, true, NULL},
    {"write at close", O_WRONLY | O_CREAT | O_TRUNC, false, true, "commit=close"},
    {"append at close", O_WRONLY | O_CREAT | O_APPEND, false, true, "commit=close"},
};

#define WAYS (sizeof ways / sizeof *ways)

/* Writes a line and notes it if that succeeded. 0, or the errno of the write or of what follows. */
static int write_line(const struct way *way, int fd, int number, struct ds_buf *good)
{
    char line[32];
    int len = snprintf(line, sizeof line, "line %d\n", number), err = 0;

    if (write(fd, line, (size_t)len) != len)
        return errno;
    assert_int_equal(ds_buf_append(good, line, (size_t)len), 0);
    if (way->syncs)
        err = fsync(fd) ? errno : 0;
    if (way->closes)
        err = close(dup(fd)) ? errno : 0;
    return err;
}

static void write_lines(const struct way *way, int fd, int from, int count, struct ds_buf *good)
{
    for (int i = 0; i < count; i++)
        assert_int_equal(write_line(way, fd, from + i, good), 0);
}

static void assert_good_lines(const struct way *way, const char *key, const struct ds_buf *good)
{
    if (!peer_has("app", key, good->data))
        print_error("%s:\n", way->name);
    assert_store("app", key, good->data);
}

/* Another mount takes the access away and gives it back. */
static void test_access(void **state)
{
    enum { BEFORE = 20, REFUSED = 30, AFTER = 20 };

    (void)state;
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    harness_start("m", NULL);
    harness_start("n", "commit=close");
    for (size_t i = 0; i < WAYS; i++) {
        const struct way *way = &ways[i];
        struct ds_buf good DS_CLEANUP(ds_buf_free) = {0};
        char key[16], path[32];
        int failed = 0;

        snprintf(key, sizeof key, "k%zu", i);
        snprintf(path, sizeof path, "%s/app/%s", way->options ? "n" : "m", key);
        int fd = harness_open(path, way->flags);
        write_lines(way, fd, 0, BEFORE, &good);
        peer_access("app", DS_ACCESS_READ_ONLY, DS_ACCESS_READ_ONLY);
        for (int j = 0; j < REFUSED; j++) {
            int err = write_line(way, fd, BEFORE + j, &good);

            assert_true(err == 0 || err == EACCES);
            failed += err != 0;
        }
        assert_in_range(failed, 1, REFUSED);
        assert_errno(fsync(fd), EACCES);
        assert_errno(close(dup(fd)), EACCES);
        peer_access("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
        write_lines(way, fd, BEFORE + REFUSED, AFTER, &good);
        assert_ok(close(fd));
        assert_good_lines(way, key, &good);
        harness_prolong();
    }
}

/* The shell's log. The access goes and comes when the script has got so far. */
static void test_shell_log(void **state)
{
    static const char *const redirections[] = {">", ">>"};

    (void)state;
    harness_start_app(NULL);
    for (size_t i = 0; i < sizeof redirections / sizeof *redirections; i++) {
        pid_t pid = shell_spawn("bash",
                                "exec 3%s m/app/log; n=0; until [ -e stop ]; do n=$((n + 1)); "
                                "if echo line $n >&3 2>/dev/null; then echo line $n >> good; "
                                "else echo line $n >> bad; fi; done; exec 3>&-",
                                redirections[i]);

        assert_soon(shell_run("dash", "[ $(wc -l < good) -gt 40 ]")->status == 0);
        peer_access("app", DS_ACCESS_READ_ONLY, DS_ACCESS_READ_ONLY);
        assert_soon(shell_run("dash", "[ $(wc -l < bad) -gt 5 ]")->status == 0);
        peer_access("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
        assert_sh_ok("dash", "", "wc -l < good > then");
        assert_soon(shell_run("dash", "[ $(wc -l < good) -gt $(($(cat then) + 20)) ]")->status ==
                    0);
        assert_sh_ok("dash", "", ": > stop");
        assert_int_equal(shell_wait(pid), 0);
        assert_sh_ok("dash", "", "cmp good m/app/log; rm good bad stop then m/app/log");
        harness_prolong();
    }
}

/* "app" on a simulated host that can be told to fail. */
static void start_host(const char *options)
{
    if (!peer_query("app", &(struct ds_attributes){0}))
        peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    sim_start(NULL);
    harness_start_source("m", sim_source(), options);
}

/* Each reason to refuse. */
static void test_reasons(void **state)
{
    static const struct {
        const char *id;
        int error;
    } reasons[] = {{"permission-denied", EACCES},
                   {"unable-to-allocate", ENOSPC},
                   {"not-allowed-in-current-state", EBUSY},
                   {"invalid-argument", EINVAL},
                   {"unsupported", EOPNOTSUPP}};

    (void)state;
    start_host(NULL);
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        for (size_t j = 0; j < 3; j++) {
            struct ds_buf good DS_CLEANUP(ds_buf_free) = {0};
            const struct way *way = &ways[j];
            int fd = harness_open("m/app/k", way->flags);

            write_lines(way, fd, 0, 18, &good);
            sim_fault("error=%s:command=datasets-set-entry", reasons[i].id);
            for (int number = 18; number < 24; number++) {
                int err = write_line(way, fd, number, &good);

                assert_true(err == 0 || err == reasons[i].error);
            }
            assert_errno(fsync(fd), reasons[i].error);
            assert_int_equal(write_line(way, fd, 24, &good), reasons[i].error);
            sim_clear();
            write_lines(way, fd, 25, 3, &good);
            assert_ok(close(fd));
            assert_good_lines(way, "k", &good);
            assert_ok(unlink("m/app/k"));
            harness_prolong();
        }
}

static size_t occurrences(const char *text, const char *line)
{
    size_t count = 0;

    for (const char *at = strstr(text, line); at; at = strstr(at + 1, line))
        count++;
    return count;
}

/* An append of which nobody knows whether it was made is not made again: what succeeded stands
 * there once, what failed at most once. */
static void test_in_doubt(void **state)
{
    static const char *const faults[] = {"never-reply", "never-reply-before"};
    enum { LINES = 12, STRUCK = 5 };

    (void)state;
    start_host("timeout=1");
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        char line[32];
        int fd = harness_open("m/app/k", O_WRONLY | O_CREAT | O_APPEND);

        for (int number = 0; number < LINES; number++) {
            int len = snprintf(line, sizeof line, "line %d.\n", number);

            if (number == STRUCK)
                sim_fault("%s:command=datasets-set-entry:count=1", faults[i]);
            if (number == STRUCK)
                assert_errno(write(fd, line, (size_t)len), ETIMEDOUT);
            else
                assert_int_equal(write(fd, line, (size_t)len), len);
            sim_clear();
        }
        assert_ok(close(fd));
        char *text DS_AUTO_FREE = peer_get("app", "k");
        assert_non_null(text);
        for (int number = 0; number < LINES; number++) {
            snprintf(line, sizeof line, "line %d.\n", number);
            if (number == STRUCK)
                assert_in_range(occurrences(text, line), 0, 1);
            else
                assert_int_equal(occurrences(text, line), 1);
        }
        assert_ok(unlink("m/app/k"));
        harness_prolong();
    }
}

/* A set of which nobody knows whether it was made is put right: the line that failed is not there.
 */
static void test_set_in_doubt(void **state)
{
    (void)state;
    start_host("timeout=1");
    const struct way *way = &ways[0];
    struct ds_buf good DS_CLEANUP(ds_buf_free) = {0};
    int fd = harness_open("m/app/k", way->flags);

    write_lines(way, fd, 0, 5, &good);
    sim_fault("never-reply:command=datasets-set-entry:count=1");
    assert_errno(write(fd, "failed\n", 7), ETIMEDOUT);
    assert_store("app", "k", "line 0\nline 1\nline 2\nline 3\nline 4\nfailed\n");
    assert_ok(close(fd));
    assert_good_lines(way, "k", &good);

    /* Also for a truncation. */
    fd = harness_open("m/app/k", O_WRONLY);
    sim_fault("never-reply:command=datasets-set-entry:count=1");
    assert_errno(ftruncate(fd, 7), ETIMEDOUT);
    assert_store("app", "k", "line 0\n");
    assert_ok(close(fd));
    assert_good_lines(way, "k", &good);
}

/* A truncation that is refused takes nothing with it of what was gathered before. */
static void test_refused_truncation(void **state)
{
    (void)state;
    start_host(NULL);
    const struct way *way = &ways[0];
    struct ds_buf good DS_CLEANUP(ds_buf_free) = {0};
    int fd = harness_open("m/app/k", way->flags);

    write_lines(way, fd, 0, 18, &good);
    sim_fault("error=unable-to-allocate:command=datasets-set-entry");
    assert_errno(ftruncate(fd, 7), ENOSPC);
    assert_errno(ftruncate(fd, 0), ENOSPC);
    assert_int_equal(harness_size("m/app/k"), good.len);
    sim_clear();
    assert_ok(close(fd));
    assert_good_lines(way, "k", &good);
}

static int write_slowly(void *argument)
{
    const int *fd = argument;

    return pwrite(*fd, "REFUSED", 7, 0) == -1 ? errno : 0;
}

/* While a write waits for the store, nobody reads what may yet be refused. */
static void test_is_not_seen(void **state)
{
    static const int flags[] = {O_WRONLY, O_WRONLY | O_APPEND};
    char text[16];

    (void)state;
    start_host(NULL);
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        peer_set("app", "k", "accepted");
        int reader = harness_open("m/app/k", O_RDONLY);
        int fd = harness_open("m/app/k", flags[i]);

        harness_assert_handle(reader, "accepted");
        sim_fault("delay-before=2000:command=datasets-set-entry:count=1");
        uint64_t fired = sim_fired();
        pid_t pid = harness_fork(write_slowly, &fd);
        assert_soon(sim_fired() > fired);
        harness_outlive_attributes();
        assert_int_equal(harness_size("m/app/k"), 8);
        harness_assert_handle(reader, "accepted");
        assert_ok(posix_fadvise(reader, 0, 0, POSIX_FADV_DONTNEED));
        harness_assert_handle(reader, "accepted");
        assert_int_equal(harness_wait_child(pid, HARNESS_SOON_MS, false), 0);
        assert_ok(fsync(fd));
        harness_outlive_attributes();
        assert_int_equal(pread(reader, text, sizeof text, 0), i == 0 ? 8 : 15);
        sim_clear();
        assert_ok(close(fd));
        assert_ok(close(reader));
        harness_prolong();
    }
}

/* Refused through a file that is read too, the kernel forgets what it had put into its pages. */
static void test_is_not_read_afterwards(void **state)
{
    (void)state;
    start_host(NULL);
    peer_set("app", "k", "accepted");
    int reader = harness_open("m/app/k", O_RDONLY);
    int fd = harness_open("m/app/k", O_RDWR);

    harness_assert_handle(fd, "accepted");
    sim_fault("error=unable-to-allocate:command=datasets-set-entry");
    assert_errno(pwrite(fd, "REFUSED", 7, 0), ENOSPC);
    sim_clear();
    harness_assert_handle(fd, "accepted");
    harness_assert_handle(reader, "accepted");
    assert_ok(close(fd));
    assert_store("app", "k", "accepted");
    assert_ok(close(reader));
}

static const struct CMUnitTest tests[] = {
    HARNESS_TEST(test_access),       HARNESS_TEST(test_shell_log),
    HARNESS_TEST(test_reasons),      HARNESS_TEST(test_in_doubt),
    HARNESS_TEST(test_set_in_doubt), HARNESS_TEST(test_refused_truncation),
    HARNESS_TEST(test_is_not_seen),  HARNESS_TEST(test_is_not_read_afterwards),
};

HARNESS_MAIN(tests)
