/* Commands that set many keys over REST: how many requests are under way at once, how many there
 * are, and what becomes of those that fail in the middle. */
#include "harness.h"

#include "peer.h"
#include "shell.h"
#include "sim.h"
#include "sim_rest.h"
#include "source.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

/* A vCenter with a DataSet "app", a document "e" with it and `count` keys, k000 and so on. The
 * DataSet is then empty. */
static void start(const char *const *arguments, const char *options, unsigned count)
{
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    for (unsigned i = 0; i < count; i++) {
        char key[16], value[101];
        snprintf(key, sizeof key, "k%03u", i);
        snprintf(value, sizeof value, "%097u \"\n", i);
        peer_set("app", key, value);
    }
    assert_sh_ok("dash", "", "$DATASETFS export local:s.db >e");
    peer_destroy("app");
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    sim_start_rest(arguments);
    source_use("rest", options);
}

static void assert_complete(void)
{
    assert_sh_ok("dash", "", "$DATASETFS export local:s.db | cmp - e");
}

/* A vCenter that answers none gets as many as may be under way; killed then, no other comes. */
static void assert_at_once(const char *options, size_t most)
{
    assert_ok(setenv("O", sim_rest_options(options), 1));
    sim_fault("never-reply:command=rest-set");
    uint64_t fired = sim_fired();
    pid_t child = shell_spawn("dash", "exec $DATASETFS import -o $O $S e");
    assert_soon(sim_fired() - fired >= most);
    assert_ok(kill(child, SIGKILL));
    assert_int_equal(shell_wait(child), 128 + SIGKILL);
    assert_int_equal(sim_fired() - fired, most);
    sim_clear();
}

static void test_at_once(void **state)
{
    (void)state;
    start(NULL, NULL, 100);
    assert_at_once("timeout=300", 24);
    assert_at_once("timeout=300,parallel=3", 3);
    assert_at_once("timeout=300,parallel=64", 64);
}

/* One request a key, over as many connections. */
static void test_requests(void **state)
{
    (void)state;
    start(NULL, "parallel=3", 1000);
    assert_sh_ok("dash", "", "$DATASETFS import -o $O $S e");
    assert_complete();
    assert_int_equal(sim_log_count("rest-set "), 1000);
    assert_int_equal(sim_log_count("rest-list "), 1);
    assert_int_equal(sim_sessions(), 0);
    assert_sh_ok("dash", "3\n",
                 "grep 'rest-set ' " SIM_LOG " | cut -d' ' -f1 | sort | uniq -c | wc -l");
}

/* What passes is not seen: sent again are those that it struck, and no others. */
static void test_trouble_that_passes(void **state)
{
    static const char *const faults[] = {
        "busy",  "status=503",   "status=504",   "status-after=502", "retry-after=1",
        "close", "close-before", "drop-after=1", "delay=50",         "error=UNAUTHENTICATED"};
    (void)state;
    start(NULL, "timeout=60", 60);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        size_t sets = sim_log_count("rest-set ");
        uint64_t fired = sim_fired();
        sim_fault("%s:command=rest-set:skip=20:count=7", faults[i]);
        assert_sh_ok("dash", "", "$DATASETFS import -o $O $S e");
        assert_in_range(sim_log_count("rest-set ") - sets, 60, 60 + 7);
        assert_int_equal(sim_fired() - fired, 7);
        assert_complete();
        peer_destroy("app");
        peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
        sim_clear();
    }
}

/* One that is refused for good is named; those before it stand, and so says the command. */
static void test_refused(void **state)
{
    (void)state;
    start((const char *const[]){"--no-slash-keys", NULL}, NULL, 60);
    assert_sh_ok("dash", "", "sed -i 's/k040/k0\\/40/' e");
    assert_sh_fails("dash", "app/k0%2F40: the server, or a proxy before it, takes no keys with '/'",
                    "$DATASETFS import -o $O $S e");
    assert_sh_fails("dash", "done are 0 of 1 DataSets and ",
                    "$DATASETFS import --replace -o $O $S e");
    for (unsigned i = 0; i < 40; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%03u", i);
        assert_false(peer_lacks("app", key));
    }
    assert_int_equal(sim_sessions(), 0);
    assert_sh_ok("dash", "", "sed -i 's/k0\\/40/k040/' e; $DATASETFS import --replace -o $O $S e");
    assert_complete();
}

/* What a vCenter refuses from one moment on ends it with that reason, and nothing is sent for ever;
 * run again it completes it. */
