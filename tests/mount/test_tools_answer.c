/* The guest's channel when the host answers in its own way: its words for what is missing, lists in
 * which something is no text, pages, odd numbers. */
#include "harness.h"

#include "peer.h"
#include "shell.h"
#include "sim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void start(const char *const *arguments)
{
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    sim_start(arguments);
    harness_start_source("m", sim_source(), NULL);
}

#define start_with(...) start((const char *const[]){__VA_ARGS__, NULL})

/* The reply to `command` from now on. */
static void say(const char *command, const char *reply)
{
    static unsigned number;
    char name[32];
    snprintf(name, sizeof name, "reply-%u", ++number);
    FILE *file = fopen(name, "we");
    assert_non_null(file);
    assert_true(fputs(reply, file) >= 0);
    assert_int_equal(fclose(file), 0);
    sim_fault("say=%s:command=%s", name, command);
}

/* Whatever the host calls it, a key that is not there can be made, asked for and removed, and is no
 * failure to report. */
static void test_missing_keys(void **state)
{
    static const char *const words[] = {
        "not-found,x",
        "invalid-argument,Key not found",
        "invalid-argument,The key does not exist",
        "invalid-argument,malformed",
        "invalid-argument,",
        "non-existent,x",
        "missing,x",
        "no-entry,x",
        "unknown,x",
        "failure,the entry is missing",
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        char dataset[16];
        snprintf(dataset, sizeof dataset, "d%zu", i);
        peer_create(dataset, DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
        sim_start((const char *const[]){"--not-found", words[i], NULL});
        struct harness_daemon *daemon = harness_start_source("m", sim_source(), NULL);
        assert_sh_fails(*state, "No such file", "cat m/%s/k", dataset);
        assert_sh_ok(*state, "", "echo new > m/%s/k", dataset);
        assert_store(dataset, "k", "new\n");
        assert_sh_ok(*state, "", "echo more >> m/%s/l", dataset);
        assert_store(dataset, "l", "more\n");
        assert_sh_ok(*state, "k\nl\n", "ls m/%s", dataset);
        assert_sh_ok(*state, "", "rm m/%s/k", dataset);
        assert_sh_fails(*state, "No such file", "rm m/%s/k", dataset);
        assert_sh_fails(*state, "No such file", "ls m/none");
        for (int tries = 0; tries < 3; tries++)
            assert_sh_ok(*state, "", "! [ -s m/%s/later ]", dataset);
        peer_set(dataset, "a", "1");
        peer_set(dataset, "b", "2");
        assert_sh_ok(*state, "a\nb\nl\n", "ls -l m/%s | awk 'NR > 1 { print $NF }'", dataset);
        assert_sh_ok(*state, "", "cat m/.datasetfs/errors");
        harness_stop(daemon);
        sim_stop();
    }
}

/* What is wrong with a request is not called missing, when the key is there. */
static void test_invalid_argument(void **state)
{
    (void)state;
    start(NULL);
    peer_set("app", "k", "v");
    say("datasets-get-entry", "1 {\"result\":false,\"error-id\":\"invalid-argument\","
                              "\"error-message\":\"usage: something\"}");
    assert_sh_fails("bash", "Invalid argument", "cat m/app/k");
    assert_sh_fails("bash", "No such file", "cat m/app/other");
    assert_sh_ok("bash", "", "grep -q 'EINVAL.*usage: something' m/.datasetfs/errors");
    assert_int_equal(sim_log_count("command=datasets-list-keys", "dataset=\"app\""), 2);
}

/* One key that is no text, or no string, does not hide the others; it is reported. */
static void test_odd_keys(void **state)
{
    start(NULL);
    peer_set("app", "a", "1");
    say("datasets-list-keys", "1 {\"result\":true,\"keys\":[\"a\",\"x\xff\",7,\"\\u0000\",\"b\","
                              "\"\\ud800\",\"a\"]}");
    assert_sh_ok(*state, "a\nb\n", "ls m/app");
    assert_sh_ok(*state, "1", "cat m/app/a");
    assert_sh_ok(*state, "", "grep -q '/app.*EPROTO.*4 names are not shown' m/.datasetfs/errors");
    sim_clear();
    assert_sh_ok(*state, "a\n", "ls m/app");
    say("datasets-list",
        "1 {\"result\":true,\"datasets\":[{\"name\":\"app\",\"description\":\"\xff\"},"
        "{\"name\":\"\xc3\",\"description\":\"\"},{\"description\":\"\"}]}");
    assert_sh_ok(*state, "app\n", "ls m");
    assert_sh_ok(*state, "", "grep -q '2 names are not shown' m/.datasetfs/errors");
}

/* Nor does what is odd about a DataSet prevent that it is used. */
static void test_odd_attributes(void **state)
{
    static const char *const members[] = {
        "\"used\":99999999999999999999",
        "\"used\":9223372036854775808",
        "\"used\":-5",
        "\"used\":-99999999999999999999",
        "\"used\":1.5",
        "\"used\":1e999",
        "\"used\":\"12\"",
        "\"used\":\"many\"",
        "\"used\":null",
        "\"description\":\"\xff\"",
        "\"description\":\"\\u0000\\ud800\"",
        "\"description\":7",
    };
    char reply[256];
    start(NULL);
    peer_set("app", "k", "v");
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        snprintf(reply, sizeof reply,
                 "1 {\"result\":true,%s,\"host\":\"READ_WRITE\",\"guest\":\"READ_WRITE\"}",
                 members[i]);
        sim_clear();
        say("datasets-query", reply);
        assert_sh_ok(*state, "v", "cat m/app/k");
        assert_sh_ok(*state, "", "df m >df");
        assert_sh_ok(*state, "", "grep -q READ_WRITE m/.datasetfs/info/app");
    }
    assert_sh_ok(*state, "", "cat m/.datasetfs/errors");
}

