/* Modification times, which the store does not keep: what this mount saw of them, also when the
 * kernel has forgotten the inode in between. */
#include "harness.h"

#include "peer.h"
#include "shell.h"
#include "stats.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define THEN 1000000000 /* a time long ago: 2001-09-09 01:46:40 UTC */

static const struct timespec then[] = {{.tv_sec = THEN}, {.tv_sec = THEN}};

static int64_t ns_of(const struct timespec *time)
{
    return time->tv_sec * INT64_C(1000000000) + time->tv_nsec;
}

static int64_t now(void)
{
    struct timespec time;
    assert_ok(clock_gettime(CLOCK_REALTIME, &time));
    return ns_of(&time);
}

/* As the daemon says it now. */
static int64_t mtime(const char *path)
{
    struct stat status;
    harness_outlive_attributes();
    assert_ok(stat(path, &status));
    return ns_of(&status.st_mtim);
}

/* The root's is the mount's start. */
#define assert_as_old_as_mount(path) assert_true(mtime(path) == mtime("m"))

#define list(directory) assert_sh_ok("dash", "", "ls %s >/dev/null", directory)

static uint64_t forgotten(void)
{
    return stats_counter("m", "datasetfs_fuse_requests_total{opcode=\"forget\"}");
}

/* The kernel drops the inodes of at least so many keys. */
static void forget(unsigned count)
{
    uint64_t before = forgotten();
    assert_ok(mount(NULL, "m", NULL, MS_REMOUNT | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
    assert_soon(forgotten() - before >= count);
}

/* The other side makes the key; it is newer than that, and stays what it is. */
static void assert_made_now(const char *key)
{
    char path[64];
    snprintf(path, sizeof path, "m/app/%s", key);
    int64_t before = now();
    peer_set("app", key, "v");
    int64_t made = mtime(path);
    assert_true(made >= before);
    assert_true(mtime(path) == made);
    forget(1);
    assert_true(mtime(path) == made);
}

static void test_was_there_before(void **state)
{
    (void)state;
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_set("app", "k", "v");
    peer_set("app", "l", "v");
    harness_start("m", NULL);
    assert_as_old_as_mount("m/app/k");
    list("m/app");
    list("m/app");
    assert_as_old_as_mount("m/app/k");
    assert_as_old_as_mount("m/app/l");
    forget(2);
    list("m/app");
    assert_as_old_as_mount("m/app/k");
    assert_as_old_as_mount("m/app/l");
}

static void test_made_after_listing(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_set("app", "b", "v");
    list("m/app");
    assert_made_now("c");
    assert_made_now("a");
    assert_as_old_as_mount("m/app/b");
}

/* A listing that shows the names does not make them known. */
static void test_made_between_listings(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_set("app", "b", "v");
    peer_set("app", "d", "v");
    list("m/app");
    int64_t before = now();
    peer_set("app", "a", "v");
    peer_set("app", "c", "v");
    peer_remove("app", "d");
    peer_set("app", "e", "v");
    list("m/app");
    peer_set("app", "d", "v");
    list("m/app");
    assert_sh_ok("dash", "", "ls -l m/app >/dev/null");
    assert_true(mtime("m/app/a") >= before);
    assert_true(mtime("m/app/c") >= before);
    assert_true(mtime("m/app/d") >= before);
    assert_true(mtime("m/app/e") >= before);
    assert_as_old_as_mount("m/app/b");
}

static void test_made_after_lookup(void **state)
{
    (void)state;
    harness_start_app(NULL);
    assert_errno(access("m/app/k", F_OK), ENOENT);
    assert_made_now("k");
    assert_as_old_as_mount("m/app");
}

/* With the value that it had: whoever saw that it was missing sees another key. */
static void test_made_again(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_set("app", "k", "v");
    peer_set("app", "l", "v");
    peer_set("app", "m", "v");
    assert_as_old_as_mount("m/app/k");
    assert_as_old_as_mount("m/app/l");
    assert_as_old_as_mount("m/app/m");
    peer_remove("app", "k");
    list("m/app");
    assert_made_now("k");
    peer_remove("app", "k");
    list("m/app");
    peer_set("app", "k", "v");
    list("m/app");
    peer_remove("app", "k");
    assert_made_now("k");

    forget(2);
    peer_remove("app", "l");
    list("m/app");
    assert_made_now("l");
    assert_ok(unlink("m/app/m"));
    assert_made_now("m");
    assert_ok(rename("m/app/m", "m/app/n"));
    assert_made_now("m");
}

static void test_made_with_its_dataset(void **state)
{
    (void)state;
    harness_start_app(NULL);
    list("m");
    int64_t before = now();
    peer_create("seen", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_create("listed", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_set("seen", "k", "v");
    peer_set("listed", "k", "v");
    assert_true(mtime("m/seen/k") >= before);
    list("m");
    assert_true(mtime("m/listed/k") >= before);
    assert_errno(access("m/missed", F_OK), ENOENT);
    before = now();
    peer_create("missed", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_set("missed", "k", "v");
    assert_true(mtime("m/missed/k") >= before);
}

static void test_destroyed_by_other_side(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_set("app", "k", "v");
    assert_as_old_as_mount("m/app/k");
    peer_remove("app", "k");
    peer_destroy("app");
    list("m");
    int64_t before = now();
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_set("app", "k", "v");
    harness_outlive_attributes();
    assert_soon(access("m/app/k", F_OK) == 0);
    assert_true(mtime("m/app/k") >= before);
}

static void test_forgotten_and_changed(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_set("app", "k", "aaaa");
    assert_as_old_as_mount("m/app/k");
    forget(1);
    int64_t before = now();
    peer_set("app", "k", "bbbb");
    int64_t changed = mtime("m/app/k");
    assert_true(changed >= before);
    forget(1);
    assert_true(mtime("m/app/k") == changed);
    forget(1);
    before = now();
    peer_set("app", "k", "aaaa");
    assert_true(mtime("m/app/k") >= before);
}

static void test_forgotten_own_write(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_set("app", "k", "v");
    int64_t before = now();
    assert_int_equal(harness_write("m/app/k", O_TRUNC, "new"), 0);
    assert_int_equal(harness_write("m/app/l", O_CREAT, "new"), 0);
    int64_t k = mtime("m/app/k"), l = mtime("m/app/l");
    assert_true(k >= before && l >= before);
    forget(2);
    list("m/app");
    assert_true(mtime("m/app/k") == k);
    assert_true(mtime("m/app/l") == l);
    forget(2);
    assert_ok(rename("m/app/k", "m/app/j"));
    list("m/app");
    assert_true(mtime("m/app/j") == k);
    forget(2);
    assert_true(mtime("m/app/j") == k);
}

/* A time that was set ends with the content, though that comes back. */
static void test_forgotten_after_touch(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_set("app", "k", "v");
    assert_ok(utimensat(AT_FDCWD, "m/app/k", then, 0));
    forget(1);
    assert_true(mtime("m/app/k") == ns_of(&then[1]));
    peer_set("app", "k", "w");
    assert_true(mtime("m/app/k") > ns_of(&then[1]));
    peer_set("app", "k", "v");
    int64_t changed = mtime("m/app/k");
    forget(1);
    assert_true(mtime("m/app/k") == changed);
    assert_ok(utimensat(AT_FDCWD, "m/app/k", then, 0));
    forget(1);
    peer_set("app", "k", "w");
    assert_true(mtime("m/app/k") >= changed);
    forget(1);
    peer_set("app", "k", "v");
    assert_true(mtime("m/app/k") >= changed);
    assert_ok(utimensat(AT_FDCWD, "m/app/k", then, 0));
    forget(1);
    peer_remove("app", "k");
    list("m/app");
    peer_set("app", "k", "v");
    assert_true(mtime("m/app/k") >= changed);
}

/* Values that the cache has no room for. */
static void test_dropped_from_cache(void **state)
{
    (void)state;
    harness_start_app("cache=4k");
    char text[1025];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    for (char key[] = "a"; key[0] <= 'h'; key[0]++)
        peer_set("app", key, text);
    assert_ok(chdir("m/app"));
    assert_sh_ok("dash", "", "stat -c '%%n %%.9Y' ? >../../before");
    assert_ok(chdir("../.."));
    harness_outlive_attributes();
    text[0] = 'y';
    peer_set("app", "c", text);
    assert_ok(chdir("m/app"));
    assert_sh_ok("dash", "", "stat -c '%%n %%.9Y' ? >../../after");
    assert_ok(chdir("../.."));
    assert_sh_ok("dash", "c\n", "diff before after | sed -n 's/^> \\(.\\).*/\\1/p'");
}

/* As people meet it. */
static void test_tools(void **state)
{
    harness_start_app(NULL);
    peer_set("app", "old", "v");
    assert_sh_ok(*state, "old\n", "ls m/app");
    assert_sh_ok(*state, "", "touch -d '2001-09-09 01:46:40 UTC' m/app/old && touch ref");
    peer_set("app", "answer", "done");
    assert_sh_ok(*state, "", "test m/app/answer -nt ref && ! test m/app/old -nt ref");
    assert_sh_ok(*state, "m/app/answer\n", "find m/app -type f -newer ref");
    forget(2);
    assert_sh_ok(*state, "m/app/answer\n", "find m/app -type f -newer ref");
    assert_sh_ok(*state, "m/app/old\n", "find m/app -type f -mtime +7");
    assert_sh_ok(*state, "", "touch ref2");
    forget(2);
    peer_set("app", "answer", "gone");
    assert_sh_ok(*state, "m/app/answer\n",
                 "tar cf t.tar --newer-mtime=./ref2 m/app 2>/dev/null; tar tf t.tar | grep -v /$");
}

/* Names that nobody has, looked for in the root, push out nothing that is known. */
static void test_vain_names(void **state)
{
    (void)state;
    struct stat before, after;
    const char *source = getenv("DATASETFS_TEST_SOURCE");
    if ((source && *source) || HARNESS_SLOWNESS > 1)
        skip(); /* it says nothing new, and takes long */
    harness_start_app(NULL);
    peer_set("app", "k", "v");
    assert_sh_ok("dash", "app\n", "ls m");
    assert_ok(stat("m/app/k", &before));
    forget(1);
    for (int i = 0; i < 70000; i++) { /* more than are kept */
        char path[32];
        snprintf(path, sizeof path, "m/no%d", i);
        assert_int_equal(access(path, F_OK), -1);
    }
    assert_ok(stat("m/app/k", &after));
    assert_memory_equal(&before.st_mtim, &after.st_mtim, sizeof before.st_mtim);
}

/* A change that is refused, at once or in the end, moves no time: neither one that utimens(2) has
 * set nor the moment when the value was seen. */
static void test_refused_changes(void **state)
{
    static const char *const changes[] = {
        "printf '\\351' > m/app/k",
        "printf '\\351' >> m/app/k",
        "printf 'a\\000b' > m/app/k",
        "printf 'a\\000b' >> m/app/k",
        "printf '\\377' 1<> m/app/k",
        "printf 'caf\\303' 1<> m/app/k",
        "printf '\\000' | dd of=m/app/k conv=notrunc bs=1 seek=2",
        "printf x | dd of=m/app/k conv=notrunc bs=1 seek=1048576",
        "truncate -s 100 m/app/k",
        "mv m/app/k m/gone/k",
        "cp /bin/true m/app/k",
    };
    (void)state;
    harness_start_app(NULL);
    for (size_t set = 0; set < 2; set++) {
        peer_set("app", "k", set ? "another" : "value");
        list("m/app");
        int64_t before = mtime("m/app/k");
        if (set) {
            assert_ok(utimensat(AT_FDCWD, "m/app/k", then, 0));
            before = mtime("m/app/k");
        }
        for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
            shell_run("bash", "(%s) 2>/dev/null", changes[i]);
            assert_soon(harness_size("m/app/k") == (set ? 7 : 5));
            if (mtime("m/app/k") != before)
                print_error("%s\n", changes[i]);
            assert_true(mtime("m/app/k") == before);
            assert_store("app", "k", set ? "another" : "value");
            harness_prolong();
        }
    }
}

static const struct CMUnitTest tests[] = {
    HARNESS_TEST(test_vain_names),
    HARNESS_TEST(test_was_there_before),
    HARNESS_TEST(test_made_after_listing),
    HARNESS_TEST(test_made_between_listings),
    HARNESS_TEST(test_made_after_lookup),
    HARNESS_TEST(test_made_again),
    HARNESS_TEST(test_made_with_its_dataset),
    HARNESS_TEST(test_destroyed_by_other_side),
    HARNESS_TEST(test_forgotten_and_changed),
    HARNESS_TEST(test_forgotten_own_write),
    HARNESS_TEST(test_forgotten_after_touch),
    HARNESS_TEST(test_dropped_from_cache),
    HARNESS_TEST(test_refused_changes),
    HARNESS_SHELLS(test_tools),
};

HARNESS_MAIN(tests)
