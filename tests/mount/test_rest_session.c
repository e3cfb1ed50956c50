/* The session with vCenter: login, expiry, logout; certificates; and that secrets stay secret. */
#include "harness.h"

#include "cleanup.h"
#include "peer.h"
#include "proxy.h"
#include "relay.h"
#include "shell.h"
#include "sim.h"
#include "sim_rest.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define READERS 64

static void start_with_app(const char *const *arguments)
{
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    sim_start_rest(arguments);
}

/* `datasetfs SOURCE m -o OPTIONS` fails with status 32 and one line that holds these words. */
static void assert_no_mount(const char *source, const char *options, const char *words)
{
    const struct shell_result *ran = shell_run(
        "bash", "mkdir -p refused && exec $DATASETFS '%s' refused -o '%s'", source, options);
    if (ran->status != 32 || !strstr(ran->err, words) ||
        strchr(ran->err, '\n') != ran->err + ran->err_len - 1)
        fail_msg("%s: status %d, '%s' instead of 32 and '%s'", source, ran->status, ran->err,
                 words);
    assert_null(strstr(ran->err, SIM_PASSWORD));
    assert_false(harness_mounted("refused", NULL, 0));
}

/* SOURCE of the test's server, with this behind the port. Valid until the next call. */
static const char *source_of(const char *vm)
{
    static char source[256];
    snprintf(source, sizeof source, "%s/%s", sim_rest_url(), vm);
    return source;
}

static void test_one_session(void **state)
{
    (void)state;
    start_with_app(NULL);
    peer_set("app", "k", "value");
    struct harness_daemon *daemon =
        harness_start_source("m", sim_rest_source(), sim_rest_options(NULL));
    assert_int_equal(sim_sessions(), 1);
    assert_int_equal(sim_log_count("rest="), 2);
    assert_content("m/app/k", "value");
    assert_int_equal(sim_log_count("rest-login"), 1);
    harness_stop(daemon);
    assert_int_equal(sim_sessions(), 0);
    assert_int_equal(sim_log_count("rest-logout"), 1);
}

/* In the background, by the name, and ended by unmounting. */
static void test_logout_after_umount(void **state)
{
    start_with_app(NULL);
    assert_sh_ok(*state, "", "mkdir m && $DATASETFS %s m -o %s && test -d m/app",
                 source_of(SIM_VM_NAME), sim_rest_options(NULL));
    assert_int_equal(sim_log_count("rest="), 4); /* login, name, list, and the look at app */
    assert_int_equal(sim_sessions(), 1);
    assert_sh_ok(*state, "", "umount m");
    assert_soon(sim_sessions() == 0);
}

static void test_legacy_route(void **state)
{
    (void)state;
    start_with_app((const char *const[]){"--no-api-session", NULL});
    struct harness_daemon *daemon =
        harness_start_source("m", sim_rest_source(), sim_rest_options(NULL));
    assert_int_equal(sim_log_count("rest-login"), 2); /* the new route is tried first, once */
    assert_string_equal(sim_control("expire"), "ok");
    assert_ok(access("m/app", F_OK));
    assert_int_equal(mkdir("m/other", 0700), 0);
    assert_int_equal(sim_log_count("rest-login"), 3);
    harness_stop(daemon);
    assert_int_equal(sim_sessions(), 0);
}

static int read_key(void *argument)
{
    const char *path = argument;
    char text[64];
    ssize_t len = harness_read(path, text, sizeof text);
    return len == 5 && !strcmp(text, "value") ? 0 : len < 0 ? (int)-len : EIO;
}

/* All meet the end of the session together: one login, and nobody sees an error. */
static void test_expiry_under_load(void **state)
{
    (void)state;
    char paths[READERS][32];
    pid_t pids[READERS];
    start_with_app(NULL);
    for (int i = 0; i < READERS; i++) {
        snprintf(paths[i], sizeof paths[i], "m/app/k%d", i);
        peer_set("app", paths[i] + 6, "value");
    }
    harness_start_source("m", sim_rest_source(), sim_rest_options("max_threads=80,timeout=60"));
    sim_fault("delay-before=100:command=rest-get:count=%d", READERS);
    assert_string_equal(sim_control("expire"), "ok");
    for (int i = 0; i < READERS; i++)
        pids[i] = harness_fork(read_key, paths[i]);
    for (int i = 0; i < READERS; i++)
        assert_int_equal(harness_wait_child(pids[i], HARNESS_SOON_MS, false), 0);
    assert_int_equal(sim_log_count("rest-login"), 2);
    assert_int_equal(sim_sessions(), 1);
}

