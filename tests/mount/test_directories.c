/* What stat(2) says of directories: whether they are there, their modes and their times. */
#include "harness.h"

#include "peer.h"
#include "shell.h"
#include "stats.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static struct stat status_of(const char *path)
{
    struct stat status;
    assert_ok(stat(path, &status));
    return status;
}

/* The kernel asks again after a second: until the directory's time has moved. */
static bool moved(const char *path, const struct timespec *before)
{
    struct stat status = status_of(path);
    return status.st_mtim.tv_sec > before->tv_sec ||
           (status.st_mtim.tv_sec == before->tv_sec && status.st_mtim.tv_nsec > before->tv_nsec);
}

#define assert_moves(path, before) assert_soon(moved(path, &(before)))

/* Nobody asks but stat(2) itself, which is to say within moments that the name is free. */
static void test_destroyed_by_the_other_side(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_create("d", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    assert_int_equal(harness_mode("m/d"), 0700);
    peer_destroy("d");
    assert_soon(access("m/d", F_OK) != 0);
    assert_errno(access("m/d", F_OK), ENOENT);
    peer_create("d", DS_ACCESS_READ_ONLY, DS_ACCESS_READ_ONLY);
    assert_int_equal(harness_mode("m/d"), 0500);
    peer_destroy("d");
    peer_create("d", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    assert_soon(harness_mode("m/d") == 0700);
}

/* Once stat(2) has said no, mkdir(2) works. */
static void test_made_again_here(void **state)
{
    (void)state;
    harness_skip_in_guest();
    harness_start_app(NULL);
    for (int i = 0; i < 3; i++) {
        peer_create("d", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
        assert_int_equal(harness_mode("m/d"), 0700);
        peer_destroy("d");
        assert_soon(access("m/d", F_OK) != 0);
        assert_ok(mkdir("m/d", 0700));
        peer_destroy("d");
        assert_soon(access("m/d", F_OK) != 0);
    }
}

/* In a shell too, which is another process each time. */
static void test_until_it_is_gone(void **state)
{
    harness_start_app(NULL);
    peer_create("d", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    assert_sh_ok(*state, "", "test -d m/d");
    peer_destroy("d");
    assert_sh_ok(*state, "", "until ! test -d m/d; do :; done");
    assert_sh_fails(*state, "m/d", "cd m/d");
    assert_sh_fails(*state, "No such file", "ls m/d");
}

static void test_access_given_back(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_set("app", "k", "v");
    for (int i = 0; i < 5; i++) {
        peer_access("app", DS_ACCESS_NONE, DS_ACCESS_NONE);
        assert_soon(access("m/app/k", R_OK) != 0);
        assert_errno(open("m/app/k", O_RDONLY), EACCES);
        peer_access("app", DS_ACCESS_READ_ONLY, DS_ACCESS_READ_ONLY);
        harness_outlive_attributes();
        assert_content("m/app/k", "v");
        assert_errno(open("m/app/k", O_WRONLY), EACCES);
        peer_access("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
        harness_outlive_attributes();
        assert_int_equal(access("m/app/k", W_OK), 0);
        assert_int_equal(harness_write("m/app/k", O_TRUNC, "v"), 0);
    }
}

/* To walk through a directory costs nothing, however long ago it was looked at. */
static void test_walking_asks_nothing(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_set("app", "k", "v");
    assert_content("m/app/k", "v");
    uint64_t before = stats_requests("m", "query");
    int64_t start_ms = harness_now_ms();
    while (harness_now_ms() - start_ms < 2200)
        assert_content("m/app/k", "v");
    assert_int_equal(stats_requests("m", "query"), before);
}

static void test_links(void **state)
{
    (void)state;
    harness_start_app(NULL);
    assert_ok(mkdir("m/app/x.lock", 0700));
    assert_int_equal(status_of("m").st_nlink, 1);
    assert_int_equal(status_of("m/app").st_nlink, 1);
    assert_int_equal(status_of("m/app/x.lock").st_nlink, 1);
    assert_int_equal(status_of("m/.datasetfs").st_nlink, 1);
    assert_int_equal(status_of("m/.datasetfs/info").st_nlink, 1);
}

static void test_times_of_own_changes(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_create("other", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    struct timespec start = status_of("m").st_mtim, app = status_of("m/app").st_mtim;
    assert_memory_equal(&start, &app, sizeof start);
    assert_ok(harness_write("m/app/k", O_CREAT, "v"));
    assert_moves("m/app", app);
    app = status_of("m/app").st_mtim;
    struct timespec other = status_of("m/other").st_mtim;
    assert_ok(rename("m/app/k", "m/other/k"));
    assert_moves("m/app", app);
    assert_moves("m/other", other);
    app = status_of("m/app").st_mtim;
    assert_ok(mkdir("m/app/x.lock", 0700));
    assert_moves("m/app", app);
    app = status_of("m/app").st_mtim;
    assert_ok(rmdir("m/app/x.lock"));
    assert_moves("m/app", app);
    other = status_of("m/other").st_mtim;
    assert_ok(unlink("m/other/k"));
    assert_moves("m/other", other);
    struct stat status = status_of("m/other");
    assert_memory_equal(&status.st_mtim, &status.st_ctim, sizeof status.st_mtim);
    status = status_of("m");
    assert_memory_equal(&status.st_mtim, &start, sizeof start);
}

/* What is refused, or listed again, moves no time. */
static void test_times_stay(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_set("app", "a", "v");
    assert_ok(harness_write("m/app/k", O_CREAT, "v"));
    struct timespec app = status_of("m/app").st_mtim;
    assert_sh_ok("dash", "a\nk\n", "ls m/app");
    assert_errno(unlink("m/app/none"), ENOENT);
    assert_errno(rename("m/app/none", "m/app/x"), ENOENT);
    assert_errno(mkdir("m/app/d", 0700), EPERM);
    assert_errno(open("m/app/k", O_WRONLY | O_CREAT | O_EXCL, 0600), EEXIST);
    assert_errno(rmdir("m/app/k"), ENOTDIR);
    assert_sh_ok("dash", "a\nk\n", "ls m/app");
    assert_false(moved("m/app", &app));
}

static void test_times_of_datasets(void **state)
{
    (void)state;
    harness_skip_in_guest();
    harness_start_app(NULL);
    struct timespec root = status_of("m").st_mtim;
    assert_ok(mkdir("m/d", 0700));
    assert_moves("m", root);
    assert_true(moved("m/d", &root));
    root = status_of("m").st_mtim;
    assert_ok(rmdir("m/d"));
    assert_moves("m", root);
    root = status_of("m").st_mtim;
    assert_ok(harness_write("m/.datasetfs/info/e", O_CREAT, "{}"));
    assert_moves("m", root);
}

/* A listing that differs shows it at once, although the kernel knows the attributes. */
static void test_times_by_listing(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_set("app", "a", "v");
    assert_sh_ok("dash", "a\n", "ls m/app");
    assert_sh_ok("dash", "app\n", "ls m");
    struct timespec app = status_of("m/app").st_mtim, root = status_of("m").st_mtim;
    peer_set("app", "b", "v");
    assert_sh_ok("dash", "a\nb\n", "ls m/app");
    assert_true(moved("m/app", &app));
    app = status_of("m/app").st_mtim;
    peer_remove("app", "a");
    assert_sh_ok("dash", "b\n", "ls m/app");
    assert_true(moved("m/app", &app));
    app = status_of("m/app").st_mtim;
    assert_sh_ok("dash", "b\n", "ls m/app");
    assert_false(moved("m/app", &app));
    peer_create("new", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    assert_sh_ok("dash", "app\nnew\n", "ls m");
    assert_true(moved("m", &root));
}

/* Nobody lists: what the DataSet holds in bytes has changed. */
static void test_times_by_query(void **state)
{
    (void)state;
    harness_start_app(NULL);
    struct timespec app = status_of("m/app").st_mtim;
    peer_set("app", "a", "v");
    assert_moves("m/app", app);
}

/* What this mount itself has written makes the DataSet use another number of bytes, and its
 * directory no younger: it was read, and that is what tar(1) and rsync(1) go by. */
static void test_own_writes_move_no_times(void **state)
{
    (void)state;
    static const char *const commands[] = {
        "echo a much longer value > m/app/k",
        "echo and more >> m/app/k",
        "truncate -s 1 m/app/k",
    };
    harness_start_app(NULL);
    assert_sh_ok("bash", "", "echo short > m/app/k; cat m/.datasetfs/info/app >info");
    harness_outlive_attributes();
    struct timespec before = status_of("m/app").st_mtim;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        assert_sh_ok("bash", "", "%s; cat m/.datasetfs/info/app >info; ls -l m/app >list",
                     commands[i]);
        assert_false(moved("m/app", &before));
    }
    assert_sh_ok("bash", "", "rm m/app/k");
    before = status_of("m/app").st_mtim;
    assert_sh_ok("bash", "", "cat m/.datasetfs/info/app >info; ls -l m/app >list");
    assert_false(moved("m/app", &before));
    peer_set("app", "other", "somebody else's value");
    assert_sh_ok("bash", "", "cat m/.datasetfs/info/app >info");
    assert_moves("m/app", before);
}

static const struct CMUnitTest tests[] = {
    HARNESS_TEST(test_own_writes_move_no_times),
    HARNESS_TEST(test_destroyed_by_the_other_side),
    HARNESS_TEST(test_made_again_here),
    HARNESS_SHELLS(test_until_it_is_gone),
    HARNESS_TEST(test_access_given_back),
    HARNESS_TEST(test_walking_asks_nothing),
    HARNESS_TEST(test_links),
    HARNESS_TEST(test_times_of_own_changes),
    HARNESS_TEST(test_times_stay),
    HARNESS_TEST(test_times_of_datasets),
    HARNESS_TEST(test_times_by_listing),
    HARNESS_TEST(test_times_by_query),
};

HARNESS_MAIN(tests)
