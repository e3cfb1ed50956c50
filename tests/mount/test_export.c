/* export and import: what is carried over, what is refused, and what becomes of an import that
 * ends in the middle. */
#include "harness.h"

#include "peer.h"
#include "shell.h"
#include "sim.h"
#include "sim_rest.h"
#include "source.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define OPTIONS "timeout=60"

/* Keys and values that are hard to spell. */
static void fill(void)
{
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_ONLY);
    peer_set("app", "k", "value\n");
    peer_set("app", "a/b%", "caf\xc3\xa9 \"quoted\" \\ \x01\x7f");
    peer_set("app", "empty", "");
    peer_create("%odd/n\xc3\xa4me", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_set("%odd/n\xc3\xa4me", "k", "v");
    peer_update("app", &(struct ds_attributes){.description = (char *)"what\n\"it\" is",
                                               .omit_from_snapshot_and_clone = DS_FLAG_ON});
    peer_create("none", DS_ACCESS_READ_ONLY, DS_ACCESS_NONE);
}

static void test_equal(void **state)
{
    fill();
    source_use(*state, OPTIONS);
    assert_sh_ok("dash", "", "$DATASETFS export -o $O $S >e");
    assert_sh_ok("dash", "",
                 "for d in app %%25odd%%2Fn\303\244me none; do "
                 "$DATASETFS delete --force -o $O $S $d; done; $DATASETFS ls -o $O $S");
    assert_sh_ok("dash", "", "$DATASETFS import -o $O $S e");
    assert_sh_ok("dash", "", "$DATASETFS export -o $O $S | cmp - e");
    assert_store("app", "a/b%", "caf\xc3\xa9 \"quoted\" \\ \x01\x7f");
    /* Once more there is nothing to do; nor when it was interrupted just before its end. */
    assert_sh_ok("dash", "", "$DATASETFS import --dry-run -o $O $S <e");
    peer_access("none", DS_ACCESS_READ_WRITE, DS_ACCESS_NONE);
    assert_sh_ok("dash", "update none\n", "$DATASETFS import --dry-run -o $O $S - <e");
    assert_sh_ok("dash", "", "$DATASETFS import -o $O $S e");
    assert_sh_ok("dash", "", "$DATASETFS export -o $O $S | cmp - e");
    assert_sh_ok("dash", "{}\n",
                 "$DATASETFS export -o $O $S none | tr -d '\\n ' | "
                 "sed 's/.*entries\"://; s/}}}$//' | sed 's/$/\\n/'");
}

static void test_refuses(void **state)
{
    fill();
    source_use(*state, OPTIONS);
    assert_sh_ok("dash", "", "$DATASETFS export -o $O $S >e");
    peer_set("app", "k", "other");
    assert_sh_fails("dash", "app/k is there with another value", "$DATASETFS import -o $O $S e");
    peer_set("app", "k", "value\n");
    peer_set("app", "more", "v");
    assert_sh_fails("dash", "app/more is there and not in the document",
                    "$DATASETFS import -o $O $S e");
    peer_remove("app", "more");
    peer_remove("app", "empty");
    peer_access("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    assert_sh_fails("dash", "app is there with other attributes", "$DATASETFS import -o $O $S e");
    peer_set("app", "more", "v");
    peer_set("app", "k", "other");
    assert_sh_ok("dash",
                 "update app\nset app/empty (0 bytes)\nset app/k (6 bytes)\nremove app/more\n",
                 "$DATASETFS import --dry-run --replace -o $O $S e | sort -k1,1r -k2 | "
                 "sed -n '/^update/p; /^set/p; /^remove/p' | sort -s -k1,1r");
    assert_store("app", "k", "other");
    assert_sh_ok("dash", "", "$DATASETFS import --replace -o $O $S e");
    assert_sh_ok("dash", "", "$DATASETFS export -o $O $S | cmp - e");
}

static void test_wrong_documents(void **state)
{
    static const struct {
        const char *text;
        const char *words;
    } wrong[] = {
        {"", "not JSON"},
        {"[]", "expected a JSON object"},
        {"{}", "datasetfs export"},
        {"{\"format\":\"datasetfs\",\"version\":2,\"datasets\":{}}", "version"},
        {"{\"format\":\"datasetfs\",\"version\":1,\"datasets\":[]}", "datasetfs export"},
        {"{\"format\":\"datasetfs\",\"version\":1,\"datasets\":{\"a\":{}}}", "entries"},
        {"{\"format\":\"datasetfs\",\"version\":1,\"datasets\":{\"\":{\"entries\":{}}}}",
         "1 to 4096 bytes"},
        {"{\"format\":\"datasetfs\",\"version\":1,\"datasets\":{\"a\":{\"host\":\"X\","
         "\"entries\":{}}}}",
         "host"},
        {"{\"format\":\"datasetfs\",\"version\":1,\"datasets\":{\"a\":{\"entries\":{\"k\":1}}}}",
         "a/k: the value is no string"},
        {"{\"format\":\"datasetfs\",\"version\":1,\"datasets\":{\"a\":{\"entries\":"
         "{\"k\":\"1\",\"k\":\"2\"}}}}",
         "not JSON"},
    };
    (void)state;
    source_use("local", OPTIONS);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(harness_write("e", O_CREAT | O_TRUNC, wrong[i].text), 0);
        assert_sh_fails("dash", wrong[i].words, "$DATASETFS import $S e");
    }
    assert_sh_fails("dash", "nothing-there", "$DATASETFS import $S nothing-there");
    assert_sh_ok("dash", "", "$DATASETFS ls $S");
}

