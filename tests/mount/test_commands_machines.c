/* ls and info of all machines, over both kinds of SOURCE that have several. */
#include "harness.h"

#include "shell.h"
#include "sim.h"
#include "sim_rest.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

static void make_files(void)
{
    assert_sh_ok("dash", "", "mkdir m && touch m/web-01.db m/db.db m/vm-42.db 'm/100%%.db'");
}

/* A vCenter with the same machines, and two more of one name. */
static void start_vcenter(void)
{
    make_files();
    sim_start_rest_with("--place", "cluster=domain-c1=c1", "--place", "host=host-1=h1=domain-c1",
                        "--place", "folder=group-v1=prod", "--vm-directory", "m", "--vm",
                        "vm-7=same=m/same", "--vm", "vm-8=same=m/same", "--vm", "vm-9=a%2fb=m/ab",
                        "--vm-state", "vm-7=poweredOff");
    assert_ok(setenv("S", sim_rest_url(), 1));
    assert_ok(setenv("O", sim_rest_options("timeout=20"), 1));
}

static void test_directory(void **state)
{
    (void)state;
    make_files();
    assert_sh_ok("dash", "100%25\ndb\nname=vm-42\nweb-01\n",
                 "mkdir m/x.db && $DATASETFS ls local:m/");
    assert_sh_ok("dash", "100%\ndb\nvm-42\nweb-01\n", "$DATASETFS ls -0 local:m/ | tr '\\0' '\\n'");
    assert_sh_ok("dash", "[\"100%\",\"db\",\"vm-42\",\"web-01\"]\n",
                 "$DATASETFS ls --json local:m/ | jq -c .");
    assert_sh_ok("dash",
                 "[{\"name\":\"db\",\"id\":\"db\"},{\"name\":\"web-01\",\"id\":\"web-01\"}]\n",
                 "$DATASETFS info -o machines=db,machines=web-* local:m/ | jq -c .");
    assert_sh_ok("dash", "[]\n", "$DATASETFS info -o machines=nobody local:m/");
    assert_sh_ok("dash", "1\n",
                 "$DATASETFS ls local:none/ 2>err; echo $?; "
                 "grep -q 'there is no such directory' err");
}

static void test_vcenter(void **state)
{
    (void)state;
    start_vcenter();
    assert_sh_ok("dash", "100%25\na%2Fb\ndb\nsame%vm-7\nsame%vm-8\nname=vm-42\nweb-01\n",
                 "$DATASETFS ls -o $O $S");
    assert_int_equal(sim_log_count("rest="), 3);
    assert_int_equal(sim_log_count("rest=rest-vms status=200"), 1);
    assert_int_equal(sim_sessions(), 0);
    assert_sh_ok("dash",
                 "[{\"name\":\"same\",\"id\":\"vm-7\",\"power\":\"off\"},"
                 "{\"name\":\"same\",\"id\":\"vm-8\",\"power\":\"on\"}]\n",
                 "$DATASETFS info -o $O,machines=same $S | jq -c .");
    /* Of those that fit one has that name. */
    assert_sh_ok("dash", "same\n",
                 "$DATASETFS ls -o $O,power=off,folder=prod,cluster=c1,machines=s* $S");
    assert_int_equal(sim_log_count("rest=rest-vms", "clusters=\"domain-c1\" folders=\"group-v1\" "
                                                    "power_states=\"POWERED_OFF\" status=200"),
                     1);
    assert_sh_ok("dash", "1\n",
                 "$DATASETFS ls -o $O,folder=none $S 2>err; echo $?; "
                 "grep -q \"there is no folder 'none'\" err");
    assert_int_equal(sim_sessions(), 0);
}

/* What is wrong is one line that says so, and nobody is asked. */
static void refused(const char *words, const char *command)
{
    const struct shell_result *ran = shell_run("dash", "$DATASETFS %s", command);
    const char *newline = strchr(ran->err, '\n');
    if (ran->status != 2 || *ran->out || !newline || newline[1] || !strstr(ran->err, words))
        fail_msg("%s: status %d, output '%s', errors '%s', not '%s'", command, ran->status,
                 ran->out, ran->err, words);
}

static void test_usage(void **state)
{
    (void)state;
    refused("https://HOST/VM needs a virtual machine", "ls https://vcenter.example/");
    refused("https://HOST without the slash is all machines", "ls https://vcenter.example/");
    refused("SOURCE is all machines: name one of them, https://HOST/VM or local:DIRECTORY/VM.db",
            "get https://vcenter.example app k");
    refused("SOURCE is all machines: name one", "export https://vcenter.example");
    refused("SOURCE is all machines: name one", "set local:m/ app k v");
    refused("SOURCE is all machines: name one", "wait local:m/ app k");
    refused("SOURCE is all machines: name one", "import local:m/");
    refused("SOURCE is all machines: name one", "doctor --write app local:m/");
    refused("SOURCE is all machines", "ls https://vcenter.example app");
    refused("SOURCE is all machines", "info local:m/ app");
    refused("for https://HOST and local:DIRECTORY/ only",
            "ls -o power=on https://vcenter.example/vm-1");
    refused("for https://HOST and local:DIRECTORY/ only", "ls -o machines=web local:s.db");
    refused("for https://HOST only", "ls -o folder=x local:m/");
    refused("expected on, off or suspended", "ls -o power=asleep https://vcenter.example");
    refused("machines", "get -o machines=x local:s.db app k");
    refused("user and password do not belong", "ls https://a:b@vcenter.example");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HARNESS_TEST(test_directory),
        HARNESS_TEST(test_vcenter),
        HARNESS_TEST(test_usage),
    };
    harness_begin();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    harness_end();
    return failed > 0;
}
