/* The same key of all machines of a vCenter, read in the order of their listing: what is asked
 * ahead, what that costs, and who is shown what came so. */
#include "harness.h"

#include "cleanup.h"
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
#include <unistd.h>

enum { MACHINES = 40, LEAST_AT_ONCE = 16, KEPT_MS = 1000 };

/* What reads one key of all machines: in one process, or one for each. */
static const char *const readers[] = {
    "cat m/*/status/state",
    "for m in m/*; do cat $m/status/state; done",
    "for m in m/*; do [ -f $m/status/state ] && cat $m/status/state; done",
    "ls m | while read -r m; do read -r v <m/$m/status/state; printf %s \"$v\"; done",
};

static struct harness_daemon *start(const char *options)
{
    setenv("DATASETFS", harness_binary(), 1);
    assert_sh_ok("dash", "",
                 "mkdir d && $DATASETFS create local:d/w01.db status &&"
                 " $DATASETFS set local:d/w01.db status state 'ok\n' &&"
                 " for i in $(seq -w 2 %d); do cp d/w01.db d/w$i.db; done",
                 MACHINES);
    sim_start_rest_with("--vm-directory", "d");
    return harness_start_source("m", sim_rest_url(), sim_rest_options(options));
}

static size_t requests(void)
{
    return sim_log_count("rest=");
}

/* The most requests that were under way at one moment while the command ran. */
static unsigned long most_at_once(const char *shell, const char *command)
{
    sim_control("most");
    assert_sh_ok(shell, "40\n", "%s | grep -o ok | wc -l", command);
    return strtoul(sim_control("most") + 3, NULL, 10);
}

static void test_at_once(void **state)
{
    start("rate=0");
    sim_fault("delay=100:command=rest-get");
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        unsigned long most = 0;
        for (int try = 0; try < STATS_TRIES && most < LEAST_AT_ONCE; try++)
            most = most_at_once(*state, readers[i]);
        assert_in_range(most, LEAST_AT_ONCE, 24);
        assert_int_equal(sim_sessions(), 1);
    }
}

/* Two thirds of the requests that may be under way, and half of the threads, go ahead. */
static void test_share(void **state)
{
    static const struct {
        const char *options;
        unsigned long ahead;
    } shares[] = {{"rate=0,parallel=12", 8}, {"rate=0,max_threads=20", 10}};
    struct harness_daemon *daemon = start("readahead=0");
    sim_fault("delay=50:command=rest-get");
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        unsigned long most = 0;
        harness_stop(daemon);
        daemon = harness_start_source("m", sim_rest_url(), sim_rest_options(shares[i].options));
        for (int try = 0;
             try < STATS_TRIES && (most < shares[i].ahead || most > shares[i].ahead + 1); try++)
            most = most_at_once(*state, readers[0]);
        assert_in_range(most, shares[i].ahead, shares[i].ahead + 1);
    }
}

/* Fetching ahead can be turned off, and one request at a time is not exceeded. */
static void test_one_at_a_time(void **state)
{
    static const char *const options[] = {"readahead=0", "parallel=1"};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        struct harness_daemon *daemon =
            i == 0 ? start(options[i])
                   : harness_start_source("m", sim_rest_url(), sim_rest_options(options[i]));
        assert_int_equal(most_at_once(*state, readers[0]), 1);
        harness_stop(daemon);
    }
}

static size_t cost_of(const char *shell, const char *command)
{
    size_t before = requests();
    assert_sh_ok(shell, "40\n", "%s | grep -o ok | wc -l", command);
    return requests() - before;
}

/* What comes in vain is little: as many requests as without it, and a few more. On a machine that
 * stalls for a second what has come is too old. */
static void test_costs(void **state)
{
    size_t most[sizeof readers / sizeof *readers];
    struct harness_daemon *daemon = start("rate=0,readahead=0");
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        size_t cost = cost_of(*state, readers[i]);
        most[i] = cost + cost / 2 + MACHINES / 2;
    }
    harness_stop(daemon);
    harness_start_source("m", sim_rest_url(), sim_rest_options("rate=0"));
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        size_t cost = SIZE_MAX;
        for (int try = 0; try < STATS_TRIES && cost > most[i]; try++)
            cost = cost_of(*state, readers[i]);
        assert_in_range(cost, 1, most[i]);
    }
}

