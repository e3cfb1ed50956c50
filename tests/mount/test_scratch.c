/* Temporary files: what is held back in memory, what becomes of it, and what is a key at once. */
#include "harness.h"

#include "cleanup.h"
#include "peer.h"
#include "shell.h"
#include "sim.h"
#include "stats.h"
#include "temporary.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* Long enough that only the end of the mount publishes. */
#define LATER "scratch_delay=3600"

/* A name that only looks temporary and is made with `>`. */
static void test_plain_names(void **state)
{
    static const char *const names[] = {"sedation1", ".app.config", "4913", "notes~",
                                        ".k.swp",    "tmpabcdefgh", "#k#",  ".chef-k"};
    harness_start_app(LATER);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_sh_ok(*state, "", "echo x > 'm/app/%s'", names[i]);
        assert_store("app", names[i], "x\n");
        assert_sh_ok(*state, "", "echo y >> 'm/app/%s'", names[i]);
        assert_store("app", names[i], "x\ny\n");
    }
    assert_sh_ok(*state, "", "touch m/app/.k.Ab12cd");
    assert_soon(peer_has("app", ".k.Ab12cd", ""));
    assert_sh_ok(*state, "", "cat m/.datasetfs/scratch");
}

/* What cp, tar, install and mv make is what somebody wants, on a name of every glob's shape. */
static void test_copied_names(void **state)
{
    static const char *const names[] = {".k.swp",
                                        ".k.swpx",
                                        "4913",
                                        "sedation",
                                        "sedations",
                                        ".ansible_tmpabcdefghk",
                                        ".chef-k",
                                        ".goutputstream-abcdef",
                                        ".#k",
                                        "#k#",
                                        ".app.config",
                                        "tmpabcdefgh",
                                        "notes~",
                                        "XXabcdef",
                                        "k20261124-1-abc"};
    static const char *const tools[] = {
        "cp 'src/%1$s' m/app",
        "cp -p 'src/%1$s' m/app",
        "install -m 600 'src/%1$s' m/app",
        "tar -C src -cf - './%1$s' | tar -C m/app -xf -",
        "mv 'src/%1$s' m/app",
        "cd src && echo './%1$s' | cpio --quiet -o | (cd ../m/app && cpio --quiet -i)"};
    (void)state;
    harness_start_app(LATER);
    for (size_t i = 0; i < sizeof tools / sizeof *tools; i++) {
        if (strstr(tools[i], "cpio") != NULL && shell_run("dash", "command -v cpio")->status != 0)
            continue;
        for (size_t j = 0; j < sizeof names / sizeof *names; j++) {
            char command[256];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            snprintf(command, sizeof command, tools[i], names[j]);
#pragma GCC diagnostic pop
            assert_sh_ok("dash", "", "mkdir -p src && echo '%zu' > 'src/%s'", i, names[j]);
            assert_sh_ok("dash", "", "%s", command);
            char expected[16];
            snprintf(expected, sizeof expected, "%zu\n", i);
            assert_store("app", names[j], expected);
            assert_sh_ok("dash", "", "rm 'm/app/%s'", names[j]);
            assert_not_in_store("app", names[j]);
        }
    }
    assert_sh_ok("dash", "", "cat m/.datasetfs/scratch");
}

