/* Mounts of all machines of an inventory: what stands in their root. What is below a machine is
 * tested by the suites that run there too (OVER_MACHINES in the Makefile). */
#include "harness.h"

#include "shell.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* The store file of a machine, with one value. */
static void make_machine(const char *name)
{
    assert_sh_ok("dash", "",
                 "$DATASETFS create 'local:d/%s.db' status &&"
                 " $DATASETFS set 'local:d/%s.db' status state 'ok %s'",
                 name, name, name);
}

static struct harness_daemon *start(const char *options)
{
    char source[PATH_MAX];
    setenv("DATASETFS", harness_binary(), 1);
    if (mkdir("d", 0700) == 0) {
        make_machine("web-01");
        make_machine("web-02");
        make_machine("vm-7");
        make_machine("100% a");
    }
    snprintf(source, sizeof source, "local:%.2000s/d/", harness_dir());
    return harness_start_source("m", source, options);
}

/* Each is listed once, by a name that leads to it. */
static void test_names(void **state)
{
    start(NULL);
    assert_sh_ok(*state, ".\n..\n100%25 a\nname=vm-7\nweb-01\nweb-02\n", "LC_ALL=C ls -a m");
    assert_sh_ok(*state, "ok 100% aok vm-7ok web-01ok web-02", "cat m/*/status/state");
    assert_sh_ok(*state, "4\n", "find m -name state | wc -l");
    assert_sh_ok(*state, "drwx------ directory\n", "stat -c '%%A %%F' m/web-01");
    assert_sh_fails(*state, "No such file or directory", "ls m/none");
    assert_sh_fails(*state, "No such file or directory", "ls m/name=web-01");
    assert_sh_fails(*state, "No such file or directory", "ls m/web%%2D01");
}

/* An id leads to the machine, and is listed nowhere. */
static void test_links(void **state)
{
    start(NULL);
    assert_sh_ok(*state, "ok vm-7", "cat m/vm-7/status/state");
    assert_sh_ok(*state, "name=vm-7\n", "readlink m/vm-7");
    assert_sh_ok(*state, "directory\n", "stat -L -c %%F m/vm-7");
    assert_sh_ok(*state, "", "echo new >m/vm-7/status/k && rm m/name=vm-7/status/k");
    assert_sh_fails(*state, "No such file or directory", "cat m/vm-8/status/state");
    assert_sh_fails(*state, "Operation not permitted", "rm m/vm-7");
    assert_sh_fails(*state, "Invalid argument", "readlink -v m/web-01");
}

/* Machines are not made, renamed or removed here. */
static void test_refused(void **state)
{
    start("force");
    assert_sh_fails(*state, "Operation not permitted", "mkdir m/new");
    assert_sh_fails(*state, "Operation not permitted", "rmdir m/web-01");
    assert_sh_fails(*state, "Operation not permitted", "mv m/web-01 m/web-03");
    assert_sh_fails(*state, "Operation not permitted", "mv m/web-01/status m/web-02/status2");
    assert_sh_fails(*state, "Operation not permitted", "echo x >m/file");
    assert_sh_fails(*state, "Operation not permitted", "ln -s web-01 m/link");
    assert_sh_fails(*state, "Operation not permitted", "rmdir m/.datasetfs");
    assert_sh_ok(*state, "4\n", "ls m | wc -l");
}

/* What belongs to one machine stays in it. */
static void test_apart(void **state)
{
    start(NULL);
    assert_sh_ok(*state, "", "mkdir m/web-01/app m/web-02/app; echo one >m/web-01/app/k");
    assert_sh_fails(*state, "No such file or directory", "cat m/web-02/app/k");
    assert_sh_ok(*state, "", "echo two >m/web-02/app/k; chmod 400 m/web-02/app/k");
    assert_sh_ok(*state, "one\n600\n", "cat m/web-01/app/k; stat -c %%a m/web-01/app/k");
    assert_sh_ok(*state, "2\n", "ls -id m/web-0*/app | awk '{print $1}' | sort -u | wc -l");
    assert_sh_ok(*state, "2\n", "ls -i m/web-0*/app/k | awk '{print $1}' | sort -u | wc -l");
    assert_sh_ok(*state, "one\n", "$DATASETFS get local:d/web-01.db app k");
    assert_sh_ok(*state, "two\n", "$DATASETFS get local:d/web-02.db app k");
    assert_sh_ok(*state, "1\n", "find m/web-01 -xdev -name k | wc -l");
}

