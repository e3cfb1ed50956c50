/* Commands without a mount, over each SOURCE: what they do, cost, print and end with. */
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

static char readme[PATH_MAX], manuals[PATH_MAX];

/* The test once per SOURCE; `*state` is its name. */
#define SOURCES(function)                                                                          \
    {#function " (local)", function, harness_setup, harness_teardown, "local"},                    \
        {#function " (tools)", function, harness_setup, harness_teardown, "tools"},                \
    {                                                                                              \
#function " (rest)", function, harness_setup, harness_teardown, "rest"                     \
    }

static bool is(void *const *state, const char *source)
{
    return strcmp(*state, source) == 0;
}

/* A DataSet "app" behind that SOURCE, which the shell finds in $S, with its options in $O. */
static void start(void *const *state)
{
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    source_use(*state, "timeout=20");
}

/* The command ends so and prints this, and one line on standard error in which `words` stand if
 * they are not NULL. No session is left on any server. */
#define assert_command(status, out, words, ...)                                                    \
    command_check(__LINE__, status, out, words, __VA_ARGS__)
__attribute__((format(printf, 5, 6))) static void
command_check(int line, int status, const char *out, const char *words, const char *format, ...)
{
    char *command = NULL;
    va_list list;
    va_start(list, format);
    assert_true(vasprintf(&command, format, list) > 0);
    va_end(list);
    const struct shell_result *ran = shell_run("dash", "%s", command);
    const char *newline = strchr(ran->err, '\n');
    bool one_line = words ? newline && !newline[1] && strstr(ran->err, words) : !ran->err_len;
    if (ran->status != status || (out && strcmp(ran->out, out) != 0) || !one_line)
        fail_msg("line %d: %s: status %d, not %d, output '%s', not '%s', errors '%s', not '%s'",
                 line, command, ran->status, status, ran->out, out ? out : "(any)", ran->err,
                 words ? words : "");
    free(command);
    if (sim_runs())
        assert_int_equal(sim_sessions(), 0);
}

static void test_entries(void **state)
{
    start(state);
    assert_command(0, "", NULL, "$DATASETFS set -o $O $S app k value");
    assert_store("app", "k", "value");
    assert_command(0, "value", NULL, "$DATASETFS get -o $O $S app k");
    assert_command(0, "", NULL, "$DATASETFS append -o $O $S app k ' more'");
    assert_store("app", "k", "value more");
}

static void test_values(void **state)
{
    start(state);
    assert_command(0, "", NULL, "printf 'a\\n\\nb' | $DATASETFS set -o $O $S app in -");
    assert_store("app", "in", "a\n\nb");
    assert_command(0, "a\n\nb", NULL, "$DATASETFS get -o $O $S app in");
    assert_command(0, "", NULL, "printf x | $DATASETFS append -o $O $S app new -");
    assert_store("app", "new", "x");
    assert_command(0, "", NULL, "$DATASETFS set -o $O $S app minus -5");
    assert_store("app", "minus", "-5");
    assert_command(0, "", NULL, "$DATASETFS set -o $O $S app empty ''");
    assert_store("app", "empty", "");
    assert_command(0, "", NULL, "$DATASETFS get -o $O $S app empty");
    assert_command(5, "", "too long",
                   "head -c 1048577 /dev/zero | tr '\\0' x | $DATASETFS append -o $O $S app in -");
    assert_command(5, "", "UTF-8", "printf 'caf\\351' | $DATASETFS set -o $O $S app in -");
    assert_store("app", "in", "a\n\nb");
}

static void test_names(void **state)
{
    char lengthy[301];
    memset(lengthy, 'l', sizeof lengthy - 1);
    lengthy[sizeof lengthy - 1] = '\0';
    start(state);
    peer_set("app", "a/b%", "1");
    peer_set("app", "new\nline", "2");
    peer_set("app", lengthy, "3");
    assert_command(0, "1", NULL, "$DATASETFS get -o $O $S app a%%2Fb%%25");
    assert_command(0, "a%2Fb%25\n", NULL, "$DATASETFS ls -o $O $S app | head -n1");
    assert_command(0, "3", NULL,
                   "$DATASETFS get -o $O $S app \"$($DATASETFS ls -o $O $S app | grep ^lll)\"");
    assert_command(0, "a/b%/", NULL, "$DATASETFS ls -0 -o $O $S app | head -zn1 | tr '\\0' /");
    assert_command(0, "[\n  \"app\"\n]\n", NULL, "$DATASETFS ls --json -o $O $S");
    assert_command(2, "", "as a mount shows it", "$DATASETFS get -o $O $S app a/b");
    assert_command(2, "", "as a mount shows it", "$DATASETFS set -o $O $S app 50%% x");
    assert_command(0, "", NULL, "$DATASETFS set -o $O $S app -- -x y");
    assert_store("app", "-x", "y");
}

static void test_several(void **state)
{
    start(state);
    peer_set("app", "a", "1");
    peer_set("app", "b", "two\n");
    assert_command(0, "a=1=b=two\n=", NULL, "$DATASETFS get -0 -o $O $S app a b | tr '\\0' =");
    assert_command(0, "{\n  \"b\": \"two\\n\",\n  \"a\": \"1\"\n}\n", NULL,
                   "$DATASETFS get --json -o $O $S app b a");
    assert_command(0, NULL, NULL, "$DATASETFS get --json -o $O $S app >all");
    assert_command(0, "1 two\n\n", NULL,
                   "python3 -c 'import json; d = json.load(open(\"all\")); print(d[\"a\"], "
                   "d[\"b\"])'");
    assert_command(1, "{\n  \"a\": \"1\"\n}\n", "app/none: there is no such key",
                   "$DATASETFS get --json -o $O $S app a none");
    assert_command(2, "", "exactly one KEY", "$DATASETFS get -o $O $S app a b");
    assert_command(0, "", NULL,
                   "echo '{\"x/y\": \"1\", \"\\u00e9\": \"2\"}' | "
                   "$DATASETFS set --json -o $O $S app");
    assert_store("app", "x/y", "1");
    assert_store("app", "\xc3\xa9", "2");
    assert_command(2, "", "no string",
                   "echo '{\"a\": \"new\", \"b\": 2}' | $DATASETFS set --json -o $O $S app");
    assert_store("app", "a", "1");
    assert_command(2, "", "not JSON",
                   "echo '{\"a\": \"1\", \"a\": \"2\"}' | "
                   "$DATASETFS set --json -o $O $S app");
    assert_command(1, "", "app/none", "$DATASETFS rm -o $O $S app a none b");
    assert_not_in_store("app", "a");
    assert_not_in_store("app", "b");
}

static void test_not_there(void **state)
{
    start(state);
    assert_command(1, "", "app/k: there is no such key", "$DATASETFS get -o $O $S app k");
    assert_command(1, "", "none/k", "$DATASETFS get -o $O $S none k");
    assert_command(1, "", "none", "$DATASETFS ls -o $O $S none");
    assert_command(1, "", "none", "$DATASETFS info -o $O $S none");
    assert_command(1, "", "none/k", "$DATASETFS set -o $O $S none k v");
    assert_command(1, "", "app/k", "$DATASETFS rm -o $O $S app k");
}

static void test_datasets(void **state)
{
    start(state);
    if (is(state, "tools")) {
        assert_command(3, "", "host side only", "$DATASETFS create -o $O $S new");
        assert_command(3, "", "host side only", "$DATASETFS update -o $O,description=x $S app");
        assert_command(3, "", "host side only", "$DATASETFS delete -o $O $S app");
        return;
    }
    assert_command(0, "", NULL,
                   "$DATASETFS create -o $O,guest_access=read_only,description=some $S new");
    assert_command(0,
                   "{\n  \"name\": \"new\",\n  \"description\": \"some\",\n  \"host\": "
                   "\"READ_WRITE\",\n  \"guest\": \"READ_ONLY\",\n  \"used\": 0,\n  "
                   "\"omit_from_snapshot_and_clone\": false\n}\n",
                   NULL, "$DATASETFS info -o $O $S new");
    assert_command(5, "", "new", "$DATASETFS create -o $O $S new");
    assert_command(0, "", NULL,
                   "$DATASETFS update -o $O,host_access=read_only,omit_from_snapshot_and_clone "
                   "$S new");
    struct ds_attributes there = {0};
    assert_true(peer_query("new", &there));
    assert_int_equal(there.host, DS_ACCESS_READ_ONLY);
    assert_int_equal(there.guest, DS_ACCESS_READ_ONLY);
    assert_int_equal(there.omit_from_snapshot_and_clone, DS_FLAG_ON);
    assert_string_equal(there.description, "some");
    ds_attributes_clear(&there);
    assert_command(3, "", "new/k", "$DATASETFS set -o $O $S new k v");
    assert_command(2, "", "nothing to change", "$DATASETFS update -o $O $S new");
    peer_set("app", "k", "v");
    assert_command(5, "", "--force deletes them too", "$DATASETFS delete -o $O $S app");
    assert_command(0, "", NULL, "$DATASETFS delete --force -o $O $S app");
    assert_command(0, "", NULL, "$DATASETFS delete -o $O $S new");
    assert_command(0, "", NULL, "$DATASETFS ls -o $O $S");
}

/* Names are in order, whatever the store's is; rm goes on behind what is not there, and ends where
 * the next key would fare no better. */
static void test_many_keys(void **state)
{
    (void)state;
    start((void *const[]){"rest"});
    assert_int_equal(harness_write("reply", O_CREAT, "200 application/json\n[\"c\", \"a\", \"b\"]"),
                     0);
    sim_fault("say=reply:command=rest-list-keys");
    assert_command(0, "a\nb\nc\n", NULL, "$DATASETFS ls -o $O $S app");
    assert_command(0, "a=b=c=", NULL, "$DATASETFS ls -0 -o $O $S app | tr '\\0' =");
    sim_clear();
    peer_set("app", "a", "v");
    peer_set("app", "b", "v");
    sim_fault("error=UNAUTHORIZED:command=rest-remove");
    assert_command(3, "", "app/a", "$DATASETFS rm -o $O $S app a b");
    assert_int_equal(sim_log_count("rest-remove"), 1);
}

static void test_usage(void **state)
{
    static const char *const wrong[] = {"ls",
                                        "ls -x local:s",
                                        "ls --force local:s",
                                        "ls local:s a b",
                                        "get",
                                        "get local:s",
                                        "get local:s a",
                                        "ls --json -0 local:s",
                                        "set",
                                        "set local:s a k",
                                        "set local:s a k v w",
                                        "append local:s a k",
                                        "rm local:s",
                                        "rm local:s a",
                                        "create local:s",
                                        "create local:s a b",
                                        "delete",
                                        "import local:s a b",
                                        "wait local:s app",
                                        "wait --equals",
                                        "ls -o",
                                        "wait --timeout=x a",
                                        "wait --interval=0 a",
                                        "wait --exists --gone a b c",
                                        "ls nothing",
                                        "ls -o nothing local:s",
                                        "ls -o password=x local:s"};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_command(2, "", "datasetfs: ", "$DATASETFS %s", wrong[i]);
    assert_errno(access("s", F_OK), ENOENT);
    assert_command(0, NULL, NULL, "$DATASETFS get -h");
    assert_command(0, NULL, NULL, "$DATASETFS wait --help");
    assert_command(1, "", "there is no such store", "$DATASETFS get local:none.db a k");
    assert_errno(access("none.db", F_OK), ENOENT);
}

static void test_refused(void **state)
{
    start(state);
    peer_set("app", "k", "v");
    peer_access("app", DS_ACCESS_NONE, DS_ACCESS_NONE);
    assert_command(3, "", "app/k", "$DATASETFS get -o $O $S app k");
    assert_command(3, "", "app", "$DATASETFS ls -o $O $S app");
    assert_command(3, "", "app/k", "$DATASETFS set -o $O $S app k w");
    assert_command(3, "", "app/k", "$DATASETFS rm -o $O $S app k");
    assert_command(3, "", "app", "$DATASETFS export -o $O $S");
    if (is(state, "rest")) {
        assert_int_equal(harness_write("wrong", O_CREAT, "username=a\npassword=b\n"), 0);
        assert_command(3, "", "refuses the user name or password",
                       "$DATASETFS ls -o cacert=" SIM_CA ",credentials=wrong $S");
        assert_command(3, "", "certificate", "$DATASETFS ls -o credentials=" SIM_CREDENTIALS " $S");
        assert_command(1, "", "no-such-vm", "$DATASETFS ls -o $O \"${S%%/*}/no-such-vm\"");
    }
}

static void test_no_answer(void **state)
{
    (void)state;
    assert_command(4, "", "datasetfs: ", "$DATASETFS ls tools:unix=nobody");
    source_use("rest", "timeout=1");
    sim_fault("never-reply:command=rest-list");
    assert_command(4, "", "datasetfs: ", "$DATASETFS ls -o $O $S");
    sim_fault("never-reply:command=datasets-list");
    assert_command(4, "", "datasetfs: ", "$DATASETFS ls -o timeout=1 %s", sim_source());
    sim_clear();
    sim_fault("close:command=datasets-get-entry");
    assert_command(4, "", "app/k: ", "$DATASETFS get %s app k", sim_source());
    sim_stop();
    assert_command(4, "", "datasetfs: ", "$DATASETFS ls -o $O $S");
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_block();
    assert_command(4, "", "app/k", "$DATASETFS set -o timeout=1 local:s.db app k v");
    peer_unblock();
}

/* One request for one key, beside a login and a logout. */
static void test_requests(void **state)
{
    start(state);
    peer_set("app", "k", "v");
    if (!sim_runs())
        return;
    bool rest = is(state, "rest");
    const char *mark = rest ? "rest=" : "datasets-";
    size_t before = sim_log_count(mark);
    assert_command(0, "v", NULL, "$DATASETFS get -o $O $S app k");
    assert_int_equal(sim_log_count(rest ? "rest-get " : "datasets-get-entry"), 1);
    print_message("get: %zu requests\n", sim_log_count(mark) - before);
    if (!rest)
        assert_int_equal(sim_log_count(mark) - before, 1);
    else
        assert_int_equal(sim_log_count("rest-login"), sim_log_count("rest-logout"));
}

/* A signal, or a reader that goes away: the session ends, and the status says by what. */
static void test_interrupted(void **state)
{
    (void)state;
    start((void *const[]){"rest"});
    sim_fault("delay=600000:command=rest-get");
    pid_t child = shell_spawn("dash", "exec $DATASETFS get -o $O $S app k 2>err");
    assert_soon(sim_fired() == 1);
    assert_int_equal(sim_sessions(), 1);
    assert_ok(kill(child, SIGTERM));
    assert_int_equal(shell_wait(child), 128 + SIGTERM);
    assert_int_equal(sim_sessions(), 0);
    sim_clear();
    assert_content("err", "");
    assert_command(0, "141", NULL,
                   "mkfifo gone; { $DATASETFS info -o $O $S; printf $? >status; } >gone & "
                   "true <gone; wait; cat status");
}

/* The README's lines as they stand, but for the machines that they name. */
static void test_readme(void **state)
{
    (void)state;
    assert_sh_ok("dash", "ready\ndone\ndone\n",
                 "mkdir bin && ln -s $DATASETFS bin/datasetfs && PATH=$PWD/bin:$PATH; "
                 "sed -n '/^### Without a mount/,/^`/s/^    //p' %s | "
                 "sed 's,https://vcenter.example.com/web-01,local:s.db,; "
                 "s,https://vcenter.example.com/web-02,local:t.db,; s,tools,local:s.db,' >lines; "
                 "test $(wc -l <lines) = 6 && sed -n 1,3p lines | sh -e && echo; "
                 "datasetfs set local:s.db app state done; sed -n 4,6p lines | sh -e && echo; "
                 "datasetfs get local:t.db app state && echo",
                 readme);
}

/* So are the examples of the manual. */
static void test_manual(void **state)
{
    (void)state;
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_set("app", "token", "secret");
    assert_sh_ok("dash", "s\nt\nready\n",
                 "mkdir bin && ln -s $DATASETFS bin/datasetfs && PATH=$PWD/bin:$PATH; "
                 "sed -n '/^.Bd -literal/,/^.Ed/{/^datasetfs/p}' %s/datasetfs.1 | "
                 "sed 's,-o folder=[a-z]*\\,power=on https://vcenter.example.com$,local:./,' | "
                 "sed 's,https://vcenter.example.com/web-01,local:s.db,; "
                 "s,https://vcenter.example.com/web-02,local:t.db,; s,tools,local:s.db,; "
                 "s,/run/token,token,' >lines; test $(wc -l <lines) = 5 && sh -e lines && "
                 "test \"$(cat token)\" = secret && datasetfs get local:t.db app state && echo",
                 manuals);
}

int main(void)
{
    if (!realpath("client/command", manuals) ||
        !realpath("README.md", readme)) { /* run from the root of the tree */
        fprintf(stderr, "README.md: %s\n", strerror(errno));
        return 1;
    }
    const struct CMUnitTest tests[] = {
        SOURCES(test_entries),        SOURCES(test_values),           SOURCES(test_names),
        SOURCES(test_several),        SOURCES(test_not_there),        SOURCES(test_datasets),
        SOURCES(test_refused),        SOURCES(test_requests),         HARNESS_TEST(test_usage),
        HARNESS_TEST(test_no_answer), HARNESS_TEST(test_interrupted), HARNESS_TEST(test_readme),
        HARNESS_TEST(test_manual),    HARNESS_TEST(test_many_keys),
    };
    harness_begin();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    harness_end();
    return failed > 0;
}