/* The same within one request of many keys, and for a change, which is not lost either. */
static void test_expiry_of_a_batch(void **state)
{
    start_with_app(NULL);
    for (int i = 0; i < READERS; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%02d", i);
        peer_set("app", key, "value");
    }
    harness_start_source("m", sim_rest_source(), sim_rest_options(NULL));
    assert_string_equal(sim_control("expire"), "ok");
    assert_sh_ok(*state, "64\n", "ls -l m/app | grep -c ' 5 .*k'");
    assert_int_equal(sim_log_count("rest-login"), 2);
    assert_string_equal(sim_control("expire"), "ok");
    assert_sh_ok(*state, "", "echo new > m/app/k00");
    assert_store("app", "k00", "new\n");
    assert_int_equal(sim_log_count("rest-login"), 3);
    assert_int_equal(sim_log_count("rest-set", "outcome=ok"), 1);
}

/* A server that never accepts its own sessions is not asked for ever. */
static void test_never_authenticated(void **state)
{
    start_with_app(NULL);
    harness_start_source("m", sim_rest_source(), sim_rest_options(NULL));
    sim_fault("error=UNAUTHENTICATED:command=rest-get");
    for (int i = 0; i < 5; i++)
        assert_sh_fails(*state, "Permission denied", "cat m/app/k");
    assert_int_equal(sim_log_count("rest-login"), 2);
    sim_clear();
    peer_set("app", "k", "value");
    assert_content("m/app/k", "value");
}

static void test_too_many_sessions(void **state)
{
    (void)state;
    start_with_app(NULL);
    char options[1100];
    snprintf(options, sizeof options, "%s", sim_rest_options("timeout=1"));
    sim_fault("status=503:command=rest-login");
    assert_no_mount(sim_rest_source(), options, "too many sessions");
    sim_clear();
    /* One that passes within the time limit does not matter. */
    sim_fault("status=503:command=rest-login:count=2");
    harness_start_source("m", sim_rest_source(), sim_rest_options(NULL));
}

/* A stat gives up on a login sooner than the login itself may be given up: each one that is cut off
 * would leave a session behind. */
static void test_slow_login(void **state)
{
    start_with_app(NULL);
    peer_set("app", "k", "value\n");
    harness_start_source("m", sim_rest_source(), sim_rest_options(NULL));
    assert_sh_ok(*state, "value\n", "cat m/app/k");
    harness_outlive_attributes();
    peer_set("app", "k", "longer value\n");
    assert_string_equal(sim_control("expire"), "ok");
    sim_fault("delay=2000:command=rest-login:count=1");
    /* Besides the login a stat waits for a second, which a busy machine may take. */
    assert_sh_ok(*state, "", "until [ \"$(stat -c %%s m/app/k)\" = 13 ]; do :; done");
    assert_int_equal(sim_log_count("rest-login"), 2);
    assert_int_equal(sim_sessions(), 1);
}

/* Neither a mount that fails at its deadline nor a broken logout leaves a session behind. */
static void test_no_session_stays(void **state)
{
    (void)state;
    char options[1100];
    start_with_app(NULL);
    snprintf(options, sizeof options, "%s", sim_rest_options("timeout=1"));
    sim_fault("never-reply-before:command=rest-list:count=1");
    assert_no_mount(sim_rest_source(), options, "no answer within the time limit");
    assert_int_equal(sim_sessions(), 0);
    sim_clear();
    struct harness_daemon *daemon =
        harness_start_source("m", sim_rest_source(), sim_rest_options(NULL));
    sim_fault("close-before:command=rest-logout:count=1");
    harness_stop(daemon);
    assert_int_equal(sim_sessions(), 0);
}

/* What passes by itself does not keep a mount by name from coming up. */
static void test_name_in_trouble(void **state)
{
    (void)state;
    static const char *const faults[] = {"status=503", "close-before", "close", "retry-after=1"};
    start_with_app(NULL);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        sim_fault("%s:command=rest-vms:count=1", faults[i]);
        harness_stop(harness_start_source("m", source_of(SIM_VM_NAME), sim_rest_options(NULL)));
        assert_int_equal(sim_fired(), i + 1);
    }
}