enum { MANY = 1000, MOST_MESSAGES = 25 };

static void fill_many(void)
{
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    for (unsigned i = 0; i < MANY; i++) {
        char key[16], value[101];
        snprintf(key, sizeof key, "k%04u", i);
        snprintf(value, sizeof value, "%0100u", i);
        peer_set("app", key, value);
    }
}

/* A guest reads and fills a DataSet that is there, in a few messages. */
static void test_guest(void **state)
{
    (void)state;
    fill_many();
    source_use("tools", OPTIONS);
    size_t before = sim_log_count("datasets-");
    assert_sh_ok("dash", "", "$DATASETFS export $S >e");
    assert_true(sim_log_count("datasets-") - before <= MOST_MESSAGES);
    peer_destroy("app");
    assert_sh_fails("dash", "app is not there, and a guest makes no DataSets",
                    "$DATASETFS import $S e");
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    before = sim_log_count("datasets-");
    assert_sh_ok("dash", "", "$DATASETFS import $S e");
    assert_true(sim_log_count("datasets-") - before <= MOST_MESSAGES);
    assert_sh_ok("dash", "", "$DATASETFS export $S | cmp - e");
    peer_access("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_ONLY);
    assert_sh_fails("dash", "app may not be changed by the guest",
                    "$DATASETFS import --replace $S e");
}

/* Values of every size in one message or several, among short ones. */
static void test_set_many_sizes(void **state)
{
    static const unsigned sizes[] = {0, 1, 65000, 65400, 65536, 1, 70000, 200000, 3, 1048576, 2};
    (void)state;
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    source_use("tools", OPTIONS);
    FILE *out = fopen("o", "w");
    assert_non_null(out);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        fprintf(out, "%c\"k%zu\":\"", i ? ',' : '{', i);
        for (unsigned j = 0; j < sizes[i]; j++)
            fputc('a' + (int)i, out);
        fputc('"', out);
    }
    fputs("}\n", out);
    assert_int_equal(fclose(out), 0);
    assert_sh_ok("dash", "", "$DATASETFS set --json $S app <o");
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%zu", i);
        char *value = peer_get("app", key);
        assert_non_null(value);
        assert_int_equal(strlen(value), sizes[i]);
        free(value);
    }
}

