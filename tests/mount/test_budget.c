/* What a command may cost: requests to the store, as promised for each kind of store. */
#include "harness.h"

#include "peer.h"
#include "shell.h"
#include "stats.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The key exists, made by the other side, so that this mount does not know it. */
static void cold(const char *key)
{
    peer_set("app", key, "value\n");
}

/* A mount that knows its DataSet "app" and nothing in it. */
static void start_known(const char *shell)
{
    harness_start_app(NULL);
    assert_sh_ok(shell, "", "test -d m/app");
}

/* Looked at once, and more than the attribute timeout ago. */
static void known(const char *key)
{
    peer_set("app", key, "value\n");
    char path[64];
    snprintf(path, sizeof path, "m/app/%s", key);
    assert_content(path, "value\n");
    harness_outlive_attributes();
}

static void test_mount(void **state)
{
    (void)state;
    harness_start_app(NULL);
    assert_true(stats_requests("m", NULL) <= 1); /* REST: and a login, which is no operation */
}

static void test_cold(void **state)
{
    start_known(*state);
    stats_assert_budget(*state, 1, cold, NULL, "cat m/app/KEY");
    stats_assert_budget(*state, 1, cold, NULL, "stat m/app/KEY");
    stats_assert_budget(*state, 1, cold, NULL, "read v < m/app/KEY");
    stats_assert_budget(*state, 1, cold, NULL, "test -e m/app/KEY");
    stats_assert_budget(*state, 1, cold, NULL, "wc -c m/app/KEY");
    stats_assert_budget(*state, 2, cold, NULL, "echo x > m/app/KEY");
    stats_assert_budget(*state, 2, cold, NULL, "rm m/app/KEY");
}

/* Of an open file; without a request of its own it is a get and a set. */
static unsigned append_costs(void)
{
    return harness_over_rest() ? 3 : 2;
}

static void test_known(void **state)
{
    start_known(*state);
    stats_assert_budget(*state, 1, known, NULL, "cat m/app/KEY");
    stats_assert_budget(*state, 1, known, NULL, "stat m/app/KEY");
    stats_assert_budget(*state, 1, known, NULL, "echo x > m/app/KEY");
    stats_assert_budget(*state, 1, known, NULL, "printf %s x > m/app/KEY");
    stats_assert_budget(*state, append_costs(), known, NULL, "echo x >> m/app/KEY");
    stats_assert_budget(*state, 2, known, NULL, "rm m/app/KEY");
    stats_assert_budget(*state, 1, NULL, "echo x > m/app/KEY", "echo y > m/app/KEY");
    stats_assert_budget(*state, 1, NULL, "echo x > m/app/KEY", "cat m/app/KEY");
}

static void test_new(void **state)
{
    start_known(*state);
    stats_assert_budget(*state, 2, NULL, NULL, "echo x > m/app/KEY");
    stats_assert_budget(*state, append_costs(), NULL, NULL, "echo x >> m/app/KEY");
    stats_assert_budget(*state, 1, NULL, NULL, "! test -e m/app/KEY");
    /* Two or three looks for the name before it is made. */
    assert_sh_ok(*state, "", "echo value > source");
    stats_assert_budget(*state, 2, NULL, NULL, "cp source m/app/KEY");
    stats_assert_budget(*state, 2, NULL, NULL, "install -m 600 source m/app/KEY");
    stats_assert_budget(*state, 1, NULL, NULL,
                        "if [ -e m/app/KEY ] || [ -L m/app/KEY ]; then exit 1; fi");
}

static int look_at(void *path)
{
    struct stat status;
    return stat(path, &status) == 0 ? 0 : errno;
}

/* What a thread was told is missing is so for it until it has waited for anything else. */
static void test_absent(void **state)
{
    (void)state;
    static char path[] = "m/app/k";
    harness_start_app(NULL);
    for (int i = 0; i < STATS_TRIES; i++) {
        assert_int_equal(look_at(path), ENOENT);
        peer_set("app", "k", "v");
        assert_int_equal(look_at(path), 0);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(look_at(path), ENOENT);
        assert_int_equal(harness_in_child(0, look_at, path), ENOENT);
        assert_sh_ok("dash", "", "echo v > m/app/k");
        assert_int_equal(look_at(path), 0);
        assert_int_equal(unlink(path), 0);
    }
}

