/* rename: what it does to the store, to open files, and what it leaves behind when it fails. */
#include "harness.h"

#include "peer.h"
#include "shell.h"
#include "stats.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void make_other(enum ds_access access)
{
    peer_create("other", access, access);
}

static void test_rename(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_create("other", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_set("app", "a", "A");
    peer_set("app", "b", "B");
    assert_int_equal(rename("m/app/a", "m/app/new"), 0);
    assert_store("app", "new", "A");
    assert_not_in_store("app", "a");
    assert_content("m/app/new", "A");
    assert_int_equal(rename("m/app/new", "m/app/b"), 0);
    assert_store("app", "b", "A");
    assert_not_in_store("app", "new");
    assert_int_equal(rename("m/app/b", "m/other/c"), 0);
    assert_store("other", "c", "A");
    assert_not_in_store("app", "b");
    assert_int_equal(rename("m/other/c", "m/other/c"), 0);
    assert_content("m/other/c", "A");
    assert_errno(rename("m/app/missing", "m/app/x"), ENOENT);
    assert_errno(rename("m/other/c", "m/missing/c"), ENOENT);
    assert_store("other", "c", "A");
}

static void test_rename_flags(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_set("app", "a", "A");
    peer_set("app", "b", "B");
    assert_errno(renameat2(AT_FDCWD, "m/app/a", AT_FDCWD, "m/app/b", RENAME_NOREPLACE), EEXIST);
    assert_errno(renameat2(AT_FDCWD, "m/app/a", AT_FDCWD, "m/app/b", RENAME_EXCHANGE), EINVAL);
    assert_store("app", "a", "A");
    assert_store("app", "b", "B");
    assert_int_equal(renameat2(AT_FDCWD, "m/app/a", AT_FDCWD, "m/app/c", RENAME_NOREPLACE), 0);
    assert_store("app", "c", "A");
    /* The other side's key counts too. */
    peer_set("app", "d", "D");
    assert_errno(renameat2(AT_FDCWD, "m/app/c", AT_FDCWD, "m/app/d", RENAME_NOREPLACE), EEXIST);
}

static void test_rename_refused(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_create("other", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_set("app", "k", "v");
    assert_errno(rename("m/app", "m/renamed"), EPERM);
    assert_errno(rename("m/app", "m/other"), EPERM);
    assert_errno(rename("m/app", "m/other/app"), EPERM);
    assert_errno(rename("m/app/k", "m/k"), EPERM);
    assert_errno(rename("m/app/k", "m/other"), EISDIR);
    assert_errno(rename("m/app/k", "k"), EXDEV);
    assert_store("app", "k", "v");
    assert_int_equal(peer_keys("other"), 0);
}

static void test_rename_of_open_file(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_set("app", "a", "old");
    int fd = harness_open("m/app/a", O_RDWR);
    assert_int_equal(rename("m/app/a", "m/app/b"), 0);
    assert_int_equal(pwrite(fd, "new", 3, 0), 3);
    assert_int_equal(close(fd), 0);
    assert_store("app", "b", "new");
    assert_not_in_store("app", "a");

    /* Dirty: the rename commits first. */
    fd = harness_open("m/app/b", O_WRONLY | O_TRUNC);
    assert_int_equal(rename("m/app/b", "m/app/c"), 0);
    assert_store("app", "c", "");
    harness_put(fd, "after");
    assert_int_equal(close(fd), 0);
    assert_store("app", "c", "after");
    assert_not_in_store("app", "b");
    fd = harness_open("m/app/tmp", O_WRONLY | O_CREAT | O_EXCL);
    harness_put(fd, "whole");
    assert_int_equal(rename("m/app/tmp", "m/app/c"), 0);
    assert_int_equal(close(fd), 0);
    assert_store("app", "c", "whole");
    assert_int_equal(peer_keys("app"), 1);
}

static void test_rename_over_open_file(void **state)
{
    (void)state;
    struct harness_daemon *daemon = harness_start_app(NULL);
    peer_set("app", "a", "A");
    peer_set("app", "b", "B");
    int fd = harness_open("m/app/b", O_RDWR);
    assert_int_equal(rename("m/app/a", "m/app/b"), 0);
    harness_assert_handle(fd, "B");
    assert_int_equal(pwrite(fd, "lost", 4, 0), 4);
    harness_assert_handle(fd, "lost");
    assert_int_equal(close(fd), 0);
    assert_content("m/app/b", "A");
    harness_stop(daemon);
    assert_store("app", "b", "A");
}

/* What a key becomes by mv(1), with and without a key of that name, in one DataSet and in two. */
static void test_mv(void **state)
{
    harness_start_app(NULL);
    make_other(DS_ACCESS_READ_WRITE);
    peer_set("app", "a", "A");
    peer_set("other", "a", "old");
    assert_sh_ok(*state, "A", "mv m/app/a m/app/b && cat m/app/b");
    assert_sh_ok(*state, "A", "mv m/app/b m/other/a && cat m/other/a");
    assert_int_equal(peer_keys("app"), 0);
    assert_int_equal(peer_keys("other"), 1);
    assert_store("other", "a", "A");
    assert_sh_ok(*state, "A", "mv m/other/a m/app && cat m/app/a && ls m/other");
    assert_sh_fails(*state, "same file", "mv m/app/a m/app/a");
    peer_set("app", "b", "B");
    assert_sh_ok(*state, "A", "mv -n m/app/a m/app/b 2>/dev/null; cat m/app/a");
    assert_store("app", "b", "B");
    assert_sh_fails(*state, "Operation not permitted", "mv m/app m/renamed");
    assert_sh_ok(*state, "app\nother\n", "ls m");
}

static void test_rename_to_itself(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_set("app", "k", "v");
    int fd = harness_open("m/app/k", O_WRONLY | O_TRUNC);
    uint64_t before = stats_changes("m");
    assert_ok(rename("m/app/k", "m/app/k"));
    assert_int_equal(stats_changes("m"), before);
    assert_store("app", "k", "v"); /* the truncation waits on */
    harness_put(fd, "w");
    assert_ok(close(fd));
    assert_store("app", "k", "w");
}

/* Refused with nothing done. */
static void assert_rename_refused(const char *from, const char *to)
{
    uint64_t before = stats_changes("m");
    assert_errno(rename(from, to), EACCES);
    assert_int_equal(stats_changes("m"), before);
    assert_sh_fails("bash", "Permission denied", "mv %s %s", from, to);
}

static void test_rename_between_accesses(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_create("ro", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_create("none", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_set("app", "k", "v");
    peer_set("app", "j", "w");
    peer_set("ro", "k", "old");
    peer_set("none", "k", "old");
    peer_access("ro", DS_ACCESS_READ_ONLY, DS_ACCESS_READ_ONLY);
    int fd = harness_open("m/app/k", O_RDWR);
    assert_rename_refused("m/app/k", "m/ro/new");
    assert_rename_refused("m/app/k", "m/ro/k");
    assert_rename_refused("m/ro/k", "m/app/k");
    assert_rename_refused("m/ro/k", "m/app/new");
    assert_rename_refused("m/ro/k", "m/ro/new");
    assert_errno(renameat2(AT_FDCWD, "m/app/k", AT_FDCWD, "m/ro/new", RENAME_NOREPLACE), EACCES);
    assert_ok(pwrite(fd, "V", 1, 0));
    assert_ok(close(fd));
    assert_store("app", "k", "V");
    assert_store("ro", "k", "old");
    assert_int_equal(peer_keys("app"), 2);
    assert_int_equal(peer_keys("ro"), 1);
}

/* The mount believes that it may write, the store knows better: the first step is refused. */
static void test_refused_by_store(void **state)
{
    (void)state;
    harness_start_app(NULL);
    make_other(DS_ACCESS_READ_WRITE);
    peer_set("app", "k", "v");
    peer_set("other", "k", "old");
    assert_content("m/app/k", "v");
    assert_content("m/other/k", "old");
    peer_access("other", DS_ACCESS_READ_ONLY, DS_ACCESS_READ_ONLY);
    assert_errno(rename("m/app/k", "m/other/k"), EACCES);
    assert_store("app", "k", "v");
    assert_store("other", "k", "old");
    assert_content("m/app/k", "v");
    assert_content("m/other/k", "old");
}

/* A line of .datasetfs/errors that reports the key that remained. */
static void assert_reported(const char *path, const char *name)
{
    assert_sh_ok("bash", "", "grep rename m/.datasetfs/errors | tail -n 1 >line");
    assert_sh_ok("bash", "", "grep -q '%s' line && grep -q '%s' line", path, name);
    assert_sh_ok("bash", "", "grep -q 'the old key remains' line");
}

static void test_second_step_refused(void **state)
{
    harness_start_app(NULL);
    make_other(DS_ACCESS_READ_WRITE);
    peer_set("app", "k", "v");
    peer_set("app", "j", "w");
    peer_set("other", "k", "old");
    assert_content("m/app/k", "v");
    int fd = harness_open("m/other/k", O_RDONLY);
    peer_access("app", DS_ACCESS_READ_ONLY, DS_ACCESS_READ_ONLY);
    assert_sh_fails(*state, "Permission denied", "mv m/app/k m/other/k");
    assert_store("app", "k", "v");
    assert_store("other", "k", "v");
    assert_content("m/app/k", "v");
    assert_content("m/other/k", "v");
    assert_ok(close(fd));
    assert_reported("/app/k", "EACCES");
    assert_soon(harness_mode("m/app/k") == 0400);
    assert_errno(rename("m/app/j", "m/other/j"), EACCES);
    assert_int_equal(peer_keys("app"), 2);
    assert_int_equal(peer_keys("other"), 1);
}

/* What cannot be committed cannot be renamed: the error is rename's, and both keys stay. */
static void test_rename_of_dirty_file_fails(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_set("app", "b", "B");
    int fd = harness_open("m/app/a", O_RDWR | O_CREAT);
    harness_put(fd, "caf\xc3");
    assert_errno(rename("m/app/a", "m/app/b"), EILSEQ);
    assert_store("app", "b", "B");
    harness_put(fd, "\xa9");
    assert_ok(rename("m/app/a", "m/app/b"));
    assert_store("app", "b", "caf\xc3\xa9");
    assert_not_in_store("app", "a");

    /* Pages of a map that have come in and are no text. */
    char *map = mmap(NULL, 5, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_true(map != MAP_FAILED);
    map[0] = '\xff';
    assert_ok(sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER));
    assert_errno(rename("m/app/b", "m/app/c"), EILSEQ);
    assert_ok(munmap(map, 5));
    close(fd);
    assert_store("app", "b", "caf\xc3\xa9");
    assert_not_in_store("app", "c");
}

static void test_rename_commit_refused(void **state)
{
    (void)state;
    harness_start_app(NULL);
    make_other(DS_ACCESS_READ_WRITE);
    peer_set("app", "k", "old");
    int fd = harness_open("m/app/k", O_WRONLY | O_TRUNC);
    assert_errno(access("m/other/k", F_OK), ENOENT);
    peer_access("app", DS_ACCESS_READ_ONLY, DS_ACCESS_READ_ONLY);
    assert_errno(rename("m/app/k", "m/other/k"), EACCES);
    assert_store("app", "k", "old");
    assert_int_equal(peer_keys("other"), 0);
    close(fd);
    assert_soon(harness_size("m/app/k") == 3); /* RELEASE comes after close(2) has returned */
    assert_content("m/app/k", "old");
}

/* Handles of every kind go with the file, into another DataSet too. */
static void test_handles_follow(void **state)
{
    (void)state;
    harness_start_app(NULL);
    make_other(DS_ACCESS_READ_WRITE);
    peer_set("app", "k", "one\n");
    int reads = harness_open("m/app/k", O_RDONLY);
    int writes = harness_open("m/app/k", O_RDWR);
    int appends = harness_open("m/app/k", O_WRONLY | O_APPEND);
    assert_ok(rename("m/app/k", "m/other/j"));
    harness_assert_handle(reads, "one\n");
    harness_put(appends, "two\n");
    assert_store("other", "j", "one\ntwo\n");
    assert_ok(pwrite(writes, "ONE", 3, 0));
    assert_store("other", "j", "ONE\ntwo\n");
    assert_ok(ftruncate(writes, 4));
    assert_ok(fsync(writes));
    assert_store("other", "j", "ONE\n");
    /* A key of the old name is another file. */
    peer_set("app", "k", "second");
    assert_content("m/app/k", "second");
    harness_put(appends, "2\n");
    assert_ok(close(reads));
    assert_ok(close(writes));
    assert_ok(close(appends));
    assert_store("app", "k", "second");
    assert_store("other", "j", "ONE\n2\n");
    assert_content("m/other/j", "ONE\n2\n");
}

/* Whatever is done to an open file whose name was replaced, the store hears nothing of it. */
static void test_replaced_file_never_comes_back(void **state)
{
    (void)state;
    struct harness_daemon *daemon = harness_start_app(NULL);
    peer_set("app", "a", "A");
    peer_set("app", "b", "old");
    int writes = harness_open("m/app/b", O_RDWR);
    int appends = harness_open("m/app/b", O_WRONLY | O_APPEND);
    char *map = mmap(NULL, 3, PROT_READ | PROT_WRITE, MAP_SHARED, writes, 0);
    assert_true(map != MAP_FAILED);
    assert_ok(rename("m/app/a", "m/app/b"));
    uint64_t before = stats_changes("m");
    map[0] = 'O';
    assert_ok(msync(map, 3, MS_SYNC));
    harness_assert_handle(writes, "Old");
    harness_put(appends, "er");
    harness_assert_handle(writes, "Older");
    assert_errno(ftruncate(writes, 9), EILSEQ);
    assert_ok(ftruncate(writes, 0));
    assert_ok(fsync(writes));
    harness_put(writes, "more");
    harness_assert_handle(writes, "more");
    struct stat status;
    assert_ok(fstat(writes, &status));
    assert_int_equal(status.st_nlink, 0);
    assert_int_equal(status.st_size, 4);
    assert_ok(munmap(map, 3));
    assert_ok(close(writes));
    assert_ok(close(appends));
    assert_content("m/app/b", "A");
    assert_int_equal(stats_changes("m"), before);
    harness_stop(daemon);
    assert_store("app", "b", "A");
    assert_int_equal(peer_keys("app"), 1);
}

/* Nor does what waited in it, a creation, a truncation or a piece of a code point. */
static void test_replaced_file_drops_what_waits(void **state)
{
    (void)state;
    struct harness_daemon *daemon = harness_start_app(NULL);
    peer_set("app", "a", "A");
    int fds[3];
    fds[0] = harness_open("m/app/b", O_WRONLY | O_CREAT | O_EXCL);
    assert_ok(rename("m/app/a", "m/app/b"));
    assert_store("app", "b", "A");
    peer_set("app", "a", "A2");
    fds[1] = harness_open("m/app/b", O_WRONLY | O_TRUNC);
    assert_ok(rename("m/app/a", "m/app/b"));
    assert_store("app", "b", "A2");
    peer_set("app", "a", "A3");
    fds[2] = harness_open("m/app/b", O_WRONLY | O_APPEND);
    harness_put(fds[2], "\xc3");
    assert_ok(rename("m/app/a", "m/app/b"));
    for (int i = 0; i < 3; i++)
        assert_ok(close(fds[i]));
    assert_content("m/app/b", "A3");
    harness_stop(daemon);
    assert_store("app", "b", "A3");
    assert_int_equal(peer_keys("app"), 1);
}

static const struct CMUnitTest tests[] = {
    HARNESS_TEST(test_rename),
    HARNESS_TEST(test_rename_flags),
    HARNESS_TEST(test_rename_refused),
    HARNESS_TEST(test_rename_of_open_file),
    HARNESS_TEST(test_rename_over_open_file),
    HARNESS_SHELLS(test_mv),
    HARNESS_TEST(test_rename_to_itself),
    HARNESS_TEST(test_rename_between_accesses),
    HARNESS_TEST(test_refused_by_store),
    HARNESS_SHELLS(test_second_step_refused),
    HARNESS_TEST(test_rename_of_dirty_file_fails),
    HARNESS_TEST(test_rename_commit_refused),
    HARNESS_TEST(test_handles_follow),
    HARNESS_TEST(test_replaced_file_never_comes_back),
    HARNESS_TEST(test_replaced_file_drops_what_waits),
};

HARNESS_MAIN(tests)
