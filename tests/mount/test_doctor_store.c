/* doctor about a store: what its file, its host or its vCenter lets this side do, step by step, and
 * what becomes of the key that it writes. */
#include "harness.h"

#include "doctor.h"
#include "peer.h"
#include "sim.h"
#include "sim_rest.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* The lines that end so have nothing to advise. */
static void assert_no_advice(int line, const struct shell_result *ran, const char *what)
{
    doctor_check(line, ran, 1, "FAILED", what, "");
    if (doctor_lines(ran->out, "FAILED", what, " -- "))
        fail_msg("line %d: %s", line, ran->out);
}

/* Where nothing can be read, that is said; where it failed, it is not said twice. */
static void test_reading(void **state)
{
    (void)state;
    assert_sh_ok("dash", "", "$DATASETFS create local:t.db a && $DATASETFS delete local:t.db a");
    const struct shell_result *ran = doctor("local:t.db");
    doctor_check(__LINE__, ran, 0, "skipped", "get", "no DataSet that can be read");
    assert_int_equal(doctor_lines(ran->out, "ok", "get", ""), 0);
    doctor_start_rest();
    peer_create("more", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_set("more", "a", "v");
    peer_set("more", "b", "v");
    ran = doctor("-o $O $S");
    doctor_check(__LINE__, ran, 0, "ok", "get", "read from 2 of them; keys there: 3");
    assert_int_equal(doctor_lines(ran->out, "warning", "list", ""), 0);
    peer_destroy("more");
    sim_fault("error=NOT_FOUND:command=rest-list-keys"); /* gone since it was listed */
    assert_doctor(0, "skipped", "get", "no DataSet that can be read", "-o $O $S");
    sim_clear();
    assert_int_equal(harness_write("reply", O_CREAT,
                                   "200 application/json\n[{\"data_set\":\"app\",\"name\":\"app\"},"
                                   "{\"data_set\":\"x\",\"name\":\"x\\u0000\"}]"),
                     0);
    sim_fault("say=reply:command=rest-list");
    assert_doctor(0, "warning", "list", "1 DataSets have names that no mount can show", "-o $O $S");
    sim_clear();
    sim_fault("error=UNAUTHORIZED:command=rest-query");
    ran = doctor("-o $O $S");
    doctor_check(__LINE__, ran, 1, "FAILED", "get", "VirtualMachine.DataSets.DataSetGet");
    assert_int_equal(doctor_lines(ran->out, "skipped", "get", ""), 0);
    sim_clear();
    sim_fault("error=UNAUTHORIZED:command=rest-list-keys");
    assert_doctor(1, "FAILED", "get", "VirtualMachine.DataSets.DataSetEntryList", "-o $O $S");
    sim_clear();
    sim_fault("garbage:command=rest-list");
    ran = doctor("-o $O $S");
    assert_no_advice(__LINE__, ran, "list");
    doctor_check(__LINE__, ran, 1, "skipped", "get", "there is no list");
    sim_clear();
    peer_access("app", DS_ACCESS_NONE, DS_ACCESS_NONE);
    assert_doctor(0, "warning", "get",
                  "host -- if it should be open: datasetfs update -o host_access=", "-o $O $S");
    assert_doctor(0, "warning", "get", "guest -- if it should be open, the host's side must say",
                  "%s", sim_source());
}

/* Each step of --write is carried out, once. */
static void test_write(void **state)
{
    (void)state;
    doctor_start_rest();
    doctor_assert_healthy(doctor("--write app -o $O $S"));
    assert_int_equal(sim_log_count("rest-set ", "status=204"), 2);
    assert_int_equal(sim_log_count("rest-remove ", "status=204"), 1);
    doctor_assert_healthy(doctor("--write app %s", sim_source()));
    assert_int_equal(sim_log_count("datasets-set-entry"), 2);
    assert_int_equal(sim_log_count("datasets-delete-entry"), 1);
    assert_int_equal(sim_log_count("datasets-list "), 2); /* by the host's step, and the list's */
    /* The answer to the append is lost: what is read back tells that it arrived. */
    sim_fault("close:command=datasets-set-entry:skip=1:count=1");
    doctor_assert_healthy(doctor("--write app %s", sim_source()));
    assert_int_equal(peer_keys("app"), 1);
    assert_doctor(1, "skipped", "write", "cannot be asked", "--write app tools:unix=nobody");
    /* What is read back: before it the key that is there, and what the append is to add to. */
    assert_int_equal(harness_write("reply", O_CREAT, "200 application/json\n\"other\""), 0);
    sim_fault("say=reply:command=rest-get:skip=2");
    assert_doctor(1, "FAILED", "write", "app: read back: it holds something else than was written",
                  "--write app -o $O $S");
    assert_int_equal(peer_keys("app"), 1);
}

static void remove_left(void)
{
    assert_int_equal(peer_keys("app"), 2);
    assert_sh_ok("dash", "",
                 "$DATASETFS ls -o $O $S app | grep ^datasetfs-doctor- | "
                 "xargs $DATASETFS rm -o $O $S app");
}

/* What may stay behind is named, and nothing else is. */
static void test_left(void **state)
{
    (void)state;
    doctor_start_rest();
    sim_fault("error=UNAUTHORIZED:command=rest-remove");
    assert_doctor(1, "FAILED", "write", "may be left there: vCenter refuses",
                  "--write app -o $O $S");
    sim_clear();
    remove_left();
    /* The set was carried out, and what came after it was not. */
    sim_fault("error=UNAUTHORIZED:command=rest-set:skip=1");
    const struct shell_result *ran = doctor("--write app -o $O $S");
    doctor_check(__LINE__, ran, 1, "FAILED", "write", "app: append: ");
    assert_int_equal(doctor_lines(ran->out, "FAILED", "write", "may be left there"), 0);
    assert_int_equal(peer_keys("app"), 1);
    sim_clear();
    sim_fault("error=UNAUTHORIZED:command=rest-set:skip=1");
    sim_fault("error=UNAUTHORIZED:command=rest-remove");
    ran = doctor("--write app -o $O $S");
    doctor_check(__LINE__, ran, 1, "FAILED", "write", "app: append: ");
    doctor_check(__LINE__, ran, 1, "FAILED", "write", "may be left there: vCenter refuses");
    sim_clear();
    remove_left();
    sim_fault("error=NOT_FOUND:command=rest-remove");
    assert_doctor(1, "FAILED", "write", "somebody else has removed", "--write app -o $O $S");
    sim_clear();
    /* Nobody knows whether it has arrived, or when it will. */
    sim_fault("never-reply-before:command=rest-set");
    ran = doctor("--write app -o $O,timeout=5 $S");
    doctor_check(__LINE__, ran, 1, "FAILED", "write", "app: set: ");
    doctor_check(__LINE__, ran, 1, "FAILED", "write", "it was sent, and nobody knows when");
    sim_clear();
    /* It has not. */
    sim_fault("error=UNAUTHORIZED:command=rest-set");
    ran = doctor("--write app -o $O $S");
    doctor_check(__LINE__, ran, 1, "FAILED", "write", "app: set: ");
    assert_int_equal(doctor_lines(ran->out, "FAILED", "write", "may be left there"), 0);
}

static void test_host(void **state)
{
    (void)state;
    doctor_make_app();
    sim_start(NULL);
    sim_fault("close");
    assert_no_advice(__LINE__, doctor("%s", sim_source()), "host");
}

/* As a user who has a device for mounts. */
#define AS_READER                                                                                  \
    "true >device; chmod 666 device; exec unshare -m sh -c 'mount --bind device /dev/fuse && "     \
    "exec " NOBODY "$DATASETFS doctor " HARNESS_SOURCE "'"

/* A store file whose owner is not who looks, or has a number only; what follows from no file. */
static void test_file(void **state)
{
    (void)state;
    doctor_make_app();
    peer_close();
    assert_doctor(0, "ok", "owner", "root's, mode 0600", HARNESS_SOURCE);
    assert_doctor(0, "ok", "space", "MB are free", HARNESS_SOURCE);
    const struct shell_result *ran = doctor("local:.");
    assert_int_equal(ran->status, 1);
    assert_null(strstr(ran->out, "owner: "));
    assert_no_advice(__LINE__, doctor("local:s.db/none"), "file");
    assert_ok(chmod(".", 0755));
    assert_run(1, "FAILED", "file", "Permission denied -- let this user through",
               "mkdir -m 700 closed && exec " NOBODY "$DATASETFS doctor local:closed/s.db");
    assert_ok(chmod("s.db", 0644));
    /* Who may only read it needs somebody who makes its log. */
    assert_run(1, "warning", "owner", "root's, mode 0644: this user may only read it", AS_READER);
    assert_run(1, "FAILED", "integrity", "read-only -- have it mounted by who may", AS_READER);
    harness_start("m", NULL);
    assert_run(0, "ok", "list", "DataSets: 1", AS_READER);
    assert_ok(mkdir("disk", 0755));
    assert_ok(mount("none", "disk", "tmpfs", 0, NULL));
    assert_sh_ok("dash", "", "cp -p s.db disk/s.db && chown 12345 disk/s.db");
    ran = doctor("local:disk/s.db");
    assert_non_null(strstr(ran->out, "owner: user 12345's"));
    assert_sh_ok("dash", "", "chown 0 disk/s.db");
    assert_ok(mount(NULL, "disk", NULL, MS_REMOUNT | MS_RDONLY, NULL));
    ran = doctor("local:disk/s.db");
    doctor_check(__LINE__, ran, 0, "warning", "space", "the medium is read-only");
    assert_int_equal(doctor_lines(ran->out, "warning", "owner", "may only read it"), 0);
    assert_doctor(1, "FAILED", "store", "-o ro reads it", "--write app local:disk/s.db");
    assert_ok(umount("disk"));
}

/* What a vCenter tells of itself and of the machine. */
static void test_vcenter(void **state)
{
    (void)state;
    doctor_start_rest();
    const struct shell_result *ran = doctor("-o $O $S");
    doctor_check(__LINE__, ran, 0, "ok", "URL", "the machine with the id '" SIM_VM "'");
    doctor_check(__LINE__, ran, 0, "ok", "name", "127.0.0.1");
    doctor_check(__LINE__, ran, 0, "ok", "TCP", "connected");
    doctor_check(__LINE__, ran, 0, "ok", "TLS", "it answers");
    assert_doctor(0, "warning", "certificate", "signed by CN = authority of a test, until 20",
                  "-o $O $S");
    char advice[96];
    snprintf(advice, sizeof advice, "a vCenter has its own at %s/certs/download.zip",
             sim_rest_url());
    assert_doctor(1, "FAILED", "certificate", advice, "-o credentials=" SIM_CREDENTIALS " $S");
    ran = doctor("-o $O https://no-such-host.invalid/vm-1");
    doctor_check(__LINE__, ran, 1, "FAILED", "name", "no-such-host.invalid");
    assert_null(strstr(ran->out, " certificate: "));
    assert_int_equal(harness_write("wrong", O_CREAT, "username=a\npassword=b\n"), 0);
    assert_doctor(1, "FAILED", "login", "five refusals may lock the account",
                  "-o cacert=" SIM_CA ",credentials=wrong $S");
    assert_doctor(1, "skipped", "login", "there are no credentials", "-o cacert=" SIM_CA " $S");
    assert_int_equal(harness_write("reply", O_CREAT, "200 application/json\n{}"), 0);
    sim_fault("say=reply:command=rest-vm");
    assert_doctor(0, "skipped", "hardware", "does not tell", "-o $O $S");
    assert_doctor(0, "skipped", "power", "does not tell", "-o $O $S");
    sim_stop();
    assert_sh_ok(
        "dash", "",
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 90 "
        "-subj /CN=lasting -addext subjectAltName=IP:127.0.0.1 -keyout lasting.key "
        "-out lasting.pem 2>/dev/null");
    sim_start_rest_with("--cert", "lasting.pem", "--key", "lasting.key");
    assert_doctor(0, "ok", "certificate", "CN = lasting, signed by itself, until 20",
                  "-o cacert=lasting.pem,credentials=" SIM_CREDENTIALS " $S");
}

static const struct CMUnitTest tests[] = {
    HARNESS_TEST(test_reading), HARNESS_TEST(test_write), HARNESS_TEST(test_left),
    HARNESS_TEST(test_host),    HARNESS_TEST(test_file),  HARNESS_TEST(test_vcenter),
};

HARNESS_MAIN(tests)