/* A memory file: any bytes, holes, sizes, attributes; the store hears nothing. */
static void test_memory_file(void **state)
{
    char got[16];
    struct stat status;
    (void)state;
    harness_start_app(LATER);
    harness_start("other", NULL);
    uint64_t before = stats_changes("m");
    int fd = temporary_make("m/app/.k.swp", "");
    assert_int_equal(write(fd, "b0\0\xff", 4), 4);
    assert_int_equal(pwrite(fd, "end", 3, 8), 3);
    assert_ok(fsync(fd));
    assert_ok(fstat(fd, &status));
    assert_int_equal(status.st_size, 11);
    assert_int_equal(pread(fd, got, sizeof got, 0), 11);
    assert_memory_equal(got, "b0\0\xff\0\0\0\0end", 11);
    assert_int_equal(pread(fd, got, sizeof got, 9), 2);
    assert_int_equal(pread(fd, got, sizeof got, 11), 0);
    assert_ok(ftruncate(fd, 2));
    assert_ok(ftruncate(fd, 4));
    assert_int_equal(pread(fd, got, sizeof got, 0), 4);
    assert_memory_equal(got, "b0\0\0", 4);
    assert_ok(fchmod(fd, 0400));
    assert_ok(fchown(fd, 12, 34));
    assert_ok(close(fd));

    assert_ok(stat("m/app/.k.swp", &status));
    assert_int_equal(status.st_size, 4);
    assert_int_equal(status.st_mode, S_IFREG | 0400);
    assert_int_equal(status.st_uid, 12);
    assert_sh_ok("dash", ".k.swp\n", "ls -A m/app");
    assert_sh_ok("dash", "4\n", "ls -lA m/app | awk '/swp/ {print $5}'");
    assert_sh_ok("dash", "", "printf text > m/app/.k.swp && printf s >> m/app/.k.swp");
    assert_content("m/app/.k.swp", "texts");
    assert_errno(open("m/app/.k.swp", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
    assert_true(temporary_listed("/app/.k.swp\t5\t"));
    assert_true(temporary_listed("\theld\n"));
    assert_sh_ok("dash", "", "ls -A other/app");
    assert_errno(access("other/app/.k.swp", F_OK), ENOENT);

    fd = harness_open("m/app/.k.swp", O_RDWR);
    assert_ok(unlink("m/app/.k.swp"));
    assert_errno(access("m/app/.k.swp", F_OK), ENOENT);
    harness_put(fd, "T");
    assert_int_equal(pread(fd, got, sizeof got, 0), 5);
    assert_memory_equal(got, "Texts", 5);
    assert_ok(close(fd));
    assert_int_equal(stats_changes("m") - before, 0);
    assert_int_equal(peer_keys("app"), 0);
    assert_sh_ok("dash", "", "cat m/.datasetfs/scratch");
}

static uint64_t forgotten(void)
{
    return stats_counter("m", "datasetfs_fuse_requests_total{opcode=\"forget\"}");
}

/* Many in one directory survive that the kernel forgets them, as it does when it mounts anew. */
static void test_forgotten_by_the_kernel(void **state)
{
    (void)state;
    harness_start_app(LATER);
    for (int i = 0; i < 100; i++) {
        char path[64];
        snprintf(path, sizeof path, "m/app/.k.Ab%04d", i);
        temporary_leave(path, path);
    }
    uint64_t before = forgotten();
    assert_ok(mount(NULL, "m", NULL, MS_REMOUNT | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
    assert_soon(forgotten() - before >= 100);
    assert_sh_ok("dash", "100\n", "ls -A m/app | wc -l");
    assert_content("m/app/.k.Ab0042", "m/app/.k.Ab0042");
    assert_int_equal(peer_keys("app"), 0);
}

/* The way of Ansible: made, closed empty, opened again with `>`. */
static void test_reopened(void **state)
{
    (void)state;
    harness_start_app(LATER);
    temporary_leave("m/app/.ansible_tmpx1y2z3k", "");
    assert_sh_ok("dash", "", "echo v > m/app/.ansible_tmpx1y2z3k");
    assert_int_equal(peer_keys("app"), 0);
    uint64_t before = stats_changes("m");
    assert_sh_ok("dash", "", "mv -f m/app/.ansible_tmpx1y2z3k m/app/k");
    assert_store("app", "k", "v\n");
    assert_int_equal(stats_changes("m") - before, 1);
}

/* vim tries whether it can create before it renames; whoever writes to such a file means it. */
static void test_probe(void **state)
{
    (void)state;
    harness_start_app(LATER);
    uint64_t before = stats_changes("m");
    int fd = open("m/app/4913", O_WRONLY | O_CREAT | O_EXCL, 0644);
    assert_true(fd >= 0);
    assert_ok(fchown(fd, 0, 0));
    assert_ok(close(fd));
    assert_true(temporary_listed("/app/4913\t0\t"));
    assert_ok(unlink("m/app/4913"));
    assert_int_equal(stats_changes("m") - before, 0);
    fd = open("m/app/4913", O_WRONLY | O_CREAT | O_EXCL, 0644);
    harness_put(fd, "x");
    assert_store("app", "4913", "x");
    assert_ok(close(fd));
    assert_sh_ok("dash", "", "cat m/.datasetfs/scratch");
}

/* Left behind: published under its own name after the delay, or at the end, with a line in the log;
 * one that is still open or empty is not. */
static void test_left_behind(void **state)
{
    (void)state;
    struct harness_daemon *daemon = harness_start_app("scratch_delay=1");
    int open_one = temporary_make("m/app/.open.Ab12cd", "");
    harness_put(open_one, "open");
    temporary_leave("m/app/.empty.Ab12cd", "");
    temporary_leave("m/app/.k.Ab12cd", "left\n");
    assert_soon(peer_has("app", ".k.Ab12cd", "left\n"));
    assert_soon(!temporary_listed(".k.Ab12cd"));
    assert_content("m/app/.k.Ab12cd", "left\n");
    assert_not_in_store("app", ".open.Ab12cd");
    assert_ok(close(open_one));
    assert_soon(peer_has("app", ".open.Ab12cd", "open"));
    assert_sh_ok("dash", "", "echo more >> m/app/.k.Ab12cd");
    assert_store("app", ".k.Ab12cd", "left\nmore\n");
    assert_true(temporary_listed(".empty.Ab12cd"));
    harness_stop(daemon);
    assert_int_equal(peer_keys("app"), 2);
    assert_sh_ok("dash", "1\n",
                 "grep -c 'published .*app/.k.Ab12cd, a temporary file that was left behind' %s",
                 daemon->log);
}

static void test_left_at_unmount(void **state)
{
    (void)state;
    struct harness_daemon *daemon = harness_start_app(LATER);
    temporary_leave("m/app/.k.Ab12cd", "left\n");
    temporary_leave("m/app/.bin.Ab12cd", "a\xff");
    temporary_leave("m/app/.empty.Ab12cd", "");
    assert_int_equal(peer_keys("app"), 0);
    daemon->status = HARNESS_LOST;
    harness_stop(daemon);
    assert_int_equal(peer_keys("app"), 1);
    assert_store("app", ".k.Ab12cd", "left\n");
    assert_sh_ok("dash", "1\n", "grep -c 'published .*app/.k.Ab12cd' %s", daemon->log);
    assert_sh_ok("dash", "1\n", "grep -c 'temporary file .*app/.bin.Ab12cd is lost: .*UTF-8' %s",
                 daemon->log);
}

/* An editor that crashed leaves what is no text: said once, and kept. */
static void test_left_binary(void **state)
{
    (void)state;
    struct harness_daemon *daemon = harness_start_app("scratch_delay=1");
    temporary_leave("m/app/.k.swp", "b0\xff");
    assert_soon(temporary_listed("/app/.k.swp\t3\t"));
    assert_soon(temporary_listed("failed: a value is UTF-8 text"));
    assert_sh_ok("dash", "1\n", "grep -c 'publish.*/app/.k.swp.EILSEQ' m/.datasetfs/errors");
    assert_content("m/app/.k.swp", "b0\xff");
    assert_sh_ok("dash", "", "printf text > m/app/.k.swp"); /* now it is */
    assert_soon(peer_has("app", ".k.swp", "text"));
    harness_stop(daemon);
}

/* Only so much in all; what was there stays, and room that is given back can be used. */
static void test_limit(void **state)
{
    enum { CHUNK = 1024 * 1024, CHUNKS = 64 };
    (void)state;
    harness_start_app(LATER);
    char *chunk DS_AUTO_FREE = calloc(1, CHUNK);
    peer_set("app", "o", "O");
    assert_ok(rename("m/app/o", "m/app/o~"));
    int fd = temporary_make("m/app/.k.swp", "");
    for (int i = 0; i < CHUNKS - 1; i++)
        assert_int_equal(write(fd, chunk, CHUNK), CHUNK);
    assert_errno(write(fd, chunk, CHUNK), ENOSPC);
    /* Nor does one to what another key was renamed to; that one is gone for all that. */
    peer_set("app", "p", "P");
    assert_errno(renameat2(AT_FDCWD, "m/app/p", AT_FDCWD, "m/app/o~", RENAME_NOREPLACE), EEXIST);
    uint64_t before = forgotten();
    assert_ok(rename("m/app/p", "m/app/o~"));
    assert_store("app", "o~", "P");
    assert_not_in_store("app", "o");
    assert_not_in_store("app", "p");
    assert_soon(forgotten() > before);
    int other = temporary_make("m/app/.l.swp", "");
    assert_ok(ftruncate(fd, 0));
    off_t full = temporary_fill(fd);
    assert_in_range(full, (off_t)CHUNK * (CHUNKS - 1), (off_t)CHUNK * CHUNKS);
    assert_int_equal(harness_size("m/app/.k.swp"), full);
    assert_errno(pwrite(fd, "x", 1, full), ENOSPC);
    assert_errno(write(other, "x", 1), ENOSPC);
    assert_ok(ftruncate(fd, 1));
    harness_put(other, "x");
    assert_ok(close(other));
    assert_errno(pwrite(fd, "x", 1, full - 1), ENOSPC);
    temporary_fill(fd);
    /* A rename of a key to a temporary name finds no room, and is an ordinary one. */
    peer_set("app", "n", "N");
    assert_sh_ok("dash", "", "mv m/app/n m/app/n~");
    assert_store("app", "n~", "N");
    assert_not_in_store("app", "n");
    assert_ok(unlink("m/app/.k.swp"));
    assert_ok(close(fd));
    /* The kernel tells of the close when it has told the caller. */
    assert_soon(harness_write("m/app/.m.swp", O_CREAT | O_TRUNC, "room") == 0);
    assert_false(temporary_listed(".k.swp"));
    assert_content("m/app/.m.swp", "room");
}

static void test_access(void **state)
{
    (void)state;
    harness_start_app(LATER ",ro");
    assert_errno(open("m/app/.k.swp", O_RDWR | O_CREAT | O_EXCL, 0600), EROFS);
    assert_errno(mkdir("m/app/k.lock", 0700), EROFS);
    harness_start("rw", LATER);
    temporary_leave("rw/app/.k.Ab12cd", "x");
    peer_access("app", DS_ACCESS_READ_ONLY, DS_ACCESS_READ_ONLY);
    /* The store's refusal tells, where the record was not old enough to be asked for. */
    assert_errno(rename("rw/app/.k.Ab12cd", "rw/app/k"), EACCES);
    assert_errno(open("rw/app/.l.swp", O_RDWR | O_CREAT | O_EXCL, 0600), EACCES);
    assert_errno(mkdir("rw/app/k.lock", 0700), EACCES);
    assert_errno(rename("rw/app/.k.Ab12cd", "rw/app/.l.Ab12cd"), EACCES);
    assert_content("rw/app/.k.Ab12cd", "x");
    peer_access("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    assert_soon(rename("rw/app/.k.Ab12cd", "rw/app/k") == 0);
    assert_store("app", "k", "x");
}

/* Puppet's lock: empty, in memory, of this mount alone. */
static void test_lock_directory(void **state)
{
    harness_start_app(LATER);
    harness_start("other", NULL);
    assert_sh_ok(*state, "", "mkdir m/app/k.lock && test -d m/app/k.lock");
    assert_sh_fails(*state, "File exists", "mkdir m/app/k.lock");
    assert_sh_ok(*state, "k.lock\n", "ls m/app");
    assert_sh_ok(*state, "drwx------\n", "ls -l m/app | awk '/lock/ {print $1}'");
    assert_sh_ok(*state, "", "ls -A m/app/k.lock; ls -A other/app");
    assert_sh_fails(*state, "peration not permitted", "echo x > m/app/k.lock/f");
    assert_sh_fails(*state, "peration not permitted", "mkdir m/app/k.lock/d.lock");
    assert_sh_fails(*state, "s a directory", "rm m/app/k.lock");
    assert_sh_fails(*state, "", "mv m/app/k.lock m/app/l.lock");
    assert_sh_fails(*state, "No such file", "cat m/app/k.lock/f");
    assert_sh_fails(*state, "peration not permitted", "mkdir m/app/d");
    assert_sh_fails(*state, "peration not permitted", "mkdir m/app/.lock");
    assert_sh_ok(*state, "", "echo x > m/app/key && chmod 700 m/app");
    assert_sh_fails(*state, "Not a directory", "rmdir m/app/key");
    assert_int_equal(peer_keys("app"), 1);
    assert_sh_ok(*state, "", "rmdir m/app/k.lock");
    assert_sh_fails(*state, "No such file", "rmdir m/app/k.lock");
    assert_sh_ok(*state, "x\n", "rm m/app/key; echo x > m/app/k.lock && cat m/app/k.lock");
    assert_store("app", "k.lock", "x\n");
    assert_sh_fails(*state, "File exists", "mkdir m/app/k.lock");
}

/* A DataSet with names that only this mount has is not empty. */
static void test_rmdir(void **state)
{
    (void)state;
    harness_skip_in_guest();
    harness_start_app(LATER);
    temporary_leave("m/app/.k.Ab12cd", "x");
    assert_errno(rmdir("m/app"), ENOTEMPTY);
    assert_ok(unlink("m/app/.k.Ab12cd"));
    assert_ok(mkdir("m/app/k.lock", 0700));
    assert_errno(rmdir("m/app"), ENOTEMPTY);
    assert_ok(rmdir("m/app/k.lock"));
    assert_ok(rmdir("m/app"));
    harness_start("f", LATER ",force");
    assert_ok(mkdir("f/app", 0700));
    int fd = temporary_make("f/app/.k.Ab12cd", "");
    harness_put(fd, "x");
    assert_ok(mkdir("f/app/k.lock", 0700));
    assert_ok(rmdir("f/app"));
    harness_put(fd, "y");
    assert_ok(close(fd));
    struct ds_attributes attributes = {0};
    assert_false(peer_query("app", &attributes));
}

/* The mount's own globs, or none. */
static void test_option(void **state)
{
    (void)state;
    harness_start_app("scratch=*.new:*~");
    temporary_leave("m/app/k.new", "x");
    assert_not_in_store("app", "k.new");
    temporary_leave("m/app/.k.swp", "x");
    assert_store("app", ".k.swp", "x");
    harness_start("none", "scratch=none");
    temporary_leave("none/app/.l.swp", "x");
    assert_store("app", ".l.swp", "x");
    assert_sh_ok("dash", "", "mv none/app/.l.swp none/app/l~");
    assert_store("app", "l~", "x");
}

/* The list is for terminals: what they would obey in a name is not in it. */
static void test_listed_names(void **state)
{
    harness_start_app(NULL);
    int fd = temporary_make("m/app/.a\xC2\x9B\xE2\x80\xAE.swp", "x");
    assert_true(fd >= 0);
    assert_sh_ok(*state, "1\n",
                 "grep -c '^/app/.a?"
                 "?.swp\t' m/.datasetfs/scratch");
    close(fd);
}

static const struct CMUnitTest tests[] = {
    HARNESS_SHELLS(test_listed_names),
    HARNESS_SHELLS(test_plain_names),
    HARNESS_TEST(test_copied_names),
    HARNESS_TEST(test_memory_file),
    HARNESS_TEST(test_forgotten_by_the_kernel),
    HARNESS_TEST(test_reopened),
    HARNESS_TEST(test_probe),
    HARNESS_TEST(test_left_behind),
    HARNESS_TEST(test_left_at_unmount),
    HARNESS_TEST(test_left_binary),
    HARNESS_TEST(test_limit),
    HARNESS_TEST(test_access),
    HARNESS_SHELLS(test_lock_directory),
    HARNESS_TEST(test_rmdir),
    HARNESS_TEST(test_option),
};

HARNESS_MAIN(tests)