/* A server that is silent does not keep the mount from ending, whatever its time limit. */
static void test_end_with_reader(void **state)
{
    (void)state;
    start_with_app(NULL);
    peer_set("app", "k", "value");
    struct harness_daemon *daemon =
        harness_start_source("m", sim_rest_source(), sim_rest_options("timeout=3600"));
    assert_content("m/app/k", "value");
    sim_fault("never-reply-before:command=rest-get");
    pid_t reader = shell_spawn("dash", "exec cat m/app/k");
    assert_soon(sim_fired() > 0);
    harness_stop(daemon);
    assert_int_not_equal(shell_wait(reader), 0);
    assert_int_equal(sim_sessions(), 0);
}

/* Credentials are read again at each login; those that were refused are not sent a second time, so
 * that nobody's account is locked by a mount. */
static void test_password_changes(void **state)
{
    start_with_app(NULL);
    peer_set("app", "k", "value\n");
    harness_start_source("m", sim_rest_source(), sim_rest_options(NULL));
    assert_sh_ok(*state, "", "sed -i s/^password=.*/password=wrong/ " SIM_CREDENTIALS);
    assert_string_equal(sim_control("expire"), "ok");
    for (int i = 0; i < 5; i++)
        assert_sh_fails(*state, "Permission denied", "cat m/app/k");
    assert_int_equal(sim_log_count("rest-login", "status=401"), 1);
    assert_sh_ok(*state, "0\n", "grep -c wrong m/.datasetfs/errors m.log | grep -cv ':0$'; true");
    assert_sh_ok(*state, "",
                 "printf 'username=%s\\npassword=%%s\\n' '" SIM_PASSWORD "' > " SIM_CREDENTIALS,
                 SIM_USER);
    assert_sh_ok(*state, "value\n", "cat m/app/k");
    assert_int_equal(sim_log_count("rest-login", "status=201"), 2);
}

static void test_refused_mounts(void **state)
{
    start_with_app((const char *const[]){"--vm", "vm-1=web-01=s.db", "--vm", "vm-7=twin=t.db",
                                         "--vm", "vm-8=twin=u.db", "--vm", "vm-9=old=o.db",
                                         "--vm-state", "vm-9=unsupported", NULL});
    char options[1100];
    snprintf(options, sizeof options, "%s", sim_rest_options(NULL));
    assert_no_mount(source_of("twin"), options, "vm-7, vm-8");
    assert_no_mount(source_of("nobody"), options, "no virtual machine named 'nobody'");
    assert_no_mount(source_of("two%0Alines"), options, "no virtual machine named 'two?lines'");
    assert_no_mount(source_of("name=vm-1"), options, "no virtual machine named 'vm-1'");
    assert_no_mount(source_of("vm-77"), options, "has no virtual machine vm-77");
    assert_no_mount(source_of("vm-9"), options, "vmx-20");
    assert_sh_ok(*state, "", "printf 'username=x\\npassword=y\\n' > other && chmod 600 other");
    assert_no_mount(sim_rest_source(), "cacert=" SIM_CA ",credentials=other",
                    "refuses the user name or password from");
    assert_sh_ok(*state, "", "chmod 644 other");
    assert_no_mount(sim_rest_source(), "cacert=" SIM_CA ",credentials=other", "chmod 600");
    assert_no_mount(sim_rest_source(), "cacert=" SIM_CA ",credentials=missing",
                    "No such file or directory");
    assert_no_mount("https://127.0.0.1:1/vm-1", options, "cannot connect");
    assert_no_mount("https://no-such-host.invalid/vm-1", options, "cannot connect");
    sim_fault("garbage:command=rest-login");
    assert_no_mount(sim_rest_source(), options, "HTML");
    sim_clear();
    sim_fault("garbage:command=rest-list");
    assert_no_mount(sim_rest_source(), options, "HTML");
    assert_int_equal(sim_sessions(), 0);
}

