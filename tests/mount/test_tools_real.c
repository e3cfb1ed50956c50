/* Debian's own vmtoolsd talks to the simulated host, and so does datasetfs through AF_VSOCK: the
 * simulator is what the real programs take for a host. */
#include "harness.h"

#include "buf.h"
#include "cleanup.h"
#include "peer.h"
#include "shell.h"
#include "sim.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define REQUEST "request"
#define GET "datasets-get-entry {\"dataset\":\"app\",\"keys\":[\"k\"]}"
#define SET_BEGIN "datasets-set-entry {\"dataset\":\"app\",\"entries\":[{\"key\":\"k\",\"value\":"
/* Each request starts a program, of which a loaded machine starts few in a second. */
#define UNHURRIED "timeout=100"
/* The log with ports as if the first one were 1023. */
#define PORTS                                                                                      \
    "grep -v socket " SIM_VSOCK_LOG " | awk '$1 == \"bind\" { if (!first) first = $2; "            \
    "$2 = 1 + ($2 + 2045 - first) %% 1023 } { print }'"
#define OK "{\"result\":true}\n"

/* The test once per way to give vmtoolsd its request; `*state` is the option. */
#define BOTH_WAYS(function)                                                                        \
    {#function " (--cmd)", function, harness_setup, harness_teardown, "--cmd"},                    \
    {                                                                                              \
#function " (--cmdfile)", function, harness_setup, harness_teardown, "--cmdfile"           \
    }

static void start(const char *const *arguments)
{
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    sim_start(arguments);
    sim_vsock_begin(NULL, NULL, NULL);
}

static const struct shell_result *run(const char *way, const char *request)
{
    assert_int_equal(harness_write(REQUEST, O_CREAT | O_TRUNC, request), 0);
    return shell_run("dash", "LC_ALL=C.UTF-8 exec vmtoolsd %s",
                     strcmp(way, "--cmd") == 0 ? "--cmd \"$(cat " REQUEST ")\""
                                               : "--cmdfile " REQUEST);
}

static void assert_tools(const char *way, const char *request, const char *out)
{
    const struct shell_result *ran = run(way, request);
    if (ran->status != 0 || strcmp(ran->out, out) != 0)
        fail_msg("%.200s: status %d, output '%.200s', errors '%.400s', expected '%.200s'", request,
                 ran->status, ran->out, ran->err, out);
}

static void assert_tools_fail(const char *way, const char *request, const char *words)
{
    const struct shell_result *ran = run(way, request);
    if (ran->status != 1 || !strstr(ran->err, words))
        fail_msg("%.200s: status %d, output '%.200s', errors '%.400s', expected '%s'", request,
                 ran->status, ran->out, ran->err, words);
}

static void test_commands(void **state)
{
    const char *way = *state;
    start(NULL);
    assert_tools(way, "datasets-list",
                 "{\"result\":true,\"datasets\":[{\"name\":\"app\",\"description\":\"\"}]}\n");
    assert_tools(way, SET_BEGIN "\"one\"}]}", OK);
    assert_store("app", "k", "one");
    assert_tools(way, SET_BEGIN "\" two\",\"append\":true}]}", OK);
    assert_store("app", "k", "one two");
    assert_tools(way,
                 "datasets-set-entry {\"dataset\":\"app\",\"entries\":[{\"key\":\"\xc3\xa9 'q' /\","
                 "\"value\":\"\\\"\xf0\x9f\x98\x80\\n\"},{\"key\":\"n\",\"value\":\"\"}]}",
                 OK);
    assert_store("app", "\xc3\xa9 'q' /", "\"\xf0\x9f\x98\x80\n");
    assert_store("app", "n", "");
    assert_tools(way, "datasets-list-keys {\"dataset\":\"app\"}",
                 "{\"result\":true,\"keys\":[\"k\",\"n\",\"\xc3\xa9 'q' /\"]}\n");
    assert_tools(way,
                 "datasets-get-entry {\"dataset\":\"app\",\"keys\":[\"\xc3\xa9 'q' /\",\"k\"]}",
                 "{\"result\":true,\"entries\":[{\"\xc3\xa9 'q' /\":\"\\\"\xf0\x9f\x98\x80\\n\"},"
                 "{\"k\":\"one two\"}]}\n");
    assert_tools(way, "datasets-query {\"dataset\":\"app\"}",
                 "{\"result\":true,\"description\":\"\",\"used\":23,\"host\":\"READ_WRITE\","
                 "\"guest\":\"READ_WRITE\"}\n");
    assert_tools(way, "datasets-delete-entry {\"dataset\":\"app\",\"keys\":[\"k\",\"n\"]}", OK);
    assert_int_equal(peer_keys("app"), 1);
}

/* What the mount shows is what vmtoolsd gets, both ways. */
static void test_mount_agrees(void **state)
{
    const char *way = *state;
    start(NULL);
    sim_vsock_end();
    harness_start_source("g", sim_source(), NULL);
    sim_vsock_begin(NULL, NULL, NULL);
    assert_tools(way, SET_BEGIN "\"by vmtoolsd \xc3\xa9\\n\"}]}", OK);
    assert_content("g/app/k", "by vmtoolsd \xc3\xa9\n");
    assert_tools(way, SET_BEGIN "\"more\",\"append\":true}]}", OK);
    assert_content("g/app/k", "by vmtoolsd \xc3\xa9\nmore");
    assert_int_equal(harness_write("g/app/k", O_TRUNC, "by the mount\t\x01\n"), 0);
    assert_tools(way, GET,
                 "{\"result\":true,\"entries\":[{\"k\":\"by the mount\\t\\u0001\\n\"}]}\n");
    assert_int_equal(harness_write("g/app/%2Fn", O_CREAT, ""), 0);
    assert_soon(peer_has("app", "/n", ""));
    assert_tools(way, "datasets-list-keys {\"dataset\":\"app\"}",
                 "{\"result\":true,\"keys\":[\"/n\",\"k\"]}\n");
    assert_sh_ok("dash", "%2Fn\nk\n", "ls g/app");
    assert_tools(way, "datasets-delete-entry {\"dataset\":\"app\",\"keys\":[\"k\"]}", OK);
    assert_errno(open("g/app/k", O_RDONLY), ENOENT);
    assert_ok(unlink("g/app/%2Fn"));
    assert_tools(way, "datasets-list-keys {\"dataset\":\"app\"}",
                 "{\"result\":true,\"keys\":[]}\n");
}

/* A failure by JSON is a success of vmtoolsd; one of the RPC is not. */
static void test_failures(void **state)
{
    const char *way = *state;
    static const char request[] = "datasets-query {\"dataset\":\"none\"}";
    start(NULL);
    const struct shell_result *ran = run(way, request);
    assert_int_equal(ran->status, 0);
    assert_non_null(strstr(ran->out, "{\"result\":false,\"error-id\":\"not-found\""));
    assert_tools_fail(way, "datasets-create {}", "Unknown command");
    sim_fault("rpc-error=Permission denied");
    assert_tools_fail(way, request, "Permission denied");
    sim_stop();
    sim_start((const char *const[]){"--failure", "rpc-json", NULL});
    sim_vsock_begin(NULL, NULL, NULL);
    assert_tools_fail(way, request, "{\"result\":false,\"error-id\":\"not-found\"");
}

/* A message of 64 KiB by file (argv holds one too), and a reply of over 1 MiB. */
static void test_sizes(void **state)
{
    (void)state;
    start(NULL);
    static const char end[] = "\"}]}";
    struct ds_buf request DS_CLEANUP(ds_buf_free) = {0};
    assert_int_equal(ds_buf_puts(&request, SET_BEGIN "\""), 0);
    while (request.len + strlen(end) < 65536)
        assert_int_equal(ds_buf_puts(&request, "x"), 0);
    assert_int_equal(ds_buf_puts(&request, end), 0);
    assert_tools("--cmd", request.data, OK);
    assert_tools("--cmdfile", request.data, OK);
    request.len -= strlen(end);
    assert_int_equal(ds_buf_puts(&request, "x\"}]}"), 0);
    assert_tools_fail("--cmdfile", request.data, "Message too long");
    char *value DS_AUTO_FREE = calloc(1, DS_VALUE_MAX_BYTES + 1);
    memset(value, '"', DS_VALUE_MAX_BYTES);
    peer_set("app", "k", value);
    const struct shell_result *ran = run("--cmdfile", GET);
    assert_int_equal(ran->status, 0);
    assert_int_equal(ran->out_len, strlen("{\"result\":true,\"entries\":[{\"k\":\"\"}]}\n") +
                                       2 * DS_VALUE_MAX_BYTES);
}

/* The stock library sends again what got no reply: an append is applied twice, which is why
 * datasetfs does not append through vmtoolsd. */
static void test_stock_resends(void **state)
{
    start(NULL);
    sim_fault("close:count=1");
    assert_tools(*state, SET_BEGIN "\"x\",\"append\":true}]}", OK);
    assert_int_equal(sim_log_count("append=1"), 2);
    assert_store("app", "k", "xx");
}

static void test_stock_ports(void **state)
{
    start(NULL);
    sim_vsock_begin(NULL, "EADDRINUSE:2", "ECONNRESET:1,EINTR:1");
    assert_tools(*state, "datasets-list-keys {\"dataset\":\"app\"}",
                 "{\"result\":true,\"keys\":[]}\n");
    assert_sh_ok("dash",
                 "bind 1023 EADDRINUSE\nbind 1022 EADDRINUSE\nbind 1021 ok\nconnect ECONNRESET\n"
                 "bind 1020 ok\nconnect EINTR\nbind 1020 ok\nconnect ok\n",
                 "grep -v socket " SIM_VSOCK_LOG);
}

/* Without the preloaded library vmtoolsd knows that this is no virtual machine of VMware's; with it
 * and without a simulator it finds no host. */
static void test_no_host(void **state)
{
    start(NULL);
    sim_kill();
    const struct shell_result *ran = run(*state, "datasets-list");
    assert_int_not_equal(ran->status, 0);
    assert_sh_ok("dash", "0\n", "grep -c 'connect ok' " SIM_VSOCK_LOG " || true");
    sim_vsock_end();
    ran = run(*state, "datasets-list");
    assert_int_not_equal(ran->status, 0);
}

/* datasetfs itself through AF_VSOCK: one channel from a privileged port for all. */
static void test_datasetfs(void **state)
{
    (void)state;
    start(NULL);
    struct harness_daemon *daemon = harness_start_source("g", "tools", NULL);
    assert_int_equal(harness_write("g/app/k", O_CREAT, "value\n"), 0);
    assert_content("g/app/k", "value\n");
    assert_store("app", "k", "value\n");
    harness_stop(daemon);
    assert_sh_ok("dash", "bind 1023 ok\nconnect ok\n", PORTS);
    assert_int_equal(sim_log_count("connection=1 "), sim_log_count("connection="));
}

/* Busy ports are passed over, and a host that still releases a pair too. */
static void test_datasetfs_ports(void **state)
{
    (void)state;
    start(NULL);
    sim_vsock_begin(NULL, "EADDRINUSE:2", "ECONNRESET:2,EINTR:1,ENOBUFS:2");
    struct harness_daemon *daemon = harness_start_source("g", "tools", NULL);
    assert_sh_ok("dash", "app\n", "ls g");
    harness_stop(daemon);
    assert_sh_ok("dash",
                 "bind 1023 EADDRINUSE\nbind 1022 EADDRINUSE\nbind 1021 ok\nconnect ECONNRESET\n"
                 "bind 1020 ok\nconnect ECONNRESET\nbind 1019 ok\nconnect EINTR\nbind 1019 ok\n"
                 "connect ENOBUFS\nbind 1019 ok\nconnect ENOBUFS\nbind 1019 ok\nconnect ok\n",
                 PORTS);
}

/* A host that holds the ports of the last connections: who asks 200 times by 200 processes is not
 * refused, and hardly ever has to try another port. */
static void test_datasetfs_many(void **state)
{
    start(NULL);
    assert_ok(setenv("FAKEVSOCK_HELD", "100", 1));
    assert_sh_ok(*state, "200\n",
                 "for i in $(seq 200); do $DATASETFS set tools app k $i; done; "
                 "$DATASETFS get tools app k; echo");
    assert_ok(unsetenv("FAKEVSOCK_HELD"));
    assert_sh_ok("dash", "", "test $(grep -c connect " SIM_VSOCK_LOG ") -le 300");
}

/* What ends the search, and with which words. */
static void test_datasetfs_refused(void **state)
{
    (void)state;
    static const struct {
        const char *bind_plan;
        const char *connect_plan;
        const char *words;
        const char *tries; /* binds, connections; a channel is opened up to three times */
    } cases[] = {
        {"EACCES:9", NULL, "root", "1 0\n"},
        {NULL, "ECONNRESET:99", "not inside a VMware virtual machine", "24 24\n"},
        {NULL, "ECONNREFUSED:99", "not inside a VMware virtual machine", "3 3\n"},
        {NULL, "ENOBUFS:99", "not inside a VMware virtual machine", "15 15\n"},
    };
    start(NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unlink(SIM_VSOCK_LOG);
        sim_vsock_begin(NULL, cases[i].bind_plan, cases[i].connect_plan);
        assert_sh_fails("dash", cases[i].words, "mkdir -p g && exec $DATASETFS tools g -f");
        assert_sh_ok("dash", cases[i].tries, "echo $(grep -c bind %s) $(grep -c connect %s)",
                     SIM_VSOCK_LOG, SIM_VSOCK_LOG);
    }
    assert_int_equal(sim_log_count("command="), 0);
}

/* A kernel without AF_VSOCK: the program instead, which here has one. */
static void test_datasetfs_falls_back(void **state)
{
    (void)state;
    start(NULL);
    sim_vsock_begin("EAFNOSUPPORT:99@datasetfs", NULL, NULL);
    struct harness_daemon *daemon = harness_start_source("g", "tools", UNHURRIED);
    assert_int_equal(harness_write("g/app/k", O_CREAT, "value\n"), 0);
    assert_content("g/app/k", "value\n");
    assert_store("app", "k", "value\n");
    harness_stop(daemon);
    assert_sh_ok("dash", "1\n", "grep -c AF_VSOCK %s", daemon->log);
    assert_int_equal(sim_log_count("connection=1 "), 1);
    assert_true(sim_log_count("connection=") > 3); /* a new one for each request */
}

/* Neither AF_VSOCK nor the program: the same sentence, with what was tried. */
static void test_datasetfs_finds_nothing(void **state)
{
    (void)state;
    start(NULL);
    sim_vsock_begin("EAFNOSUPPORT:99@datasetfs", NULL, NULL);
    assert_ok(mkdir("g", 0755));
    assert_sh_fails("dash", "not inside a VMware virtual machine, or guest RPC is disabled",
                    "PATH=/nonexistent exec $DATASETFS tools g -f");
    assert_sh_fails("dash", "cannot run vmtoolsd", "PATH=/nonexistent exec $DATASETFS tools g -f");
    assert_int_equal(sim_log_count("command="), 0);
}

/* datasetfs by running the program, as SOURCE says. */
static void test_datasetfs_runs_program(void **state)
{
    start(NULL);
    harness_start_source("g", "tools:vmtoolsd", UNHURRIED);
    peer_set("app", "k", "by the host\n");
    assert_sh_ok(*state, "by the host\n", "cat g/app/k");
    assert_sh_ok(*state, "", "echo '\"\303\251 \t\"' > g/app/k && printf more >> g/app/k");
    assert_store("app", "k", "\"\303\251 \t\"\nmore");
    assert_int_equal(sim_log_count("append=1"), 0);
    assert_sh_ok(*state, "k\nnew\n", "echo x >> g/app/new && ls g/app");
    assert_sh_ok(*state, "2\n", "ls -l g/app | awk '$1 ~ /^-/ {n++} END {print n}'");
    assert_sh_ok(*state, "", "rm g/app/k g/app/new");
    assert_int_equal(peer_keys("app"), 0);
    assert_sh_fails(*state, "No such file or directory", "cat g/app/k");
    assert_sh_fails(*state, "Operation not permitted", "mkdir g/other");
}

/* The program that sends a part again when its channel breaks doubles it. That is seen. */
static void test_doubled_part(void **state)
{
    (void)state;
    start(NULL);
    harness_start_source("g", "tools:vmtoolsd", UNHURRIED);
    assert_sh_ok("dash", "", "seq 1 15000 > value && dd if=value of=g/app/k bs=1M status=none");
    assert_sh_ok("dash", "", "cmp value g/app/k && seq 20000 35000 > value");
    size_t parts = sim_log_count("append=1");
    assert_true(parts > 0);
    sim_fault("close:command=datasets-set-entry:skip=1:count=1");
    assert_sh_fails("dash", "Input/output error", "dd if=value of=g/app/k bs=1M status=none");
    assert_int_equal(sim_fired(), 1);
    assert_sh_ok("dash", "1\n", "grep -c 'previous value stands there again' g/.datasetfs/errors");
    assert_sh_ok("dash", "", "seq 1 15000 | cmp - g/app/k");
}

static const struct CMUnitTest tests[] = {
    BOTH_WAYS(test_commands),
    BOTH_WAYS(test_mount_agrees),
    BOTH_WAYS(test_failures),
    HARNESS_TEST(test_sizes),
    BOTH_WAYS(test_stock_resends),
    BOTH_WAYS(test_stock_ports),
    BOTH_WAYS(test_no_host),
    HARNESS_TEST(test_datasetfs),
    HARNESS_TEST(test_datasetfs_ports),
    HARNESS_SHELLS(test_datasetfs_many),
    HARNESS_TEST(test_datasetfs_refused),
    HARNESS_TEST(test_datasetfs_falls_back),
    HARNESS_TEST(test_datasetfs_finds_nothing),
    HARNESS_SHELLS(test_datasetfs_runs_program),
    HARNESS_TEST(test_doubled_part),
};

int main(void)
{
    if (system("command -v vmtoolsd >/dev/null") != 0) { // NOLINT: a shell's own search
        printf("SKIP: no vmtoolsd\n");
        return HARNESS_SKIP_STATUS;
    }
    harness_begin();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    harness_end();
    return failed > 0;
}
