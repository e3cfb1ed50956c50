/* REST when things go wrong: broken connections, silence, busy servers, replies that are none. */
#include "harness.h"

#include "cleanup.h"
#include "peer.h"
#include "relay.h"
#include "shell.h"
#include "sim.h"
#include "sim_rest.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void start(const char *options)
{
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    sim_start_rest(NULL);
    harness_start_source("m", sim_rest_source(), sim_rest_options(options));
    assert_ok(access("m/app", F_OK));
}

/* The connection closes once, before or after the request is carried out: nobody notices, and
 * nothing is done twice. */
static void test_lost_connections(void **state)
{
    (void)state;
    static const char *const kinds[] = {"close", "close-before", "drop-after=1"};
    start(NULL);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        peer_set("app", "k", "old");
        assert_content("m/app/k", "old");
        uint64_t fired = sim_fired();
        harness_outlive_attributes();
        sim_fault("%s:command=rest-get:count=1", kinds[i]);
        assert_content("m/app/k", "old");
        sim_fault("%s:command=rest-set:count=1", kinds[i]);
        assert_int_equal(harness_write("m/app/k", O_TRUNC, "new"), 0);
        assert_store("app", "k", "new");
        sim_fault("%s:command=rest-set:count=1", kinds[i]);
        assert_int_equal(harness_write("m/app/k", O_APPEND, "+1"), 0);
        assert_store("app", "k", "new+1");
        sim_fault("%s:command=rest-remove:count=1", kinds[i]);
        assert_ok(unlink("m/app/k"));
        assert_not_in_store("app", "k");
        sim_fault("%s:command=rest-create:count=1", kinds[i]);
        assert_ok(mkdir("m/made", 0700));
        sim_fault("%s:command=rest-list-keys:count=1", kinds[i]);
        assert_sh_ok("bash", "", "ls m/made");
        sim_fault("%s:command=rest-destroy:count=1", kinds[i]);
        assert_ok(rmdir("m/made"));
        assert_true(sim_fired() - fired >= 5);
        sim_clear();
    }
}

/* How many connections one round of changes and a question has cost, each ended after so many bytes
 * of a reply's status line and headers. What was carried out is not told as a failure, and not done
 * twice. A creation is cut again when it is repeated: that failure is the connection's, and not
 * what the server has said to that without its reason. */
static uint64_t cut_heads_after(unsigned bytes)
{
    uint64_t cuts = sim_cuts();
    struct stat status;
    char value[32];
    snprintf(value, sizeof value, "value %u", bytes);
    sim_fault("cut-head=%u:command=rest-create", bytes);
    if (mkdir("m/made", 0700) != 0)
        assert_int_equal(errno, EIO);
    sim_clear();
    assert_ok(stat("m/made", &status));
    sim_fault("cut-head=%u:command=rest-set:count=1", bytes);
    assert_int_equal(harness_write("m/made/k", O_CREAT | O_TRUNC, value), 0);
    assert_store("made", "k", value);
    harness_outlive_attributes();
    sim_fault("cut-head=%u:command=rest-get:count=1", bytes);
    assert_content("m/made/k", value);
    sim_fault("cut-head=%u:command=rest-remove:count=1", bytes);
    assert_ok(unlink("m/made/k"));
    sim_fault("cut-head=%u:command=rest-destroy:count=1", bytes);
    assert_ok(rmdir("m/made"));
    sim_clear();
    return sim_cuts() - cuts;
}

/* Until no head is so long. */
static void cut_heads(void)
{
    enum { LEAST_REQUESTS = 5, LEAST_BYTES = 100 };
    unsigned bytes = 0;
    assert_true(cut_heads_after(bytes) >= LEAST_REQUESTS);
    while (cut_heads_after(++bytes) > 0)
        harness_prolong();
    assert_true(bytes > LEAST_BYTES);
}

static void test_cut_heads(void **state)
{
    (void)state;
    start(NULL);
    cut_heads();
}