/* What it asks of the mount itself is nothing else: vim tries out whether names of swap files are
 * good before it makes one. */
static void test_absent_as_before(void **state)
{
    (void)state;
    char path[64];
    uint64_t gets = 0;
    harness_start_app(NULL);
    for (int i = 0; i < STATS_TRIES && gets != 1; i++) {
        snprintf(path, sizeof path, "m/app/.k%d.swp", i);
        gets = stats_requests("m", "get");
        harness_outlive_attributes();
        assert_int_equal(look_at(path), ENOENT);
        int fd = harness_open(path, O_RDWR | O_CREAT | O_EXCL);
        assert_ok(close(fd));
        assert_ok(unlink(path));
        assert_int_equal(look_at(path), ENOENT);
        assert_int_equal(look_at(path), ENOENT);
        gets = stats_requests("m", "get") - gets;
    }
    assert_int_equal(gets, 1);
}

/* What is made here is there at once, for the one who has just missed it too. */
static void test_absent_until_made(void **state)
{
    (void)state;
    static char path[] = "m/app/k";
    harness_start_app(NULL);
    for (int i = 0; i < STATS_TRIES; i++) {
        assert_int_equal(look_at(path), ENOENT);
        assert_int_equal(harness_write("m/app/other", O_CREAT | O_TRUNC, "v"), 0);
        assert_int_equal(look_at(path), ENOENT);
        assert_ok(rename("m/app/other", path));
        assert_int_equal(look_at(path), 0);
        assert_ok(unlink(path));
    }
}

/* Through another mount, by the same thread. */
static void test_absent_until_made_elsewhere(void **state)
{
    (void)state;
    static char path[] = "m/app/k";
    harness_start_app(NULL);
    harness_start("other", NULL);
    for (int i = 0; i < STATS_TRIES; i++) {
        assert_int_equal(look_at(path), ENOENT);
        assert_int_equal(look_at(path), ENOENT);
        assert_int_equal(harness_write("other/app/k", O_CREAT, "v"), 0);
        assert_int_equal(look_at(path), 0);
        assert_ok(unlink(path));
    }
}

static void test_directories(void **state)
{
    start_known(*state);
    peer_set("app", "k", "value");
    stats_assert_budget(*state, 1, NULL, NULL, "ls m/app");
    stats_assert_budget(*state, 0, NULL, NULL, "df m");
    stats_assert_budget(*state, 0, NULL, NULL, "test -d m/app");
    stats_assert_budget(*state, 0, NULL, NULL, "cat m/.datasetfs/stats");
}

/* Committed a moment after the command: the count is complete once the store shows it. */
static void test_empty(void **state)
{
    start_known(*state);
    known("k");
    uint64_t before = stats_requests("m", NULL);
    assert_sh_ok(*state, "", ": > m/app/k");
    assert_soon(peer_has("app", "k", ""));
    assert_int_equal(stats_requests("m", NULL) - before, 1);
    assert_int_equal(stats_requests("m", "set"), 1);
}

/* The issue's own three, in one go and without retries for what has no time window. */
static void test_done_when(void **state)
{
    start_known(*state);
    known("k");
    uint64_t before = stats_requests("m", NULL);
    assert_sh_ok(*state, "", "echo x > m/app/k");
    assert_int_equal(stats_requests("m", NULL) - before, 1);
    before = stats_requests("m", NULL);
    assert_sh_ok(*state, "k\n", "ls m/app");
    assert_int_equal(stats_requests("m", NULL) - before, 1);
    harness_outlive_attributes();
    stats_assert_budget(*state, 1, known, NULL, "cat m/app/KEY");
}

/* Ten opens, and the gets that they cost. */
static uint64_t ten_opens(void)
{
    uint64_t before = stats_requests("m", "get");
    for (int i = 0; i < 10; i++)
        assert_content("m/app/k", "value\n");
    return stats_requests("m", "get") - before;
}

/* Each open asks, and once: no cache may answer for the store. On a stalled machine what the kernel
 * asked just before may be too old for the open, so that it asks again; then ten more are tried. */
