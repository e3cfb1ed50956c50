/* doctor about all machines of a vCenter, or of a directory: what it finds, what that costs, and
 * which of them it names. */
#include "harness.h"

#include "doctor.h"
#include "peer.h"
#include "sim.h"
#include "sim_rest.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MACHINES = 20 };

/* Store files of machines w01 to w20. */
static void make_files(void)
{
    assert_sh_ok("dash", "",
                 "mkdir d && $DATASETFS create local:d/w01.db app &&"
                 " $DATASETFS set local:d/w01.db app k 'secret value' &&"
                 " for i in $(seq -w 2 %d); do cp d/w01.db d/w$i.db; done",
                 MACHINES);
}

/* The same behind a simulated vCenter: $S and $O. */
static void start(void)
{
    make_files();
    sim_start_rest_with("--place", "folder=group-v1=prod", "--vm-directory", "d");
    assert_ok(setenv("S", sim_rest_url(), 1));
    assert_ok(setenv("O", sim_rest_options("timeout=20"), 1));
}

static void test_directory(void **state)
{
    (void)state;
    make_files();
    const struct shell_result *ran = doctor("local:d/");
    doctor_check(__LINE__, ran, 0, "ok", "directory", "d/");
    doctor_check(__LINE__, ran, 0, "ok", "store", "each of the 20 can be read");
    doctor_check(__LINE__, ran, 0, "ok", "machines", "20");
    doctor_check(__LINE__, ran, 0, "ok", "list",
                 "8 of the 8 machines that were tried; DataSets "
                 "there: 8");
    assert_null(strstr(ran->out, "secret"));
    assert_doctor(0, "ok", "machines", "2 that -o lets through",
                  "-o machines=w01,machines=w02 local:d/");
    assert_doctor(0, "warning", "machines", "look at -o folder=", "-o machines=x local:d/");
    assert_doctor(1, "FAILED", "directory", "make it", "local:none/");
    assert_doctor(1, "FAILED", "directory", "without the slash", "local:d/w01.db/");
    assert_ok(mkdir("m", 0700));
    assert_doctor(0, "warning", "machines", "let there be some", "local:m/");
}

/* Each store that is none is named, of many some. */
static void test_bad_stores(void **state)
{
    (void)state;
    make_files();
    assert_sh_ok("dash", "",
                 "echo text >d/bad.db; : >d/empty.db; chmod 600 d/*; chmod 666 d/w07.db");
    const struct shell_result *ran = doctor("local:d/");
    doctor_check(__LINE__, ran, 1, "FAILED", "store", "d/bad.db is not a datasetfs store -- move");
    doctor_check(__LINE__, ran, 1, "FAILED", "store", "d/empty.db is empty");
    doctor_check(__LINE__, ran, 1, "FAILED", "store", "d/w07.db");
    assert_int_equal(doctor_lines(ran->out, "FAILED", "store", ""), 3);
    assert_int_equal(doctor_lines(ran->out, "ok", "store", ""), 0);
    assert_sh_ok("dash", "", "for i in $(seq 12); do cp d/bad.db d/bad$i.db; done");
    ran = doctor("local:d/");
    doctor_check(__LINE__, ran, 1, "FAILED", "store", "the same holds for 7 more");
    assert_int_equal(doctor_lines(ran->out, "FAILED", "store", ""), 9);
}

/* One listing, one question of some machines, one session, which ends. */
static void test_vcenter(void **state)
{
    (void)state;
    start();
    const struct shell_result *ran = doctor("-o $O $S");
    assert_int_equal(ran->status, 0);
    assert_int_equal(ran->err_len, 0);
    doctor_check(__LINE__, ran, 0, "ok", "URL", "all its machines");
    doctor_check(__LINE__, ran, 0, "ok", "TLS", "it answers");
    doctor_check(__LINE__, ran, 0, "ok", "login", SIM_CREDENTIALS);
    doctor_check(__LINE__, ran, 0, "ok", "rate", "at most 200 requests a second, 24 at once");
    doctor_check(__LINE__, ran, 0, "ok", "machines", "20");
    doctor_check(__LINE__, ran, 0, "ok", "list", "8 of the 8 machines that were tried");
    assert_int_equal(sim_log_count("rest-login"), 1);
    assert_int_equal(sim_log_count("rest=rest-vms"), 1);
    assert_int_equal(sim_log_count("rest-list "), 8);
    assert_int_equal(sim_sessions(), 0);
    assert_doctor(0, "ok", "rate", "at most 20 requests a second, 4 at once",
                  "-o $O,rate=20,parallel=4 $S");
    assert_doctor(0, "warning", "rate", "any number of requests a second", "-o $O,rate=0 $S");
    assert_doctor(0, "warning", "rate", "9000 requests a second", "-o $O,rate=9000 $S");
    assert_doctor(0, "ok", "machines", "3 that -o lets through",
                  "-o $O,machines=w01,machines=w02,machines=w03 $S");
}

