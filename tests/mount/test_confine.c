/* What the daemon may still do once it serves. */
#include "harness.h"

#include "client/base/confine_calls.h"
#include "confine.h"
#include "peer.h"
#include "shell.h"
#include "sim.h"
#include "sim_rest.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define USER 5 /* "games" */

/* Bit 10 is CAP_NET_BIND_SERVICE, bit 1 CAP_DAC_OVERRIDE. */
#define NO_CAPABILITY "0000000000000000"
#define LOW_PORTS "0000000000000400"
#define ANY_FILE "0000000000000002"

/* Of each thread, on a line by itself: what all of them say. */
static void assert_status(const struct harness_daemon *daemon, const char *word,
                          const char *expected)
{
    const struct shell_result *said =
        shell_run("dash", "cat /proc/%d/task/*/status | awk '$1 == \"%s:\" {print $2}' | sort -u",
                  (int)daemon->worker, word);
    char line[64];
    snprintf(line, sizeof line, "%s\n", expected);
    if (strcmp(said->out, line) != 0)
        fail_msg("%s is %s, not %s", word, said->out, expected);
}

static void assert_confined(const struct harness_daemon *daemon, const char *capabilities)
{
    assert_status(daemon, "CapEff", capabilities);
    assert_status(daemon, "CapPrm", capabilities);
    assert_status(daemon, "CapInh", NO_CAPABILITY);
    assert_status(daemon, "CapAmb", NO_CAPABILITY);
    assert_status(daemon, "CapBnd", capabilities);
    assert_status(daemon, "NoNewPrivs", "1");
    assert_status(daemon, "Seccomp", ds_confine_calls_built() ? "2" : "0");
}

static void test_local(void **state)
{
    (void)state;
    struct harness_daemon *daemon = harness_start_source("m", HARNESS_SOURCE, NULL);
    assert_confined(daemon, NO_CAPABILITY);
}

static void test_host(void **state)
{
    (void)state;
    sim_start_rest(NULL);
    struct harness_daemon *daemon =
        harness_start_source("m", sim_rest_source(), sim_rest_options(NULL));
    assert_confined(daemon, NO_CAPABILITY);
}

/* It may read the login where it is found: in the home directory, although systemd has given
 * something else, and where the machine's file really is. */
static void test_login(void **state)
{
    static const char mount[] = "$DATASETFS $S m -o cacert=$PWD/tls/ca.pem && umount m";
    (void)state;
    sim_start_rest(NULL);
    assert_ok(setenv("S", sim_rest_source(), 1));
    assert_int_equal(harness_write("netrc", O_CREAT,
                                   "machine 127.0.0.1 login " SIM_USER " password \"" SIM_PASSWORD
                                   "\"\n"),
                     0);
    assert_sh_ok("dash", "",
                 "mkdir m empty home secret tls && cp " SIM_CA " tls/ca.pem && chmod 600 netrc &&"
                 " mv netrc home/.netrc && mv " SIM_CREDENTIALS " secret/login && cp -a /etc etc &&"
                 " mkdir -p etc/datasetfs && ln -sf $PWD/secret/login etc/datasetfs/credentials");
    if (access("/etc/datasetfs/credentials", F_OK) != 0)
        assert_sh_ok("dash", "", "export HOME=$PWD/home CREDENTIALS_DIRECTORY=$PWD/empty; %s",
                     mount);
    assert_sh_ok("dash", "",
                 "export HOME=$PWD/empty; unshare -m sh -c 'mount --bind etc /etc && %s'", mount);
}

/* The only right that is left is that to a port below 1024, by which the host knows root. */
static void test_guest(void **state)
{
    (void)state;
    sim_start(NULL);
    sim_vsock_begin(NULL, NULL, NULL);
    struct harness_daemon *daemon = harness_start_source("m", "tools", NULL);
    sim_vsock_end();
    assert_confined(daemon, LOW_PORTS);
}

/* vmtoolsd is run by another process, so this one may run none. */
static void test_program(void **state)
{
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    sim_start(NULL);
    sim_vsock_begin(NULL, NULL, NULL);
    struct harness_daemon *daemon =
        harness_start_source("m", "tools:vmtoolsd", "timeout=100,channels=2");
    sim_vsock_end();
    assert_confined(daemon, NO_CAPABILITY);
    assert_sh_ok(*state, "x\n", "echo x >m/app/k && cat m/app/k");
    harness_stop(daemon);
    assert_int_equal(harness_children("datasetfs", NULL, 0), 0);
}

