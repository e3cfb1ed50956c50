/* REST when the machine behind the mount is gone or has another id, and when what answers is no
 * vCenter with DataSets. */
#include "harness.h"

#include "peer.h"
#include "shell.h"
#include "sim.h"
#include "sim_rest.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

static const char *source_of(const char *vm)
{
    static char source[256];
    snprintf(source, sizeof source, "%s/%s", sim_rest_url(), vm);
    return source;
}

static void set_state(const char *vm, const char *state)
{
    assert_string_equal(sim_control("state %s %s", vm, state), "ok");
}

/* `datasetfs SOURCE m -o OPTIONS` fails with status 32 and one line that holds these words. */
static void assert_no_mount(const char *source, const char *words)
{
    const struct shell_result *ran =
        shell_run("bash", "mkdir -p refused && exec $DATASETFS '%s' refused -o '%s'", source,
                  sim_rest_options(NULL));
    if (ran->status != 32 || !strstr(ran->err, words) ||
        strchr(ran->err, '\n') != ran->err + ran->err_len - 1)
        fail_msg("%s: status %d, '%s' instead of 32 and '%s'", source, ran->status, ran->err,
                 words);
}

/* All that asks a machine that is gone says so, with words; nothing "does not exist". A read of
 * what was never there tells it once the last proof of the machine is a second old. */
static void assert_gone(const char *shell, const char *words)
{
    char pattern[128];
    snprintf(pattern, sizeof pattern, "ENODEV.*%s", words);
    assert_soon(shell_run("bash", "cat m/app/never 2>&1 | grep -q 'No such device'")->status == 0);
    assert_sh_fails(shell, "No such device", "cat m/app/k");
    assert_sh_fails(shell, "No such device", "ls m/app");
    assert_sh_fails(shell, "No such device", "ls m/other");
    assert_errno(mkdir("m/made", 0700), ENODEV);
    assert_errno(open("m/app/new", O_WRONLY | O_CREAT | O_EXCL, 0600), ENODEV);
    assert_errno(unlink("m/app/k"), ENODEV);
    assert_sh_ok(shell, "", "grep -q '%s' m/.datasetfs/errors", pattern);
    assert_sh_ok(shell, "", "! grep -q ENOENT m/.datasetfs/errors");
}

static void test_gone(void **state)
{
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_set("app", "k", "v");
    sim_start_rest(NULL);
    harness_start_source("m", sim_rest_source(), sim_rest_options(NULL));
    assert_sh_ok(*state, "v", "cat m/app/k");
    set_state("vm-1", "gone");
    assert_gone(*state, "no virtual machine vm-1 any more");
    /* It comes back, as when the user may see it again. */
    set_state("vm-1", "poweredOn");
    assert_sh_ok(*state, "v", "cat m/app/k");
    assert_sh_fails(*state, "No such file", "cat m/app/never");
}

/* A change that cannot be placed is looked into at once. */
static void test_gone_at_once(void **state)
{
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_set("app", "k", "v");
    sim_start_rest(NULL);
    harness_start_source("m", sim_rest_source(), sim_rest_options(NULL));
    for (int i = 0; i < 3; i++) {
        assert_sh_ok(*state, "v", "cat m/app/k");
        set_state("vm-1", "gone");
        assert_sh_fails("bash", "No such device", "echo new > m/app/new");
        set_state("vm-1", "poweredOn");
        assert_sh_ok(*state, "v", "cat m/app/k");
        set_state("vm-1", "gone");
        assert_sh_fails("bash", "No such device", "ls m/app");
        set_state("vm-1", "poweredOn");
    }
}

/* By its name it is found again under another id, and the mount goes on. */
static void test_other_id(void **state)
{
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_set("app", "k", "v\n");
    sim_start_rest_with("--vm", "vm-1=web-01=s.db", "--vm", "vm-9=web-01=s.db", "--vm-state",
                        "vm-9=gone");
    harness_start_source("m", source_of("web-01"), sim_rest_options(NULL));
    assert_sh_ok(*state, "v\n", "cat m/app/k");
    set_state("vm-1", "gone");
    set_state("vm-9", "poweredOn");
    assert_sh_ok(*state, "", "echo more >> m/app/k");
    assert_store("app", "k", "v\nmore\n");
    assert_sh_ok(*state, "k\n", "ls m/app");
    assert_sh_ok(*state, "", "mkdir m/made && rmdir m/made");
    assert_sh_ok(*state, "", "grep -q \"'web-01' is vm-9\" m.log");
    assert_sh_ok(*state, "", "cat m/.datasetfs/errors");

    set_state("vm-9", "gone");
    assert_gone(*state, "no virtual machine named .web-01");
}

