/* Renames from and to temporary names, and what editors and tools make of them. */
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

#define LATER "scratch_delay=3600"
#define SOON "scratch_delay=1"

/* Changes that the mount "m" has sent. */
struct sent {
    uint64_t sets, removes;
};

static struct sent sent_so_far(void)
{
    return (struct sent){stats_requests("m", "set") + stats_requests("m", "append"),
                         stats_requests("m", "remove")};
}

/* Exactly so many since `before`, which becomes now. */
#define assert_sent(before, set_count, remove_count)                                               \
    do {                                                                                           \
        struct sent now_ = sent_so_far();                                                          \
        assert_int_equal(now_.sets - (before)->sets, set_count);                                   \
        assert_int_equal(now_.removes - (before)->removes, remove_count);                          \
        *(before) = now_;                                                                          \
    } while (0)

static uint64_t forgotten(void)
{
    return stats_counter("m", "datasetfs_fuse_requests_total{opcode=\"forget\"}");
}

static void assert_gone(const char *path)
{
    assert_errno(access(path, F_OK), ENOENT);
}

static void test_publish(void **state)
{
    (void)state;
    harness_start_app(LATER);
    peer_set("app", "k", "old");
    int open_one = harness_open("m/app/k", O_RDONLY);
    struct sent before = sent_so_far();
    temporary_leave("m/app/.k.Ab12cd", "new");
    assert_ok(rename("m/app/.k.Ab12cd", "m/app/k"));
    assert_sent(&before, 1, 0);
    assert_store("app", "k", "new");
    assert_content("m/app/k", "new");
    assert_gone("m/app/.k.Ab12cd");
    char got[8];
    assert_int_equal(read(open_one, got, sizeof got), 3);
    assert_memory_equal(got, "old", 3);
    assert_ok(close(open_one));

    temporary_leave("m/app/.k.Ab12cd", "first");
    assert_errno(renameat2(AT_FDCWD, "m/app/.k.Ab12cd", AT_FDCWD, "m/app/k", RENAME_NOREPLACE),
                 EEXIST);
    assert_ok(chmod("m/app/.k.Ab12cd", 0400));
    assert_sh_ok("dash", "", "touch -d @1000000000 m/app/.k.Ab12cd");
    assert_ok(renameat2(AT_FDCWD, "m/app/.k.Ab12cd", AT_FDCWD, "m/app/n", RENAME_NOREPLACE));
    assert_store("app", "n", "first");
    assert_sh_ok("dash", "400 1000000000 5\n", "stat -c '%%a %%Y %%s' m/app/n");
    assert_sent(&before, 1, 0);
    assert_int_equal(peer_keys("app"), 2);
}

/* Tools make such names up, and rename nothing to them: whoever does means a key. */
static void test_a_key_renamed_to_a_tools_name(void **state)
{
    static const char *const names[] = {"sedation1", "tmpabcdefgh", ".app.Config", "XXsa02Ae"};

    (void)state;
    harness_start_app(LATER);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[64];

        snprintf(path, sizeof path, "m/app/%s", names[i]);
        peer_set("app", "k", "value");
        assert_ok(rename("m/app/k", path));
        assert_store("app", names[i], "value");
        assert_not_in_store("app", "k");
    }
}

/* What a value may not be stays where it is. */
static void test_publish_refused(void **state)
{
    (void)state;
    harness_start_app(LATER);
    peer_set("app", "k", "old");
    struct sent before = sent_so_far();
    temporary_leave("m/app/.k.Ab12cd", "a\xff");
    assert_errno(rename("m/app/.k.Ab12cd", "m/app/k"), EILSEQ);
    assert_content("m/app/.k.Ab12cd", "a\xff");
    assert_sh_ok("dash", "", "head -c 1048577 /dev/zero | tr '\\0' a > m/app/.k.Ab12cd");
    assert_errno(rename("m/app/.k.Ab12cd", "m/app/k"), EFBIG);
    assert_int_equal(harness_size("m/app/.k.Ab12cd"), 1048577);
    assert_content("m/app/k", "old");
    assert_sent(&before, 0, 0);
    assert_ok(truncate("m/app/.k.Ab12cd", 1048576));
    assert_ok(rename("m/app/.k.Ab12cd", "m/app/k"));
    assert_int_equal(harness_size("m/app/k"), 1048576);
    assert_sh_ok("dash", "1\n", "grep -c 'rename.*/app/k.EFBIG' m/.datasetfs/errors");
}

