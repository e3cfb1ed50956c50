/* doctor: names the cause in set-ups that are broken, each in its own way, and finds nothing wrong
 * with those that are not. */
#include "harness.h"

#include "doctor.h"
#include "peer.h"
#include "shell.h"
#include "sim.h"
#include "sim_rest.h"
#include "source.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* Each SOURCE: nothing is changed, no value is shown, no session stays; with --write neither. */
static void test_healthy(void **state)
{
    (void)state;
    doctor_start_rest();
    const char *const commands[] = {"local:s.db", sim_source(), "-o $O $S",
                                    "-o $O ${S%/*}/" SIM_VM_NAME};
    size_t writes = 0;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        const struct shell_result *ran = doctor("%s", commands[i]);
        doctor_assert_healthy(ran);
        assert_null(strstr(ran->out, "secret value"));
        assert_int_equal(sim_sessions(), 0);
        assert_int_equal(sim_log_count("-set"), writes);
        ran = doctor("--write app %s", commands[i]);
        writes = sim_log_count("-set");
        doctor_assert_healthy(ran);
        assert_int_equal(doctor_lines(ran->out, "ok", "write", "app"), 1);
        assert_int_equal(sim_sessions(), 0);
        assert_int_equal(peer_keys("app"), 1);
    }
    assert_store("app", "k", "secret value");
    assert_doctor(0, "ok", "library", "SQLite", "local:s.db");
    assert_doctor(0, "ok", "library", "libcurl", "-o $O $S");
    assert_doctor(0, "ok", "program", "libfuse 3.", "local:s.db");
    assert_doctor(0, "ok", "power", "POWERED_ON", "-o $O $S");
    assert_doctor(0, "ok", "hardware", "vmx-20", "-o $O $S");
}

/* A guest as people have it, over AF_VSOCK and without that. */
static void test_healthy_guest(void **state)
{
    (void)state;
    doctor_make_app();
    sim_start(NULL);
    sim_vsock_begin(NULL, NULL, NULL);
    doctor_assert_healthy(doctor("--write app tools"));
    assert_doctor(0, "ok", "port", "privileged", "tools");
    assert_doctor(0, "ok", "VMware Tools", "version", "tools");
    sim_vsock_begin("EAFNOSUPPORT:99@datasetfs", NULL, NULL);
    assert_doctor(0, "warning", "AF_VSOCK", "modprobe vmw_vsock_vmci_transport", "tools");
    assert_doctor(0, "ok", "host", "knows DataSets", "tools");
    assert_run(1, "FAILED", "VMware Tools", "install the package open-vm-tools",
               "PATH=/nowhere exec \"$DATASETFS\" doctor tools");
    assert_int_equal(peer_keys("app"), 1);
}

/* What is to be done about a device depends on why it cannot be used. */
static void test_device(void **state)
{
    static const char *const missing[] = {"No such file", "modprobe fuse"};
    static const char *const closed[] = {"Permission denied", "chmod 666"};
    (void)state;
    doctor_make_app();
    for (size_t i = 0; i < 2; i++) {
        assert_run(
            1, "FAILED", "/dev/fuse", missing[i],
            "unshare -m sh -c 'mount -t tmpfs none /dev && exec $DATASETFS doctor local:s.db'");
        assert_run(1, "FAILED", "/dev/fuse", closed[i],
                   ": >closed && chmod 600 closed && chmod 777 . && exec unshare -m sh -c "
                   "'mount --bind closed /dev/fuse && exec " NOBODY
                   "$DATASETFS doctor local:none.db'");
    }
}