/* What is wrong with the server or the login is told as of one machine. */
static void test_no_vcenter(void **state)
{
    (void)state;
    start();
    assert_doctor(1, "FAILED", "certificate", "/certs/download.zip",
                  "-o credentials=" SIM_CREDENTIALS " $S");
    assert_doctor(1, "skipped", "machines", "the server cannot be used",
                  "-o credentials=" SIM_CREDENTIALS " $S");
    assert_doctor(1, "FAILED", "credentials", "no credentials", "-o cacert=" SIM_CA " $S");
    assert_int_equal(harness_write("wrong", O_CREAT, "username=a\npassword=b\n"), 0);
    const struct shell_result *ran = doctor("-o cacert=" SIM_CA ",credentials=wrong $S");
    doctor_check(__LINE__, ran, 1, "FAILED", "login", "five refusals may lock the account");
    doctor_check(__LINE__, ran, 1, "skipped", "machines", "nobody is logged in");
    doctor_check(__LINE__, ran, 1, "skipped", "list", "no machine can be asked");
    sim_fault("status=503:command=rest-login");
    assert_doctor(1, "FAILED", "login", "have idle sessions ended", "-o $O $S");
    sim_clear();
    assert_int_equal(sim_sessions(), 0);
    sim_stop();
    assert_doctor(1, "FAILED", "TCP", "correct HOST and PORT", "-o $O $S");
}

/* What this user may not see or do, and what is too old. */
static void test_privileges(void **state)
{
    (void)state;
    start();
    sim_fault("error=UNAUTHORIZED:command=rest-vms");
    assert_doctor(1, "FAILED", "machines", "System.Read", "-o $O $S");
    assert_doctor(1, "skipped", "list", "no machines to ask", "-o $O $S");
    sim_clear();
    assert_doctor(1, "FAILED", "machines", "correct -o folder=", "-o $O,folder=none $S");
    sim_fault("status=404:command=rest-vms");
    assert_doctor(1, "FAILED", "machines", "mount one machine by its id", "-o $O $S");
    sim_clear();
    sim_fault("error=UNAUTHORIZED:command=rest-list");
    const struct shell_result *ran = doctor("-o $O $S");
    doctor_check(__LINE__, ran, 1, "FAILED", "list", "w01: ");
    doctor_check(__LINE__, ran, 1, "FAILED", "list", "w20: ");
    doctor_check(__LINE__, ran, 1, "FAILED", "list", "VirtualMachine.DataSets.*");
    assert_int_equal(doctor_lines(ran->out, "FAILED", "list", ""), 8);
    assert_int_equal(doctor_lines(ran->out, "ok", "list", ""), 0);
    assert_int_equal(doctor_lines(ran->out, "skipped", "list", ""), 0);
    sim_clear();
    sim_fault("error=UNAUTHORIZED:vm=%s:command=rest-list", sim_control("id w20") + 3);
    ran = doctor("-o $O $S");
    doctor_check(__LINE__, ran, 1, "ok", "list", "7 of the 8 machines");
    assert_int_equal(doctor_lines(ran->out, "FAILED", "list", "w20: "), 1);
    sim_clear();
    sim_control("state %s unsupported", sim_control("id w01") + 3);
    ran = doctor("-o $O $S");
    doctor_check(__LINE__, ran, 0, "warning", "list",
                 "w01: the virtual machine's hardware is vmx-19");
    doctor_check(__LINE__, ran, 0, "ok", "list", "7 of the 8 machines");
    assert_int_equal(sim_sessions(), 0);
}

/* Machines are told by the names that they have in a mount, and those that have none counted. */
static void test_names(void **state)
{
    (void)state;
    char id[32];
    start();
    snprintf(id, sizeof id, "%s", sim_control("id w01") + 3);
    sim_control("rename %s w02", id);
    sim_fault("error=UNAUTHORIZED:vm=%s:command=rest-list", id);
    char words[64];
    snprintf(words, sizeof words, "w02%%%s: ", id);
    assert_doctor(1, "FAILED", "list", words, "-o $O $S");
    sim_clear();
    sim_control("rename %s w01", id);
    for (int i = 1; i <= MACHINES; i++) {
        snprintf(id, sizeof id, "%s", sim_control("id w%02d", i) + 3);
        sim_control("state %s unsupported", id);
    }
    const struct shell_result *ran = doctor("-o $O $S");
    doctor_check(__LINE__, ran, 0, "skipped", "list", "of no machine that was tried");
    assert_int_equal(doctor_lines(ran->out, "warning", "list", ""), 8);
    assert_int_equal(
        harness_write("reply", O_CREAT, "200 application/json\n[{\"vm\":\"vm-1\",\"name\":7}]"), 0);
    sim_fault("say=%s/reply:command=rest-vms", harness_dir());
    assert_doctor(0, "warning", "machines", "1 have names or ids that no mount can show",
                  "-o $O $S");
}

/* Mounts of the SOURCE are found as those of one machine are; a key needs one machine. */
static void test_mounts(void **state)
{
    (void)state;
    char source[PATH_MAX];
    make_files();
    snprintf(source, sizeof source, "local:%.2000s/d/", harness_dir());
    assert_doctor(0, "ok", "mounts", "none of this SOURCE", "local:d/");
    harness_start_source("m", source, NULL);
    assert_doctor(0, "ok", "mounts", "1 of this SOURCE", "local:d/");
    const struct shell_result *ran = doctor("--write app local:d/");
    assert_int_equal(ran->status, 2);
    assert_non_null(strstr(ran->err, "SOURCE is all machines: name one"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HARNESS_TEST(test_directory),  HARNESS_TEST(test_bad_stores), HARNESS_TEST(test_vcenter),
        HARNESS_TEST(test_no_vcenter), HARNESS_TEST(test_privileges), HARNESS_TEST(test_names),
        HARNESS_TEST(test_mounts),
    };
    harness_begin();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    harness_end();
    return failed > 0;
}
