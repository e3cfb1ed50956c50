/* The commands of datasetfs(8), run as they stand there. */
#include "harness.h"

#include "peer.h"
#include "shell.h"
#include "sim.h"
#include "sim_rest.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char manual[PATH_MAX];

/* Example number `n`, from 1, as the shell gets it, in the file "code"; `datasetfs` is ours. */
static void extract(int n)
{
    assert_sh_ok("dash", "",
                 "mkdir -p bin && ln -sf $DATASETFS bin/datasetfs && "
                 "awk '/^\\.Bd -literal/ {n++; inside = 1; next} /^\\.Ed/ {inside = 0} "
                 "inside && n == %d' %s | sed 's/\\\\e/\\\\/g' >code && test -s code",
                 n, manual);
}

/* Runs the command, which ends these daemons in the background in that way. */
static void end_daemons(size_t count, int how, const char *command)
{
    pid_t pids[2];
    assert_int_equal(harness_children("datasetfs", pids, 2), count);
    assert_sh_ok("dash", "", "%s", command);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(harness_wait_child(pids[i], HARNESS_SOON_MS, false), how);
}

static void test_both_sides(void **state)
{
    extract(1);
    assert_sh_ok(*state, "hello", "PATH=$PWD/bin:$PATH sh -e code");
    assert_sh_ok(*state, "hello", "$DATASETFS get local:store.db app greeting");
    assert_sh_fails(*state, "Permission denied", "echo x > guest/app/greeting");
    end_daemons(2, 0, "umount host guest");
}

/* As said there, but for the server and where its files are. */
static void test_vcenter(void **state)
{
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    sim_start_rest(NULL);
    extract(2);
    assert_sh_ok(
        *state, "app\n",
        "mkdir web-01 && "
        "sed -i 's,https://vcenter.example.com/,%s/,; s,/mnt/,,; s,/root/vcenter-ca.pem,%s,; "
        "s,/root/vcenter,%s,' code && PATH=$PWD/bin:$PATH sh -e code && ls web-01",
        sim_rest_url(), SIM_CA, SIM_CREDENTIALS);
    end_daemons(1, 0, "umount web-01");
    assert_int_equal(sim_sessions(), 0);
}

/* What it says that clears a mount whose daemon was killed does. */
static void test_killed(void **state)
{
    (void)state;
    assert_sh_ok("dash", "2\n",
                 "sed -n '/^\\.Sh DIAGNOSTICS/,/^\\.Sh/s/^\\.Ql \\(.* MOUNTPOINT\\)$/\\1/p' %s | "
                 "tee commands | wc -l",
                 manual);
    for (int line = 1; line <= 2; line++) {
        pid_t pid;
        assert_sh_ok("dash", "", "mkdir -p m && $DATASETFS local:s.db m && mkdir -p m/app");
        assert_int_equal(harness_children("datasetfs", &pid, 1), 1);
        harness_kill_family(pid);
        assert_int_equal(harness_wait_child(pid, HARNESS_SOON_MS, false), 128 + SIGKILL);
        assert_sh_fails("dash", "Transport endpoint is not connected", "ls m");
        assert_sh_ok("dash", "", "sed -n '%ds/MOUNTPOINT/m/p' commands | sh -e", line);
        assert_false(harness_mounted("m", NULL, 0));
        assert_sh_ok("dash", "app\n", "$DATASETFS local:s.db m && ls m");
        end_daemons(1, 0, "umount m");
    }
}

/* No example stands there that is not run: the third are lines for fstab (test_mount_command). */
static void test_all(void **state)
{
    (void)state;
    assert_sh_ok("dash", "3\n", "grep -c '^\\.Bd' %s", manual);
    extract(3);
    assert_sh_ok("dash", "0\n", "grep -vc ' datasetfs .* 0 0$' code || :");
}

int main(void)
{
    if (!realpath("fs/datasetfs.8", manual)) { /* run from the root of the tree */
        fprintf(stderr, "fs/datasetfs.8: %s\n", strerror(errno));
        return 1;
    }
    static const struct CMUnitTest tests[] = {
        HARNESS_SHELLS(test_both_sides),
        HARNESS_SHELLS(test_vcenter),
        HARNESS_TEST(test_killed),
        HARNESS_TEST(test_all),
    };
    harness_begin();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    harness_end();
    return failed > 0;
}