static void test_in_memory(void **state)
{
    (void)state;
    harness_start_app(LATER);
    struct sent before = sent_so_far();
    temporary_leave("m/app/.k.swo", "text");
    assert_ok(rename("m/app/.k.swo", "m/app/.k.swp"));
    assert_gone("m/app/.k.swo");
    temporary_leave("m/app/.l.swp", "other");
    assert_ok(rename("m/app/.l.swp", "m/app/.k.swp"));
    assert_content("m/app/.k.swp", "other");
    assert_ok(rename("m/app/.k.swp", "m/app/k~"));
    assert_sent(&before, 0, 0);
    assert_sh_ok("dash", "k~\n", "ls -A m/app");
    assert_ok(rename("m/app/k~", "m/app/k"));
    assert_sent(&before, 1, 0);
    assert_store("app", "k", "other");
}

/* A key "k" of which the store does not know yet that it is "k~". */
static void hold(const char *value)
{
    peer_set("app", "k", value);
    assert_content("m/app/k", value);
    struct sent before = sent_so_far();
    assert_ok(rename("m/app/k", "m/app/k~"));
    assert_sent(&before, 0, 0);
    assert_store("app", "k", value);
    assert_not_in_store("app", "k~");
}

static void test_hold(void **state)
{
    (void)state;
    harness_start_app(LATER);
    harness_start("other", NULL);
    assert_sh_ok("dash", "", "echo v > m/app/k && chmod 400 m/app/k && rm m/app/k");
    hold("old");
    assert_gone("m/app/k");
    assert_content("m/app/k~", "old");
    assert_sh_ok("dash", "k~\n", "ls -A m/app");
    assert_sh_ok("dash", "3 k~\n", "ls -lA m/app | awk 'NR > 1 {print $5, $9}'");
    assert_sh_ok("dash", "k\n", "ls -A other/app");
    assert_true(temporary_listed("/app/k~\t3\t"));
    assert_errno(unlink("m/app/k"), ENOENT);
    assert_errno(rename("m/app/k", "m/app/l"), ENOENT);
    assert_errno(open("m/app/k", O_RDONLY), ENOENT);

    struct sent before = sent_so_far();
    assert_ok(rename("m/app/k~", "m/app/k"));
    assert_sent(&before, 0, 0);
    assert_content("m/app/k", "old");
    assert_sh_ok("dash", "k\n", "ls -A m/app");
    assert_sh_ok("dash", "", "cat m/.datasetfs/scratch");
    peer_set("app", "k", "from outside");
    harness_outlive_attributes();
    assert_content("m/app/k", "from outside");
}

/* The new value makes the removal of the old one needless. */
static void test_made_again(void **state)
{
    static const struct {
        const char *command;
        const char *value;
    } rows[] = {
        {"echo new > m/app/k", "new\n"},
        {"echo new >> m/app/k", "new\n"},
        {"set -C; echo new > m/app/k", "new\n"},
        {"echo new > plain && cp plain m/app/k", "new\n"},
        {"echo new > plain && mv plain m/app/k", "new\n"},
        {": > m/app/k; sync m/app/k", ""},
    };
    harness_start_app(LATER);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        hold("old");
        struct sent before = sent_so_far();
        assert_sh_ok(*state, "", "%s", rows[i].command);
        assert_soon(peer_has("app", "k", rows[i].value));
        assert_content("m/app/k", rows[i].value);
        assert_content("m/app/k~", "old");
        assert_sh_ok(*state, "k\nk~\n", "ls -A m/app");
        assert_sh_ok(*state, "", "rm m/app/k~");
        assert_sent(&before, 1, 0);
        assert_int_equal(peer_keys("app"), 1);
        assert_content("m/app/k", rows[i].value);
    }
    hold("old"); /* by a rename */
    temporary_leave("m/app/.k.Ab12cd", "renamed");
    struct sent before = sent_so_far();
    assert_ok(rename("m/app/.k.Ab12cd", "m/app/k"));
    assert_sent(&before, 1, 0);
    assert_ok(unlink("m/app/k~"));
    hold("old"); /* of another key */
    peer_set("app", "n", "N");
    assert_content("m/app/n", "N");
    before = sent_so_far();
    assert_sh_ok(*state, "", "mv m/app/n m/app/k");
    assert_sent(&before, 1, 1);
    assert_ok(unlink("m/app/k~"));
    assert_store("app", "k", "N");
    assert_int_equal(peer_keys("app"), 1);
    assert_sh_ok(*state, "", "cat m/.datasetfs/scratch");
}