static void test_no_vm_list(void **state)
{
    (void)state;
    start_with_app((const char *const[]){"--no-vm-list", NULL});
    char options[1100];
    snprintf(options, sizeof options, "%s", sim_rest_options(NULL));
    assert_no_mount(source_of(SIM_VM_NAME), options, "use the machine's id");
    harness_start_source("m", sim_rest_source(), options);
    assert_ok(access("m/app", F_OK));
}

static void test_certificates(void **state)
{
    sim_make_certificate("elsewhere", "DNS:elsewhere.example", false);
    sim_make_certificate("alone", "IP:127.0.0.1", true);
    start_with_app(NULL);
    assert_no_mount(sim_rest_source(), "credentials=" SIM_CREDENTIALS, "cacert=FILE");
    assert_no_mount(sim_rest_source(), "cacert=alone.pem,credentials=" SIM_CREDENTIALS,
                    "not signed by what cacert= holds");
    assert_no_mount(sim_rest_source(), "cacert=s.db,credentials=" SIM_CREDENTIALS, "cacert=");
    assert_no_mount(sim_rest_source(), "cacert=none.pem,credentials=" SIM_CREDENTIALS, "none.pem");
    sim_stop();
    sim_start_rest_with("--cert", "elsewhere.pem", "--key", "elsewhere.key");
    assert_no_mount(sim_rest_source(), "cacert=" SIM_CA ",credentials=" SIM_CREDENTIALS,
                    "another name");
    sim_stop();
    sim_start_rest(NULL);
    struct harness_daemon *daemon =
        harness_start_source("m", sim_rest_source(), "insecure,credentials=" SIM_CREDENTIALS);
    assert_sh_ok(*state, "1\n", "grep -c 'insecure: the certificate' m.log");
    harness_stop(daemon);
    /* What the certificate's owner changes while we are mounted is an error, not a hang. */
    harness_start_source("m", sim_rest_source(), sim_rest_options(NULL));
    sim_stop();
    sim_start_rest_with("--cert", "alone.pem", "--key", "alone.key");
    assert_sh_fails(*state, "Permission denied", "cat m/app/k");
    assert_sh_ok(*state, "1\n", "grep -c 'not signed by what cacert= holds' m/.datasetfs/errors");
}

/* The public key's hash as RFC 7469 has it, of NAME.pem. Valid until the next command. */
static const char *pin_of(const char *name)
{
    const struct shell_result *hash =
        shell_run("bash",
                  "set -o pipefail; openssl x509 -in %s.pem -pubkey -noout | openssl pkey -pubin "
                  "-outform der | openssl dgst -sha256 -binary | base64 -w 0",
                  name);
    assert_int_equal(hash->status, 0);
    return hash->out;
}

static void test_pins(void **state)
{
    (void)state;
    char good[128];
    char bad[128];
    char both[256];
    sim_make_certificate("alone", "DNS:other.example", true);
    start_with_app(NULL);
    snprintf(good, sizeof good, "pin=sha256//%s,credentials=" SIM_CREDENTIALS, pin_of("server"));
    snprintf(bad, sizeof bad, "pin=sha256//%s,credentials=" SIM_CREDENTIALS, pin_of("alone"));
    /* A pin alone is enough; with cacert both must hold. */
    harness_stop(harness_start_source("m", sim_rest_source(), good));
    assert_no_mount(sim_rest_source(), bad, "pin=");
    snprintf(both, sizeof both, "cacert=" SIM_CA ",%s", good);
    harness_stop(harness_start_source("m", sim_rest_source(), both));
    snprintf(both, sizeof both, "cacert=alone.pem,%s", good);
    assert_no_mount(sim_rest_source(), both, "not signed by");
    snprintf(both, sizeof both, "cacert=" SIM_CA ",%s", bad);
    assert_no_mount(sim_rest_source(), both, "pin=");
}

