/* Mounts of all machines of a vCenter: what they cost as the server counts it, and what only a
 * vCenter has: ids, several machines of one name, machines that are renamed or do not answer. */
#include "harness.h"

#include "cleanup.h"
#include "shell.h"
#include "sim.h"
#include "sim_rest.h"
#include "stats.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MACHINES = 40 };

/* Store files of machines w01 to w40, each with one value. */
static void make_files(void)
{
    assert_sh_ok("dash", "",
                 "mkdir d && $DATASETFS create local:d/w01.db status &&"
                 " $DATASETFS set local:d/w01.db status state ok &&"
                 " for i in $(seq -w 2 %d); do cp d/w01.db d/w$i.db; done",
                 MACHINES);
}

/* Two more have one name, and one is suspended. */
static struct harness_daemon *start(const char *options)
{
    setenv("DATASETFS", harness_binary(), 1);
    make_files();
    sim_start_rest_with("--vm-directory", "d", "--vm", "vm-7=same=d/w01.db", "--vm",
                        "vm-8=same=d/w02.db", "--vm", "vm-9=a%2fb=d/w03.db", "--vm-state",
                        "vm-9=suspended");
    return harness_start_source("m", sim_rest_url(), sim_rest_options(options));
}

static size_t requests(void)
{
    return sim_log_count("rest=");
}

static int look_at(void *path)
{
    struct stat status;
    return stat(path, &status) == 0 ? 0 : errno;
}

static void test_costs(void **state)
{
    start(NULL);
    assert_in_range(requests(), 1, 2);
    size_t before = requests();
    assert_sh_ok(*state, "43\n", "ls m | wc -l");
    assert_int_equal(requests() - before, 1);
    before = requests();
    /* And nothing for each machine. */
    assert_sh_ok(*state, "43\n", "ls -l m | grep -c ^d");
    assert_int_equal(requests() - before, 1);
    assert_int_equal(sim_log_count("rest-list "), 0);
    before = requests();
    assert_sh_ok(*state, "ok", "cat m/w05/status/state");
    assert_in_range(requests() - before, 2, 4); /* as in a mount of it alone */
    assert_int_equal(sim_log_count("rest=rest-vms"), 3);
    before = requests();
    assert_sh_ok(*state, "40\n", "cat m/w*/status/state | grep -o ok | wc -l");
    assert_true(requests() - before <= (size_t)5 * MACHINES);
    assert_int_equal(sim_log_count("rest=rest-vms"), 4);
    assert_int_equal(sim_sessions(), 1);
}

/* Runs the command; the requests that it took. */
static size_t cost(const char *shell, const char *command)
{
    size_t before = requests();
    const struct shell_result *ran = shell_run(shell, "%s >out 2>err", command);
    assert_true(ran->status == 0 || ran->status == 1 || ran->status == 2);
    return requests() - before;
}

/* As the README's table says. */
static void test_documented_costs(void **state)
{
    start(NULL);
    assert_int_equal(requests(), 2);
    assert_int_equal(cost(*state, "cat m/w01/status/state"), 4);
    assert_int_equal(cost(*state, "ls m"), 1);
    assert_int_equal(cost(*state, "find m -maxdepth 1"), 1);
    assert_int_equal(cost(*state, "echo m/*"), 1);
    assert_int_equal(cost(*state, "cat m/w02/status/state"), 3);
    assert_int_equal(cost(*state, "cat m/w02/status/state"), 1);
    assert_int_equal(cost(*state, "cat m/nobody"), 1);
    assert_int_equal(cost(*state, "cat m/.git m/autorun.inf 'm/nobody*'"), 0);
    sim_control("state vm-8 unsupported");
    assert_int_equal(cost(*state, "cat m/same%vm-8/status/state"), 2);
    assert_int_equal(cost(*state, "grep -r ok m/w03"), 4);
}

/* A machine that was never listed costs one request more. */
static void test_never_listed(void **state)
{
    start(NULL);
    size_t before = requests();
    assert_sh_ok(*state, "ok", "cat m/w05/status/state");
    assert_in_range(requests() - before, 3, 5);
    before = requests();
    assert_sh_ok(*state, "ok", "cat m/vm-8/status/state");
    assert_in_range(requests() - before, 3, 5);
    assert_sh_fails(*state, "No such file or directory", "ls m/none m/vm-99");
}