/* A user, who needs fusermount3. */
static void test_program(void **state)
{
    (void)state;
    assert_ok(chmod(".", 0777));
    assert_run(1, "FAILED", "fusermount3", "install the package fuse3",
               "d=$(command -v setpriv); PATH=/nowhere exec $d --reuid=65534 --regid=65534 "
               "--clear-groups \"$DATASETFS\" doctor local:s.db");
    assert_run(1, "FAILED", "fusermount3", "set-user-ID",
               "mkdir bin && cp /bin/true bin/fusermount3 && PATH=$PWD/bin:$PATH exec " NOBODY
               "\"$DATASETFS\" doctor local:s.db");
    assert_run(1, "FAILED", "fusermount3", "no_new_privs",
               "exec " NOBODY "--no-new-privs $DATASETFS doctor local:s.db");
    assert_run(0, "warning", "fusermount3", "only root can mount",
               "PATH=/nowhere exec \"$DATASETFS\" doctor local:s.db");
    /* A device that this user may open, whatever the machine's own is. */
    assert_sh_ok("dash", "", ": >device && chmod 666 device");
    assert_run(0, "warning", "user_allow_other", "-o allow_other is refused",
               "echo '#user_allow_other' >fuse.conf; exec unshare -m sh -c 'mount --bind fuse.conf "
               "/etc/fuse.conf && mount --bind device /dev/fuse && exec " NOBODY
               "$DATASETFS doctor local:s.db'");
    assert_run(0, "ok", "user_allow_other", "set",
               "echo ' user_allow_other ' >fuse.conf; exec unshare -m sh -c 'mount --bind "
               "fuse.conf /etc/fuse.conf && mount --bind device /dev/fuse && exec " NOBODY
               "$DATASETFS doctor local:s.db'");
}

/* Only those of this SOURCE count, and what a terminal would obey in their names is not printed. */
static void test_mounts(void **state)
{
    (void)state;
    doctor_make_app();
    peer_close();
    assert_ok(rename("s.db", "my store.db"));
    struct harness_daemon *daemon = harness_start_source("m\033[31m", "local:my store.db", NULL);
    assert_doctor(0, "ok", "mounts", "1 of this SOURCE", "'local:my store.db'");
    assert_ok(chmod(".", 0777));
    assert_run(1, "skipped", "mounts", "may not enter",
               "exec " NOBODY "$DATASETFS doctor 'local:my store.db'");
    assert_ok(kill(daemon->worker, SIGSTOP));
    assert_doctor(0, "warning", "mounts", "does not answer", "'local:my store.db'");
    assert_ok(kill(daemon->worker, SIGCONT));
    harness_kill(daemon);
    assert_doctor(1, "FAILED", "mounts", "/m?[31m is dead", "'local:my store.db'");
    assert_doctor(1, "FAILED", "mounts", "umount -l", "'local:my store.db'");
    assert_doctor(0, "ok", "mounts", "none of this SOURCE", "local:other.db");
}