/* From the environment, which then does not show it any more. */
static void test_environment(void **state)
{
    start_with_app(NULL);
    setenv("DATASETFS_USERNAME", SIM_USER, 1);
    setenv("DATASETFS_PASSWORD", SIM_PASSWORD, 1);
    setenv("GOVC_URL", "https://joe:" SIM_PASSWORD "@vcenter/sdk", 1);
    setenv("GOVC_PASSWORD", SIM_PASSWORD, 1);
    struct harness_daemon *daemon = harness_start_source("m", sim_rest_source(), "cacert=" SIM_CA);
    unsetenv("DATASETFS_USERNAME");
    unsetenv("DATASETFS_PASSWORD");
    unsetenv("GOVC_URL");
    unsetenv("GOVC_PASSWORD");
    const pid_t pids[] = {daemon->pid, daemon->second, daemon->worker};
    for (size_t i = 0; i < sizeof pids / sizeof *pids; i++) {
        assert_sh_ok(*state, "0\n", "grep -acF '" SIM_PASSWORD "' /proc/%d/environ; true",
                     (int)pids[i]);
        assert_sh_ok(*state, "1\n", "grep -ac DATASETFS_PASSWORD /proc/%d/environ; true",
                     (int)pids[i]);
    }
    /* It logs in again all the same. */
    assert_string_equal(sim_control("expire"), "ok");
    assert_ok(mkdir("m/other", 0700));
}

/* Nothing of the secrets where others look: command line, environment, log, a core that root
 * forces. `sought` is a pattern of grep -F. */
static void assert_secret(const struct harness_daemon *daemon, const char *sought)
{
    assert_true(strlen(sought) > 8);
    const struct shell_result *found =
        shell_run("bash",
                  "grep -alF -e '%s' core.%d m.log m/.datasetfs/errors m/.datasetfs/stats "
                  "/proc/%d/cmdline /proc/%d/environ",
                  sought, (int)daemon->worker, (int)daemon->worker, (int)daemon->worker);
    if (found->status != 1)
        fail_msg("found in: %s%s", found->out, found->err);
}

/* Nor a piece of one, as a register holds it. */
static void assert_no_piece(const struct harness_daemon *daemon, const char *secret)
{
    enum { PIECE = 12 };
    char copy[128];
    snprintf(copy, sizeof copy, "%s", secret);
    assert_true(strlen(copy) >= 2 * PIECE);
    for (const char *at = copy; strlen(at) >= PIECE; at++) {
        char piece[PIECE + 1];
        snprintf(piece, sizeof piece, "%.*s", PIECE, at);
        assert_secret(daemon, piece);
    }
}

static void test_secrets(void **state)
{
    (void)state;
    start_with_app(NULL);
    peer_set("app", "k", "value");
    struct harness_daemon *daemon =
        harness_start_source("m", sim_rest_source(), sim_rest_options(NULL));
    assert_content("m/app/k", "value");
    assert_int_equal(harness_write("m/app/k", O_TRUNC, "written"), 0);
    const struct shell_result *core =
        shell_run("bash", "gcore -o core %d >gcore.log 2>&1 && stat -c %%s core.%d",
                  (int)daemon->worker, (int)daemon->worker);
    if (core->status != 0)
        fail_msg("gcore wrote no core: %s", core->err);
    assert_true(strtol(core->out, NULL, 10) > 1000);
    assert_secret(daemon, SIM_PASSWORD);
    const struct shell_result *pair =
        shell_run("bash", "printf %%s '%s:%s' | base64 -w 0", SIM_USER, SIM_PASSWORD);
    char basic[128];
    snprintf(basic, sizeof basic, "%s", pair->out);
    assert_secret(daemon, basic);
    assert_secret(daemon, "vmware-api-session-id: ");
    assert_no_piece(daemon, basic);
    const char *token = sim_control("token");
    assert_true(strncmp(token, "ok ", 3) == 0);
    assert_no_piece(daemon, token + 3);
    /* The search itself works: what is no secret is found. */
    assert_sh_ok("bash", "1\n", "grep -ac datasetfs /proc/%d/cmdline", (int)daemon->worker);
    /* Nor may another process of the same user look into it. */
    assert_sh_ok("bash", "1\n", "grep -c '^Max core file size  *0  *0 ' /proc/%d/limits",
                 (int)daemon->worker);
}

/* A connection falls silent, as behind a firewall that has forgotten it. Over HTTP/2 the next
 * request would join it: whoever finds out pays with one deadline, and then all is well. */
static void test_silent_connection(void **state)
{
    char source[128];
    start_with_app(NULL);
    proxy_start(NULL);
    uint16_t port = relay_start(proxy_port());
    peer_set("app", "k", "value\n");
    snprintf(source, sizeof source, "https://127.0.0.1:%u/" SIM_VM, (unsigned)port);
    harness_start_source("m", source, sim_rest_options("timeout=2"));
    assert_sh_ok(*state, "value\n", "cat m/app/k");
    relay_silence();
    assert_sh_fails(*state, "Connection timed out", "cat m/app/k");
    for (int i = 0; i < 3; i++)
        assert_sh_ok(*state, "value\n", "cat m/app/k");
}