static void test_move(void **state)
{
    start(NULL);
    assert_sh_ok(*state, "", "mkdir m/web-01/app m/web-02/app; echo one >m/web-01/app/k");
    assert_sh_ok(*state, "", "mv m/web-01/app/k m/web-02/app/moved");
    assert_sh_ok(*state, "one\n", "cat m/web-02/app/moved");
    assert_sh_ok(*state, "one\n", "$DATASETFS get local:d/web-02.db app moved");
    assert_sh_ok(*state, "", "$DATASETFS ls local:d/web-01.db app");
    assert_sh_ok(*state, "", "rsync -a m/ copy/ && test \"$(cat copy/web-02/app/moved)\" = one");
}

static void test_control(void **state)
{
    start(NULL);
    assert_sh_ok(*state, "errors\nmachines\nscratch\nstats\n", "ls m/.datasetfs");
    assert_sh_ok(*state, "errors\ninfo\nscratch\nstats\n", "ls m/web-01/.datasetfs");
    assert_sh_ok(*state,
                 "# id\tname\tpower\thardware\tproblem\n100% a\t100%25 a\tunknown\t\t\n"
                 "vm-7\tname=vm-7\tunknown\t\t\nweb-01\tweb-01\tunknown\t\t\n"
                 "web-02\tweb-02\tunknown\t\t\n",
                 "cat m/.datasetfs/machines");
    assert_sh_ok(*state, "",
                 "test $(wc -c <m/.datasetfs/machines) = $(stat -c %%s m/.datasetfs/machines)");
    assert_sh_ok(*state, "status\n", "ls m/web-01/.datasetfs/info");
    assert_sh_ok(*state, "", "echo '{\"guest\":\"READ_ONLY\"}' >m/web-01/.datasetfs/info/status");
    assert_sh_ok(*state, "READ_ONLY\nREAD_WRITE\n", "jq -r .guest m/web-0*/.datasetfs/info/status");
    /* Also what fails is told apart. */
    assert_sh_fails(*state, "", "echo nonsense >m/web-02/.datasetfs/info/status");
    assert_sh_ok(*state, "1\n",
                 "grep -c 'write./web-02/.datasetfs/info/status.EINVAL' m/.datasetfs/errors");
    assert_sh_ok(*state, "", "diff m/.datasetfs/errors m/web-01/.datasetfs/errors");
}

/* What fails is told with the path of what it was about, in the machine that it was in. */
static void test_errors(void **state)
{
    start(NULL);
    assert_sh_ok(*state, "", "echo 'no store' >d/bad.db; chmod 600 d/bad.db; ls m >list");
    assert_sh_fails(*state, "Invalid argument", "ls m/bad");
    assert_sh_ok(*state, "1\n", "grep -c '\t/bad\tEINVAL\t.*/d/bad.db is not' m/.datasetfs/errors");
    assert_sh_ok(*state, "", "mkdir m/web-01/app m/web-02/app && echo x >m/web-01/app/k");
    assert_sh_ok(*state, "",
                 "echo '{\"host\": \"READ_ONLY\"}' >m/web-02/.datasetfs/info/app &&"
                 " $DATASETFS update -o host_access=NONE local:d/web-02.db app");
    assert_sh_fails(*state, "Permission denied", "mv m/web-01/app/k m/web-02/app/moved");
    assert_sh_ok(*state, "1\n", "grep -c '/web-02/app/moved' m/.datasetfs/errors");
    assert_sh_ok(*state, "0\n", "grep -c '/web-01/app/moved' m/.datasetfs/errors || test $? = 1");
}

/* The way up is the way down. */
static void test_parents(void **state)
{
    start(NULL);
    assert_sh_ok(*state, "",
                 "for d in m/web-01/status m/web-01/.datasetfs m/web-01/.datasetfs/info; do"
                 " up=$(ls -ai $d | awk '$2 == \"..\" {print $1}');"
                 " test $up = $(stat -c %%i $d/..) || echo $d $up; done");
}

/* The root has the sum of what is known, a machine its own. */
static void test_room(void **state)
{
    start(NULL);
    assert_sh_ok(*state, "", "ls m >list");
    assert_sh_ok(*state, "4\n",
                 "echo $(( $(df -B1 --output=size m | tail -n 1) /"
                 " $(df -B1 --output=size m/web-01/status | tail -n 1) ))");
}

/* Of the name of one whose store was moved to "kept". */
static void make_another(void)
{
    make_machine("web-01");
    assert_sh_ok("dash", "", "$DATASETFS set local:d/web-01.db status state another");
}

