/* A DataSet that the other side destroys, under open handles and under a working directory, and
 * that comes back under the same name. */
#include "harness.h"

#include "peer.h"
#include "shell.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static bool missing(const char *path)
{
    struct stat status; /* access(2) would be answered from the kernel's name cache */
    return stat(path, &status) != 0 && errno == ENOENT;
}

static void test_under_open_handles(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_set("app", "k", "v");
    int reader = harness_open("m/app/k", O_RDONLY);
    int writer = harness_open("m/app/k", O_RDWR);
    int truncated = harness_open("m/app/t", O_WRONLY | O_CREAT);
    DIR *listing = opendir("m/app");
    assert_non_null(listing);
    peer_destroy("app");

    assert_errno(write(writer, "w", 1), ENOENT);
    assert_errno(fsync(truncated), ENOENT);
    assert_errno(open("m/app/k", O_RDONLY), ENOENT);
    assert_errno(open("m/app/k", O_WRONLY | O_TRUNC | O_CREAT, 0600), ENOENT);
    assert_errno(open("m/app/new", O_WRONLY | O_CREAT, 0600), ENOENT);
    assert_errno(unlink("m/app/k"), ENOENT);
    assert_soon(missing("m/app"));
    assert_soon(missing("m/app/k"));
    char got[8];
    ssize_t len = pread(reader, got, sizeof got, 0);
    assert_true(len <= 1); /* what it had, or an error: never other bytes */
    while (readdir(listing))
        ;
    closedir(listing);
    close(reader);
    close(writer);
    close(truncated);
    struct ds_attributes attributes = {0};
    assert_false(peer_query("app", &attributes));
    assert_errno(open("m/app", O_RDONLY | O_DIRECTORY), ENOENT);
}

/* Reads the rest of the file in steps that leave room at the end, so that the kernel asks for the
 * size. */
static void assert_rest(int fd, size_t from, size_t size)
{
    static char piece[70000];
    size_t at = from;
    ssize_t len;
    while ((len = pread(fd, piece, sizeof piece, (off_t)at)) > 0) {
        for (ssize_t i = 0; i < len; i++)
            assert_int_equal(piece[i], 'x');
        at += (size_t)len;
    }
    assert_int_equal(len, 0);
    assert_int_equal(at, size);
}

/* The other side removes the key, and this mount notices: who has it open reads on. */
static void test_readers_of_a_removed_key(void **state)
{
    (void)state;
    harness_start_app(NULL);
    const size_t size = 300000;
    char *value = malloc(size + 1);
    assert_non_null(value);
    memset(value, 'x', size);
    value[size] = '\0';
    peer_set("app", "k", value);
    peer_set("app", "l", "v");
    int begun = harness_open("m/app/k", O_RDONLY), fresh = harness_open("m/app/k", O_RDONLY);
    int small = harness_open("m/app/l", O_RDONLY);
    char piece[1000];
    assert_int_equal(pread(begun, piece, sizeof piece, 0), sizeof piece);
    peer_remove("app", "k");
    peer_remove("app", "l");
    assert_soon(missing("m/app/k"));
    assert_soon(missing("m/app/l"));
    assert_rest(begun, sizeof piece, size);
    assert_rest(fresh, 0, size);
    harness_assert_handle(small, "v");
    assert_errno(open("m/app/k", O_RDONLY), ENOENT);
    /* It comes back as another one, which those who open it see. */
    peer_set("app", "l", "other");
    assert_content("m/app/l", "other");
    assert_int_equal(close(begun), 0);
    assert_int_equal(close(fresh), 0);
    assert_int_equal(close(small), 0);
    free(value);
}

/* So do those in a DataSet that the other side has destroyed. */
static void test_readers_in_a_destroyed_dataset(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_set("app", "k", "v");
    int fd = harness_open("m/app/k", O_RDONLY);
    peer_destroy("app");
    assert_soon(missing("m/app/k"));
    assert_soon(missing("m/app"));
    harness_assert_handle(fd, "v");
    assert_int_equal(close(fd), 0);
}

static void test_known_dataset(void **state)
{
    harness_start_app(NULL);
    peer_set("app", "k", "v");
    assert_sh_ok(*state, "k\n", "ls m/app");
    assert_sh_ok(*state, "v", "cat m/app/k");
    peer_destroy("app");
    assert_sh_fails(*state, "No such file or directory", "cat m/app/k");
    /* Creation waits for the first write, which then finds no DataSet. */
    assert_sh_fails(*state, "No such file or directory", "printf x | tee m/app/k");
    assert_sh_fails(*state, "", "echo x > m/app/new");
    assert_sh_fails(*state, "No such file or directory", "ls m/app");
    assert_sh_fails(*state, "No such file or directory", "rm m/app/k");
    assert_sh_ok(*state, "", "ls m");
    assert_sh_fails(*state, "No such file or directory", "rmdir m/app");
}