/* What is asked for by the way in every directory costs nothing once the machines are listed, else
 * one request each; a name that may be a machine's is asked for. */
static void test_asked_by_the_way(void **state)
{
    static const char look[] = "for n in .git .hidden autorun.inf 'no*' 'no[1]' 'no?'; do"
                               " test -e \"m/$n\" && echo \"$n\"; done; true";
    start(NULL);
    size_t before = requests();
    assert_sh_ok(*state, "", "%s", look);
    assert_int_equal(requests() - before, 6);
    assert_sh_ok(*state, "", "%s", look);
    assert_int_equal(requests() - before, 6);
    assert_sh_ok(*state, "43\n", "ls m | wc -l");
    before = requests();
    assert_sh_ok(*state, "", "%s; test -e m/.other; test -e 'm/none*'; true", look);
    assert_int_equal(requests() - before, 0);
    /* A machine that is made is found at once, if its name is like one. */
    assert_sh_ok(*state, "none\n", "test -e m/late || echo none");
    sim_control("add vm-77=late=d/w05.db");
    assert_sh_ok(*state, "ok", "cat m/late/status/state");
    /* Any other at the next listing. */
    sim_control("add vm-78=.git=d/w05.db");
    assert_sh_ok(*state, "none\n.git\n",
                 "test -e m/.git || echo none; ls -A m | grep git; ls m >list");
    assert_sh_ok(*state, "ok", "cat m/.git/status/state");
}

static void test_same_name(void **state)
{
    start(NULL);
    assert_sh_ok(*state, "a%2Fb\nsame%vm-7\nsame%vm-8\n", "ls m | grep -v ^w");
    assert_sh_ok(*state, "ok", "cat m/same%%vm-7/status/state");
    assert_sh_ok(*state, "same%vm-8\n", "readlink m/vm-8");
    assert_sh_fails(*state, "No such file or directory", "ls m/same");
    assert_sh_ok(*state, "1\n", "grep -c 'vm-7.*vm-8' m/.datasetfs/errors");
    assert_sh_fails(*state, "No such file or directory", "ls m/same%%vm-9");
    /* Once one of them has another name. */
    sim_control("rename vm-8 other");
    assert_sh_ok(*state, "a%2Fb\nother\nsame\n", "ls m | grep -v ^w");
    assert_sh_ok(*state, "same\nother\n", "readlink m/vm-7 m/vm-8");
    assert_sh_ok(*state, "ok", "cat m/same/status/state");
}

static void test_renamed(void **state)
{
    start(NULL);
    assert_sh_ok(*state, "ok", "cat m/w05/status/state");
    sim_control("rename %s w50", sim_control("id w05") + 3);
    assert_sh_ok(*state, "w50\n", "ls m | grep -x w.[05] | grep -v '[1-4]'");
    assert_sh_ok(*state, "ok", "cat m/w50/status/state");
    assert_soon(access("m/w05", F_OK) != 0 && errno == ENOENT); /* the kernel is told then */
    assert_sh_fails(*state, "No such file or directory", "cat m/w05/status/state");
}

/* An answer about one machine that a later listing has overtaken tells nothing any more. */
static void test_overtaken(void **state)
{
    start("timeout=60");
    sim_fault("delay=2000:command=rest-vms:count=1");
    pid_t looker = harness_fork(look_at, "m/w05");
    assert_soon(sim_fired() == 1);
    sim_control("rename %s w50", sim_control("id w05") + 3);
    assert_sh_ok(*state, "w50\n", "ls m | grep -x w.[05] | grep -v '[1-4]'");
    assert_int_equal(harness_wait_child(looker, HARNESS_SOON_MS, false), ENOENT);
    assert_sh_fails(*state, "No such file or directory", "cat m/w05/status/state");
    assert_sh_ok(*state, "ok", "cat m/w50/status/state");
}