/* Whose own reply, to CONNECT, has a whole head. */
static void test_cut_heads_behind_proxy(void **state)
{
    char url[64];
    (void)state;
    snprintf(url, sizeof url, "http://127.0.0.1:%u", relay_start_proxy());
    setenv("https_proxy", url, 1);
    start(NULL);
    unsetenv("https_proxy");
    cut_heads();
}

static bool shows(const char *value)
{
    char got[32];
    ssize_t len = harness_read("m/app/k", got, sizeof got);
    return len == (ssize_t)strlen(value) && memcmp(got, value, (size_t)len) == 0;
}

/* It ends in the handshake of TLS, or in a record: the value is read, or an error. */
static void test_cut_tls(void **state)
{
    static const int bytes[] = {0, 1, 4, 5, 6, 90, 130, 500, 1000, 1500, 2000};
    (void)state;
    start(NULL);
    peer_set("app", "k", "value");
    for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++) {
        char got[32];
        sim_fault("cut-connection=%d", bytes[i]);
        ssize_t len = harness_read("m/app/k", got, sizeof got);
        if (len < 0)
            assert_true(len == -EIO || len == -EHOSTUNREACH || len == -ETIMEDOUT);
        else
            assert_int_equal(len, 5);
        sim_clear();
        assert_soon(shows("value"));
    }
}

/* A gateway gives up although the server has done it, as it does when the service behind it dies:
 * what was done is not an error, and not done again. */
static void test_behind_gateway(void **state)
{
    static const char *const statuses[] = {"502", "503", "504"};
    start(NULL);
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        peer_set("app", "k", "old");
        assert_content("m/app/k", "old");
        sim_fault("status-after=%s:command=rest-set:count=1", statuses[i]);
        assert_sh_ok(*state, "", "echo new > m/app/k");
        assert_store("app", "k", "new\n");
        sim_fault("status-after=%s:command=rest-set:count=1", statuses[i]);
        assert_sh_ok(*state, "", "echo more >> m/app/k");
        assert_store("app", "k", "new\nmore\n");
        sim_fault("status-after=%s:command=rest-remove:count=1", statuses[i]);
        assert_sh_ok(*state, "", "rm m/app/k");
        sim_fault("status-after=%s:command=rest-create:count=1", statuses[i]);
        assert_sh_ok(*state, "", "mkdir m/made");
        sim_fault("status-after=%s:command=rest-update:count=1", statuses[i]);
        assert_sh_ok(*state, "", "echo '{\"guest\":\"NONE\"}' > m/.datasetfs/info/made");
        sim_fault("status-after=%s:command=rest-destroy:count=1", statuses[i]);
        assert_sh_ok(*state, "", "rmdir m/made");
        assert_int_equal(sim_fired(), 6 * (i + 1));
    }
}

/* While an append waits for a busy server the guest appends too: neither line is lost. */
static void test_guest_between(void **state)
{
    start("timeout=30");
    peer_set("app", "k", "old\n");
    assert_content("m/app/k", "old\n");
    sim_fault("retry-after=2:command=rest-set:count=1");
    pid_t writer = shell_spawn(*state, "echo host >> m/app/k");
    assert_soon(sim_fired() > 0);
    struct ds_call call;
    ds_call_init(&call, HARNESS_SOON_MS);
    assert_int_equal(
        ds_client_append(peer_client(DS_SIDE_GUEST), &call, "app", "k", "guest\n", 6, NULL), 0);
    assert_int_equal(shell_wait(writer), 0);
    assert_store("app", "k", "old\nguest\nhost\n");
}

/* Somebody else writes between our set and our look at what became of it. */
static void test_doubtful_append(void **state)
{
    (void)state;
    start(NULL);
    peer_set("app", "k", "old");
    int fd DS_AUTO_CLOSE = harness_open("m/app/k", O_WRONLY | O_APPEND);
    sim_fault("close-before:command=rest-set:count=1");
    sim_fault("garbage:command=rest-get:skip=1:count=1");
    assert_errno(write(fd, "+1", 2), EIO);
    assert_store("app", "k", "old");
    assert_sh_ok("bash", "1\n", "grep -c 'in doubt' m/.datasetfs/errors");
}