static void test_guest(void **state)
{
    (void)state;
    doctor_make_app();
    assert_doctor(1, "FAILED", "host", "start what listens there", "tools:unix=nobody");
    sim_start(NULL);
    assert_ok(setenv("S", sim_source(), 1));
    sim_fault("rpc-error=Unknown command");
    assert_doctor(1, "FAILED", "host", "does not know DataSets", "$S");
    assert_doctor(1, "FAILED", "host", "ESXi 8.0 or newer", "$S");
    sim_clear();
    sim_fault("rpc-error=Guest RPC is disabled");
    assert_doctor(1, "FAILED", "host", "isolation.tools", "$S");
    sim_clear();
    sim_fault("rpc-error=Permission denied");
    assert_doctor(1, "FAILED", "host", "run as root", "$S");
    sim_clear();
    sim_fault("never-reply");
    assert_doctor(1, "FAILED", "host", "the host is silent", "-o timeout=1 $S");
    sim_clear();
    sim_vsock_begin(NULL, "EACCES:99@datasetfs", NULL);
    assert_doctor(1, "FAILED", "port", "run as root", "tools");
    sim_vsock_begin(NULL, NULL, "ECONNRESET:99@datasetfs");
    assert_doctor(1, "FAILED", "host", "not inside a VMware virtual machine", "-o timeout=1 tools");
    sim_vsock_end();
    peer_access("app", DS_ACCESS_READ_WRITE, DS_ACCESS_NONE);
    assert_doctor(0, "warning", "get", "app: access is NONE for the guest", "$S");
    peer_access("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_ONLY);
    assert_doctor(1, "FAILED", "write", "guest_access=", "--write app $S");
}

static void test_connection(void **state)
{
    (void)state;
    doctor_start_rest();
    assert_doctor(1, "FAILED", "name", "no-such-host.invalid",
                  "-o $O https://no-such-host.invalid/vm-1");
    sim_stop();
    assert_doctor(1, "FAILED", "TCP", "correct HOST and PORT", "-o $O $S");
    assert_doctor(1, "skipped", "login", "", "-o $O $S");
    sim_start_rest(NULL);
    sim_fault("reset-on-connect");
    assert_doctor(1, "FAILED", "TLS", "a server of https", "-o $O $S");
}

static void test_certificates(void **state)
{
    (void)state;
    doctor_start_rest();
    assert_doctor(1, "FAILED", "certificate", "/certs/download.zip",
                  "-o credentials=" SIM_CREDENTIALS " $S");
    assert_doctor(1, "FAILED", "credentials", "none.pem",
                  "-o cacert=none.pem,credentials=" SIM_CREDENTIALS " $S");
    assert_doctor(0, "warning", "certificate", "not verified",
                  "-o insecure,credentials=" SIM_CREDENTIALS " $S 2>&1");
    assert_doctor(0, "warning", "certificate", "which is soon", "-o $O $S");
    assert_doctor(1, "FAILED", "certificate",
                  "pin=", "-o $O,pin=sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= $S");
    sim_stop();
    sim_make_certificate("alone", "IP:127.0.0.1", true);
    sim_start_rest_with("--cert", "alone.pem", "--key", "alone.key");
    assert_doctor(1, "FAILED", "certificate", "signed by itself", "-o $O $S");
    sim_stop();
    sim_make_certificate("elsewhere", "DNS:elsewhere.example", false);
    sim_start_rest_with("--cert", "elsewhere.pem", "--key", "elsewhere.key");
    assert_doctor(1, "FAILED", "certificate", "use one of its names", "-o $O $S");
    sim_stop();
    assert_int_equal(
        harness_write("authority.cnf", O_CREAT,
                      "[ca]\ndefault_ca = one\n[one]\ndatabase = index\n"
                      "serial = serial\nnew_certs_dir = .\ndefault_md = sha256\npolicy = any\n"
                      "[any]\ncommonName = supplied\n"),
        0);
    assert_sh_ok("bash", "",
                 "echo 'subjectAltName = IP:127.0.0.1' >names && : >index && echo 02 >serial && { "
                 "openssl x509 -x509toreq -in server.pem -signkey server.key -out request.pem && "
                 "openssl ca -batch -config authority.cnf -cert " SIM_CA " -keyfile ca.key "
                 "-extfile names -startdate 20200101000000Z -enddate 20200102000000Z "
                 "-in request.pem -notext -out expired.pem; } >openssl.log 2>&1");
    sim_start_rest_with("--cert", "expired.pem");
    assert_doctor(1, "FAILED", "certificate", "have it renewed", "-o $O $S");
    assert_doctor(1, "skipped", "machine", "", "-o $O $S");
    assert_int_equal(sim_log_count("rest-login"), 2); /* those that were given a certificate */
}

static void test_login(void **state)
{
    (void)state;
    doctor_start_rest();
    assert_int_equal(harness_write("wrong", O_CREAT, "username=a\npassword=b\n"), 0);
    assert_doctor(1, "FAILED", "login", "refuses the user name or password",
                  "-o cacert=" SIM_CA ",credentials=wrong $S");
    assert_doctor(1, "skipped", "machine", "nobody is logged in",
                  "-o cacert=" SIM_CA ",credentials=wrong $S");
    assert_doctor(1, "FAILED", "credentials", "no credentials", "-o cacert=" SIM_CA " $S");
    assert_ok(chmod("wrong", 0644));
    assert_doctor(1, "FAILED", "credentials", "wrong", "-o cacert=" SIM_CA ",credentials=wrong $S");
    sim_fault("garbage:command=rest-login");
    assert_doctor(1, "FAILED", "login", "HOST must be a vCenter", "-o $O $S");
    sim_clear();
    sim_fault("status=503:command=rest-login");
    assert_doctor(1, "FAILED", "login", "too many sessions", "-o $O $S");
}

static void test_machine(void **state)
{
    (void)state;
    doctor_start_rest();
    assert_doctor(1, "FAILED", "machine", "no virtual machine vm-77", "-o $O \"${S%%/*}/vm-77\"");
    assert_doctor(1, "FAILED", "machine", "'nobody'", "-o $O \"${S%%/*}/nobody\"");
    assert_string_equal(sim_control("state vm-1 suspended"), "ok");
    assert_doctor(0, "warning", "power", "SUSPENDED", "-o $O $S");
    assert_doctor(1, "FAILED", "write", "resume the machine", "-o $O --write app $S");
    assert_string_equal(sim_control("state vm-1 unsupported"), "ok");
    assert_doctor(1, "FAILED", "hardware", "vmx-19", "-o $O $S");
    assert_string_equal(sim_control("state vm-1 poweredOff"), "ok");
    assert_doctor(0, "ok", "power", "POWERED_OFF", "-o $O $S");
    sim_stop();
    sim_start_rest_with("--no-vm-list");
    assert_doctor(0, "warning", "machine", "tells nothing of a machine", "-o $O $S");
    assert_int_equal(sim_sessions(), 0);
}

static void test_privileges(void **state)
{
    (void)state;
    doctor_start_rest();
    sim_fault("error=UNAUTHORIZED:command=rest-list");
    assert_doctor(1, "FAILED", "list", "DataSetList", "-o $O $S");
    sim_clear();
    sim_fault("error=UNAUTHORIZED:command=rest-get");
    assert_doctor(1, "FAILED", "get", "DataSetEntryGet", "-o $O $S");
    sim_clear();
    sim_fault("error=UNAUTHORIZED:command=rest-set");
    assert_doctor(1, "FAILED", "write", "DataSetEntrySet", "-o $O --write app $S");
    sim_clear();
    peer_access("app", DS_ACCESS_NONE, DS_ACCESS_READ_WRITE);
    assert_doctor(0, "warning", "get", "app: access is NONE for the host", "-o $O $S");
    assert_doctor(1, "FAILED", "write", "no such DataSet", "-o $O --write none $S");
    assert_int_equal(sim_sessions(), 0);
}

static void test_store_file(void **state)
{
    (void)state;
    doctor_make_app();
    peer_close();
    assert_doctor(1, "FAILED", "file", "there is no directory", "local:none/s.db");
    assert_doctor(0, "warning", "file", "not there yet", "local:none.db");
    assert_errno(access("none.db", F_OK), ENOENT);
    assert_doctor(1, "FAILED", "file", "a directory", "local:.");
    assert_int_equal(harness_write("text", O_CREAT, "no store\n"), 0);
    assert_doctor(1, "FAILED", "integrity", "not a datasetfs store", "local:text");
    assert_ok(chmod("s.db", 0666));
    assert_doctor(1, "FAILED", "owner", "others may write", "local:s.db");
    assert_ok(chmod("s.db", 0644));
    assert_doctor(0, "warning", "owner", "others can read it", "local:s.db");
    assert_ok(mkdir("open", 0777));
    assert_ok(chmod("open", 01777));
    assert_sh_ok("dash", "", "cp s.db open/s.db && chown 65534 open/s.db && chmod 600 open/s.db");
    assert_doctor(1, "FAILED", "owner", "somebody else", "local:open/s.db");
    assert_ok(chmod(".", 0777));
    assert_ok(chmod("s.db", 0600));
    assert_run(1, "FAILED", "owner", "Permission denied",
               "exec " NOBODY "$DATASETFS doctor local:s.db");
}

static void test_damaged(void **state)
{
    (void)state;
    doctor_make_app();
    for (int i = 0; i < 200; i++) {
        char key[16];
        snprintf(key, sizeof key, "key-%d", i);
        peer_set("app", key, "a value that fills pages, so that there is something to damage");
    }
    peer_close();
    assert_sh_ok("dash", "",
                 "head -c 6000 /dev/zero | tr '\\0' x | dd of=s.db bs=1 seek=9000 conv=notrunc "
                 "status=none");
    assert_doctor(1, "FAILED", "integrity", "damaged", "local:s.db");
}

static void test_full_disk(void **state)
{
    (void)state;
    doctor_make_app();
    peer_close();
    assert_ok(mkdir("small", 0700));
    assert_ok(mount("none", "small", "tmpfs", 0, "size=1m"));
    assert_sh_ok("dash", "", "cp s.db small/s.db && chmod 600 small/s.db");
    assert_doctor(0, "warning", "space", "MB are free", "local:small/s.db");
    assert_sh_ok("dash", "", "dd if=/dev/zero of=small/fill bs=4k 2>/dev/null; test -s small/fill");
    const struct shell_result *ran = doctor("local:small/s.db");
    doctor_check(__LINE__, ran, 1, "FAILED", "space", "no space is left");
    assert_ok(umount("small"));
}

/* Nothing stays behind, whatever step a signal comes in. */
static void test_interrupted(void **state)
{
    (void)state;
    static const char *const faults[] = {
        "delay=600000:command=rest-get:count=1",       /* reading back */
        "never-reply:command=rest-set:skip=1:count=1", /* the append: has an answer or a deadline */
        "never-reply:command=rest-set:count=1",
    };
    doctor_make_app();
    peer_remove("app", "k");
    source_use("rest", "timeout=3");
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        uint64_t before = sim_fired();
        sim_fault("%s", faults[i]);
        pid_t child = shell_spawn("dash", "exec $DATASETFS doctor --write app -o $O $S");
        assert_soon(sim_fired() > before);
        assert_ok(kill(child, SIGTERM));
        assert_int_equal(shell_wait(child), 128 + SIGTERM);
        assert_int_equal(peer_keys("app"), 0);
        assert_int_equal(sim_sessions(), 0);
        sim_clear();
    }
    doctor_assert_healthy(doctor("--write app -o $O $S"));
}

