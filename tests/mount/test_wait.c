/* wait: for what it waits, how often it asks, and when it gives up. */
#include "harness.h"

#include "peer.h"
#include "shell.h"
#include "sim.h"
#include "sim_rest.h"
#include "source.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* `datasetfs wait` with these arguments in the background; its output is in "out" and "err". */
static pid_t spawn(const char *arguments)
{
    return shell_spawn("dash", "exec $DATASETFS wait --timeout 0 --interval 1 %s >out 2>err",
                       arguments);
}

static bool runs(pid_t child)
{
    int status;
    return waitpid(child, &status, WNOHANG) == 0;
}

static void assert_ends(pid_t child, int status, const char *out)
{
    assert_int_equal(shell_wait(child), status);
    assert_content("out", out);
}

static size_t gets(void)
{
    return sim_log_count("datasets-get-entry");
}

static void assert_asks_on(pid_t child)
{
    size_t before = gets();
    assert_soon(gets() > before + 1);
    assert_true(runs(child));
}

static void start(void)
{
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    source_use("tools", "");
}

/* It ends with the first answer that fits. */
static void test_values(void **state)
{
    (void)state;
    start();
    pid_t child = spawn("--equals ready $S app k");
    assert_asks_on(child);
    peer_set("app", "k", "not yet");
    assert_asks_on(child);
    size_t before = gets();
    peer_set("app", "k", "ready\n");
    assert_ends(child, 0, "ready\n");
    assert_true(gets() - before <= 2);
    assert_content("err", "");

    child = spawn("--not-equals ready $S app k");
    assert_asks_on(child);
    peer_remove("app", "k");
    assert_asks_on(child);
    peer_set("app", "k", "done");
    assert_ends(child, 0, "done");

    child = spawn("--gone $S app k");
    assert_asks_on(child);
    peer_remove("app", "k");
    assert_ends(child, 0, "");

    child = spawn("$S app k");
    assert_asks_on(child);
    peer_set("app", "k", "");
    assert_ends(child, 0, "");
}

/* Not yet: no DataSet, no host, no store, no machine of that name. */
static void test_not_yet(void **state)
{
    (void)state;
    source_use("tools", "");
    pid_t child = spawn("$S app k");
    assert_asks_on(child);
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_set("app", "k", "v");
    assert_ends(child, 0, "v");
    sim_stop();

    child = spawn("$S app k");
    assert_true(runs(child));
    sim_start(NULL);
    assert_ends(child, 0, "v");
    sim_stop();

    child = spawn("local:late.db app k");
    assert_true(runs(child));
    assert_sh_ok("dash", "", "$DATASETFS create local:late.db app");
    assert_sh_ok("dash", "", "$DATASETFS set local:late.db app k late");
    assert_ends(child, 0, "late");
}

/* Over https too, where a session is left to nobody. */
static void test_rest(void **state)
{
    (void)state;
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    source_use("rest", "timeout=20");
    pid_t child = spawn("-o $O $S app k");
    assert_soon(sim_log_count("rest-get ") > 2);
    assert_int_equal(sim_log_count("rest-login "), 1);
    peer_set("app", "k", "v");
    assert_ends(child, 0, "v");
    assert_int_equal(sim_sessions(), 0);

    child = spawn("-o $O $S app none");
    size_t before = sim_log_count("rest-get ");
    assert_soon(sim_log_count("rest-get ") > before);
    assert_ok(kill(child, SIGTERM));
    assert_ends(child, 128 + SIGTERM, "");
    assert_content("err", "");
    assert_int_equal(sim_sessions(), 0);
}

/* What waiting does not mend ends it at once. */
static void test_refused(void **state)
{
    (void)state;
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_NONE);
    sim_start_rest(NULL);
    assert_ok(setenv("S", sim_rest_source(), 1));
    assert_int_equal(harness_write("wrong", O_CREAT, "username=a\npassword=b\n"), 0);
    assert_ends(spawn("-o cacert=" SIM_CA ",credentials=wrong $S app k"), 3, "");
    assert_ends(spawn("-o credentials=" SIM_CREDENTIALS " $S app k"), 3, "");
    assert_ok(setenv("S", sim_source(), 1));
    assert_ends(spawn("$S app k"), 3, "");
    sim_fault("rpc-error=Unknown command");
    assert_ends(spawn("$S app k"), 3, "");
}

/* At the end it says what is missing, and has asked once in each interval. */
static void test_timeout(void **state)
{
    static const struct {
        const char *arguments;
        const char *words;
    } ends[] = {
        {"$S app k", "app/k does not exist yet"},
        {"$S none k", "DataSet none does not exist yet"},
        {"--equals x $S app there", "app/there has another value so far"},
        {"--gone $S app there", "app/there is still there"},
        {"tools:unix=nobody app k", "app/k is not known yet: "},
        {"local:none.db app k", "app/k is not known yet: "},
        {"local:empty.db app k", "app/k is not known yet: "},
        {"--gone local:none.db app k", "app/k is not known yet: "},
        {"m/app/k", "m/app/k does not exist yet"},
        {"m/none/k", "DataSet of this path does not exist yet"},
        {"--equals x m/app/there", "m/app/there has another value so far"},
    };
    (void)state;
    start();
    peer_set("app", "there", "v");
    harness_start_source("m", sim_source(), NULL);
    assert_int_equal(harness_write("empty.db", O_CREAT, ""), 0);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t before = gets();
        const struct shell_result *ran =
            shell_run("dash", "$DATASETFS wait --timeout 2 --interval 1 %s", ends[i].arguments);
        if (ran->status != 1 || !strstr(ran->err, ends[i].words) || ran->out_len)
            fail_msg("%s: status %d, '%s', not '%s'", ends[i].arguments, ran->status, ran->err,
                     ends[i].words);
        assert_true(gets() - before <= 2);
    }
}

/* What nohup and shells in the background ignore stays ignored. */
static void test_ignored_signal(void **state)
{
    (void)state;
    start();
    pid_t child = shell_spawn("dash", "trap '' INT HUP; exec $DATASETFS wait --interval 1 $S app k "
                                      ">out 2>err");
    assert_asks_on(child);
    assert_ok(kill(child, SIGINT));
    assert_ok(kill(child, SIGHUP));
    assert_asks_on(child);
    peer_set("app", "k", "v");
    assert_ends(child, 0, "v");
}

/* A file of a mount. */
static void test_path(void **state)
{
    (void)state;
    harness_start("m", NULL);
    pid_t child = spawn("m/app/k");
    assert_true(runs(child));
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_set("app", "k", "v\n");
    assert_ends(child, 0, "v\n");
    child = spawn("--equals w m/app/k");
    assert_true(runs(child));
    peer_set("app", "k", "w\n");
    assert_ends(child, 0, "w\n");
    child = spawn("--gone m/app/k");
    assert_true(runs(child));
    peer_remove("app", "k");
    assert_ends(child, 0, "");
}

static const struct CMUnitTest tests[] = {
    HARNESS_TEST(test_values),         HARNESS_TEST(test_not_yet), HARNESS_TEST(test_rest),
    HARNESS_TEST(test_refused),        HARNESS_TEST(test_timeout), HARNESS_TEST(test_path),
    HARNESS_TEST(test_ignored_signal),
};
HARNESS_MAIN(tests)
