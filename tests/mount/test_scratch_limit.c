/* The limit of temporary files: what counts, and that it holds for memory too. */
#include "harness.h"

#include "peer.h"
#include "shell.h"
#include "stats.h"
#include "temporary.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Long enough that only the end of the mount publishes. */
#define LATER "scratch_delay=3600"

enum { KIB = 1024, MIB = 1024 * 1024, LIMIT_MIB = 64 };

/* What the daemon has allocated. */
static long memory_kib(const struct harness_daemon *daemon)
{
    const struct shell_result *result =
        shell_run("dash", "awk '/^RssAnon/ {print $2}' /proc/%d/status", daemon->worker);

    return strtol(result->out, NULL, 10);
}

/* What is cut off is given back, and not only no longer counted. */
static void test_cut_files_take_no_memory(void **state)
{
    enum { FILES = 10 };

    (void)state;
    if (HARNESS_SLOWNESS > 1)
        skip(); /* the sanitizers keep what is freed */
    struct harness_daemon *daemon = harness_start_app(LATER);
    long before = memory_kib(daemon);
    int fds[FILES];
    for (int i = 0; i < FILES; i++) {
        char path[64];

        snprintf(path, sizeof path, "m/app/.k.Ab12c%d", i);
        fds[i] = temporary_make(path, "");
        assert_ok(ftruncate(fds[i], (off_t)(LIMIT_MIB - FILES) * MIB));
        assert_ok(ftruncate(fds[i], i % 2 == 0 ? 0 : MIB));
    }
    assert_in_range(memory_kib(daemon) - before, 0, LIMIT_MIB * KIB);
    for (int i = 0; i < FILES; i++)
        assert_ok(close(fds[i]));
    daemon->status = HARNESS_LOST; /* NUL bytes are no text */
}

/* Leaves room for a few names, that is for at most so many KiB. */
static int leave_room(int room_kib)
{
    int fd = temporary_make("m/app/.k.swp", "");

    off_t full = temporary_fill(fd);

    assert_ok(ftruncate(fd, 0)); /* where little is cut off, it may be kept in reserve */
    assert_ok(ftruncate(fd, full - (off_t)room_kib * KIB));
    return fd;
}

static uint64_t forgotten(void)
{
    return stats_counter("m", "datasetfs_fuse_requests_total{opcode=\"forget\"}");
}

static int make_empty(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);

    return fd < 0 ? -1 : close(fd);
}

static int make_lock(const char *path)
{
    return mkdir(path, 0700);
}

/* Makes names until there is room for no more; `pattern` has a place for a number. The room is
 * there again when one is removed. */
static void assert_limited(const char *pattern, int (*make)(const char *path),
                           int (*remove_name)(const char *path))
{
    enum { ROOM_KIB = 16 };
    char path[64];
    int count = 0;

    int fd = leave_room(ROOM_KIB);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    for (; snprintf(path, sizeof path, pattern, count), make(path) == 0; count++)
        assert_true(count < ROOM_KIB);
    assert_int_equal(errno, ENOSPC);
    assert_true(count > 0);
    snprintf(path, sizeof path, pattern, 0);
#pragma GCC diagnostic pop
    uint64_t before = forgotten();
    assert_ok(remove_name(path));
    assert_soon(forgotten() > before);
    assert_ok(make(path));
    assert_ok(close(fd));
    assert_ok(unlink("m/app/.k.swp"));
}

static void test_empty_files_are_limited(void **state)
{
    (void)state;
    harness_start_app(LATER);
    assert_limited("m/app/.k.Ab%04d", make_empty, unlink);
    assert_sh_ok("dash", "", "grep -q 'create.*/app/.k.Ab00...ENOSPC' m/.datasetfs/errors");
}

static void test_lock_directories_are_limited(void **state)
{
    (void)state;
    harness_start_app(LATER);
    assert_limited("m/app/%d.lock", make_lock, rmdir);
    assert_sh_ok("dash", "", "grep -q 'mkdir.*/app/.*.lock.ENOSPC' m/.datasetfs/errors");
}

/* A key that was renamed to a temporary name counts twice: what the store has is remembered, for
 * as long as the content is here. */
static void test_held_keys_are_limited(void **state)
{
    enum { FREE_MIB = 3 };

    (void)state;
    harness_start_app(LATER);
    int fd = leave_room(FREE_MIB * KIB);
    assert_sh_ok("dash", "", "head -c %d /dev/zero | tr '\\0' a > m/app/k", MIB - KIB);
    assert_sh_ok("dash", "", "cp m/app/k m/app/l");
    assert_ok(rename("m/app/k", "m/app/k~"));
    assert_not_in_store("app", "k~");
    assert_ok(truncate("m/app/k~", 0));
    assert_ok(rename("m/app/l", "m/app/l~")); /* no room for it: an ordinary one */
    assert_not_in_store("app", "l");
    assert_sh_ok("dash", "", "echo new > m/app/k"); /* the old value is not needed any more */
    assert_ok(rename("m/app/l~", "m/app/l"));
    assert_ok(rename("m/app/l", "m/app/l~"));
    assert_not_in_store("app", "l~");
    assert_ok(close(fd));
    assert_ok(unlink("m/app/.k.swp"));
}

/* Whatever the limit: what is here can be renamed and removed. */
static void test_full(void **state)
{
    (void)state;
    harness_start_app(LATER);
    peer_set("app", "k", "old");
    temporary_leave("m/app/.k.Ab12cd", "new");
    int fd = temporary_make("m/app/.k.swp", "");
    temporary_fill(fd);
    assert_errno(open("m/app/.l.Ab12cd", O_RDWR | O_CREAT | O_EXCL, 0600), ENOSPC);
    assert_ok(rename("m/app/.k.Ab12cd", "m/app/k~"));
    assert_ok(rename("m/app/k~", "m/app/k"));
    assert_store("app", "k", "new");
    assert_int_equal(harness_write("m/app/k", O_TRUNC, "newer"), 0);
    assert_int_equal(harness_write("m/app/.l.Ab12cd", O_CREAT, "a key"), 0);
    assert_store("app", ".l.Ab12cd", "a key");
    assert_ok(unlink("m/app/.k.swp"));
    assert_ok(close(fd));
}

static const struct CMUnitTest tests[] = {
    HARNESS_TEST(test_cut_files_take_no_memory),
    HARNESS_TEST(test_empty_files_are_limited),
    HARNESS_TEST(test_lock_directories_are_limited),
    HARNESS_TEST(test_held_keys_are_limited),
    HARNESS_TEST(test_full),
};

HARNESS_MAIN(tests)
