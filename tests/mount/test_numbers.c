/* Inode numbers: those of names and not of the kernel's memory, and new ones for new files. */
#include "harness.h"

#include "peer.h"
#include "shell.h"
#include "stats.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static ino_t number(const char *path)
{
    struct stat status;
    assert_ok(stat(path, &status));
    assert_true(status.st_ino != 0 && status.st_ino != 1 && status.st_ino != (ino_t)-1);
    return status.st_ino;
}

static ino_t number_of_handle(int fd)
{
    struct stat status;
    harness_outlive_attributes();
    assert_ok(fstat(fd, &status));
    return status.st_ino;
}

static uint64_t forgotten(void)
{
    return stats_counter("m", "datasetfs_fuse_requests_total{opcode=\"forget\"}");
}

/* The kernel drops the inodes of at least so many names. */
static void forget(unsigned count)
{
    uint64_t before = forgotten();
    assert_ok(mount(NULL, "m", NULL, MS_REMOUNT | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
    assert_soon(forgotten() - before >= count);
}

static void test_same_after_forget(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_set("app", "k", "v");
    ino_t app = number("m/app"), k = number("m/app/k");
    forget(2);
    assert_true(number("m/app/k") == k);
    assert_true(number("m/app") == app);
    /* It is counted for as long as the mount lasts. */
    assert_ok(unlink("m/app/k"));
    assert_ok(harness_write("m/app/k", O_CREAT, "w"));
    ino_t again = number("m/app/k");
    assert_true(again != k);
    forget(2);
    assert_true(number("m/app/k") == again);
}

static ino_t listed(const char *directory, const char *name)
{
    ino_t found = 0;
    DIR *listing = opendir(directory);
    assert_non_null(listing);
    for (const struct dirent *entry; (entry = readdir(listing));)
        if (strcmp(entry->d_name, name) == 0)
            found = entry->d_ino;
    assert_ok(closedir(listing));
    assert_true(found != 0);
    return found;
}

static void assert_listed(const char *directory, const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    ino_t before = listed(directory, name);
    assert_true(number(path) == before);
    assert_true(listed(directory, name) == before);
}

static void test_listings_agree(void **state)
{
    (void)state;
    struct stat root;
    harness_start_app(NULL);
    peer_set("app", "k", "v");
    peer_set("app", "l/%", "v");
    assert_listed("m/app", "k");
    assert_listed("m/app", "l%2F%25");
    assert_listed("m", "app");
    assert_listed("m/app", ".");
    assert_listed("m/.datasetfs", "stats");
    assert_listed("m/.datasetfs/info", "app");
    assert_listed("m/.datasetfs/info", "..");
    assert_ok(stat("m", &root));
    assert_true(listed("m/app", "..") == root.st_ino);
    assert_ok(mkdir("m/app/x.lock", 0700));
    assert_listed("m/app", "x.lock");
    assert_listed("m/app/x.lock", "..");
    assert_ok(harness_write("m/app/.#k", O_CREAT | O_EXCL, "held back"));
    assert_listed("m/app", ".#k");
    assert_sh_ok("bash", "", "for i in {1..300}; do echo $i >m/app/$i || break; done");
    assert_sh_ok("bash", "",
                 "ls -i m/app | awk '{print $1}' | sort >a; "
                 "ls -li m/app | awk 'NR>1 {print $1}' | sort >b; cmp a b; uniq -d b");
}

static void test_names_differ(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_create("other", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_set("app", "k", "v");
    peer_set("app", "other", "v");
    peer_set("other", "k", "v");
    assert_true(number("m/app/k") != number("m/other/k"));
    assert_true(number("m/app/k") != number("m/app/other"));
    assert_true(number("m/app/other") != number("m/other"));
    assert_true(number("m/.datasetfs/info/app") != number("m/app"));
}

/* A removed or replaced file keeps its number while it is open, and the next one has another. */
static void test_removed_and_replaced(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_set("app", "k", "v");
    ino_t k = number("m/app/k");
    int fd = harness_open("m/app/k", O_RDONLY);
    assert_ok(unlink("m/app/k"));
    assert_true(number_of_handle(fd) == k);
    assert_ok(harness_write("m/app/k", O_CREAT, "w"));
    ino_t second = number("m/app/k");
    assert_true(second != k);
    assert_true(number_of_handle(fd) == k);
    assert_ok(close(fd));
    fd = harness_open("m/app/k", O_RDONLY);
    assert_ok(harness_write("m/app/new", O_CREAT, "x"));
    assert_ok(rename("m/app/new", "m/app/k"));
    ino_t third = number("m/app/k");
    assert_true(third != k && third != second);
    assert_true(number_of_handle(fd) == second);
    assert_true(listed("m/app", "k") == third);
    assert_ok(close(fd));
    /* Under a temporary name, which the store never sees. */
    assert_ok(rename("m/app/k", "m/app/k~"));
    assert_ok(harness_write("m/app/k", O_CREAT, "y"));
    ino_t fourth = number("m/app/k");
    assert_true(fourth != k && fourth != second && fourth != third);
    assert_sh_ok("dash", "", "sed -i s/y/z/ m/app/k");
    assert_true(number("m/app/k") != fourth);
}

/* A rename brings the number along, to where it stays, and leaves it to nobody else. */
static void test_renamed(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_create("other", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_set("app", "a", "v");
    ino_t a = number("m/app/a");
    assert_ok(rename("m/app/a", "m/app/b"));
    assert_true(listed("m/app", "b") == a);
    harness_outlive_attributes();
    assert_true(number("m/app/b") == a);
    forget(2);
    assert_true(listed("m/app", "b") == a);
    assert_true(number("m/app/b") == a);
    assert_ok(harness_write("m/app/a", O_CREAT, "w"));
    ino_t second = number("m/app/a");
    assert_true(second != a);
    assert_ok(rename("m/app/a", "m/other/b"));
    forget(3);
    assert_true(number("m/other/b") == second);
    assert_true(number("m/app/b") == a);
    assert_ok(rename("m/app/b", "m/app/a")); /* back again */
    forget(3);
    assert_true(number("m/app/a") == a);
    assert_ok(unlink("m/app/a"));
    assert_ok(harness_write("m/app/a", O_CREAT, "x"));
    ino_t third = number("m/app/a");
    assert_true(third != a && third != second);
}

/* What takes the place of a key from a temporary name is another file each time, although that name
 * is the same. */
static void test_temporary(void **state)
{
    (void)state;
    ino_t seen[3];
    harness_start_app("scratch=k.tmp");
    peer_set("app", "k", "v");
    for (int i = 0; i < 3; i++) {
        seen[i] = number("m/app/k");
        assert_sh_ok("bash", "", "umask 077; set -C; echo %d >m/app/k.tmp", i);
        ino_t temporary = number("m/app/k.tmp");
        assert_ok(rename("m/app/k.tmp", "m/app/k"));
        assert_true(listed("m/app", "k") == temporary);
        forget(2);
        assert_true(number("m/app/k") == temporary);
        for (int j = 0; j <= i; j++)
            assert_true(temporary != seen[j]);
    }
}

/* A DataSet that was removed takes along what had been brought into it. */
static void test_renamed_in_removed(void **state)
{
    (void)state;
    harness_skip_in_guest();
    harness_start_app("force");
    assert_ok(mkdir("m/d", 0700));
    assert_ok(harness_write("m/d/a", O_CREAT, "v"));
    assert_ok(rename("m/d/a", "m/d/b"));
    ino_t b = number("m/d/b");
    forget(2);
    assert_true(number("m/d/b") == b);
    forget(2);
    assert_ok(rmdir("m/d"));
    assert_ok(mkdir("m/d", 0700));
    assert_ok(harness_write("m/d/b", O_CREAT, "v"));
    assert_true(number("m/d/b") != b);
}

/* A write, and the other side's removal, replace no file. */
static void test_written(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_set("app", "k", "v");
    ino_t k = number("m/app/k");
    assert_ok(harness_write("m/app/k", O_TRUNC, "other"));
    assert_true(number("m/app/k") == k);
    peer_set("app", "k", "another");
    harness_outlive_attributes();
    assert_true(number("m/app/k") == k);
}

static void test_datasets(void **state)
{
    (void)state;
    harness_skip_in_guest();
    harness_start_app(NULL);
    assert_ok(mkdir("m/d", 0700));
    assert_ok(harness_write("m/d/k", O_CREAT, "v"));
    ino_t d = number("m/d"), k = number("m/d/k");
    assert_ok(unlink("m/d/k"));
    assert_ok(rmdir("m/d"));
    assert_ok(mkdir("m/d", 0700));
    assert_ok(harness_write("m/d/k", O_CREAT, "v"));
    assert_true(number("m/d") != d);
    assert_true(number("m/d/k") != k);
    assert_listed("m", "d");
}

/* The values are of equal length: only the number tells. */
static void test_tail(void **state)
{
    harness_start_app(NULL);
    peer_set("app", "k", "one\n");
    pid_t pid = shell_spawn(*state, "exec tail -F -s 0.02 --max-unchanged-stats=1 -n +1 m/app/k "
                                    ">out 2>err");
    const char *const words[] = {"one", "two", "three", "four"};
    const char *const steps[] = {":", "echo two >m/app/n; mv m/app/n m/app/k",
                                 "rm m/app/k; echo three >m/app/k",
                                 "echo four >m/app/f; mv m/app/k m/app/k~; mv m/app/f m/app/k"};
    for (int i = 0; i < 4; i++) {
        assert_sh_ok(*state, "", "%s", steps[i]);
        assert_soon(shell_run(*state, "grep -qx %s out", words[i])->status == 0);
    }
    assert_ok(kill(pid, SIGTERM));
    assert_int_equal(shell_wait(pid), 128 + SIGTERM);
}

static const struct CMUnitTest tests[] = {
    HARNESS_TEST(test_same_after_forget),
    HARNESS_TEST(test_listings_agree),
    HARNESS_TEST(test_names_differ),
    HARNESS_TEST(test_removed_and_replaced),
    HARNESS_TEST(test_renamed),
    HARNESS_TEST(test_temporary),
    HARNESS_TEST(test_renamed_in_removed),
    HARNESS_TEST(test_written),
    HARNESS_TEST(test_datasets),
    HARNESS_SHELLS(test_tail),
};

HARNESS_MAIN(tests)
