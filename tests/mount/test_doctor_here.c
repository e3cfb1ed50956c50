/* doctor about this machine: what it is, what a mount needs on it, and the mounts that there are.
 */
#include "harness.h"

#include "doctor.h"
#include "peer.h"
#include "sim.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* The steps about a hypervisor where /sys has what `fill` puts there. */
#define IN_MACHINE(fill)                                                                           \
    "exec unshare -m sh -c 'mount -t tmpfs none /sys && mkdir -p /sys/class/dmi/id && cd "         \
    "/sys/class/dmi/id && " fill " && cd $OLDPWD && exec $DATASETFS doctor tools'"

static void test_hypervisor(void **state)
{
    (void)state;
    doctor_make_app();
    sim_start(NULL);
    sim_vsock_begin(NULL, NULL, NULL);
    assert_run(0, "ok", "hypervisor", "VMware, Inc. VMware20,1",
               IN_MACHINE("echo VMware, Inc. >sys_vendor && echo VMware20,1 >product_name"));
    assert_run(0, "warning", "hypervisor", "this machine is QEMU Standard PC, not VMware",
               IN_MACHINE("echo QEMU >sys_vendor && echo Standard PC >product_name"));
    assert_run(0, "warning", "hypervisor", "there is one, but nothing tells",
               IN_MACHINE("echo \"flags : fpu hypervisor lahf\" >info && "
                          "mount --bind info /proc/cpuinfo"));
    assert_run(0, "warning", "hypervisor", "this is no virtual machine",
               IN_MACHINE("echo \"flags : fpu\" >info && mount --bind info /proc/cpuinfo"));
    assert_doctor(0, "skipped", "hypervisor", "a socket instead", "%s", sim_source());
}

/* Its version is what it says, whatever it is. */
static void test_version(void **state)
{
    (void)state;
    doctor_make_app();
    assert_run(
        0, "ok", "fusermount3", "/bin/fusermount3, one",
        "mkdir bin; printf '#!/bin/sh\\necho one; echo two\\n' >bin/fusermount3; "
        "chmod +x bin/fusermount3; PATH=$PWD/bin:$PATH exec \"$DATASETFS\" doctor local:s.db");
    assert_run(0, "ok", "fusermount3", "/bin/fusermount3, of an unknown version",
               "echo no program >bin/fusermount3; "
               "PATH=/nowhere:$PWD/bin exec \"$DATASETFS\" doctor local:s.db");
}

static void test_mounts(void **state)
{
    (void)state;
    doctor_make_app();
    assert_ok(mkdir("above", 0700));
    struct harness_daemon *daemon = harness_start("above/m", NULL);
    assert_doctor(0, "ok", "mounts", "1 of this SOURCE", HARNESS_SOURCE);
    assert_run(0, "warning", "mounts", "above/m: No such file or directory",
               "exec unshare -m sh -c 'mount -t tmpfs none above && "
               "exec $DATASETFS doctor " HARNESS_SOURCE "'");
    harness_kill(daemon);
    const struct shell_result *ran = doctor(HARNESS_SOURCE);
    doctor_check(__LINE__, ran, 1, "FAILED", "mounts", "is dead");
    assert_int_equal(doctor_lines(ran->out, "ok", "mounts", ""), 0);
    assert_run(0, "skipped", "mounts", "cannot be read",
               "mkdir gone && cd gone && rmdir ../gone && exec $DATASETFS doctor local:s.db");
#if HARNESS_SLOWNESS == 1 /* sanitizers need it themselves */
    assert_run(0, "skipped", "mounts", "cannot be read",
               "exec unshare -m sh -c 'mount -t tmpfs none /proc && "
               "exec $DATASETFS doctor " HARNESS_SOURCE "'");
#endif
}

static const struct CMUnitTest tests[] = {
    HARNESS_TEST(test_hypervisor),
    HARNESS_TEST(test_version),
    HARNESS_TEST(test_mounts),
};

HARNESS_MAIN(tests)
