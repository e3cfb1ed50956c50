/* `mount -t datasetfs`: mount(8) with the program as its helper in /sbin, as each system has it. */
#include "harness.h"

#include "peer.h"
#include "shell.h"
#include "sim.h"
#include "sim_rest.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOBODY = 65534 };

static char sbin[PATH_MAX]; /* where /sbin leads to */
static char documents[2][PATH_MAX];

/* In our own mount namespace, /sbin is a folder of links to what it had, and to the helper. */
static int install(void **state)
{
    if (harness_setup(state) != 0 || !realpath("/sbin", sbin))
        return -1;
    const struct shell_result *ran =
        shell_run("dash",
                  "mkdir m sbin before && mount --bind %s before && "
                  "ln -s $PWD/before/* sbin && cp $DATASETFS sbin/datasetfs && ln -s datasetfs "
                  "sbin/mount.datasetfs && "
                  "mount --bind sbin %s",
                  sbin, sbin);
    if (ran->status != 0)
        print_error("%s\n", ran->err);
    return ran->status;
}

static int uninstall(void **state)
{
    int lost = umount2(sbin, MNT_DETACH) | umount2("before", MNT_DETACH);
    return harness_teardown(state) | lost;
}

/* Reaps an unmounted daemon, which is ours since its parent ended. */
static void reap(void)
{
    int status = 0;
    assert_soon(waitpid(-1, &status, WNOHANG) > 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_mounts(void **state)
{
    assert_sh_ok(*state, "", "mount -t datasetfs local:$PWD/s.db m");
    assert_true(harness_mounted("m", NULL, 0));
    assert_sh_ok(*state, "x\n", "mkdir m/app && echo x > m/app/k && cat m/app/k");
    assert_store("app", "k", "x\n");
    assert_sh_ok(*state, "", "umount m");
    reap();
    assert_sh_ok(*state, "", "mount.datasetfs local:$PWD/s.db m -n -t fuse.datasetfs -o ro");
    assert_sh_fails(*state, "Read-only file system", "echo y > m/app/k");
    assert_sh_ok(*state, "", "umount m");
    reap();
}

static void test_verbose(void **state)
{
    assert_sh_ok(*state, "", "mount -v -t datasetfs local:$PWD/s.db m 2>said");
    assert_sh_ok(*state, "", "grep -qx \"datasetfs: local:$PWD/s.db mounted on $PWD/m\" said");
    assert_sh_ok(*state, "", "umount m");
    reap();
}

/* It finds what is wrong, and touches nothing. */
static void test_fake(void **state)
{
    assert_sh_ok(*state, "", "mount -f -t datasetfs -o ttl=1 local:$PWD/s.db m");
    assert_false(harness_mounted("m", NULL, 0));
    assert_errno(access("s.db", F_OK), ENOENT);
    assert_sh_fails(*state, "unknown option 'colour'",
                    "mount -f -t datasetfs -o colour=red local:$PWD/s.db m");
    assert_sh_fails(*state, "below the mount point", "mount -f -t datasetfs local:$PWD/m/s.db m");
}

static void test_sloppy(void **state)
{
    const struct shell_result *ran =
        shell_run(*state, "mount -t datasetfs -o colour=red local:$PWD/s.db m");
    assert_int_equal(ran->status, 1);
    assert_non_null(strstr(ran->err, "unknown option 'colour'"));
    assert_false(harness_mounted("m", NULL, 0));
    assert_sh_ok(*state, "", "mount -s -t datasetfs -o colour=red local:$PWD/s.db m");
    assert_true(harness_mounted("m", NULL, 0));
    assert_sh_ok(*state, "", "umount m");
    reap();
}

/* To the helper the word of a command is a SOURCE like any other. */
static void test_no_command(void **state)
{
    assert_sh_fails(*state, "unknown SOURCE 'ls'", "mount -t datasetfs ls m");
}

static void test_other_type(void **state)
{
    assert_sh_fails(*state, "expected the type datasetfs or fuse.datasetfs",
                    "mount -t datasetfs.other local:$PWD/s.db m");
}

/* mount(8) stays outside and leaves it to the helper to go in. */
static void test_name_space(void **state)
{
    assert_int_equal(mkfifo("stop", 0600), 0);
    pid_t inside = shell_spawn("bash", "exec unshare -m --propagation private bash -c "
                                       "'echo $$ >pid.new; mv pid.new pid; read -r <stop'");
    assert_soon(access("pid", F_OK) == 0);
    assert_sh_ok(*state, "", "mount -N $(cat pid) -t datasetfs local:$PWD/s.db $PWD/m");
    assert_false(harness_mounted("m", NULL, 0));
    assert_sh_ok(*state, "1\n",
                 "grep -c \" $PWD/m .* fuse.datasetfs \" /proc/$(cat pid)/mountinfo");
    assert_sh_ok(*state, "", "nsenter -m -t $(cat pid) umount $PWD/m");
    reap();
    assert_sh_ok(*state, "", "mount.datasetfs local:$PWD/s.db $PWD/m -N $(cat pid)");
    assert_false(harness_mounted("m", NULL, 0));
    assert_sh_ok(*state, "", "nsenter -m -t $(cat pid) umount $PWD/m");
    reap();
    assert_sh_fails(*state, "cannot enter the mount namespace nowhere: No such file",
                    "mount.datasetfs local:$PWD/s.db $PWD/m -N nowhere");
    assert_sh_ok(*state, "", "echo stop >stop");
    assert_int_equal(shell_wait(inside), 0);
}

/* A line's words for systemd are for systemd; the second "mount -a" finds it mounted. */
static void test_fstab(void **state)
{
    assert_sh_ok(*state, "",
                 "echo \"local:$PWD/s.db $PWD/m datasetfs "
                 "x-systemd.automount,x-systemd.idle-timeout=60,nofail,_netdev,ttl=1 0 0\" >fstab");
    const struct shell_result *ran = shell_run(*state, "findmnt --verify -F fstab 2>&1");
    assert_int_equal(ran->status, 0);
    assert_non_null(strstr(ran->out, "0 parse errors, 0 errors"));
    for (int i = 0; i < 2; i++)
        assert_sh_ok(*state, "", "mount -a -T fstab");
    assert_sh_ok(*state, "1\n", "grep -c \" $PWD/m \" /proc/self/mountinfo");
    assert_sh_ok(*state, "", "umount \"local:$PWD/s.db\"");
    reap();
}

/* A SOURCE of all machines keeps its slash, and is found mounted too. */
static void test_machines(void **state)
{
    assert_sh_ok(
        *state, "",
        "mkdir d && $DATASETFS create local:d/web-01.db app && cp d/web-01.db d/db-01.db &&"
        " echo \"local:$PWD/d/ $PWD/m datasetfs nofail,machines=web-*,rate=0 0 0\" >fstab");
    assert_sh_fails(*state, "-o rate is for https:// only", "mount -a -T fstab");
    assert_sh_ok(*state, "", "sed -i s/,rate=0// fstab");
    for (int i = 0; i < 2; i++)
        assert_sh_ok(*state, "", "mount -a -T fstab");
    assert_sh_ok(*state, "1\n", "grep -c \" $PWD/m .* local:$PWD/d/ \" /proc/self/mountinfo");
    assert_sh_ok(*state, "web-01\n", "ls m");
    assert_sh_ok(*state, "", "umount \"local:$PWD/d/\"");
    reap();
}

/* The lines for fstab in the README and in datasetfs(8), as they stand there but for the machine
 * and where files are. */
static void test_documented_fstab(void **state)
{
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    sim_start_rest(NULL);
    for (size_t i = 0; i < sizeof documents / sizeof *documents; i++) {
        assert_sh_ok(*state, "4\n",
                     "sed -n '/ datasetfs  *[^ ]*  *0 0$/s/^ *//p' %s | sed \""
                     "s,^tools ,tools:unix=$PWD/" SIM_SOCKET " ,; "
                     "s,https://vcenter.example.com\\([/ ]\\),%s\\1,; "
                     "s/_netdev/&,credentials=%s,cacert=%s/; "
                     "s,local:[^ ]*,local:$PWD/s.db,; s, /[^ ]*/, $PWD/at-,\" >fstab; "
                     "wc -l <fstab",
                     documents[i], sim_rest_url(), SIM_CREDENTIALS, SIM_CA);
        assert_sh_ok(*state, "", "mkdir -p $(awk '{print $2}' fstab) && mount -a -T fstab");
        assert_sh_ok(*state, "4\n",
                     "grep -c \" $PWD/at-.* - fuse.datasetfs \" /proc/self/mountinfo");
        assert_sh_ok(*state, "app\napp\napp\napp\n",
                     "ls at-datasets; ls at-web-01; ls at-vc/" SIM_VM_NAME "; ls at-app");
        pid_t pids[4];
        assert_int_equal(harness_children("mount.datasetfs", pids, 4), 4);
        assert_sh_ok(*state, "", "umount at-datasets at-web-01 at-vc at-app");
        for (int mount = 0; mount < 4; mount++)
            assert_int_equal(harness_wait_child(pids[mount], HARNESS_SOON_MS, false), 0);
    }
}

/* What a user may mount is the user's own, and the user's to unmount. */
static void test_user_mount(void **state)
{
    struct stat fusermount;
    if (stat("/usr/bin/fusermount3", &fusermount) != 0 || !(fusermount.st_mode & S_ISUID))
        skip();
    assert_sh_ok(*state, "",
                 "mkdir own && chown %d own m && "
                 "echo \"local:$PWD/own/s.db $PWD/m datasetfs user,noauto 0 0\" >fstab && "
                 "chmod 644 fstab",
                 NOBODY);
    /* Not every machine lets its users open the device. */
    assert_sh_ok(*state, "", "mknod -m 666 fuse c 10 229");
    assert_int_equal(mount("fuse", "/dev/fuse", NULL, MS_BIND, NULL), 0);
    assert_int_equal(mount("fstab", "/etc/fstab", NULL, MS_BIND, NULL), 0);
    const struct shell_result ran =
        *shell_run(*state,
                   "setpriv --reuid %d --regid %d --clear-groups sh -c "
                   "'mount m && mkdir m/app && echo x >m/app/k && cat m/app/k && umount m'",
                   NOBODY, NOBODY);
    assert_int_equal(umount2("/etc/fstab", MNT_DETACH), 0);
    assert_int_equal(umount2("/dev/fuse", MNT_DETACH), 0);
    print_message("%s", ran.err);
    assert_int_equal(ran.status, 0);
    assert_string_equal(ran.out, "x\n");
    reap();
    struct stat store;
    assert_int_equal(stat("own/s.db", &store), 0);
    assert_int_equal(store.st_uid, NOBODY);
}

#define INSTALLED_SHELLS(function)                                                                 \
    {#function " (bash)", function, install, uninstall, "bash"},                                   \
    {                                                                                              \
#function " (dash)", function, install, uninstall, "dash"                                  \
    }

int main(void)
{
    if (!realpath("README.md", documents[0]) || !realpath("fs/datasetfs.8", documents[1])) {
        fprintf(stderr, "README.md: %s\n", strerror(errno)); /* run from the root of the tree */
        return 1;
    }
    static const struct CMUnitTest tests[] = {
        INSTALLED_SHELLS(test_mounts),     INSTALLED_SHELLS(test_verbose),
        INSTALLED_SHELLS(test_fake),       INSTALLED_SHELLS(test_sloppy),
        INSTALLED_SHELLS(test_no_command), INSTALLED_SHELLS(test_other_type),
        INSTALLED_SHELLS(test_name_space), INSTALLED_SHELLS(test_fstab),
        INSTALLED_SHELLS(test_user_mount), INSTALLED_SHELLS(test_documented_fstab),
        INSTALLED_SHELLS(test_machines),
    };
    harness_begin();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    harness_end();
    return failed > 0;
}