static void test_trouble_that_stays(void **state)
{
    static const struct {
        const char *fault;
        const char *words;
        int status;
        int timeout_s;
    } rows[] = {
        {"error=UNAUTHORIZED", "app/k", 3, 60},
        {"error=NOT_ALLOWED_IN_CURRENT_STATE", "suspended", 5, 60},
        {"error=UNABLE_TO_ALLOCATE_RESOURCE", "app/k", 5, 60},
        {"close", "app/k", 4, 60},
        {"busy", "app/k", 4, 5},
        {"never-reply-before", "app/k", 4, 5},
    };
    (void)state;
    start(NULL, NULL, 60);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        sim_fault("%s:command=rest-set:skip=20", rows[i].fault);
        const struct shell_result *ran = shell_run(
            "dash", "$DATASETFS import --replace -o $O,timeout=%d $S e", rows[i].timeout_s);
        assert_int_equal(ran->status, rows[i].status);
        assert_non_null(strstr(ran->err, rows[i].words));
        assert_non_null(strstr(ran->err, "running it again completes it"));
        sim_clear();
        assert_sh_ok("dash", "", "$DATASETFS import -o $O $S e");
        assert_complete();
        peer_destroy("app");
        peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    }
}

/* The DataSet has got another id since it was asked for, or is gone. */
static void test_ids(void **state)
{
    (void)state;
    start((const char *const[]){"--id-prefix", "id of ", NULL}, NULL, 60);
    assert_sh_ok("dash", "", "$DATASETFS import -o $O $S e");
    assert_complete();
    const struct shell_result *ran =
        shell_run("dash", "echo '{\"a\":\"1\",\"b\":\"2\"}' | $DATASETFS set --json -o $O $S none");
    assert_int_equal(ran->status, 1);
    assert_non_null(strstr(ran->err, "none/a: there is no such key or DataSet"));
    /* The id that the list told is no longer its own: asked for once more. */
    assert_int_equal(harness_write("reply", O_CREAT,
                                   "200 application/json\n"
                                   "[{\"data_set\":\"old id\",\"name\":\"app\"}]"),
                     0);
    sim_fault("say=reply:command=rest-list:count=1");
    size_t lists = sim_log_count("rest-list ");
    assert_sh_ok("dash", "",
                 "echo '{\"a\":\"1\",\"b\":\"2\"}' | $DATASETFS set --json -o $O $S app");
    assert_int_equal(sim_log_count("rest-list ") - lists, 2);
    assert_store("app", "a", "1");
    assert_store("app", "b", "2");
    /* It is, and the DataSet is gone all the same. */
    size_t sets = sim_log_count("rest-set ");
    sim_fault("error=NOT_FOUND:command=rest-set");
    ran =
        shell_run("dash", "echo '{\"a\":\"3\",\"b\":\"4\"}' | $DATASETFS set --json -o $O $S app");
    assert_int_equal(ran->status, 1);
    assert_non_null(strstr(ran->err, "app/a: there is no such key or DataSet"));
    assert_int_equal(sim_log_count("rest-set ") - sets, 2);
    /* So is the machine. */
    sim_fault("error=NOT_FOUND:command=rest-list:skip=1");
    ran =
        shell_run("dash", "echo '{\"a\":\"3\",\"b\":\"4\"}' | $DATASETFS set --json -o $O $S app");
    assert_int_equal(ran->status, 1);
    assert_non_null(strstr(ran->err, "has no virtual machine " SIM_VM " any more"));
}

/* A signal ends it after what is under way; the session is ended too. */
static void test_interrupted(void **state)
{
    (void)state;
    start(NULL, "timeout=60,parallel=4", 60);
    sim_fault("delay=3000:command=rest-set:skip=20");
    pid_t child = shell_spawn("dash", "exec $DATASETFS import -o $O $S e");
    assert_soon(sim_fired() >= 4);
    assert_ok(kill(child, SIGTERM));
    assert_int_equal(shell_wait(child), 128 + SIGTERM);
    assert_int_equal(peer_keys("app"), sim_log_count("rest-set "));
    assert_int_equal(sim_sessions(), 0);
    sim_clear();
    assert_sh_ok("dash", "", "$DATASETFS import -o $O $S e");
    assert_complete();
}

static const struct CMUnitTest tests[] = {
    HARNESS_TEST(test_at_once),
    HARNESS_TEST(test_requests),
    HARNESS_TEST(test_trouble_that_passes),
    HARNESS_TEST(test_refused),
    HARNESS_TEST(test_trouble_that_stays),
    HARNESS_TEST(test_ids),
    HARNESS_TEST(test_interrupted),
};

HARNESS_MAIN(tests)
