/* Mounts over REST: what each command costs as the server counts it, and what only this store does.
 */
#include "harness.h"

#include "cleanup.h"
#include "peer.h"
#include "shell.h"
#include "sim.h"
#include "sim_rest.h"
#include "stats.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MANY 1000

/* How long what should be seen at once may take on a busy machine, and how often it is tried. */
enum { SEEN_MS = 5000, SEEN_TRIES = 20 };

static void start(const char *const *arguments, const char *options)
{
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    sim_start_rest(arguments);
    harness_start_source("m", sim_rest_source(), sim_rest_options(options));
    assert_ok(access("m/app", F_OK));
}

/* Looked at once, and more than the attribute timeout ago. */
static void known(const char *key)
{
    char path[64];
    peer_set("app", key, "value\n");
    snprintf(path, sizeof path, "m/app/%s", key);
    assert_content(path, "value\n");
    harness_outlive_attributes();
}

/* The command makes this many requests, by the server's log. The 20 ms for which a value may be
 * used can pass on a stalled machine, so one of several tries must hit; `prepare` (NULL: nothing)
 * is done before each. */
static void assert_cost(const char *shell, size_t requests, void (*prepare)(const char *key),
                        const char *command)
{
    size_t cost = 0;
    for (int i = 0; i < STATS_TRIES; i++) {
        if (prepare)
            prepare("k");
        size_t before = sim_log_count("rest=");
        const struct shell_result *ran = shell_run(shell, "%s", command);
        assert_int_equal(ran->status, 0);
        cost = sim_log_count("rest=") - before;
        if (cost == requests)
            return;
    }
    fail_msg("%s: %zu requests, not %zu", command, cost, requests);
}

static void absent(const char *key)
{
    if (!peer_lacks("app", key))
        peer_remove("app", key);
    harness_outlive_attributes();
}

static void test_costs(void **state)
{
    start(NULL, NULL);
    assert_cost(*state, 1, known, "cat m/app/k");
    assert_cost(*state, 1, known, "stat m/app/k");
    assert_cost(*state, 1, known, "echo x > m/app/k");
    assert_cost(*state, 3, known, "echo x >> m/app/k");
    assert_cost(*state, 2, known, "rm m/app/k");
    assert_cost(*state, 2, absent, "echo x > m/app/k");
    assert_cost(*state, 1, known, "ls m/app");
    assert_cost(*state, 0, NULL, "df m");
    /* ls asks for the root's list; what it shows of app is known. */
    assert_cost(*state, 1, known, "ls m");
}

/* rmdir of many entries is one request, with what mkdir(1) and rmdir(1) look at before. */
static void test_directories(void **state)
{
    start(NULL, "force");
    size_t before = sim_log_count("rest=");
    assert_sh_ok(*state, "", "mkdir m/other");
    assert_true(sim_log_count("rest=") - before <= 2);
    for (int i = 0; i < 300; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", i);
        peer_set("other", key, "v");
    }
    before = sim_log_count("rest=");
    assert_sh_ok(*state, "", "rmdir m/other");
    assert_true(sim_log_count("rest=") - before <= 2);
    assert_int_equal(sim_log_count("rest-destroy", "status=204"), 1);
    assert_false(peer_query("other", &(struct ds_attributes){0}));
}

static void test_attributes(void **state)
{
    struct ds_attributes found = {0};
    start(NULL, NULL);
    assert_sh_ok(*state, "",
                 "echo '{\"description\":\"ä\",\"guest\":\"READ_ONLY\"}' > "
                 "m/.datasetfs/info/app");
    assert_int_equal(sim_log_count("rest-update", "status=204"), 1);
    assert_true(peer_query("app", &found));
    assert_string_equal(found.description, "ä");
    assert_int_equal(found.guest, DS_ACCESS_READ_ONLY);
    assert_int_equal(found.host, DS_ACCESS_READ_WRITE);
    ds_attributes_clear(&found);
    assert_sh_ok(*state, "",
                 "echo '{\"omit_from_snapshot_and_clone\":true}' > m/.datasetfs/info/made");
    assert_int_equal(sim_log_count("rest-create", "status=201"), 1);
    assert_true(peer_query("made", &found));
    assert_int_equal(found.omit_from_snapshot_and_clone, DS_FLAG_ON);
    ds_attributes_clear(&found);
    /* The host's own access is asked of the store, for root too. */
    peer_access("app", DS_ACCESS_READ_ONLY, DS_ACCESS_READ_WRITE);
    assert_sh_fails(*state, "Permission denied", "echo x > m/app/k");
}

