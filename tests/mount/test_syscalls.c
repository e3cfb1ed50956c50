/* Confinement costs no system call: each operation makes as many as without it. */
#include "harness.h"

#include "peer.h"
#include "shell.h"
#include "stats.h"
#include "syscalls.h"

#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

/* By dash, in the directory of a DataSet. */
static const char *const commands[] = {
    "test -e k",       "cat k >/dev/null", "echo x >k",        "echo x >>k",
    "echo x >n; rm n", "mv k n; mv n k",   "ls -l >/dev/null", "mkdir ../d; rmdir ../d",
};

enum { COMMANDS = sizeof commands / sizeof *commands, REPEATED = 8, TRIES = 5 };

static uint64_t calls_of(const struct harness_daemon *daemon, const char *command)
{
    char script[256];
    snprintf(script, sizeof script,
             "set -e; cd m/app; i=0; while [ $i -lt %d ]; do %s; i=$((i+1)); done", REPEATED,
             command);
    return syscalls_of(daemon->worker, "dash", script);
}

static uint64_t least_of(const struct harness_daemon *daemon, const char *command)
{
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < TRIES; i++) {
        uint64_t calls = calls_of(daemon, command);
        if (calls < least)
            least = calls;
    }
    return least;
}

/* Some containers let nobody trace. */
static void need_tracing(void)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        pause();
    bool may = ptrace(PTRACE_SEIZE, child, NULL, 0) == 0;
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, __WALL), child);
    if (!may)
        skip();
}

static void test_confined(void **state)
{
    (void)state;
    uint64_t plain[COMMANDS];
    need_tracing();
    struct harness_daemon *daemon = harness_start_app("nosandbox");
    peer_set("app", "k", "value\n");
    for (size_t i = 0; i < COMMANDS; i++)
        plain[i] = least_of(daemon, commands[i]);
    harness_stop(daemon);
    daemon = harness_start("m", NULL);
    for (size_t i = 0; i < COMMANDS; i++) {
        /* What the kernel has forgotten meanwhile, it asks once more; that is not each time. */
        uint64_t most = plain[i] + REPEATED - 1;
        uint64_t confined = UINT64_MAX;
        for (int try = 0; try < STATS_TRIES && confined > most; try++)
            confined = calls_of(daemon, commands[i]);
        assert_in_range(confined, 1, most);
    }
}

static const struct CMUnitTest tests[] = {HARNESS_TEST(test_confined)};
HARNESS_MAIN(tests)