static void test_usage(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",
                                        "local:s a",
                                        "nothing",
                                        "--write",
                                        "--force local:s",
                                        "-o nothing local:s",
                                        "-o pin=x tools",
                                        "http://h/vm-1"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const struct shell_result *ran = doctor("%s", wrong[i]);
        if (ran->status != 2 || ran->out_len || strncmp(ran->err, "datasetfs: ", 11) != 0 ||
            strchr(ran->err, '\n') != ran->err + ran->err_len - 1)
            fail_msg("doctor %s: status %d: %s%s", wrong[i], ran->status, ran->out, ran->err);
    }
}

static const struct CMUnitTest tests[] = {
    HARNESS_TEST(test_healthy),    HARNESS_TEST(test_healthy_guest), HARNESS_TEST(test_device),
    HARNESS_TEST(test_program),    HARNESS_TEST(test_mounts),        HARNESS_TEST(test_guest),
    HARNESS_TEST(test_connection), HARNESS_TEST(test_certificates),  HARNESS_TEST(test_login),
    HARNESS_TEST(test_machine),    HARNESS_TEST(test_privileges),    HARNESS_TEST(test_store_file),
    HARNESS_TEST(test_damaged),    HARNESS_TEST(test_full_disk),     HARNESS_TEST(test_interrupted),
    HARNESS_TEST(test_usage),
};

HARNESS_MAIN(tests)