/* Listing with values: one list, one request per value, and that many at once. On a machine that
 * stalls for a second what came ahead is asked for again, but not all of it. */
static void test_many_values(void **state)
{
    start(NULL, NULL);
    for (int i = 0; i < MANY; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%04d", i);
        peer_set("app", key, "value");
    }
    size_t cost = SIZE_MAX;
    for (int i = 0; i < STATS_TRIES && cost != MANY; i++) {
        size_t gets = sim_log_count("rest-get "), lists = sim_log_count("rest-list-keys ");
        assert_sh_ok(*state, "1000\n", "ls -l m/app | grep -c ' 5 .*k'");
        cost = sim_log_count("rest-get ") - gets;
        assert_in_range(cost, MANY, 2 * MANY);
        assert_int_equal(sim_log_count("rest-list-keys ") - lists, 1);
    }
    assert_int_equal(cost, MANY);
    const struct shell_result *connections =
        shell_run("bash", "grep rest-get " SIM_LOG " | cut -d' ' -f1 | sort | uniq -c | sort -n");
    size_t lines = 0;
    for (const char *at = connections->out; (at = strchr(at, '\n')); at++)
        lines++;
    assert_in_range(lines, 16, 24);
}

static void test_parallel_option(void **state)
{
    start(NULL, "parallel=3");
    for (int i = 0; i < 100; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%04d", i);
        peer_set("app", key, "value");
    }
    assert_sh_ok(*state, "100\n", "ls -l m/app | grep -c ' 5 .*k'");
    assert_sh_ok(*state, "3\n",
                 "grep rest-get " SIM_LOG " | cut -d' ' -f1 | sort | uniq -c | wc -l");
}

static int look_at(void *path)
{
    struct stat status;
    return stat(path, &status) == 0 ? 0 : errno;
}

/* The kernel sends one LOOKUP of a directory while others are under way: as many as callers ask
 * for. */
static void test_lookups_at_once(void **state)
{
    (void)state;
    pid_t readers[8];
    char paths[8][16];
    start(NULL, "timeout=300");
    size_t before = sim_log_count("rest-get");
    sim_fault("never-reply:command=rest-get");
    for (size_t i = 0; i < 8; i++) {
        snprintf(paths[i], sizeof paths[i], "m/app/k%zu", i);
        readers[i] = harness_fork(look_at, paths[i]);
    }
    assert_soon(sim_log_count("rest-get") - before == 8);
    for (size_t i = 0; i < 8; i++) {
        kill(readers[i], SIGKILL);
        assert_int_equal(waitpid(readers[i], NULL, 0), readers[i]);
    }
}

static int run_command(void *command)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (setpgid(0, 0) != 0 || null < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
        return errno;
    execlp("bash", "bash", "-c", (const char *)command, NULL);
    return errno;
}

/* As it runs on a vCenter that answers none but the first `alone` of its gets. True if it has 16 of
 * them asked for at once; a command that has paused for a second on a busy machine follows nothing,
 * and has one more asked for alone. */
static bool asks_for_many(const char *command, size_t alone)
{
    char copy[80];
    int64_t until = harness_now_ms() + SEEN_MS;
    snprintf(copy, sizeof copy, "%s", command);
    sim_fault("never-reply:command=rest-get:skip=%zu", alone);
    uint64_t fired = sim_fired();
    pid_t reader = harness_fork(run_command, copy);
    while (sim_fired() - fired < 16 && harness_now_ms() < until)
        harness_pause();
    bool many = sim_fired() - fired >= 16;
    assert_ok(kill(-reader, SIGKILL));
    assert_int_equal(waitpid(reader, NULL, 0), reader);
    sim_clear();
    return many;
}