/* Two of that name by then: which one is nobody's to guess. */
static void test_two_ids(void **state)
{
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_set("app", "k", "v\n");
    sim_start_rest_with("--vm", "vm-1=web-01=s.db", "--vm", "vm-8=web-01=t.db", "--vm",
                        "vm-9=web-01=u.db", "--vm-state", "vm-8=gone", "--vm-state", "vm-9=gone");
    harness_start_source("m", source_of("web-01"), sim_rest_options(NULL));
    set_state("vm-1", "gone");
    set_state("vm-8", "poweredOn");
    set_state("vm-9", "poweredOn");
    assert_gone(*state, "vm-8, vm-9");
}

/* What answers has no list of machines, no DataSets, or splits keys: said as what it is. */
static void test_other_servers(void **state)
{
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_set("app", "a", "v");
    sim_start_rest(NULL);
    say("rest-vms", "301 text/html\n<a href=\"/api/vcenter/vm/\">Moved Permanently</a>.\n");
    assert_no_mount(source_of("web-01"), "use the machine's id");
    sim_clear();
    say("rest-list",
        "404 application/json\n{\"error_type\":\"NOT_FOUND\",\"messages\":[{\"args\":[],"
        "\"default_message\":\"Not found.\",\"id\":"
        "\"com.vmware.vapi.rest.operationsForUrlNotFound\"}]}");
    assert_no_mount(sim_rest_source(), "this vCenter has no DataSets");
    sim_clear();
    harness_start_source("m", sim_rest_source(), sim_rest_options(NULL));
    say("rest-get", "404 text/plain\n404 page not found\n");
    say("rest-set", "404 application/json\n{}");
    assert_sh_fails(*state, "not supported", "cat m/app/x%%2Fy");
    assert_sh_fails(*state, "No such file", "cat m/app/xy");
    sim_clear();
    assert_sh_ok(*state, "", "echo 1 > m/app/x%%2Fy");
    assert_store("app", "x/y", "1\n");
}

/* vSphere stores some characters of names encoded; either form finds the machine. */
static void test_encoded_names(void **state)
{
    static const struct {
        const char *name;
        const char *typed;
    } rows[] = {
        {"a%2fb", "a%2Fb"}, {"a/b", "a%2fb"},         {"50%25", "50%25"},
        {"c%5cd", "c%5Cd"}, {"x%2fy%25", "x%2Fy%25"}, {"plain", "plain"},
    };
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char vm[64];
        snprintf(vm, sizeof vm, "vm-5=%s=s.db", rows[i].name);
        sim_start_rest_with("--vm", vm);
        struct harness_daemon *daemon =
            harness_start_source("m", source_of(rows[i].typed), sim_rest_options(NULL));
        assert_sh_ok(*state, "app\n", "ls m");
        harness_stop(daemon);
        sim_stop();
    }
}

static void test_credentials_directory(void **state)
{
    (void)state;
    sim_start_rest(NULL);
    const struct shell_result *ran =
        shell_run("bash",
                  "mkdir -p refused home && HOME=$PWD/home CREDENTIALS_DIRECTORY=$PWD/none "
                  "$DATASETFS %s refused -o cacert=" SIM_CA,
                  sim_rest_source());
    assert_int_equal(ran->status, 32);
    assert_non_null(strstr(ran->err, "$CREDENTIALS_DIRECTORY is"));
    assert_non_null(strstr(ran->err, "/none, which is not there"));
}

static const struct CMUnitTest tests[] = {
    HARNESS_SHELLS(test_gone),
    HARNESS_SHELLS(test_gone_at_once),
    HARNESS_SHELLS(test_other_id),
    HARNESS_SHELLS(test_two_ids),
    HARNESS_SHELLS(test_other_servers),
    HARNESS_SHELLS(test_encoded_names),
    HARNESS_TEST(test_credentials_directory),
};

HARNESS_MAIN(tests)