static void test_silence(void **state)
{
    start("timeout=1");
    peer_set("app", "k", "value\n");
    assert_sh_ok(*state, "value\n", "cat m/app/k");
    sim_fault("never-reply-before");
    assert_sh_fails(*state, "Connection timed out", "cat m/app/k");
    assert_sh_fails(*state, "Connection timed out", "env printf x > m/app/k");
    /* What is known needs no store. */
    assert_int_equal(harness_size("m/app/k"), 6);
    assert_sh_ok(*state, "", "df m > /dev/null");
    sim_clear();
    /* Once a second it is asked whether it is back. */
    assert_soon(shell_run(*state, "cat m/app/k")->status == 0);
    assert_sh_ok(*state, "value\n", "cat m/app/k");
}

/* A reader that waits for the server is killed, after `fault` has struck: it goes at once. */
static void kill_reader(const char *fault)
{
    uint64_t fired = sim_fired();
    sim_fault("%s", fault);
    pid_t pid = shell_spawn("dash", "exec cat m/app/k");
    assert_soon(sim_fired() > fired);
    assert_ok(kill(pid, SIGKILL));
    assert_int_equal(harness_wait_child(pid, HARNESS_SOON_MS, false), 128 + SIGKILL);
}

static void test_killed_readers(void **state)
{
    (void)state;
    start("timeout=3600");
    peer_set("app", "k", "value");
    kill_reader("never-reply-before:command=rest-get:count=1");
    /* One that waits for a login goes too, long before that is answered; the login itself is not
     * left half done, for nobody would end that session. */
    assert_string_equal(sim_control("expire"), "ok");
    kill_reader("delay-before=5000:command=rest-login:count=1");
    assert_int_equal(sim_log_count("rest-login"), 1);
    assert_content("m/app/k", "value");
    assert_int_equal(sim_log_count("rest-login"), 2);
    assert_int_equal(sim_sessions(), 1);
}

/* Busy for a while is nobody's error; for ever it is EAGAIN, with the server's words. */
static void test_busy(void **state)
{
    start("timeout=2");
    peer_set("app", "k", "value\n");
    static const char *const busy[] = {"status=429",
                                       "status=503",
                                       "error=RESOURCE_BUSY",
                                       "error=CONCURRENT_CHANGE",
                                       "error=SERVICE_UNAVAILABLE",
                                       "retry-after=1"};
    for (size_t i = 0; i < sizeof busy / sizeof *busy; i++) {
        harness_outlive_attributes();
        sim_fault("%s:command=rest-get:count=1", busy[i]);
        assert_sh_ok(*state, "value\n", "cat m/app/k");
        sim_fault("%s:command=rest-set:count=1", busy[i]);
        assert_sh_ok(*state, "", "echo value > m/app/k");
    }
    harness_outlive_attributes();
    sim_fault("status=429:command=rest-get");
    assert_sh_fails(*state, "Resource temporarily unavailable", "cat m/app/k");
    sim_clear();
    sim_fault("retry-after=3600:command=rest-get");
    size_t before = sim_log_count("rest-get");
    assert_sh_fails(*state, "Resource temporarily unavailable", "cat m/app/k");
    /* It was asked to come back much later, so it did not ask again: one get of the open. */
    assert_int_equal(sim_log_count("rest-get") - before, 1);
}

/* A few of many values are refused at first: only these are asked for again. */
static void test_busy_in_a_batch(void **state)
{
    start(NULL);
    for (int i = 0; i < 100; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%03d", i);
        peer_set("app", key, "value");
    }
    sim_fault("status=429:command=rest-get:skip=10:count=5");
    sim_fault("close-before:command=rest-get:skip=20:count=1");
    assert_sh_ok(*state, "100\n", "ls -l m/app | grep -c ' 5 .*k'");
    assert_in_range(sim_log_count("rest-get"), 106, 130);
}