/* That other process has nothing open but the way to its parent, whichever numbers were free. */
static void test_program_in_background(void **state)
{
    (void)state;
    pid_t parent, second, worker;
    sim_start(NULL);
    sim_vsock_begin(NULL, NULL, NULL);
    assert_sh_ok("dash", "", "mkdir m && $DATASETFS tools:vmtoolsd m -o timeout=100");
    sim_vsock_end();
    assert_int_equal(harness_children("datasetfs", &parent, 1), 1);
    assert_true(harness_find_family(parent, &second, &worker));
    assert_sh_ok(
        "bash", "/dev/null\n",
        "runner=$(cat /proc/%d/task/%d/children) && cd /proc/${runner%% }/fd &&"
        " readlink {0..4} | sort -u && [[ $(readlink 5) == socket:* && $(ls) == *$'\\n5' ]]",
        (int)worker, (int)worker);
    assert_ok(umount2("m", 0));
    assert_int_equal(waitpid(parent, NULL, 0), parent);
}

static void test_nosandbox(void **state)
{
    (void)state;
    struct harness_daemon *daemon = harness_start("m", "nosandbox");
    assert_status(daemon, "NoNewPrivs", "0");
    assert_status(daemon, "Seccomp", "0");
}

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    assert_ok(bind(fd, (struct sockaddr *)&address, sizeof address));
    assert_ok(listen(fd, 8));
    return fd;
}

struct attempt {
    const char *what, *answer;
};

static void assert_attempts(const struct attempt *attempts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct shell_result *said =
            shell_run("dash", "sed -n 's/^%s //p' probe", attempts[i].what);
        if (strncmp(said->out, attempts[i].answer, strlen(attempts[i].answer)) != 0)
            fail_msg("%s: %s", attempts[i].what, said->out);
    }
}

/* From inside: tests/sim/probe.c. */
static void test_attempts(void **state)
{
    (void)state;
    static const struct attempt files[] = {
        {"read-outside", "EACCES"}, {"write-outside", "EACCES"}, {"write-passwd", "EACCES"},
        {"make-etc", "EACCES"},     {"write-proc", "EACCES"},
    };
    static const struct attempt calls[] = {
        {"execve", "EPERM"},
        {"execveat", "EPERM"},
        {"process_vm_readv", "EPERM"},
        {"unshare", "EPERM"},
        {"setns", "EPERM"},
        {"clone", "EPERM"},
        {"clone3", "ENOSYS"},
        {"mount", "EPERM"},
        {"umount2", "EPERM"},
        {"fsopen", "EPERM"},
        {"open_tree", "EPERM"},
        {"chroot", "EPERM"},
        {"add_key", "EPERM"},
        {"keyctl", "EPERM"},
        {"init_module", "EPERM"},
        {"finit_module", "EPERM"},
        {"delete_module", "EPERM"},
        {"io_uring_setup", "EPERM"},
        {"bpf", "EPERM"},
        {"perf_event_open", "EPERM"},
        {"userfaultfd", "EPERM"},
        {"sethostname", "EPERM"},
        {"packet", "EPERM"},
        {"alg", "EPERM"},
        {"bluetooth", "EPERM"},
        {"unspec", "EPERM"},
        {"smc", "EPERM"},
        {"pair", "EPERM"},
        {"kill", "EPERM"},
        {"kill-all", "EPERM"},
        {"prlimit", "EPERM"},
        {"setpriority", "EPERM"},
#ifndef __SANITIZE_ADDRESS__
        {"ptrace", "EPERM"},
#endif
    };
    static const struct attempt allowed[] = {
        {"inet", "done"},        {"unix", "done"},         {"netlink", "done"},
        {"read-passwd", "done"}, {"read-proc", "done"},    {"random", "done"},
        {"null", "done"},        {"plug-in", "done"},      {"connect", "done"},
        {"kill-self", "done"},   {"prlimit-self", "done"}, {"tell-parent", "done"},
    };
    struct ds_confine_offers offers = ds_confine_offers();
    char path[PATH_MAX];
    assert_ok(mkdir("store", 0700));
    assert_int_equal(harness_write("outside", O_CREAT, "x"), 0);
    int listener = listen_at("socket");
    sim_preload("PROBE", "libprobe.so");
    snprintf(path, sizeof path, "%.2000s/probe", harness_dir());
    setenv("PROBE_FILE", path, 1);
    snprintf(path, sizeof path, "%.2000s/outside", harness_dir());
    setenv("PROBE_OUTSIDE", path, 1);
    snprintf(path, sizeof path, "%.2000s/socket", harness_dir());
    setenv("PROBE_SOCKET", path, 1);
    struct harness_daemon *daemon = harness_start_source("m", "local:store/s.db", NULL);
    sim_preload_end();
    unsetenv("PROBE_FILE");
    unsetenv("PROBE_OUTSIDE");
    unsetenv("PROBE_SOCKET");
    assert_ok(mkdir("m/app", 0700)); /* it serves */
    close(listener);
    /* What was sent to the parent has not become its own. */
    assert_sh_ok("bash", "few\n", "few=(/proc/%d/fd/*); ((${#few[@]} < 30)) && echo few",
                 (int)daemon->pid);
    assert_attempts(allowed, sizeof allowed / sizeof *allowed);
    if (offers.files > 0)
        assert_attempts(files, sizeof files / sizeof *files);
    if (offers.files >= 3)
        assert_attempts(&(const struct attempt){"truncate-outside", "EACCES"}, 1);
    if (offers.files >= 6)
        assert_attempts(&(const struct attempt){"kill", "EPERM"}, 1);
    if (offers.calls && offers.calls_built)
        assert_attempts(calls, sizeof calls / sizeof *calls);
}