static void assert_another(const char *shell)
{
    assert_sh_ok(shell, "another", "cat m/web-01/status/state");
    assert_sh_ok(shell, "", "echo mine >m/web-01/status/state");
    assert_sh_ok(shell, "mine\n", "$DATASETFS get local:d/web-01.db status state");
    assert_sh_ok(shell, "ok web-01", "$DATASETFS get local:kept/web-01.db status state");
}

/* Machines come and go, also one in the place of another. */
static void test_come_and_go(void **state)
{
    start(NULL);
    assert_sh_ok(*state, "ok web-01", "cat m/web-01/status/state");
    make_machine("late");
    assert_sh_ok(*state, "ok late", "cat m/late/status/state");
    assert_sh_ok(*state, "5\n", "ls m | wc -l");
    assert_sh_ok(*state, "", "mkdir kept && mv d/web-01.db* kept");
    assert_sh_ok(*state, "4\n", "ls m | wc -l");
    assert_soon(access("m/web-01", F_OK) != 0 && errno == ENOENT); /* the kernel is told then */
    assert_sh_fails(*state, "No such file or directory", "cat m/web-01/status/state");
    make_another();
    assert_another(*state);
}

/* Another store in the place of one, although no listing has missed it: the first to come finds
 * out. */
static void test_replaced(void **state)
{
    start(NULL);
    assert_sh_ok(*state, "ok web-01", "cat m/web-01/status/state");
    assert_sh_ok(*state, "", "mkdir kept && mv d/web-01.db* kept");
    make_another();
    assert_sh_fails(*state, "No such device", "cat m/web-01/status/state");
    assert_another(*state);
}

/* Who is in a machine's directory when it goes is told so. */
static void test_gone(void **state)
{
    start(NULL);
    assert_sh_ok(*state,
                 "ok web-01"
                 "gone\n",
                 "cd m/web-01/status && cat state && mkdir $OLDPWD/kept &&"
                 " mv $OLDPWD/d/web-01.db* $OLDPWD/kept && ls $OLDPWD/m >$OLDPWD/list &&"
                 " if cat state 2>$OLDPWD/said; then exit 1; else echo gone; fi");
    assert_sh_ok(*state, "1\n", "grep -c 'No such device' said");
}

static void test_filter(void **state)
{
    start("machines=web-*");
    assert_sh_ok(*state, "web-01\nweb-02\n", "ls m");
    assert_sh_ok(*state, "ok web-02", "cat m/web-02/status/state");
    assert_sh_fails(*state, "No such file or directory", "cat m/vm-7/status/state");
    assert_sh_fails(*state, "No such file or directory", "ls 'm/100%%25 a'");
}

/* What is mounted below is the machine's with the mount's options: here read-only. */
static void test_read_only(void **state)
{
    start("ro");
    assert_sh_ok(*state, "ok web-01", "cat m/web-01/status/state");
    assert_sh_fails(*state, "Read-only file system", "echo x >m/web-01/status/state");
}

static void test_usage(void **state)
{
    setenv("DATASETFS", harness_binary(), 1);
    assert_sh_ok(*state, "", "mkdir -p m d");
    assert_sh_fails(*state, "there is no such directory", "$DATASETFS local:none/ m");
    assert_sh_ok(*state, "1\n", "$DATASETFS local:none/ m 2>&1 | wc -l");
    assert_sh_fails(*state, "this is no directory", "touch file; $DATASETFS local:file/ m");
    assert_sh_fails(*state, "https://HOST without the slash is all machines",
                    "$DATASETFS https://127.0.0.1/ m");
    assert_sh_fails(*state, "for https://HOST only", "$DATASETFS local:d/ m -o cluster=a");
}

static const struct CMUnitTest tests[] = {
    HARNESS_SHELLS(test_names),     HARNESS_SHELLS(test_links),    HARNESS_SHELLS(test_refused),
    HARNESS_SHELLS(test_apart),     HARNESS_SHELLS(test_move),     HARNESS_SHELLS(test_control),
    HARNESS_SHELLS(test_parents),   HARNESS_SHELLS(test_room),     HARNESS_SHELLS(test_come_and_go),
    HARNESS_SHELLS(test_gone),      HARNESS_SHELLS(test_replaced), HARNESS_SHELLS(test_filter),
    HARNESS_SHELLS(test_read_only), HARNESS_SHELLS(test_usage),    HARNESS_SHELLS(test_errors),
};
HARNESS_MAIN(tests)
