/* What commands of scripts cost in requests of the kernel: each is a switch to the daemon and back,
 * which is most of what a command takes where the store is near. */
#include "harness.h"

#include "peer.h"
#include "shell.h"
#include "stats.h"

#include <stdio.h>
#include <stdlib.h>

enum { KEYS = 10 };

/* By dash, which goes to the directory of a DataSet that has been listed (one request): with k, k0
 * to k9, and no n; the file $TOP/source is none of ours. A kernel that asks less is welcome. */
static const struct {
    const char *command;
    uint64_t most;
} commands[] = {
    {"test -e k", 2},
    {"stat k >$TOP/out", 2},
    {"cat k >$TOP/out", 5},
    {"read v <k", 4},
    {"echo x >k", 6},
    {"echo x >n", 7},
    {"echo x >>k", 6},
    {"rm k", 3},
    {"mv k n", 3},
    {"cp $TOP/source n", 7},
    {"ls >$TOP/out", 6},
    {"ls -l >$TOP/out", 17},
    {"cat k? >$TOP/out", 36},
};

/* All but forgets, which come when the kernel likes. */
static uint64_t kernel_requests(void)
{
    const struct shell_result *sum = shell_run(
        "dash", "awk '/^datasetfs_fuse_requests_total/ && !/\"forget\"/ {n += $2} END {print n}'"
                " m/.datasetfs/stats");
    assert_int_equal(sum->status, 0);
    return strtoull(sum->out, NULL, 10);
}

/* What it costs in one try; UINT64_MAX if to look cost another time than before, since what the
 * kernel knew of the way to the counters ended in between. */
static uint64_t cost_of(const char *command)
{
    uint64_t at[4];
    assert_sh_ok("dash", "", "rm -f m/app/n; echo value >m/app/k; ls m/app >list");
    harness_outlive_attributes();
    at[0] = kernel_requests();
    at[1] = kernel_requests();
    assert_sh_ok("dash", "", "TOP=$PWD; cd m/app; %s", command);
    at[2] = kernel_requests();
    at[3] = kernel_requests();
    uint64_t looks = at[1] - at[0];
    return at[3] - at[2] == looks ? at[2] - at[1] - looks : UINT64_MAX;
}

static void test_commands(void **state)
{
    (void)state;
    harness_start_app(NULL);
    for (int i = 0; i < KEYS; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", i);
        peer_set("app", key, "value\n");
    }
    assert_sh_ok("dash", "", "echo value >source");
    for (size_t row = 0; row < sizeof commands / sizeof *commands; row++) {
        uint64_t least = UINT64_MAX;
        for (int i = 0; i < STATS_TRIES && least > commands[row].most; i++) {
            uint64_t cost = cost_of(commands[row].command);
            least = cost < least ? cost : least;
        }
        if (least > commands[row].most)
            fail_msg("%s: %llu requests of the kernel, not at most %llu", commands[row].command,
                     (unsigned long long)least, (unsigned long long)commands[row].most);
    }
}

static const struct CMUnitTest tests[] = {HARNESS_TEST(test_commands)};

HARNESS_MAIN_FIRST(tests)
