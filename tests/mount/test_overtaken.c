/* Answers of the store that this mount's own changes, or later answers, have overtaken: the
 * simulator carries a request out, and its answer comes late. */
#include "harness.h"

#include "peer.h"
#include "shell.h"
#include "sim.h"
#include "sim_rest.h"
#include "stats.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* How the running test reaches the store: both sides can have two requests under way. */
static const char *over;

static bool rest(void)
{
    return strcmp(over, "rest") == 0;
}

/* "app" with the key "a"; `options` besides what the kind needs. */
static void start(void **state, const char *options)
{
    char all[256];

    over = *state;
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_set("app", "a", "A");
    if (rest()) {
        sim_start_rest(NULL);
        harness_start_source("m", sim_rest_source(), sim_rest_options(options));
    } else {
        sim_start(NULL);
        snprintf(all, sizeof all, "channels=4%s%s", options ? "," : "", options ? options : "");
        harness_start_source("m", sim_source(), all);
    }
}

/* The next request of this name (as in "list-keys") is carried out, and its answer comes `ms`
 * later. */
static void delay(const char *request, unsigned ms)
{
    sim_fault("delay=%u:command=%s-%s:count=1", ms, rest() ? "rest" : "datasets", request);
}

/* Begins the command, whose output goes to `file`, and waits until the fault has struck. */
static pid_t begin(const char *command, const char *file)
{
    uint64_t fired = sim_fired();
    pid_t pid = shell_spawn("dash", "%s >%s", command, file);
    assert_soon(sim_fired() > fired);
    return pid;
}

static void end(pid_t pid, const char *file, const char *output)
{
    assert_int_equal(shell_wait(pid), 0);
    assert_sh_ok("dash", output, "cat %s", file);
}

static void test_commit_during_listing(void **state)
{
    start(state, NULL);
    int fd = harness_open("m/app/t", O_WRONLY | O_CREAT);
    delay("list-keys", 1000);
    pid_t pid = begin("ls m/app", "out");
    harness_put(fd, "text");
    assert_store("app", "t", "text");
    assert_ok(close(fd));
    end(pid, "out", "a\nt\n");
}

/* What was held back is published, and the key that it was is removed. */
static void test_temporary_ends_during_listing(void **state)
{
    start(state, "scratch_delay=1");
    assert_ok(rename("m/app/a", "m/app/a~"));
    delay("list-keys", 4000);
    pid_t pid = begin("ls m/app", "out");
    assert_soon(peer_lacks("app", "a") && peer_has("app", "a~", "A"));
    end(pid, "out", "a~\n");
}

/* Waits until the store counts as silent: from then on a listing is from memory. */
static pid_t silence(void)
{
    assert_content("m/app/a", "A"); /* an open of it holds no lock of the directory */
    uint64_t fired = sim_fired();
    sim_fault("never-reply");
    pid_t pid = shell_spawn("dash", "cat m/app/a >hung 2>&1");
    assert_soon(sim_fired() > fired);
    harness_outlive_attributes();
    assert_int_equal(harness_size("m/app/a"), 1); /* asks for a second, and then memory tells */
    return pid;
}

static void end_silence(pid_t pid)
{
    sim_clear();
    shell_wait(pid);
}

/* Of two listings under way the one that was asked for later is the last one. */
static void test_older_listing_comes_later(void **state)
{
    start(state, "timeout=4");
    delay("list-keys", 1000);
    pid_t pid = begin("ls m/app", "out");
    peer_set("app", "b", "B");
    assert_sh_ok("dash", "a\nb\n", "ls m/app");
    assert_int_equal(shell_wait(pid), 0);
    pid = silence();
    assert_sh_ok("dash", "a\nb\n", "ls m/app");
    end_silence(pid);
}

/* The last listing, which serves while the store is silent, knows of own changes since. */
static void test_own_changes_in_silence(void **state)
{
    start(state, "timeout=4");
    peer_set("app", "b", "B");
    assert_sh_ok("dash", "a\nb\n", "ls m/app");
    assert_ok(harness_write("m/app/c", O_CREAT, "C"));
    assert_ok(unlink("m/app/b"));
    pid_t pid = silence();
    assert_sh_ok("dash", "a\nc\n", "ls m/app");
    end_silence(pid);
}

/* The kernel was not told that the directory has vanished: what it is told of this kind comes in
 * turn, and the other DataSet's was told later. */
static void assert_named(int directory)
{
    char link[32], path[PATH_MAX];

    peer_create("last", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    int last = harness_open("m/last", O_RDONLY | O_DIRECTORY);
    peer_destroy("last");
    assert_soon(access("m/last", F_OK) != 0);
    assert_ok(close(last));
    snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
    ssize_t len = readlink(link, path, sizeof path - 1);
    assert_true(len > 0);
    path[len] = '\0';
    assert_null(strstr(path, "(deleted)"));
}

/* The kernel keeps those who change a directory waiting for those who list it, but the DataSets
 * stand in two. */
static void test_datasets_made_and_removed_during_listing(void **state)
{
    start(state, NULL);
    if (!rest())
        skip(); /* a guest makes none */
    peer_create("old", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    delay("list", 1000);
    pid_t pid = begin("ls m/.datasetfs/info", "out");
    assert_ok(mkdir("m/new", 0700));
    int directory = harness_open("m/new", O_RDONLY | O_DIRECTORY);
    assert_ok(rmdir("m/old"));
    end(pid, "out", "app\nnew\n");
    assert_named(directory);
    assert_ok(close(directory));
}

/* The other side makes a DataSet, and a question of ours finds it before the listing arrives. */
static void test_found_during_listing(void **state)
{
    start(state, NULL);
    delay("list", 1000);
    pid_t pid = begin("ls m/.datasetfs/info", "out");
    peer_create("new", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    int directory = harness_open("m/new", O_RDONLY | O_DIRECTORY);
    assert_int_equal(shell_wait(pid), 0);
    assert_named(directory);
    assert_ok(close(directory));
}

/* A question's answer is older than what was written to info since. */
static void test_info_during_query(void **state)
{
    start(state, NULL);
    if (!rest())
        skip();
    delay("query", 1000);
    pid_t pid = begin("cat m/.datasetfs/info/app", "out");
    assert_ok(harness_write("m/.datasetfs/info/app", 0, "{\"host\":\"READ_ONLY\"}"));
    assert_int_equal(shell_wait(pid), 0);
    assert_int_equal(harness_mode("m/app"), 0500);
}

/* A query that found the DataSet is answered after we have destroyed it. */
static void test_rmdir_during_query(void **state)
{
    start(state, NULL);
    if (!rest())
        skip();
    peer_create("old", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    delay("query", 1000);
    pid_t pid = begin("cat m/.datasetfs/info/old || :", "out");
    assert_ok(rmdir("m/old"));
    shell_wait(pid);
    assert_errno(access("m/old", F_OK), ENOENT);
    assert_ok(mkdir("m/old", 0700));
}

#define BOTH(function)                                                                             \
    {#function " (tools)", function, harness_setup, harness_teardown, "tools"},                    \
    {                                                                                              \
#function " (rest)", function, harness_setup, harness_teardown, "rest"                     \
    }

static const struct CMUnitTest tests[] = {
    BOTH(test_commit_during_listing),
    BOTH(test_temporary_ends_during_listing),
    BOTH(test_older_listing_comes_later),
    BOTH(test_own_changes_in_silence),
    BOTH(test_datasets_made_and_removed_during_listing),
    BOTH(test_found_during_listing),
    BOTH(test_info_during_query),
    BOTH(test_rmdir_during_query),
};

HARNESS_MAIN(tests)
