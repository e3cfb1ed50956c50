/* Listings fetch values in batches: what walks over a directory cost, and what they show. */
#include "harness.h"

#include "peer.h"
#include "shell.h"
#include "sim.h"
#include "stats.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEYS = 1000 };

/* KEYS keys in `app` whose values' sizes differ, and the DataSet known to the mount. */
static void start_full(const char *options)
{
    harness_start_app(options);
    for (unsigned i = 0; i < KEYS; i++) {
        char key[16], value[64];
        snprintf(key, sizeof key, "k%04u", i);
        snprintf(value, sizeof value, "%0*u\n", 1 + (int)(i % 40), i);
        peer_set("app", key, value);
    }
    assert_sh_ok("bash", "", "test -d m/app");
}

/* All values together fit into one reply of the simulated host. */
static unsigned batches(size_t keys)
{
    if (harness_over_rest())
        return (unsigned)keys;
    unsigned batch = ds_client_caps(peer_client(DS_SIDE_HOST))->batch_keys;
    if (sim_runs())
        return 1;
    return (unsigned)((keys + batch - 1) / batch);
}

/* The command costs one listing and as many gets as there are batches; a stalled machine (values
 * fetched ahead live for a second) may need another try, which begins anew with a fresh mount. */
static void assert_walk(const char *shell, const char *command, const char *output)
{
    uint64_t lists = 0, gets = 0;
    for (int i = 0; i < STATS_TRIES; i++) {
        struct harness_daemon *daemon = harness_start("w", NULL);
        assert_sh_ok(shell, "", "test -d w/app");
        assert_sh_ok(shell, output, "%s", command);
        lists = stats_requests("w", "list_keys");
        gets = stats_requests("w", "get");
        harness_stop(daemon);
        if (lists == 1 && gets == batches(KEYS))
            return;
    }
    fail_msg("%s: %u listings and %u gets instead of 1 and %u", command, (unsigned)lists,
             (unsigned)gets, batches(KEYS));
}

static void test_walks(void **state)
{
    start_full(NULL);
    assert_walk(*state, "ls -l w/app | tail -n +2 | awk '{s += $5} END {print NR, s}'",
                "1000 21568\n");
    assert_walk(*state, "du --apparent-size -b w/app | cut -f1", "21568\n");
    assert_walk(*state, "find w/app -type f -size -40c -printf '%s\\n' | sort -n | tail -n 1",
                "39\n");
    assert_walk(*state, "grep -rl '0500$' w/app", "w/app/k0500\n");
    assert_walk(*state, "cat w/app/* | wc -l", "1000\n");
}