/* Data that is refused leaves the old value where it was put. */
static void test_made_again_refused(void **state)
{
    (void)state;
    harness_start_app(LATER);
    hold("old");
    assert_int_equal(harness_write("m/app/k", O_CREAT, "a\xff"), -EILSEQ);
    assert_soon(access("m/app/k", F_OK) == -1 && errno == ENOENT);
    assert_content("m/app/k~", "old");
    assert_store("app", "k", "old");
    struct sent before = sent_so_far();
    assert_ok(rename("m/app/k~", "m/app/k"));
    assert_content("m/app/k", "old");
    assert_sent(&before, 0, 0);
}

static void test_removed(void **state)
{
    (void)state;
    harness_start_app(LATER);
    hold("old");
    struct sent before = sent_so_far();
    assert_ok(unlink("m/app/k~"));
    assert_sent(&before, 0, 1);
    assert_int_equal(peer_keys("app"), 0);
    assert_gone("m/app/k");
    hold("old"); /* the other side was faster */
    peer_remove("app", "k");
    assert_ok(unlink("m/app/k~"));
    hold("old"); /* made again, not yet published, and removed: its old value is published */
    int fd = harness_open("m/app/k", O_WRONLY | O_CREAT);
    assert_ok(unlink("m/app/k"));
    assert_store("app", "k~", "old");
    assert_not_in_store("app", "k");
    assert_int_equal(write(fd, "late", 4), 4);
    assert_ok(close(fd));
    assert_ok(unlink("m/app/k~"));
    assert_int_equal(peer_keys("app"), 0);
}

static void test_renamed_on(void **state)
{
    (void)state;
    harness_start_app(LATER);
    hold("old"); /* to a key */
    struct sent before = sent_so_far();
    assert_ok(rename("m/app/k~", "m/app/n"));
    assert_sent(&before, 1, 1);
    assert_store("app", "n", "old");
    assert_not_in_store("app", "k");
    assert_ok(unlink("m/app/n"));

    hold("old"); /* to another temporary name, and back */
    before = sent_so_far();
    assert_ok(rename("m/app/k~", "m/app/.k.swp"));
    assert_ok(rename("m/app/.k.swp", "m/app/k"));
    assert_sent(&before, 0, 0);
    assert_content("m/app/k", "old");

    hold("old"); /* changed, and back */
    assert_sh_ok("dash", "", "printf er >> m/app/k~");
    before = sent_so_far();
    assert_ok(rename("m/app/k~", "m/app/k"));
    assert_sent(&before, 1, 0);
    assert_store("app", "k", "older");

    hold("old"); /* replaced by a temporary file: as long as that is held, so is the removal */
    temporary_leave("m/app/.n.Ab12cd", "tmp");
    before = sent_so_far();
    assert_ok(rename("m/app/.n.Ab12cd", "m/app/k~"));
    assert_sent(&before, 0, 0);
    assert_gone("m/app/k");
    assert_content("m/app/k~", "tmp");
    assert_ok(rename("m/app/k~", "m/app/k"));
    assert_sent(&before, 1, 0);
    assert_store("app", "k", "tmp");

    hold("old"); /* replaced by a key: then the first is removed */
    peer_set("app", "n", "N");
    assert_content("m/app/n", "N");
    before = sent_so_far();
    assert_ok(rename("m/app/n", "m/app/k~"));
    assert_sent(&before, 0, 1);
    assert_not_in_store("app", "k");
    assert_ok(rename("m/app/k~", "m/app/n"));
    assert_store("app", "n", "N");
    assert_int_equal(peer_keys("app"), 1);
}

/* The store has the target: an ordinary rename. */
static void test_existing_target(void **state)
{
    (void)state;
    harness_start_app(LATER);
    peer_set("app", "k~", "older");
    peer_set("app", "k", "old");
    struct sent before = sent_so_far();
    assert_ok(rename("m/app/k", "m/app/k~"));
    assert_sent(&before, 1, 1);
    assert_store("app", "k~", "old");
    assert_not_in_store("app", "k");
}