/* Machines that lack the DataSet or the key are passed by. */
static void test_lacking(void **state)
{
    start("rate=0");
    assert_sh_ok(*state, "",
                 "for i in $(seq 11 2 39); do $DATASETFS delete local:d/w$i.db status --force;"
                 " done && for i in $(seq 12 4 40); do $DATASETFS rm local:d/w$i.db status state;"
                 " done");
    assert_sh_ok(*state, "17\n", "cat m/*/status/state | grep -o ok | wc -l");
    assert_sh_ok(*state, "17\n",
                 "for m in m/*; do [ -f $m/status/state ] && cat $m/status/state; done |"
                 " grep -o ok | wc -l");
    /* What appears there is found by the next look. */
    assert_sh_ok(*state, "", "$DATASETFS set local:d/w12.db status state 'ok\n'");
    assert_sh_ok(*state, "18\n", "cat m/*/status/state | grep -o ok | wc -l");
}

static void list_machines(void)
{
    DIR *directory = opendir("m");
    assert_non_null(directory);
    while (readdir(directory) != NULL)
        continue;
    closedir(directory);
}

static const char *path_of(int machine)
{
    static char path[64];
    snprintf(path, sizeof path, "m/w%02d/status/state", machine);
    return path;
}

static int reads_new(void *path)
{
    char text[16];
    setsid();
    return harness_read(path, text, sizeof text) > 0 && strcmp(text, "new\n") == 0 ? 0 : 1;
}

/* What came ahead is for that reader, and not for long: everybody else is told what is so now. */
static void test_fresh(void **state)
{
    enum { FOLLOWED = 6 };
    (void)state;
    start("rate=0");
    list_machines();
    for (int i = 1; i <= FOLLOWED; i++)
        assert_content(path_of(i), "ok\n");
    assert_sh_ok("dash", "",
                 "for i in $(seq -w 7 %d); do $DATASETFS set local:d/w$i.db status state 'new\n';"
                 " done",
                 MACHINES);
    int64_t set_ms = harness_now_ms();
    for (int i = FOLLOWED + 1; i <= FOLLOWED + 3; i++)
        assert_int_equal(harness_in_child(0, reads_new, (void *)path_of(i)), 0);
    while (harness_now_ms() <= set_ms + KEPT_MS)
        harness_pause();
    for (int i = FOLLOWED + 4; i <= MACHINES; i++)
        assert_content(path_of(i), "new\n");
}

/* Of that key, from one machine to another; true if the last one has "new". */
static bool reads_through(const char *key, int from, int to)
{
    char path[64], text[16] = "";
    for (int i = from; i <= to; i++) {
        snprintf(path, sizeof path, "m/w%02d/status/%s", i, key);
        if (harness_read(path, text, sizeof text) < 0)
            *text = '\0';
    }
    return strcmp(text, "new\n") == 0;
}

/* That there is none is believed for as long as a value, of who goes on without a pause too. */
static void test_appears(void **state)
{
    enum { FOLLOWED = 6 };
    (void)state;
    start("rate=0");
    list_machines();
    assert_false(reads_through("late", 1, FOLLOWED));
    assert_sh_ok("dash", "",
                 "for i in $(seq -w 7 %d); do $DATASETFS set local:d/w$i.db status late 'new\n';"
                 " done",
                 MACHINES);
    int64_t set_ms = harness_now_ms();
    while (harness_now_ms() <= set_ms + KEPT_MS) {
        reads_through("late", FOLLOWED, FOLLOWED);
        harness_pause();
    }
    for (int i = FOLLOWED + 1; i <= MACHINES; i++)
        assert_true(reads_through("late", i, i));
}

static int reads_behind(void *key)
{
    return reads_through(key, 8, 10) ? 0 : 1;
}

/* Nobody is told what was asked for before he began, although it comes after that. */
static void test_begins_meanwhile(void **state)
{
    static const char *const keys[] = {"state", "missing"};
    char vm[32];
    (void)state;
    start("rate=0");
    list_machines();
    snprintf(vm, sizeof vm, "vm=%s", sim_control("id w10") + 3);
    sim_fault("delay=700:command=rest-get:%s", vm);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        for (int at = 1; at <= 9 && sim_log_count("rest-get ", keys[i], vm) == 0; at++)
            assert_false(reads_through(keys[i], at, at));
        assert_soon(sim_log_count("rest-get ", keys[i], vm) > 0);
        assert_sh_ok("dash", "", "$DATASETFS set local:d/w10.db status %s 'new\n'", keys[i]);
        assert_int_equal(harness_in_child(0, reads_behind, (void *)keys[i]), 0);
    }
}

/* What failed ahead is asked for once more by who comes to it. */
static void test_failed(void **state)
{
    (void)state;
    start("rate=0");
    list_machines();
    sim_fault("error=Internal:command=rest-get:vm=%s:count=1", sim_control("id w10") + 3);
    for (int i = 1; i <= MACHINES; i++) {
        assert_content(path_of(i), "ok\n");
        if (i == 9)
            assert_soon(sim_fired() == 1);
    }
    assert_sh_ok("dash", "", "test ! -s m/.datasetfs/errors");
}