/* All pages of the list of DataSets are read. */
static void test_pages(void **state)
{
    for (int i = 0; i < 40; i++) {
        char name[32];
        snprintf(name, sizeof name, "set-%02d", i);
        peer_create(name, DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    }
    start_with("--page", "300");
    assert_sh_ok(*state, "41\n", "ls m | wc -l");
    assert_true(sim_log_count("command=datasets-list ") > 5);
    sim_clear();
    for (int i = 0; i < 4; i++) { /* the lookup asks, and the open does again if time has passed */
        say("datasets-query:count=1", "1 {\"result\":true,\"used\":7,\"context\":\"more\"}");
        say("datasets-query:count=1",
            "1 {\"result\":true,\"guest\":\"READ_ONLY\",\"description\":\"d\"}");
    }
    assert_sh_ok(*state, "", "grep -q 'READ_ONLY.*7' m/.datasetfs/info/set-07");
}

/* More members than two do not make it another key's value. */
static void test_more_members(void **state)
{
    start(NULL);
    say("datasets-get-entry",
        "1 {\"result\":true,\"entries\":[{\"key\":\"a\",\"value\":\"v\",\"size\":1}]}");
    assert_sh_ok(*state, "v", "cat m/app/a");
}

/* An answer about another key says nothing of this one: that it is not there, least of all. */
static void test_other_key(void **state)
{
    static const char *const answers[] = {
        "1 {\"result\":true,\"entries\":[{\"b\":\"theirs\"}]}",
        "1 {\"result\":true,\"entries\":[{\"key\":\"b\",\"value\":\"theirs\"}]}",
        "1 {\"result\":true,\"entries\":[{\"a\":\"1\"},{\"b\":\"theirs\"}]}",
    };
    start(NULL);
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        say("datasets-get-entry", answers[i]);
        assert_sh_fails(*state, "Protocol error", "cat m/app/a");
        sim_clear();
    }
    say("datasets-get-entry", "1 {\"result\":true,\"entries\":[{\"a\":\"1\",\"b\":\"2\"},{}]}");
    assert_sh_ok(*state, "1", "cat m/app/a");
}