/* Whoever follows a listing has 16 values or more asked for at once, behind those that are asked
 * for alone first. */
static void test_followers_at_once(void **state)
{
    static const struct {
        const char *command;
        size_t alone;
    } readers[] = {
        {"for f in m/app/k*; do cat $f; done", 1},
        {"md5sum m/app/k*", 1},
        {"ls m/app | sed s,^,m/app/, | xargs cat", 1},
        {"ls m/app | sed s,^,m/app/, | xargs -P16 -n2 cat", 0},
        {"find m/app -type f -exec cat {} +", 1},
        {"grep -r value m/app", 0},
        {"tar -cf archive m/app", 0},
        {"rsync -a m/app/ copy", 0},
    };
    (void)state;
    start(NULL, "timeout=300");
    for (int i = 0; i < 40; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%02d", i);
        peer_set("app", key, "value");
    }
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        int tries = 1;
        while (!asks_for_many(readers[i].command, readers[i].alone) && tries < SEEN_TRIES)
            tries++;
        if (tries == SEEN_TRIES)
            fail_msg("%s: never 16 values at once", readers[i].command);
    }
}

static int read_two(void *unused)
{
    (void)unused;
    char got[16];
    return harness_read("m/app/k00", got, sizeof got) == 5 &&
                   harness_read("m/app/k01", got, sizeof got) == 5
               ? 0
               : EIO;
}

static int read_third(void *unused)
{
    (void)unused;
    char got[16];
    return harness_read("m/app/k02", got, sizeof got) == 5 ? 0 : EIO;
}

/* What two readers ask for, of whom the second comes to a value that is on its way for the first.
 */
static size_t gets_of_two(void)
{
    struct harness_daemon *daemon =
        harness_start_source("m", sim_rest_source(), sim_rest_options(NULL));
    DIR *directory = opendir("m/app");
    assert_non_null(directory);
    while (readdir(directory))
        ;
    size_t gets = sim_log_count("rest-get");
    uint64_t fired = sim_fired();
    sim_fault("delay=700:command=rest-get:skip=1:count=16");
    pid_t first = harness_fork(read_two, NULL);
    assert_soon(sim_fired() - fired > 0);
    pid_t second = harness_fork(read_third, NULL);
    assert_int_equal(harness_wait_child(second, HARNESS_SOON_MS, false), 0);
    assert_int_equal(harness_wait_child(first, HARNESS_SOON_MS, false), 0);
    sim_clear();
    gets = sim_log_count("rest-get") - gets;
    closedir(directory);
    harness_stop(daemon);
    return gets;
}

/* Who comes to a value that is on its way for somebody else waits for it, and asks no more: unless
 * somebody was so late on a busy machine that the value had come long ago. */
static void test_one_fetch_for_two(void **state)
{
    (void)state;
    size_t gets = 0;
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    sim_start_rest(NULL);
    for (int i = 0; i < 40; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%02d", i);
        peer_set("app", key, "value");
    }
    for (int tries = 0; gets != 17 && tries < SEEN_TRIES; tries++)
        gets = gets_of_two();
    assert_int_equal(gets, 17);
}

/* Each segment is encoded once, and what comes back is what went out. */
static void test_keys_in_paths(void **state)
{
    (void)state;
    static const char *const keys[] = {"a/b",   "%41", "%2F", "100%",        "a b", "q?x=1",
                                       "#f",    "a+b", "a;b", "caf\xc3\xa9", "...", "~t",
                                       "'\"\\", "a&b", "{x}", "new\nline",   "*",   ":@"};
    start(NULL, NULL);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        char path[PATH_MAX] = "m/app/";
        size_t at = strlen(path);
        for (const char *p = keys[i]; *p; p++)
            at += (size_t)snprintf(path + at, sizeof path - at,
                                   strchr("/%", *p) || (unsigned char)*p < 0x20 ? "%%%02X" : "%c",
                                   (unsigned char)*p);
        assert_int_equal(harness_write(path, O_CREAT, keys[i]), 0);
        assert_store("app", keys[i], keys[i]);
        assert_content(path, keys[i]);
        assert_int_equal(unlink(path), 0);
        assert_not_in_store("app", keys[i]);
    }
    assert_int_equal(sim_log_count("dot-segment"), 0);
}

