/* Readers that follow a listing, though each file is opened by another process, or by a thread that
 * did not list: what they cost, and who is none. */
#include "harness.h"

#include "peer.h"
#include "shell.h"
#include "stats.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEYS = 1000, VALUE_BYTES = 100 };

/* Each of these costs a process, of which a loaded machine starts few in a second. */
enum { PROCESSES = 200 };

static void start_full(unsigned keys)
{
    harness_start_app(NULL);
    for (unsigned i = 0; i < keys; i++) {
        char key[16], value[VALUE_BYTES + 1];
        snprintf(key, sizeof key, "k%04u", i);
        snprintf(value, sizeof value, "%0*u\n", VALUE_BYTES - 1, i);
        peer_set("app", key, value);
    }
}

struct costs {
    uint64_t lists, gets;
};

/* What the command costs on a fresh mount `w`. */
static struct costs costs_of(const char *shell, const char *options, const char *command,
                             const char *output)
{
    struct harness_daemon *daemon = harness_start("w", options);
    assert_sh_ok(shell, "", "test -d w/app");
    assert_sh_ok(shell, output, "%s", command);
    struct costs costs = {stats_requests("w", "list_keys"), stats_requests("w", "get")};
    harness_stop(daemon);
    return costs;
}

/* One listing, and for one request each: three and one more for each hundred keys; over REST each
 * value is a request. A stalled machine (values fetched ahead live for a second) may need another
 * try. */
static void assert_follows(const char *shell, unsigned keys, const char *command,
                           const char *output)
{
    struct costs costs = {0};
    uint64_t most = harness_over_rest() ? keys + 1 : 3 + keys / 100;
    for (int i = 0; i < STATS_TRIES; i++) {
        costs = costs_of(shell, NULL, command, output);
        if (costs.lists == 1 && costs.gets <= most)
            return;
    }
    fail_msg("%s: %u listings and %u gets instead of 1 and %u", command, (unsigned)costs.lists,
             (unsigned)costs.gets, (unsigned)most);
}

static void test_each_by_another_process(void **state)
{
    start_full(PROCESSES);
    assert_follows(*state, PROCESSES, "for f in w/app/*; do cat $f; done | wc -c", "20000\n");
    assert_follows(*state, PROCESSES, "for f in w/app/*; do [ -f $f ] && cat $f; done | wc -c",
                   "20000\n");
    assert_follows(*state, PROCESSES, "find w/app -type f -exec cat {} \\; | wc -c", "20000\n");
    assert_follows(*state, PROCESSES, "find w/app -type f | while read f; do cat $f; done | wc -c",
                   "20000\n");
    assert_follows(*state, PROCESSES, "ls w/app | sed s,^,w/app/, | xargs -n10 cat | wc -c",
                   "20000\n");
}

static void test_by_who_did_not_list(void **state)
{
    start_full(KEYS);
    assert_follows(*state, KEYS, "md5sum w/app/* | wc -l", "1000\n");
    assert_follows(*state, KEYS, "ls w/app | sed s,^,w/app/, | xargs cat | wc -c", "100000\n");
    assert_follows(*state, KEYS, "for f in w/app/*; do read v <$f; echo $v; done | wc -c",
                   "100000\n");
}

/* Also the few that most DataSets have, some left out, and twice. */
static void test_few(void **state)
{
    start_full(20);
    assert_follows(*state, 20, "for f in w/app/*; do cat $f; done | wc -c", "2000\n");
    assert_follows(*state, 20, "for f in w/app/*[1-4]; do cat $f; done | wc -c", "800\n");
}

/* 0: none, and 10: ten at once. */
static void test_option(void **state)
{
    static const char each[] = "for f in w/app/*; do cat $f; done | wc -c";
    static const char lister[] = "grep -r 0050 w/app | wc -l";
    struct costs costs;
    start_full(100);
    assert_in_range(costs_of(*state, "readahead=0", each, "10000\n").gets, 100, 200);
    assert_in_range(costs_of(*state, "readahead=0", lister, "1\n").gets, 100, 200);
    costs = costs_of(*state, "readahead=10", lister, "1\n");
    assert_in_range(costs.gets, 10, 100);
}

/* A process that reads the same names in the same order, but lists nothing and is in no session of
 * somebody who did. */
static void test_other_session(void **state)
{
    start_full(20);
    assert_sh_ok(*state, "20\n", "ls m/app | wc -l");
    uint64_t before = stats_requests("m", "get");
    assert_sh_ok(*state, "2000\n",
                 "setsid -w sh -c 'for i in $(seq -w 0 19); do cat m/app/k00$i; done' | wc -c");
    assert_in_range(stats_requests("m", "get") - before, 20, 40);
}

/* Nor who goes anywhere else. */
static void test_no_order(void **state)
{
    start_full(20);
    assert_sh_ok(*state, "20\n", "ls m/app | wc -l");
    uint64_t before = stats_requests("m", "get");
    assert_sh_ok(*state, "2000\n", "for i in $(seq -w 19 -1 0); do cat m/app/k00$i; done | wc -c");
    assert_sh_ok(*state, "1000\n",
                 "for i in 5 3 8 3 9 2 7 1 6 4; do cat m/app/k000$i; done | wc -c");
    assert_in_range(stats_requests("m", "get") - before, 30, 60);
}

static int read_size(const char *path)
{
    char got[2 * VALUE_BYTES];
    return (int)harness_read(path, got, sizeof got);
}

/* Who follows is shown nothing that came before he began, and nothing twice. */
static void test_not_older_than_the_walk(void **state)
{
    start_full(20);
    assert_sh_ok(*state, "20\n", "ls m/app | wc -l");
    assert_sh_ok(*state, "300\n", "cat m/app/k0000 m/app/k0001 m/app/k0002 | wc -c");
    harness_outlive_attributes();
    peer_set("app", "k0005", "new");
    assert_sh_ok(*state, "203\n", "cat m/app/k0003 m/app/k0004 m/app/k0005 | wc -c");
    assert_int_equal(read_size("m/app/k0010"), VALUE_BYTES);
    assert_int_equal(read_size("m/app/k0011"), VALUE_BYTES);
    peer_set("app", "k0012", "newer");
    assert_in_range(read_size("m/app/k0012"), 5, VALUE_BYTES);
    assert_int_equal(read_size("m/app/k0012"), 5);
}

static const struct CMUnitTest tests[] = {
    HARNESS_SHELLS(test_each_by_another_process),
    HARNESS_SHELLS(test_by_who_did_not_list),
    HARNESS_SHELLS(test_few),
    HARNESS_SHELLS(test_option),
    HARNESS_SHELLS(test_other_session),
    HARNESS_SHELLS(test_no_order),
    HARNESS_SHELLS(test_not_older_than_the_walk),
};

HARNESS_MAIN(tests)