/* readdir(3) would take ENOENT for the end of the directory. */
static void test_listing(void **state)
{
    harness_start_app(NULL);
    assert_sh_ok(*state, "", "test -d m/app");
    peer_destroy("app");
    assert_sh_fails(*state, "Stale file handle", "ls m/app");
    assert_sh_fails(*state, "No such file or directory", "ls m/app");
}

static void test_recreated(void **state)
{
    harness_start_app(NULL);
    peer_set("app", "k", "first");
    assert_sh_ok(*state, "first", "cat m/app/k");
    int fd = harness_open("m/app/k", O_RDONLY);
    peer_destroy("app");
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    assert_soon(missing("m/app/k"));
    peer_set("app", "k", "second");
    assert_soon(shell_run(*state, "cat m/app/k")->status == 0);
    assert_sh_ok(*state, "second", "cat m/app/k");
    assert_sh_ok(*state, "k\n", "ls m/app");
    assert_sh_ok(*state, "", "echo third > m/app/k");
    assert_store("app", "k", "third\n");
    assert_sh_ok(*state, "", "rm m/app/k && rmdir m/app");
    close(fd);
}

static void test_made_again_here(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_set("app", "k", "v");
    assert_content("m/app/k", "v");
    peer_destroy("app");
    assert_errno(open("m/app/k", O_RDONLY), ENOENT);
    shell_run("dash", "ls m/app"); /* asks the store, which ends the cached record */
    /* The kernel keeps the name for up to a second. */
    assert_soon(mkdir("m/app", 0700) == 0);
    assert_int_equal(peer_keys("app"), 0);
    assert_errno(open("m/app/k", O_RDONLY), ENOENT);
    assert_int_equal(harness_write("m/app/k", O_CREAT, "again"), 0);
    assert_store("app", "k", "again");
}

static void test_comes_back_with_less_access(void **state)
{
    (void)state;
    harness_start_app(NULL);
    assert_int_equal(harness_write("m/app/k", O_CREAT, "v"), 0);
    peer_destroy("app");
    peer_create("app", DS_ACCESS_READ_ONLY, DS_ACCESS_READ_WRITE);
    peer_set("app", "k", "theirs");
    int error = harness_write("m/app/k", O_TRUNC, "ours");
    assert_true(error == -EACCES || error == -ENOENT);
    assert_store("app", "k", "theirs");
    assert_soon(harness_write("m/app/k", O_TRUNC, "ours") == -EACCES);
    assert_soon(harness_mode("m/app/k") == 0400);
}

/* The other mount destroys it while this shell stands in it. */
static void test_under_working_directory(void **state)
{
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_set("app", "k", "v");
    harness_start("h", "force");
    harness_start("g", "side=guest");
    assert_sh_fails(*state, "No such file or directory",
                    "cd g/app && cat k > ../../seen && rmdir ../../h/app && cat k");
    assert_sh_ok(*state, "v", "cat seen");
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    assert_sh_fails(*state, "No such file or directory",
                    "cd g/app && rmdir ../../h/app && printf x | tee new");
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    assert_sh_ok(*state, "x\n",
                 "cd g/app && rmdir ../../h/app && mkdir ../../h/app && "
                 "cd ../../g/app && echo x > new && cat new");
    assert_store("app", "new", "x\n");
}

/* Removed by this mount while open: what is written is nobody's, and nothing comes back. */
static void test_forced_rmdir_with_open_files(void **state)
{
    (void)state;
    struct harness_daemon *daemon = harness_start_app("force");
    peer_set("app", "k", "v");
    int fd = harness_open("m/app/k", O_RDWR);
    int truncated = harness_open("m/app/t", O_WRONLY | O_CREAT);
    assert_int_equal(rmdir("m/app"), 0);
    assert_int_equal(pwrite(fd, "w", 1, 0), 1);
    char got = 0;
    assert_int_equal(pread(fd, &got, 1, 0), 1);
    assert_int_equal(got, 'w');
    assert_int_equal(mkdir("m/app", 0700), 0);
    assert_int_equal(pwrite(fd, "x", 1, 0), 1);
    close(fd);
    close(truncated);
    harness_stop(daemon);
    assert_int_equal(peer_keys("app"), 0);
}

static const struct CMUnitTest tests[] = {
    HARNESS_TEST(test_readers_of_a_removed_key),
    HARNESS_TEST(test_readers_in_a_destroyed_dataset),
    HARNESS_TEST(test_under_open_handles),
    HARNESS_SHELLS(test_known_dataset),
    HARNESS_SHELLS(test_listing),
    HARNESS_SHELLS(test_recreated),
    HARNESS_TEST(test_made_again_here),
    HARNESS_TEST(test_comes_back_with_less_access),
    HARNESS_SHELLS(test_under_working_directory),
    HARNESS_TEST(test_forced_rmdir_with_open_files),
};

HARNESS_MAIN(tests)
