/* A vCenter of 5,000 machines in one mount: what is asked of it, by its own log, and what one
 * machine that never answers does to the others. */
#include "harness.h"

#include "shell.h"
#include "sim.h"
#include "sim_rest.h"
#include "stats.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of two clusters with a host each, which are too many for one list. */
enum { MACHINES = 5000, PARTS = 2, FOLLOWED = 60, HUNG = 30, LEAST_AT_ONCE = 16 };

static void start(const char *options)
{
    setenv("DATASETFS", harness_binary(), 1);
    assert_sh_ok("dash", "",
                 "$DATASETFS create local:store status &&"
                 " $DATASETFS set local:store status state 'ok\n' && mkdir d");
    for (int i = 0; i < MACHINES; i++) {
        char path[32];
        snprintf(path, sizeof path, "d/w%04d.db", i);
        assert_ok(symlink("../store", path));
    }
    sim_start_rest_with("--place", "cluster=domain-c1=c1", "--place", "host=host-1=h1=domain-c1",
                        "--place", "cluster=domain-c2=c2", "--place", "host=host-2=h2=domain-c2",
                        "--vm-directory", "d");
    harness_start_source("m", sim_rest_url(), sim_rest_options(options));
}

static size_t requests(void)
{
    return sim_log_count("rest=");
}

static const char *path_of(int machine)
{
    static char path[64];
    snprintf(path, sizeof path, "m/w%04d/status/state", machine);
    return path;
}

static void test_costs(void **state)
{
    start(NULL);
    assert_in_range(requests(), 1, 2);
    /* Of a machine that was never listed: one for its id, then as in a mount of its own. */
    size_t before = requests();
    assert_content(path_of(4999), "ok\n");
    assert_in_range(requests() - before, 2, 4);
    assert_int_equal(sim_log_count("rest=rest-vms"), 2); /* the mount's and this one */
    before = requests();
    assert_sh_ok(*state, "5000\n", "ls m | wc -l");
    size_t first = requests() - before;
    before = requests();
    assert_sh_ok(*state, "5000\n", "ls -l m | grep -c ^d");
    size_t again = requests() - before;
    print_message("the first list takes %zu requests, the next one %zu\n", first, again);
    assert_in_range(again, 1, 2 + PARTS);
    before = requests();
    assert_sh_ok(*state, "", "stat m/w* >/dev/null");
    assert_in_range(requests() - before, 0, 2 + PARTS);
    assert_int_equal(sim_log_count("rest-query "), 1);
    assert_int_equal(sim_sessions(), 1);
}

/* With 20 ms a request, one key of all. */
static void test_at_once(void **state)
{
    unsigned long most = 0;
    start("rate=0");
    sim_fault("delay=20");
    for (int try = 0; try < STATS_TRIES && most < LEAST_AT_ONCE; try++) {
        sim_control("most");
        assert_sh_ok(*state, "100\n", "cat m/w00*/status/state | grep -c ok");
        most = strtoul(sim_control("most") + 3, NULL, 10);
    }
    assert_in_range(most, LEAST_AT_ONCE, 24);
    assert_int_equal(sim_sessions(), 1);
}

static int read_state(void *path)
{
    char text[16];
    return harness_read(path, text, sizeof text) > 0 ? 0 : 1;
}

/* Every other machine answers, while the one is waited for. */
static void test_hung(void **state)
{
    int64_t worst_ms = 0;
    (void)state;
    start("rate=0,timeout=300");
    assert_sh_ok("dash", "", "ls m >/dev/null");
    sim_fault("never-reply:vm=%s", sim_control("id w%04d", HUNG) + 3);
    uint64_t fired = sim_fired();
    pid_t waiting = harness_fork(read_state, (void *)path_of(HUNG));
    assert_soon(sim_fired() > fired);
    for (int i = 0; i < FOLLOWED; i++) {
        int64_t begin_ms = harness_now_ms();
        if (i == HUNG)
            continue;
        assert_content(path_of(i), "ok\n");
        if (harness_now_ms() - begin_ms > worst_ms)
            worst_ms = harness_now_ms() - begin_ms;
    }
    print_message("the worst of %d others took %lld ms\n", FOLLOWED - 1, (long long)worst_ms);
    assert_int_equal(waitpid(waiting, NULL, WNOHANG), 0);
    assert_ok(kill(waiting, SIGKILL));
    assert_int_equal(waitpid(waiting, NULL, 0), waiting);
}

/* Whoever goes on behind it is asked for ahead, however far he goes. */
static void test_behind_hung(void **state)
{
    enum { FAR = 140, BEHIND = 40 };
    unsigned long most = 0;
    (void)state;
    start("rate=0,timeout=300");
    assert_sh_ok("dash", "", "ls m >/dev/null");
    sim_fault("never-reply:vm=%s", sim_control("id w%04d", HUNG) + 3);
    for (int i = 0; i < FAR; i++)
        if (i != HUNG)
            assert_content(path_of(i), "ok\n");
    sim_fault("delay=20");
    for (int try = 0; try < STATS_TRIES && most < LEAST_AT_ONCE; try++) {
        sim_control("most");
        for (int i = 0; i < BEHIND; i++)
            assert_content(path_of(FAR + try * BEHIND + i), "ok\n");
        most = strtoul(sim_control("most") + 3, NULL, 10);
    }
    assert_in_range(most, LEAST_AT_ONCE, 24);
}

static const struct CMUnitTest tests[] = {
    HARNESS_SHELLS(test_costs),
    HARNESS_SHELLS(test_at_once),
    HARNESS_TEST(test_hung),
    HARNESS_TEST(test_behind_hung),
};
HARNESS_MAIN(tests)