/* What went is no device any more for who was in it, and what came is there. */
static void test_gone(void **state)
{
    start(NULL);
    assert_sh_ok(*state, "ok", "cat m/w05/status/state");
    int directory DS_AUTO_CLOSE = open("m/w05/status", O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_true(directory >= 0);
    /* While somebody has it the kernel cannot let go of it to save memory. */
    int key DS_AUTO_CLOSE = openat(directory, "state", O_PATH | O_CLOEXEC);
    assert_true(key >= 0);
    sim_control("state %s gone", sim_control("id w05") + 3);
    assert_errno(openat(directory, "state", O_RDONLY | O_CLOEXEC), ENODEV);
    assert_sh_ok(*state, "", "ls m | grep w05 || test $? = 1");
    sim_control("add vm-77=late=d/w05.db");
    assert_sh_ok(*state, "ok", "cat m/late/status/state");
}

static void test_table(void **state)
{
    start(NULL);
    assert_sh_ok(*state,
                 "vm-9\ta%2Fb\tsuspended\t\t\nvm-7\tsame%vm-7\ton\t\t\n"
                 "vm-8\tsame%vm-8\ton\t\t\n",
                 "grep -v w m/.datasetfs/machines | grep -v ^#");
    /* One listing, for its size and for itself, and nothing for each machine. */
    assert_int_equal(sim_log_count("rest="), 1 + 1 + 1);
    assert_sh_ok(*state, "44\n", "wc -l <m/.datasetfs/machines");
}

/* A machine whose hardware is too old is listed like any other, and can have no DataSets, as the
 * words say. That is asked for once, of the machines that were entered. */
static void test_too_old(void **state)
{
    start(NULL);
    sim_control("state vm-8 unsupported");
    assert_sh_ok(*state, "43\n", "ls m | wc -l");
    assert_sh_fails(*state, "Operation not supported", "ls m/same%%vm-8");
    assert_sh_fails(*state, "Operation not supported", "cat m/same%%vm-8/status/state");
    assert_sh_fails(*state, "Operation not supported", "mkdir m/same%%vm-8/app");
    assert_int_equal(sim_log_count("rest-vm "), 1);
    assert_sh_ok(*state, "ok", "cat m/w05/status/state");
    assert_int_equal(sim_log_count("rest-vm "), 1);
    assert_sh_ok(*state, "1\n",
                 "grep -c '/same%%vm-8\tEOPNOTSUPP\t.*vmx-19, and DataSets need vmx-20' "
                 "m/.datasetfs/errors");
    assert_sh_ok(*state,
                 "same%vm-7\ton\t\t\n"
                 "same%vm-8\ton\tvmx-19\tits hardware is too old for DataSets, which need vmx-20\n"
                 "w05\ton\tvmx-20+\t\n",
                 "cut -f 2- m/.datasetfs/machines | grep -e same -e w05");
    assert_int_equal(sim_log_count("rest-vm "), 1);
    /* After an upgrade nothing of this is believed any more. */
    sim_control("state vm-8 poweredOff");
    assert_sh_ok(*state, "status\n", "ls m/same%%vm-8");
    assert_sh_ok(*state, "same%vm-8\toff\tvmx-20+\t\n",
                 "cut -f 2- m/.datasetfs/machines | grep same%%vm-8");
    assert_int_equal(sim_log_count("rest-vm "), 1);
}

static void test_filter(void **state)
{
    start("machines=w*,power=on");
    assert_sh_ok(*state, "40\n", "ls m | wc -l");
    assert_sh_fails(*state, "No such file or directory", "ls m/same%%vm-7 m/vm-7 m/a%%2Fb");
    assert_sh_ok(*state, "ok", "cat m/w05/status/state");
}

/* One that never answers delays only those who ask for it: however many they are, they leave places
 * for others. */
static void test_hung_machine(void **state)
{
    enum { READERS = 12, SHARE = 6 }; /* of 8 places */
    pid_t readers[READERS];
    char paths[READERS][32];
    start("timeout=300,parallel=8");
    assert_sh_ok(*state, "43\nok", "ls m | wc -l; cat m/w05/status/state");
    sim_fault("never-reply:vm=%s", sim_control("id w05") + 3);
    uint64_t fired = sim_fired();
    for (int i = 0; i < READERS; i++) {
        snprintf(paths[i], sizeof paths[i], "m/w05/status/k%d", i);
        readers[i] = harness_fork(look_at, paths[i]);
    }
    assert_soon(sim_fired() - fired == SHARE);
    assert_sh_ok(
        *state, "39\n",
        "for m in m/w*; do [ $m = m/w05 ] || cat $m/status/state; done | grep -o ok | wc -l");
    assert_sh_ok(*state, "43\n", "ls m | wc -l");
    assert_int_equal(sim_fired() - fired, SHARE);
    for (int i = 0; i < READERS; i++) {
        assert_int_equal(waitpid(readers[i], NULL, WNOHANG), 0);
        assert_ok(kill(readers[i], SIGKILL));
        assert_int_equal(waitpid(readers[i], NULL, 0), readers[i]);
    }
}

/* The same where there are two places only: one is left for all others. */
static void test_hung_machine_and_two_places(void **state)
{
    enum { READERS = 2 };
    pid_t readers[READERS];
    char paths[READERS][32];
    start("timeout=300,parallel=2");
    assert_sh_ok(*state, "ok", "cat m/w05/status/state");
    sim_fault("never-reply:vm=%s", sim_control("id w05") + 3);
    uint64_t fired = sim_fired();
    for (int i = 0; i < READERS; i++) {
        snprintf(paths[i], sizeof paths[i], "m/w05/status/k%d", i);
        readers[i] = harness_fork(look_at, paths[i]);
    }
    assert_soon(sim_fired() - fired == 1);
    assert_sh_ok(*state, "okok", "cat m/w06/status/state m/w07/status/state");
    assert_int_equal(sim_fired() - fired, 1);
    for (int i = 0; i < READERS; i++) {
        assert_ok(kill(readers[i], SIGKILL));
        assert_int_equal(waitpid(readers[i], NULL, 0), readers[i]);
    }
}

/* No more requests than that in a second, after as many as may be under way at once. */
static void test_rate(void **state)
{
    enum { RATE = 40, AT_ONCE = 2 };
    start("rate=40,parallel=2");
    int64_t begin_ms = harness_now_ms();
    size_t before = requests();
    assert_sh_ok(*state, "40\n", "cat m/w*/status/state | grep -o ok | wc -l");
    int64_t least_ms = (int64_t)(requests() - before - AT_ONCE) * 1000 / RATE;
    assert_true(harness_now_ms() - begin_ms >= least_ms);
}

/* What was listed is shown while vCenter is silent, and told when it cannot be had. */
static void test_silent(void **state)
{
    start("timeout=3");
    assert_sh_ok(*state, "43\n", "ls m | wc -l");
    sim_fault("never-reply:command=rest-vms");
    assert_sh_fails(*state, "", "ls m/never");
    assert_sh_ok(*state, "43\n", "ls m | wc -l");
    assert_sh_ok(*state, "ok", "cat m/w05/status/state");
}

/* It ends its one session. */
static void test_end(void **state)
{
    struct harness_daemon *daemon = start(NULL);
    assert_sh_ok(*state, "40\n", "cat m/w*/status/state | grep -o ok | wc -l");
    assert_int_equal(sim_sessions(), 1);
    harness_stop(daemon);
    assert_int_equal(sim_sessions(), 0);
}

static const struct CMUnitTest tests[] = {
    HARNESS_SHELLS(test_costs),
    HARNESS_SHELLS(test_documented_costs),
    HARNESS_SHELLS(test_never_listed),
    HARNESS_SHELLS(test_same_name),
    HARNESS_SHELLS(test_asked_by_the_way),
    HARNESS_SHELLS(test_renamed),
    HARNESS_SHELLS(test_gone),
    HARNESS_SHELLS(test_table),
    HARNESS_SHELLS(test_too_old),
    HARNESS_SHELLS(test_filter),
    HARNESS_SHELLS(test_hung_machine),
    HARNESS_SHELLS(test_hung_machine_and_two_places),
    HARNESS_SHELLS(test_overtaken),
    HARNESS_SHELLS(test_silent),
    HARNESS_SHELLS(test_rate),
    HARNESS_SHELLS(test_end),
};
HARNESS_MAIN(tests)