static int make_file(void *path)
{
    setsid();
    return -harness_write(path, O_CREAT, "made");
}

static int make_directory(void *path)
{
    setsid();
    return mkdir(path, 0700) == 0 ? 0 : errno;
}

static int stat_in(int machine, const char *name)
{
    char path[64];
    struct stat status;
    snprintf(path, sizeof path, "m/w%02d/%s", machine, name);
    return stat(path, &status) == 0 ? 0 : errno;
}

static uint64_t lookups(void)
{
    return stats_counter("m", "datasetfs_fuse_requests_total{opcode=\"lookup\"}");
}

/* What was found missing ahead, and is made here since, is there at once: the kernel, which knows
 * it, is not told that it is gone, and need not look again. */
static void test_made(void **state)
{
    enum { FOLLOWED = 6 };
    (void)state;
    start("rate=0");
    list_machines();
    for (int i = 1; i <= FOLLOWED; i++)
        assert_int_equal(stat_in(i, "status/new"), ENOENT);
    assert_int_equal(harness_in_child(0, make_file, (void *)"m/w08/status/new"), 0);
    assert_int_equal(stat_in(7, "status/new"), ENOENT);
    harness_outlive_attributes();
    lookups(); /* this file is known from now on */
    uint64_t before = lookups();
    assert_int_equal(stat_in(8, "status/new"), 0);
    assert_in_range(lookups() - before, 0, 1);
    for (int i = 1; i <= FOLLOWED; i++)
        assert_int_equal(stat_in(i, "other"), ENOENT);
    assert_int_equal(harness_in_child(0, make_directory, (void *)"m/w08/other"), 0);
    assert_int_equal(stat_in(7, "other"), ENOENT);
    assert_int_equal(stat_in(8, "other"), 0);
}

/* One that does not answer is waited for by who comes to it, and the others are told. */
static void test_hung_machine(void **state)
{
    start("rate=0,timeout=4");
    sim_fault("never-reply:vm=%s", sim_control("id w20") + 3);
    assert_sh_ok(*state, "39\n",
                 "for m in m/*; do cat $m/status/state 2>>errors; done | grep -o ok | wc -l");
    assert_sh_ok(*state, "1\n", "grep -c 'w20.*timed out' errors");
    assert_sh_ok(*state, "1\n", "grep -c w20 m/.datasetfs/errors");
}

static int look_at(void *path)
{
    struct stat status;
    setsid();
    return stat(path, &status) == 0 ? 0 : errno;
}

/* What is known of it is shown, whoever has asked it ahead. */
static void test_silent(void **state)
{
    (void)state;
    start("rate=0,timeout=300");
    assert_content(path_of(20), "ok\n");
    list_machines();
    sim_fault("never-reply:vm=%s", sim_control("id w20") + 3);
    for (int i = 1; i < 20 && sim_fired() == 0; i++)
        assert_content(path_of(i), "ok\n");
    assert_soon(sim_fired() > 0);
    pid_t looker = harness_fork(look_at, (void *)path_of(20));
    assert_int_equal(harness_wait_child(looker, HARNESS_SOON_MS, false), 0);
}

/* The mount's end does not wait for what was asked ahead. */
static void test_end(void **state)
{
    struct harness_daemon *daemon = start("rate=0,timeout=300");
    assert_sh_ok(*state, "", "cat m/*/status/state >all");
    sim_fault("never-reply:command=rest-get");
    pid_t reader = shell_spawn(*state, "cat m/*/status/state");
    assert_soon(sim_fired() >= 2);
    sim_fault("never-reply:command=rest-query");
    kill(daemon->pid, SIGTERM);
    assert_int_not_equal(shell_wait(reader), 0);
    harness_stop(daemon);
}

static const struct CMUnitTest tests[] = {
    HARNESS_SHELLS(test_at_once),
    HARNESS_SHELLS(test_share),
    HARNESS_SHELLS(test_one_at_a_time),
    HARNESS_SHELLS(test_costs),
    HARNESS_SHELLS(test_lacking),
    HARNESS_TEST(test_fresh),
    HARNESS_TEST(test_appears),
    HARNESS_TEST(test_made),
    HARNESS_TEST(test_begins_meanwhile),
    HARNESS_TEST(test_failed),
    HARNESS_SHELLS(test_hung_machine),
    HARNESS_TEST(test_silent),
    HARNESS_SHELLS(test_end),
};
HARNESS_MAIN(tests)