static void test_across_datasets(void **state)
{
    (void)state;
    harness_start_app(LATER);
    peer_create("two", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    hold("old");
    assert_ok(rename("m/app/k~", "m/two/k~"));
    assert_sh_ok("dash", "k~\n", "ls -A m/app m/two | grep k");
    assert_ok(rename("m/two/k~", "m/two/k"));
    assert_store("two", "k", "old");
    assert_not_in_store("app", "k");
    assert_ok(rename("m/two/k", "m/app/k~"));
    assert_store("two", "k", "old");
    assert_gone("m/two/k");
    assert_ok(rename("m/app/k~", "m/two/k"));
    assert_content("m/two/k", "old");
}

static void test_left(void **state)
{
    (void)state;
    struct harness_daemon *daemon = harness_start_app(SOON);
    peer_set("app", "k", "old");
    peer_set("app", "empty", "");
    assert_ok(rename("m/app/k", "m/app/k~"));
    assert_ok(rename("m/app/empty", "m/app/empty~"));
    assert_soon(peer_lacks("app", "k") && peer_lacks("app", "empty"));
    assert_store("app", "k~", "old");
    assert_store("app", "empty~", "");
    assert_soon(!temporary_listed("k~"));
    assert_content("m/app/k~", "old");
    assert_gone("m/app/k");
    harness_stop(daemon);
    assert_sh_ok("dash", "1\n", "grep -c 'published .*app/k~, to which a key was renamed' %s",
                 daemon->log);

    daemon = harness_start("m", LATER); /* made again before */
    assert_sh_ok("dash", "", "mv m/app/k~ m/app/k && rm m/app/empty~");
    hold("old");
    assert_sh_ok("dash", "", "echo new > m/app/k");
    harness_stop(daemon);
    assert_store("app", "k~", "old");
    assert_store("app", "k", "new\n");

    peer_remove("app", "k~"); /* at the end of the mount, and open without data */
    daemon = harness_start("m", LATER);
    hold("old");
    peer_set("app", "n", "N");
    assert_content("m/app/n", "N");
    assert_ok(rename("m/app/n", "m/app/.n.swp"));
    harness_stop(daemon);
    assert_store("app", "k~", "old");
    assert_store("app", ".n.swp", "N");
    assert_int_equal(peer_keys("app"), 2);
}

/* Times that were set on the key stay. */
static void test_left_with_times(void **state)
{
    const struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 2000}};
    struct stat attr;

    (void)state;
    harness_start_app("scratch_delay=4");
    peer_set("app", "k", "old");
    assert_ok(utimensat(AT_FDCWD, "m/app/k", times, 0));
    hold("old");
    assert_soon(peer_has("app", "k~", "old"));
    assert_soon(!temporary_listed("k~"));
    harness_outlive_attributes();
    assert_ok(stat("m/app/k~", &attr));
    assert_int_equal(attr.st_mtime, 2000);
}

/* An empty file in the place of a renamed key is one as well, and the key is gone. */
static void test_left_empty(void **state)
{
    (void)state;
    struct harness_daemon *daemon = harness_start_app(LATER);
    hold("old");
    temporary_leave("m/app/.n.Ab12cd", "");
    assert_ok(rename("m/app/.n.Ab12cd", "m/app/k~"));
    harness_stop(daemon);
    assert_store("app", "k~", "");
    assert_not_in_store("app", "k");
}

/* The times that were set on a file stay with its content, wherever that goes, and also when the
 * kernel has forgotten it since, as it does when it mounts anew. */