struct answer {
    const char *fault;
    int error;
};

/* For a read and for a change, by the shell's own eyes. */
static void test_wrong_answers(void **state)
{
    (void)state;
    static const struct answer answers[] = {
        {"garbage", EPROTO},
        {"truncate", EPROTO},
        {"redirect=/login", EPROTO},
        {"huge=9000000", EPROTO},
        {"status=500", EIO},
        {"status=400", EINVAL},
        {"status=403", EACCES},
        {"error=UNAUTHORIZED", EACCES},
        {"error=UNSUPPORTED", EOPNOTSUPP},
        {"error=UNABLE_TO_ALLOCATE_RESOURCE", ENOSPC},
        {"error=NOT_ALLOWED_IN_CURRENT_STATE", EBUSY},
        {"error=SOMETHING_NEW", EIO},
    };
    char text[64];
    start("timeout=2");
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        peer_set("app", "k", "old");
        assert_content("m/app/k", "old");
        harness_outlive_attributes();
        sim_fault("%s:command=rest-get", answers[i].fault);
        assert_int_equal(harness_read("m/app/k", text, sizeof text), -answers[i].error);
        sim_clear();
        /* Whoever says that it failed has not done it; what it says instead of an answer is none.
         */
        bool readable =
            !strcmp(answers[i].fault, "truncate") || !strncmp(answers[i].fault, "huge", 4);
        if (readable)
            continue;
        sim_fault("%s:command=rest-set", answers[i].fault);
        int expected = strcmp(answers[i].fault, "status=500") ? -answers[i].error : -EIO;
        assert_int_equal(harness_write("m/app/k", O_TRUNC, "new"), expected);
        sim_clear();
        assert_store("app", "k", "old");
        assert_content("m/app/k", "old");
    }
}

/* One bad value does not hide the others. */
static void test_one_bad_value(void **state)
{
    start(NULL);
    for (int i = 0; i < 20; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%03d", i);
        peer_set("app", key, "value");
    }
    sim_fault("truncate:command=rest-get:skip=3:count=1");
    assert_sh_ok(*state, "20\n", "ls m/app | wc -l");
    assert_sh_ok(*state, "20\n", "ls -l m/app | grep -c ' 5 .*k'");
    assert_int_equal(sim_fired(), 1);
}

/* A slow trickle counts as an answer as long as the time limit allows. */
static void test_slow(void **state)
{
    start("timeout=30");
    peer_set("app", "k", "value\n");
    sim_fault("slow=20:command=rest-get:count=1");
    assert_sh_ok(*state, "value\n", "cat m/app/k");
    sim_clear();
    assert_int_equal(sim_fired(), 1);
}

/* Unmounting from a server that says nothing ends within the time limit. */
static void test_end_in_silence(void **state)
{
    (void)state;
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    sim_start_rest(NULL);
    struct harness_daemon *daemon =
        harness_start_source("m", sim_rest_source(), sim_rest_options("timeout=1"));
    sim_fault("never-reply-before");
    harness_stop(daemon);
    assert_sh_ok("bash", "1\n", "grep -c 'the session could not be ended' m.log");
}

static const struct CMUnitTest tests[] = {
    HARNESS_SHELLS(test_behind_gateway),       HARNESS_SHELLS(test_guest_between),
    HARNESS_TEST(test_lost_connections),       HARNESS_TEST(test_cut_heads),
    HARNESS_TEST(test_cut_heads_behind_proxy), HARNESS_TEST(test_cut_tls),
    HARNESS_TEST(test_doubtful_append),        HARNESS_SHELLS(test_silence),
    HARNESS_TEST(test_killed_readers),         HARNESS_SHELLS(test_busy),
    HARNESS_SHELLS(test_busy_in_a_batch),      HARNESS_TEST(test_wrong_answers),
    HARNESS_SHELLS(test_one_bad_value),        HARNESS_SHELLS(test_slow),
    HARNESS_TEST(test_end_in_silence),
};

HARNESS_MAIN(tests)