/* A proxy that does not let "%2F" through is no missing key. */
static void test_no_slash_keys(void **state)
{
    start((const char *const[]){"--no-slash-keys", NULL}, NULL);
    peer_set("app", "a/b", "value");
    assert_sh_fails(*state, "Operation not supported", "cat m/app/a%%2Fb");
    assert_sh_fails(*state, "Operation not supported", "echo x > m/app/a%%2Fb");
    assert_sh_fails(*state, "Operation not supported", "rm -f m/app/a%%2Fb");
    assert_store("app", "a/b", "value");
    assert_sh_ok(*state, "", "echo x > m/app/ab");
}

/* Paths take the id, not the name; one that changes is found again. */
static void test_ids(void **state)
{
    start((const char *const[]){"--id-prefix", "id of ", NULL}, NULL);
    assert_sh_ok(*state, "x\n", "echo x > m/app/k && cat m/app/k && mkdir m/new && rmdir m/new");
    peer_create("later", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    assert_sh_ok(*state, "y\n", "echo y > m/later/k && cat m/later/k");
    sim_stop();
    sim_start_rest_with("--id-prefix", "another ");
    assert_sh_ok(*state, "x\n", "cat m/app/k");
    assert_sh_ok(*state, "", "echo z >> m/app/k");
    assert_store("app", "k", "x\nz\n");
}

/* Where nothing was known at first, nothing is taken for granted. */
static void test_ids_of_the_first(void **state)
{
    (void)state;
    sim_start_rest_with("--id-prefix", "id of ");
    harness_start_source("m", sim_rest_source(), sim_rest_options(NULL));
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_set("app", "k", "value");
    assert_content("m/app/k", "value");
}

static void test_power_states(void **state)
{
    start(NULL, NULL);
    peer_set("app", "k", "value\n");
    assert_string_equal(sim_control("state " SIM_VM " suspended"), "ok");
    assert_sh_ok(*state, "value\n", "cat m/app/k");
    assert_sh_fails(*state, "Device or resource busy", "env printf x > m/app/k");
    assert_sh_fails(*state, "Device or resource busy", "rm m/app/k");
    assert_sh_fails(*state, "Device or resource busy", "mkdir m/other");
    assert_sh_ok(*state, "3\n", "grep -c 'a suspended one can only be read' m/.datasetfs/errors");
    assert_store("app", "k", "value\n");
    assert_string_equal(sim_control("state " SIM_VM " poweredOff"), "ok");
    assert_sh_ok(*state, "x\n", "echo x > m/app/k && cat m/app/k");
}

/* A snapshot is reverted to: the DataSet is gone under open files. */
static void test_revert(void **state)
{
    start(NULL, NULL);
    assert_sh_ok(*state, "", "echo x > m/app/k");
    int fd DS_AUTO_CLOSE = harness_open("m/app/k", O_WRONLY | O_APPEND);
    assert_string_equal(sim_control("destroy " SIM_VM " app"), "ok");
    assert_errno(write(fd, "more", 4), ENOENT);
    assert_sh_fails(*state, "No such file or directory", "cat m/app/k");
    assert_sh_ok(*state, "", "ls m");
    assert_sh_ok(*state, "", "mkdir m/app && echo y > m/app/k");
    assert_store("app", "k", "y\n");
}

/* The server goes away and comes back: errors meanwhile, no remount, and one new session. */
static void test_restart(void **state)
{
    start(NULL, NULL);
    peer_set("app", "k", "value\n");
    assert_sh_ok(*state, "value\n", "cat m/app/k");
    sim_stop();
    assert_sh_fails(*state, "No route to host", "cat m/app/k");
    assert_sh_fails(*state, "", "echo lost > m/app/k");
    sim_start_rest(NULL);
    assert_sh_ok(*state, "value\n", "cat m/app/k");
    assert_sh_ok(*state, "", "echo kept > m/app/k");
    assert_store("app", "k", "kept\n");
    assert_int_equal(sim_sessions(), 1);
}

/* Mounted before there is a server, as at boot; by name, which the first operation looks up. */
static void test_delay_connect(void **state)
{
    start(NULL, NULL);
    char source[128];
    snprintf(source, sizeof source, "%s/" SIM_VM_NAME, sim_rest_url());
    sim_stop();
    struct harness_daemon *daemon =
        harness_start_source("late", source, sim_rest_options("delay_connect,timeout=2"));
    assert_sh_fails(*state, "No route to host", "ls late");
    assert_sh_fails(*state, "No route to host", "cat late/app/k");
    assert_sh_ok(*state, "", "df late >/dev/null");
    sim_start_rest_with("--id-prefix", "id of ");
    assert_sh_ok(*state, "", "echo x > late/app/k");
    assert_store("app", "k", "x\n");
    assert_int_equal(sim_log_count("rest-vms"), 1);
    assert_sh_ok(*state, "1\n", "grep -c \"the virtual machine 'web-01' is vm-1\" late.log");
    harness_stop(daemon);
    /* What is wrong on this machine is said at once all the same. */
    assert_sh_fails(*state, "No such file or directory",
                    "$DATASETFS %s late -o delay_connect,credentials=none", source);
}

/* Another machine of the same server is another store. */
static void test_machines(void **state)
{
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    sim_start_rest_with("--vm", "vm-1=web-01=s.db", "--vm", "vm-2=web 02=t.db");
    char source[128];
    harness_start_source("one", sim_rest_source(), sim_rest_options(NULL));
    snprintf(source, sizeof source, "%s/web%%2002", sim_rest_url());
    harness_start_source("two", source, sim_rest_options(NULL));
    assert_sh_ok(*state, "", "mkdir two/app && echo two > two/app/k && echo one > one/app/k");
    assert_sh_ok(*state, "one\ntwo\n", "cat one/app/k two/app/k");
    assert_store("app", "k", "one\n");
    assert_sh_ok(*state, "1\n", "grep -c \"the virtual machine 'web 02' is vm-2\" two.log");
    assert_int_equal(sim_sessions(), 2);
}

/* What a person sees in the mount table and with df is SOURCE as typed. */
static void test_mount_table(void **state)
{
    start(NULL, NULL);
    char expected[256];
    snprintf(expected, sizeof expected, "%s fuse.datasetfs\n", sim_rest_source());
    assert_sh_ok(*state, expected,
                 "grep \" $PWD/m fuse.datasetfs \" /proc/mounts | cut -d' ' -f1,3");
}

static const struct CMUnitTest tests[] = {
    HARNESS_SHELLS(test_costs),
    HARNESS_SHELLS(test_directories),
    HARNESS_SHELLS(test_attributes),
    HARNESS_SHELLS(test_many_values),
    HARNESS_SHELLS(test_parallel_option),
    HARNESS_TEST(test_lookups_at_once),
    HARNESS_TEST(test_followers_at_once),
    HARNESS_TEST(test_one_fetch_for_two),
    HARNESS_TEST(test_keys_in_paths),
    HARNESS_SHELLS(test_no_slash_keys),
    HARNESS_SHELLS(test_ids),
    HARNESS_SHELLS(test_power_states),
    HARNESS_TEST(test_ids_of_the_first),
    HARNESS_SHELLS(test_revert),
    HARNESS_SHELLS(test_restart),
    HARNESS_SHELLS(test_delay_connect),
    HARNESS_SHELLS(test_machines),
    HARNESS_SHELLS(test_mount_table),
};

HARNESS_MAIN(tests)