static void test_times(void **state)
{
    (void)state;
    harness_start_app(LATER);
    hold("old");
    assert_ok(rename("m/app/k~", "m/app/k"));
    assert_sh_ok("dash", "", "touch -d @1000000000 m/app/k");
    assert_ok(rename("m/app/k", "m/app/k~"));
    assert_sh_ok("dash", "1000000000\n", "stat -c %%Y m/app/k~");
    assert_ok(rename("m/app/k~", "m/app/k"));
    harness_outlive_attributes();
    assert_sh_ok("dash", "1000000000\n", "stat -c %%Y m/app/k");
    assert_ok(rename("m/app/k", "m/app/k~"));
    assert_ok(rename("m/app/k~", "m/app/n"));
    harness_outlive_attributes();
    assert_sh_ok("dash", "1000000000\n", "stat -c %%Y m/app/n");

    temporary_leave("m/app/.k.Ab12cd", "new");
    assert_sh_ok("dash", "", "touch -d @1000000001 m/app/.k.Ab12cd");
    assert_ok(rename("m/app/.k.Ab12cd", "m/app/k"));
    uint64_t before = forgotten();
    assert_ok(mount(NULL, "m", NULL, MS_REMOUNT | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
    assert_soon(forgotten() - before >= 2);
    assert_sh_ok("dash", "1000000001\n", "stat -c %%Y m/app/k");
    assert_sh_ok("dash", "1000000000\n", "stat -c %%Y m/app/n");
}

/* What the other side has written meanwhile is not removed. */
static void test_changed_outside(void **state)
{
    (void)state;
    harness_start_app("scratch_delay=4");
    hold("old");
    peer_set("app", "k", "theirs");
    assert_soon(peer_has("app", "k~", "old"));
    assert_soon(!temporary_listed("k~"));
    assert_store("app", "k", "theirs");
    assert_content("m/app/k", "theirs");
    assert_sh_ok("dash", "k\nk~\n", "ls -A m/app");
}

/* Nor where the mount has dropped the value that it renamed, or has seen theirs meanwhile. */
static void test_changed_outside_and_dropped(void **state)
{
    (void)state;
    harness_start_app(LATER ",cache=0");
    peer_set("app", "j", "another");
    hold("old");
    peer_set("app", "k", "theirs");
    harness_outlive_attributes();
    assert_content("m/app/j", "another");
    assert_ok(unlink("m/app/k~"));
    assert_store("app", "k", "theirs");
    assert_content("m/app/k", "theirs");
}

static void test_changed_outside_and_seen(void **state)
{
    (void)state;
    harness_start_app(LATER);
    peer_set("app", "j", "a neighbour");
    hold("old");
    peer_set("app", "k", "theirs");
    harness_outlive_attributes();
    assert_sh_ok("dash", "j\nk~\n", "ls -l m/app | awk 'NR > 1 {print $9}'");
    assert_sh_ok("dash", "a neighbour", "cat m/app/j");
    assert_ok(unlink("m/app/k~"));
    assert_store("app", "k", "theirs");
    assert_content("m/app/k", "theirs");
}

/* Renamed back, it is there again, whatever the other side has done. */
static void test_changed_outside_and_back(void **state)
{
    (void)state;
    harness_start_app(LATER);
    hold("old");
    peer_remove("app", "k");
    harness_outlive_attributes();
    assert_ok(rename("m/app/k~", "m/app/k"));
    assert_store("app", "k", "old");
    assert_content("m/app/k", "old");
    assert_gone("m/app/k~");

    hold("old");
    peer_set("app", "k", "theirs");
    harness_outlive_attributes();
    assert_errno(renameat2(AT_FDCWD, "m/app/k~", AT_FDCWD, "m/app/k", RENAME_NOREPLACE), EEXIST);
    assert_store("app", "k", "theirs");
    assert_content("m/app/k~", "old");
    assert_ok(rename("m/app/k~", "m/app/k"));
    assert_store("app", "k", "old");
    assert_content("m/app/k", "old");
    assert_gone("m/app/k~");
    assert_sh_ok("dash", "", "cat m/.datasetfs/scratch");
}

/* Nothing is lost when the daemon is killed. */
static void test_killed(void **state)
{
    (void)state;
    struct harness_daemon *daemon = harness_start_app(LATER);
    hold("old");
    harness_kill(daemon);
    assert_store("app", "k", "old");
    assert_int_equal(peer_keys("app"), 1);
}

static const struct CMUnitTest tests[] = {
    HARNESS_TEST(test_publish),
    HARNESS_TEST(test_a_key_renamed_to_a_tools_name),
    HARNESS_TEST(test_publish_refused),
    HARNESS_TEST(test_in_memory),
    HARNESS_TEST(test_hold),
    HARNESS_SHELLS(test_made_again),
    HARNESS_TEST(test_made_again_refused),
    HARNESS_TEST(test_removed),
    HARNESS_TEST(test_renamed_on),
    HARNESS_TEST(test_existing_target),
    HARNESS_TEST(test_across_datasets),
    HARNESS_TEST(test_left),
    HARNESS_TEST(test_left_with_times),
    HARNESS_TEST(test_left_empty),
    HARNESS_TEST(test_times),
    HARNESS_TEST(test_changed_outside),
    HARNESS_TEST(test_changed_outside_and_dropped),
    HARNESS_TEST(test_changed_outside_and_seen),
    HARNESS_TEST(test_changed_outside_and_back),
    HARNESS_TEST(test_killed),
};

HARNESS_MAIN(tests)