static void test_every_open_asks(void **state)
{
    (void)state;
    start_known("dash");
    known("k");
    uint64_t gets = 0;
    for (int i = 0; i < STATS_TRIES && gets != 10; i++) {
        gets = ten_opens();
        assert_in_range(gets, 10, 20);
    }
    assert_int_equal(gets, 10);
}

/* ttl=SECONDS allows exactly that. */
static void test_ttl(void **state)
{
    (void)state;
    harness_start_app("ttl=3600");
    peer_set("app", "k", "value\n");
    assert_content("m/app/k", "value\n");
    uint64_t before = stats_requests("m", NULL);
    peer_set("app", "k", "newer\n");
    for (int i = 0; i < 10; i++)
        assert_content("m/app/k", "value\n");
    assert_int_equal(stats_requests("m", NULL) - before, 0);
    /* Our own change is seen at once all the same. */
    assert_int_equal(harness_write("m/app/k", O_TRUNC, "ours\n"), 0);
    assert_content("m/app/k", "ours\n");
    assert_store("app", "k", "ours\n");
}

/* An edit in place: the temporary file's name is looked up, and the value read and set. */
static void test_edit(void **state)
{
    start_known(*state);
    stats_assert_budget(*state, 3, known, NULL, "sed -i s/value/newer/ m/app/KEY");
}

/* How often the daemon's threads have given a processor away because they had to wait. */
static uint64_t waits_of(pid_t pid)
{
    char path[64], line[128];
    uint64_t sum = 0;
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *tasks = opendir(path);
    assert_non_null(tasks);
    for (const struct dirent *task; (task = readdir(tasks));) {
        char status[PATH_MAX];
        unsigned long long waits;
        snprintf(status, sizeof status, "%s/%s/status", path, task->d_name);
        FILE *file = task->d_name[0] == '.' ? NULL : fopen(status, "re");
        while (file && fgets(line, sizeof line, file))
            if (sscanf(line, "voluntary_ctxt_switches: %llu", &waits) == 1)
                sum += waits;
        if (file)
            fclose(file);
    }
    closedir(tasks);
    return sum;
}

/* A worker waits for the next request, and nobody is woken while it asks a store that answers at
 * once: about one wait for each request, and not two, on a busy machine too. */
static void test_waits(void **state)
{
    enum { FILES = 500, MOST = FILES + FILES * 3 / 4 };
    (void)state;
    struct stat status;
    char path[64];
    uint64_t least = UINT64_MAX;
    struct harness_daemon *daemon = harness_start_app(NULL);
    if (strncmp(harness_source(), "local:", 6) != 0)
        skip(); /* the worker waits for the store too, and so do other threads */
    for (int i = 0; i < FILES; i++) {
        snprintf(path, sizeof path, "k%d", i);
        peer_set("app", path, "v");
    }
    assert_ok(access("m/app", F_OK));
    for (int i = 0; i < STATS_TRIES && least > MOST; i++) {
        uint64_t gets = stats_requests("m", "get"), waits;
        harness_outlive_attributes();
        waits = waits_of(daemon->worker);
        for (int j = 0; j < FILES; j++) {
            snprintf(path, sizeof path, "m/app/k%d", j);
            assert_ok(stat(path, &status));
        }
        waits = waits_of(daemon->worker) - waits;
        assert_int_equal(stats_requests("m", "get") - gets, FILES);
        least = waits < least ? waits : least;
    }
    assert_in_range(least, 0, MOST);
}

static const struct CMUnitTest tests[] = {
    HARNESS_TEST(test_absent),
    HARNESS_TEST(test_absent_as_before),
    HARNESS_TEST(test_absent_until_made),
    HARNESS_TEST(test_absent_until_made_elsewhere),
    HARNESS_TEST(test_waits),
    HARNESS_TEST(test_mount),
    HARNESS_SHELLS(test_cold),
    HARNESS_SHELLS(test_known),
    HARNESS_SHELLS(test_new),
    HARNESS_SHELLS(test_directories),
    HARNESS_SHELLS(test_empty),
    HARNESS_SHELLS(test_done_when),
    HARNESS_TEST(test_every_open_asks),
    HARNESS_TEST(test_ttl),
    HARNESS_SHELLS(test_edit),
};

HARNESS_MAIN_FIRST(tests)