static void make_walk(void)
{
    int fd = open("walk.py", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    const char text[] = "import os, sys\n"
                        "total = 0\n"
                        "for top, _, names in os.walk(sys.argv[1]):\n"
                        "    for name in names:\n"
                        "        fd = os.open(os.path.join(top, name), os.O_RDONLY)\n"
                        "        size = os.fstat(fd).st_size\n"
                        "        data = os.read(fd, 65536)\n"
                        "        assert size == len(data) == os.fstat(fd).st_size\n"
                        "        os.close(fd)\n"
                        "        total += len(data)\n"
                        "print(total)\n";
    assert_true(fd >= 0);
    harness_put(fd, text);
    assert_ok(close(fd));
}

/* Those that open and read each file, and look at it once more before they close it. */
static void test_walks_that_read(void **state)
{
    start_full(NULL);
    make_walk();
    assert_walk(*state, "tar -cf - w/app | tar -tf - | grep -c k", "1000\n");
    assert_walk(*state, "rm -rf copy && cp -r w/app copy && ls copy | wc -l", "1000\n");
    assert_walk(*state, "rm -rf copy && cp -a w/app copy && ls copy | wc -l", "1000\n");
    assert_walk(*state, "rm -rf copy && rsync -a w/app/ copy && ls copy | wc -l", "1000\n");
    assert_walk(*state, "python3 walk.py w/app", "21568\n");
}

/* What is only listed is not fetched. */
static void test_plain_listing(void **state)
{
    start_full(NULL);
    uint64_t before = stats_requests("m", NULL);
    assert_sh_ok(*state, "1000\n", "ls m/app | wc -l");
    assert_int_equal(stats_requests("m", NULL) - before, 1);
    assert_sh_ok(*state, "1000\n", "find m/app -type f | wc -l");
    assert_int_equal(stats_requests("m", NULL) - before, 2);
}

/* One stat and one open may use what was fetched ahead; the next open asks. */
static void test_used_once(void **state)
{
    (void)state;
    start_full(NULL);
    struct stat status;
    DIR *listing = opendir("m/app");
    assert_non_null(listing);
    while (readdir(listing))
        ;
    assert_int_equal(stat("m/app/k0000", &status), 0);
    peer_set("app", "k0001", "changed since it was fetched\n");
    uint64_t before = stats_requests("m", NULL);
    assert_content("m/app/k0001", "01\n");
    assert_int_equal(stats_requests("m", NULL) - before, 0);
    assert_content("m/app/k0001", "changed since it was fetched\n");
    closedir(listing);
}

/* A second after it came it is too old. */
static void test_used_for_a_second(void **state)
{
    (void)state;
    start_full(NULL);
    struct stat status;
    DIR *listing = opendir("m/app");
    assert_non_null(listing);
    while (readdir(listing))
        ;
    assert_int_equal(stat("m/app/k0000", &status), 0);
    int64_t came_ms = harness_now_ms();
    peer_set("app", "k0001", "changed since it was fetched\n");
    assert_soon(harness_now_ms() - came_ms > 1001);
    assert_content("m/app/k0001", "changed since it was fetched\n");
    closedir(listing);
}

/* It is for who walks: everybody else asks, as ever. */
static void test_for_the_walker_alone(void **state)
{
    start_full(NULL);
    struct stat status;
    DIR *listing = opendir("m/app");
    assert_non_null(listing);
    while (readdir(listing))
        ;
    assert_int_equal(stat("m/app/k0000", &status), 0);
    peer_set("app", "k0001", "changed since\n");
    peer_set("app", "k0002", "changed as well\n");
    harness_outlive_attributes();
    assert_sh_ok(*state, "changed since\n", "cat m/app/k0001");
    assert_sh_ok(*state, "16\n", "stat -c %%s m/app/k0002");
    closedir(listing);
}

/* access(2) tells the kernel no size: what came ahead is longer than the kernel still believes. */
static void test_longer_after_access(void **state)
{
    (void)state;
    start_full(NULL);
    struct stat status;
    for (int i = 0; i < 5; i++) {
        char value[64];
        peer_set("app", "k0001", "short");
        assert_int_equal(stat("m/app/k0001", &status), 0);
        snprintf(value, sizeof value, "longer than it was before, for the %dth time", i);
        peer_set("app", "k0001", value);
        DIR *listing = opendir("m/app");
        assert_non_null(listing);
        assert_non_null(readdir(listing));
        assert_int_equal(stat("m/app/k0000", &status), 0); /* and k0001 comes too */
        assert_ok(access("m/app/k0001", R_OK));
        assert_content("m/app/k0001", value);
        closedir(listing);
        harness_outlive_attributes();
    }
}

/* fstat(2) after a read is not asked about, but the next one is, and so is one before any. */
static void test_looks_again(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_set("app", "k", "v");
    int fd = harness_open("m/app/k", O_RDONLY);
    struct stat status;
    peer_set("app", "k", "longer");
    harness_outlive_attributes();
    assert_int_equal(fstat(fd, &status), 0);
    assert_int_equal(status.st_size, 6);
    harness_assert_handle(fd, "longer");
    peer_set("app", "k", "longer still.");
    harness_outlive_attributes();
    assert_int_equal(fstat(fd, &status), 0);
    harness_outlive_attributes();
    assert_int_equal(fstat(fd, &status), 0);
    assert_int_equal(status.st_size, 13);
    assert_int_equal(close(fd), 0);
}

/* Own changes are seen at once, whatever was fetched before them. */
static void test_own_changes(void **state)
{
    start_full(NULL);
    assert_sh_ok(*state, "",
                 "ls -l m/app > listed && echo new > m/app/k0002 && "
                 "test \"$(cat m/app/k0002)\" = new && rm m/app/k0003 && ! test -e m/app/k0003");
    assert_sh_ok(*state, "4\n", "stat -c %%s m/app/k0002");
    assert_sh_ok(*state, "999\n", "ls -l m/app | grep -c k");
}

/* A key that goes away between the listing and the look is no error of the others. */
static void test_vanished_key(void **state)
{
    (void)state;
    start_full(NULL);
    struct stat status;
    DIR *listing = opendir("m/app");
    assert_non_null(listing);
    assert_non_null(readdir(listing));
    peer_remove("app", "k0001");
    assert_int_equal(stat("m/app/k0000", &status), 0);
    assert_errno(stat("m/app/k0001", &status), ENOENT);
    assert_int_equal(stat("m/app/k0002", &status), 0);
    assert_int_equal(status.st_size, 4);
    closedir(listing);
}

/* Values that do not fit into the cache together still have their true sizes. */
static void test_small_cache(void **state)
{
    (void)state;
    start_full("cache=1K");
    assert_sh_ok("bash", "1000 21568\n",
                 "ls -l m/app | tail -n +2 | awk '{s += $5} END {print NR, s}'");
}

static const struct CMUnitTest tests[] = {
    HARNESS_SHELLS(test_walks),
    HARNESS_SHELLS(test_plain_listing),
    HARNESS_SHELLS(test_walks_that_read),
    HARNESS_TEST(test_looks_again),
    HARNESS_TEST(test_longer_after_access),
    HARNESS_TEST(test_used_once),
    HARNESS_TEST(test_used_for_a_second),
    HARNESS_SHELLS(test_for_the_walker_alone),
    HARNESS_SHELLS(test_own_changes),
    HARNESS_TEST(test_vanished_key),
    HARNESS_TEST(test_small_cache),
};

HARNESS_MAIN(tests)