static void put_and_get(void)
{
    assert_ok(mkdir("m/app", 0700));
    assert_int_equal(harness_write("m/app/k", O_CREAT, "value"), 0);
    assert_content("m/app/k", "value");
}

/* Root no longer passes the modes of files: it uses the store as its owner. */
static void test_store_of_another(void **state)
{
    assert_sh_ok(*state, "",
                 "mkdir -m 700 theirs && touch theirs/s.db && chmod 600 theirs/s.db && "
                 "chown -R %d theirs",
                 USER);
    struct harness_daemon *daemon = harness_start_source("m", "local:theirs/s.db", NULL);
    assert_confined(daemon, NO_CAPABILITY);
    put_and_get();
    assert_sh_ok(*state, "5\n", "stat -c %%u theirs/* | sort -u");
    harness_stop(daemon);
    /* Only to be read, its log is still emptied and removed by who made it. */
    daemon = harness_start_source("m", "local:theirs/s.db", "ro");
    assert_content("m/app/k", "value");
    harness_stop(daemon);
    assert_sh_ok(*state, "s.db\n", "ls theirs");
    /* The same where the store is missing yet. */
    assert_sh_ok(*state, "", "rm theirs/*");
    daemon = harness_start_source("m", "local:theirs/new.db", NULL);
    assert_confined(daemon, NO_CAPABILITY);
    put_and_get();
    harness_stop(daemon);
    /* Nobody but root with its rights makes a file beside this one. */
    assert_sh_ok(*state, "",
                 "mkdir -m 755 ours && touch ours/s.db && chmod 600 ours/s.db && "
                 "chown %d ours/s.db",
                 USER);
    daemon = harness_start_source("m", "local:ours/s.db", NULL);
    assert_confined(daemon, ANY_FILE);
    put_and_get();
    assert_sh_ok(*state, "", "grep -q 'neither root nor an owner' m.log");
}

/* Below a directory of stores, and where a link in it leads. */
static void test_directory(void **state)
{
    assert_sh_ok(*state, "", "mkdir d e && ln -s ../e/x.db d/b.db && : >d/a.db && : >e/x.db");
    struct harness_daemon *daemon = harness_start_source("m", "local:d/", NULL);
    assert_confined(daemon, NO_CAPABILITY);
    assert_sh_ok(*state, "1\n2\n",
                 "for i in a b; do mkdir m/$i/app; done; echo 1 >m/a/app/k; echo 2 >m/b/app/k; "
                 "cat m/a/app/k m/b/app/k");
    assert_sh_ok(*state, "3\n", ": >d/c.db; mkdir m/c/app; echo 3 >m/c/app/k; cat m/c/app/k");
}

/* The modes of all stores count, of those too that were there before. */
static void test_directory_of_another(void **state)
{
    assert_sh_ok(*state, "",
                 "mkdir -m 700 theirs && : >theirs/a.db && : >theirs/b.db && chmod 600 theirs/* && "
                 "chown -R %d theirs",
                 USER);
    struct harness_daemon *daemon = harness_start_source("m", "local:theirs/", NULL);
    assert_confined(daemon, NO_CAPABILITY);
    assert_sh_ok(*state, "1\n", "mkdir m/b/app; echo 1 >m/b/app/k; cat m/b/app/k");
    assert_sh_ok(*state, "5\n", "stat -c %%u theirs/* | sort -u");
    harness_stop(daemon);
    assert_sh_ok(*state, "", "chown 0 theirs theirs/a.db");
    daemon = harness_start_source("m", "local:theirs/", NULL);
    assert_confined(daemon, ANY_FILE);
    assert_sh_ok(*state, "1\n", "cat m/b/app/k");
}

static void test_doctor(void **state)
{
    struct ds_confine_offers offers = ds_confine_offers();
    assert_sh_ok(*state, "1\n",
                 "$DATASETFS doctor local:s.db | grep -c '^%s.* confinement.* no_new_privs'",
                 offers.files > 0 && offers.calls && offers.calls_built ? "ok" : "warning");
}

static const struct CMUnitTest tests[] = {
    HARNESS_TEST(test_local),
    HARNESS_TEST(test_host),
    HARNESS_TEST(test_login),
    HARNESS_TEST(test_guest),
    HARNESS_SHELLS(test_program),
    HARNESS_TEST(test_program_in_background),
    HARNESS_TEST(test_nosandbox),
    HARNESS_TEST(test_attempts),
    HARNESS_SHELLS(test_store_of_another),
    HARNESS_SHELLS(test_directory),
    HARNESS_SHELLS(test_directory_of_another),
    HARNESS_SHELLS(test_doctor),
};

HARNESS_MAIN(tests)