/* One of many that the store refuses is named, and those before it stand. */
static void test_set_many_refused(void **state)
{
    (void)state;
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    source_use("tools", OPTIONS);
    sim_fault("error=resource-exhausted:command=datasets-set-entry:count=1");
    assert_sh_ok("dash", "", "echo '{\"a\":\"1\",\"b\":\"2\"}' | $DATASETFS set --json $S app");
    assert_store("app", "a", "1");
    assert_store("app", "b", "2");
    sim_fault("error=resource-exhausted:command=datasets-set-entry:count=2");
    assert_sh_fails("dash",
                    "app/c: ", "echo '{\"c\":\"1\",\"d\":\"2\"}' | $DATASETFS set --json $S app");
    /* Broken in the middle: sent once more. */
    sim_clear();
    sim_fault("close:command=datasets-set-entry:count=1");
    assert_sh_ok("dash", "", "echo '{\"e\":\"1\",\"f\":\"2\"}' | $DATASETFS set --json $S app");
    assert_store("app", "e", "1");
    assert_store("app", "f", "2");
    /* What is refused for all of them is not tried for one. */
    peer_access("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_ONLY);
    size_t sets = sim_log_count("datasets-set-entry");
    const struct shell_result *ran =
        shell_run("dash", "echo '{\"g\":\"1\",\"h\":\"2\"}' | $DATASETFS set --json $S app");
    assert_int_equal(ran->status, 3);
    assert_int_equal(sim_log_count("datasets-set-entry") - sets, 1);
}

/* Killed at each message, before or after it was carried out: run again it completes it. */
static void test_killed(void **state)
{
    fill();
    for (char key[] = "a"; *key <= 'h'; ++*key)
        peer_set("app", key, "of many at once");
    source_use(*state, OPTIONS);
    assert_sh_ok("dash", "", "$DATASETFS export -o $O $S >e");
    for (int after = 0; after < 2; after++) {
        bool ended = false;
        for (unsigned i = 0; !ended; i++) {
            harness_prolong();
            assert_true(i < 100);
            struct ds_attributes there = {0};
            if (peer_query("app", &there))
                peer_destroy("app");
            ds_attributes_clear(&there);
            peer_set("%odd/n\xc3\xa4me", "k", "other");
            peer_set("%odd/n\xc3\xa4me", "z", "more");
            uint64_t fired = sim_fired();
            sim_fault("%s:skip=%u:count=1", after ? "never-reply" : "never-reply-before", i);
            pid_t child = shell_spawn("dash", "exec $DATASETFS import --replace -o $O $S e");
            int status = 0;
            assert_soon((ended = waitpid(child, &status, WNOHANG) == child) || sim_fired() > fired);
            sim_clear();
            if (ended) {
                assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
            } else {
                assert_ok(kill(child, SIGKILL));
                assert_int_equal(shell_wait(child), 128 + SIGKILL);
            }
            /* Nothing that is to be there is missing longer than it was. */
            assert_true(!peer_lacks("%odd/n\xc3\xa4me", "k"));
            assert_sh_ok("dash", "", "$DATASETFS import --replace -o $O $S e");
            assert_sh_ok("dash", "", "$DATASETFS export -o $O $S | cmp - e");
        }
    }
}

/* What somebody else has put there and is no value cannot be exported, and is named. */
static void test_no_text(void **state)
{
    (void)state;
    fill();
    source_use("local", OPTIONS);
    if (shell_run("dash", "sqlite3 s.db \"update entries set value = x'ff00' where key = 'k'\"")
            ->status)
        skip();
    assert_sh_fails("dash", "no text", "$DATASETFS export $S app");
    assert_sh_fails("dash", "app/k: what stands there is no text",
                    "$DATASETFS get --json $S app 2>err; status=$?; cat err >&2; exit $status");
    assert_sh_ok("dash", "", "$DATASETFS set $S app k text && $DATASETFS export $S app >e");
}

/* The reply to `operation` from now on. */
static void say(const char *operation, const char *reply)
{
    assert_int_equal(harness_write("reply", O_CREAT | O_TRUNC, reply), 0);
    sim_fault("say=reply:command=%s", operation);
}

/* A key that can be none would be lost without a word. */
static void test_left_out(void **state)
{
    (void)state;
    fill();
    source_use("rest", OPTIONS);
    say("rest-list-keys", "200 application/json\n[\"k\", \"x\\u0000\"]");
    assert_sh_fails("dash", "app: 1 of its keys are none that can be exported",
                    "$DATASETFS export -o $O $S app >o");
    assert_content("o", "");
}

/* A key that has gone since the list is none; one that cannot be read is missed. */
static void test_gone_meanwhile(void **state)
{
    (void)state;
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_set("app", "k", "v");
    source_use("rest", OPTIONS);
    assert_sh_ok("dash", "", "$DATASETFS export -o $O $S >e");
    say("rest-list-keys", "200 application/json\n[\"gone\", \"k\"]");
    assert_sh_ok("dash", "", "$DATASETFS export -o $O $S | cmp - e");
    sim_fault("garbage:command=rest-get:count=1");
    assert_sh_fails("dash", "app/", "$DATASETFS export -o $O $S >o");
    assert_content("o", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"test_equal (local)", test_equal, harness_setup, harness_teardown, "local"},
        {"test_equal (rest)", test_equal, harness_setup, harness_teardown, "rest"},
        {"test_refuses (local)", test_refuses, harness_setup, harness_teardown, "local"},
        {"test_refuses (rest)", test_refuses, harness_setup, harness_teardown, "rest"},
        {"test_killed (rest)", test_killed, harness_setup, harness_teardown, "rest"},
        HARNESS_TEST(test_no_text),
        HARNESS_TEST(test_left_out),
        HARNESS_TEST(test_gone_meanwhile),
        HARNESS_TEST(test_wrong_documents),
        HARNESS_TEST(test_guest),
        HARNESS_TEST(test_set_many_sizes),
        HARNESS_TEST(test_set_many_refused),
    };
    harness_begin();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    harness_end();
    return failed > 0;
}