/* A value that cannot be one leaves a line that says why, and one only. */
static void test_odd_values(void **state)
{
    start(NULL);
    peer_set("app", "a", "1");
    say("datasets-get-entry", "1 {\"result\":true,\"entries\":[{\"a\":5}]}");
    for (int i = 0; i < 20; i++)
        assert_sh_fails(*state, "Protocol error", "cat m/app/a");
    assert_sh_ok(*state, "1\n", "grep -c 'lookup.*/app/a.*EPROTO.*no text' m/.datasetfs/errors");
    sim_clear();
    assert_sh_ok(*state, "1", "cat m/app/a");
}

/* A host that serves one request on a connection and hangs up when the next comes: nothing fails,
 * nothing is done twice, and no answer is about another request. */
static void test_one_request(void **state)
{
    char large[200000];
    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    start_with("--fault", "one-request");
    for (int i = 0; i < 5; i++) {
        assert_sh_ok(*state, "", "echo one > m/app/a; echo two >> m/app/a; echo three >> m/app/a");
        assert_store("app", "a", "one\ntwo\nthree\n");
        assert_sh_ok(*state, "", "mv m/app/a m/app/b");
        assert_not_in_store("app", "a");
        assert_sh_ok(*state, "one\ntwo\nthree\n", "cat m/app/b");
        assert_sh_ok(*state, "", "cp m/app/b m/app/c && mv m/app/c m/app/b && rm m/app/b");
        assert_int_equal(peer_keys("app"), 0);
    }
    peer_set("app", "large", large);
    assert_sh_ok(*state, "", "cp m/app/large m/app/copy && cmp m/app/large m/app/copy");
    assert_store("app", "copy", large);
    assert_sh_ok(*state, "copy\nlarge\n", "ls m/app");
    assert_sh_ok(*state, "", "rm m/app/copy m/app/large");
    assert_sh_ok(*state, "", "cat m/.datasetfs/errors");
    /* Only the first have met it: then no connection is used twice. */
    assert_true(sim_fired() > 0);
    assert_true(sim_log_count("fault=one-request") <= 3);
}

/* A key that comes and goes while open(2) looks for it: whatever the kernel finds on that way, a
 * reader is told that it is missing, and never ESTALE. */
static void test_comes_and_goes(void **state)
{
    static const char *const replies[] = {
        "1 {\"result\":false,\"error-id\":\"not-found\",\"error-message\":\"x\"}",
        "1 {\"result\":true,\"entries\":[{\"key\":\"k\",\"value\":\"v\"}]}",
        "1 {\"result\":false,\"error-id\":\"not-found\",\"error-message\":\"x\"}",
    };
    (void)state;
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_set("app", "k", "v");
    sim_start(NULL);
    sim_preload("LATEOPEN", "liblateopen.so");
    harness_start_source("m", sim_source(), NULL);
    sim_preload_end();
    assert_sh_ok("bash", "v", "cat m/app/k");
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++)
        say("datasets-get-entry:count=1", replies[i]);
    assert_int_equal(open("m/app/k", O_RDONLY | O_CLOEXEC), -1);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(sim_fired(), sizeof replies / sizeof *replies);
}

static const struct CMUnitTest tests[] = {
    HARNESS_TEST(test_comes_and_goes),   HARNESS_SHELLS(test_missing_keys),
    HARNESS_TEST(test_invalid_argument), HARNESS_SHELLS(test_odd_keys),
    HARNESS_SHELLS(test_odd_attributes), HARNESS_SHELLS(test_pages),
    HARNESS_SHELLS(test_more_members),   HARNESS_SHELLS(test_other_key),
    HARNESS_SHELLS(test_odd_values),     HARNESS_SHELLS(test_one_request),
};

HARNESS_MAIN(tests)