/* As curl has them: a proxy from the environment, and what it is not for. */
static void test_proxy_variables(void **state)
{
    (void)state;
    char options[1100];
    start_with_app(NULL);
    snprintf(options, sizeof options, "%s", sim_rest_options(NULL));
    setenv("https_proxy", "http://127.0.0.1:1", 1);
    assert_no_mount(sim_rest_source(), options, "cannot connect");
    /* Nothing of what such a variable holds is repeated. */
    setenv("https_proxy", "http://user:" SIM_PASSWORD "@host:99999", 1);
    assert_no_mount(sim_rest_source(), options, "$https_proxy");
    setenv("no_proxy", "127.0.0.1", 1);
    harness_start_source("m", sim_rest_source(), options);
    unsetenv("https_proxy");
    unsetenv("no_proxy");
    assert_ok(access("m/app", F_OK));
}

/* Sockets that the daemon has open. */
static unsigned long sockets_of(const struct harness_daemon *daemon)
{
    const struct shell_result *ran =
        shell_run("bash", "ls -l /proc/%d/fd | grep -c 'socket:'; true", (int)daemon->worker);
    return strtoul(ran->out, NULL, 10);
}

/* Everything over HTTP/2, as vCenter's own front end speaks it: one connection for all. */
static void test_http2(void **state)
{
    char source[128];
    start_with_app(NULL);
    proxy_start(NULL);
    snprintf(source, sizeof source, "%s/" SIM_VM, proxy_url());
    for (int i = 0; i < READERS; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%02d", i);
        peer_set("app", key, "value");
    }
    struct harness_daemon *daemon = harness_start_source("m", source, sim_rest_options(NULL));
    assert_sh_ok(*state, "64\n", "ls -l m/app | grep -c ' 5 .*k'");
    assert_true(sockets_of(daemon) < 8);
    assert_sh_ok(*state, "new\nmore\n", "echo new > m/app/n; echo more >> m/app/n; cat m/app/n");
    char *large DS_AUTO_FREE = malloc(DS_VALUE_MAX_BYTES + 1);
    assert_non_null(large);
    memset(large, 'x', DS_VALUE_MAX_BYTES);
    large[DS_VALUE_MAX_BYTES] = '\0';
    assert_int_equal(harness_write("m/app/large", O_CREAT, large), 0);
    assert_content("m/app/large", large);
    assert_sh_ok(*state, "", "mkdir m/other && rmdir m/other && rm m/app/large");
    /* The front end restarts: the next operation connects anew, and no change is in doubt. */
    proxy_stop();
    proxy_start(NULL);
    assert_sh_ok(*state, "", "echo again > m/app/n");
    assert_store("app", "n", "again\n");
    harness_stop(daemon);
    assert_int_equal(sim_sessions(), 0);
}

static const struct CMUnitTest tests[] = {
    HARNESS_TEST(test_one_session),
    HARNESS_SHELLS(test_logout_after_umount),
    HARNESS_TEST(test_legacy_route),
    HARNESS_TEST(test_expiry_under_load),
    HARNESS_SHELLS(test_expiry_of_a_batch),
    HARNESS_SHELLS(test_never_authenticated),
    HARNESS_TEST(test_too_many_sessions),
    HARNESS_SHELLS(test_password_changes),
    HARNESS_SHELLS(test_refused_mounts),
    HARNESS_TEST(test_no_vm_list),
    HARNESS_SHELLS(test_certificates),
    HARNESS_TEST(test_pins),
    HARNESS_SHELLS(test_environment),
    HARNESS_TEST(test_secrets),
    HARNESS_TEST(test_proxy_variables),
    HARNESS_SHELLS(test_silent_connection),
    HARNESS_SHELLS(test_slow_login),
    HARNESS_TEST(test_no_session_stays),
    HARNESS_TEST(test_name_in_trouble),
    HARNESS_TEST(test_end_with_reader),
    HARNESS_SHELLS(test_http2),
};

HARNESS_MAIN(tests)
