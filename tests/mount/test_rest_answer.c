/* REST when the answer is a strange one: its words, its headers, what it lists. */
#include "harness.h"

#include "peer.h"
#include "shell.h"
#include "sim.h"
#include "sim_rest.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static void start(const char *options)
{
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    sim_start_rest(NULL);
    harness_start_source("m", sim_rest_source(), sim_rest_options(options));
    assert_ok(access("m/app", F_OK));
}

/* A header over libcurl's limit is the server's fault, and no lack of memory. */
static void test_long_header(void **state)
{
    (void)state;
    start(NULL);
    peer_set("app", "k", "v");
    sim_fault("header=120000:command=rest-get");
    assert_sh_fails("bash", "Protocol error", "cat m/app/k");
    sim_clear();
    assert_content("m/app/k", "v");
    assert_sh_ok("bash", "", "grep -q 'EPROTO.*headers' m/.datasetfs/errors");
    assert_sh_ok("bash", "", "! grep -q 'memory' m/.datasetfs/errors");
}

/* The reply to `operation` from now on: a line with status and type, and the body. */
static void say(const char *operation, const char *reply)
{
    static unsigned number;
    char name[32];
    snprintf(name, sizeof name, "reply-%u", ++number);
    FILE *file = fopen(name, "we");
    assert_non_null(file);
    assert_true(fputs(reply, file) >= 0);
    assert_int_equal(fclose(file), 0);
    sim_fault("say=%s:command=%s", name, operation);
}

#define JSON "200 application/json\n"

/* One name that is no text, or no string, hides nothing but itself; it is reported. */
static void test_odd_names(void **state)
{
    start(NULL);
    peer_set("app", "a", "1");
    say("rest-list-keys", JSON "[\"a\",\"x\xff\",7,\"\\u0000\",\"b\",\"\\ud800\",\"a\"]");
    assert_sh_ok(*state, "a\nb\n", "ls m/app");
    assert_sh_ok(*state, "1", "cat m/app/a");
    assert_sh_ok(*state, "", "grep -q '/app.*EPROTO.*4 names are not shown' m/.datasetfs/errors");
    sim_clear();
    say("rest-list", JSON "[{\"data_set\":\"app\",\"name\":\"app\",\"description\":\"\xff\"},"
                          "{\"data_set\":\"\xc3\",\"name\":\"n\"},{\"data_set\":7}]");
    assert_sh_ok(*state, "app\n", "ls m");
    assert_sh_ok(*state, "", "grep -q '2 names are not shown' m/.datasetfs/errors");
}

/* Success that says something is the answer to another question, of which a change is no part: it
 * is not believed, and what is believed has nothing to say. */
static void test_odd_success(void **state)
{
    static const char *const odd[] = {"\"old\"", "[\"k\"]", "7", "{\"description\":\"\"}"};
    static const char *const plain[] = {"", "null", "{}"};
    char reply[128];
    start(NULL);
    peer_set("app", "k", "old");
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        snprintf(reply, sizeof reply, JSON "%s", odd[i]);
        say("rest-set", reply);
        assert_sh_fails(*state, "", "printf new >m/app/k");
        sim_clear();
        assert_sh_ok(*state, "", "grep -q '/app/k.*EPROTO.*not understood' m/.datasetfs/errors");
        say("rest-remove", reply);
        assert_sh_fails(*state, "Protocol error", "rm m/app/k");
        sim_clear();
        assert_content("m/app/k", "old");
    }
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        snprintf(reply, sizeof reply, JSON "%s", plain[i]);
        say("rest-set", reply);
        assert_sh_ok(*state, "", "printf new >m/app/k");
        sim_clear();
    }
}

/* Nor does what is odd about a DataSet prevent mounting, or that it is used. */
static void test_odd_attributes(void **state)
{
    static const char *const members[] = {
        "\"used\":99999999999999999999",
        "\"used\":-5",
        "\"used\":1.5",
        "\"used\":1e999",
        "\"used\":\"12\"",
        "\"description\":\"\xff\"",
        "\"description\":\"\\u0000\"",
    };
    char reply[256];
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_set("app", "k", "v");
    sim_start_rest(NULL);
    say("rest-list",
        JSON "[{\"data_set\":\"app\",\"name\":\"app\",\"description\":\"\xff\\ud800\"}]");
    harness_start_source("m", sim_rest_source(), sim_rest_options(NULL));
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        snprintf(reply, sizeof reply, JSON "{\"name\":\"app\",%s,\"host\":\"READ_WRITE\"}",
                 members[i]);
        sim_clear();
        say("rest-query", reply);
        assert_sh_ok(*state, "v", "cat m/app/k");
        assert_sh_ok(*state, "", "df m >df");
        assert_sh_ok(*state, "", "grep -q READ_WRITE m/.datasetfs/info/app");
    }
    assert_sh_ok(*state, "", "cat m/.datasetfs/errors");
}

/* A value that cannot be one leaves a line that says why. */
static void test_odd_values(void **state)
{
    start(NULL);
    peer_set("app", "a", "1");
    say("rest-get", JSON "[{\"a\":5}]");
    assert_sh_fails(*state, "Protocol error", "cat m/app/a");
    assert_sh_ok(*state, "1\n", "grep -c '/app/a.*EPROTO.*not understood' m/.datasetfs/errors");
    sim_clear();
    sim_fault("huge=1048577:command=rest-get");
    peer_set("app", "b", "1");
    assert_sh_fails(*state, "Protocol error", "cat m/app/b");
    assert_sh_ok(*state, "1\n", "grep -c '/app/b.*EPROTO.*longer than' m/.datasetfs/errors");
    sim_clear();
    assert_sh_ok(*state, "1", "cat m/app/a");
    assert_sh_ok(*state, "1", "cat m/app/b");
}

static const struct CMUnitTest tests[] = {
    HARNESS_TEST(test_long_header),      HARNESS_SHELLS(test_odd_names),
    HARNESS_SHELLS(test_odd_attributes), HARNESS_SHELLS(test_odd_values),
    HARNESS_SHELLS(test_odd_success),
};

HARNESS_MAIN(tests)
