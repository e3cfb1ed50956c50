/* scripts/demo: it tells what it has done, and leaves nothing behind. */
#include "harness.h"

#include "shell.h"

#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define USER 5 /* "games", who may not open /dev/fuse where root alone may */

static char demo[PATH_MAX];

static bool anything_mounted(void)
{
    return shell_run("bash", "grep -q \" $PWD/.*fuse.datasetfs\" /proc/self/mountinfo")->status ==
           0;
}

static void test_once(void **state)
{
    (void)state;
    const struct shell_result *ran =
        shell_run("bash", "mkdir tmp && TMPDIR=$PWD/tmp %s --once", demo);
    assert_int_equal(ran->status, 0);
    assert_int_equal(ran->err_len, 0);
    assert_non_null(strstr(ran->out, "guest# cat guest/app/greeting\nhello again\n\n"
                                     "# That was all; the mounts and the store are removed.\n"));
    assert_false(anything_mounted());
    assert_sh_ok("bash", "", "rmdir tmp");
}

static void test_once_into_a_full_file(void **state)
{
    (void)state;
    assert_sh_fails("bash", "No space left on device",
                    "mkdir tmp && TMPDIR=$PWD/tmp %s --once >/dev/full", demo);
    assert_false(anything_mounted());
    assert_sh_ok("bash", "", "rmdir tmp");
}

/* What is still mounted is named, on both sides, and not said to be removed. */
static void test_unmounting_fails(void **state)
{
    (void)state;
    assert_sh_ok("bash", "",
                 "mkdir tmp bin && printf '#!/bin/sh\\necho \"$@\" >>%s/tried; exit 1\\n' "
                 ">bin/umount && chmod +x bin/umount",
                 harness_dir());
    const struct shell_result *ran =
        shell_run("bash", "PATH=$PWD/bin:$PATH TMPDIR=$PWD/tmp %s --once", demo);
    assert_int_equal(ran->status, 1);
    assert_null(strstr(ran->out, "removed"));
    assert_non_null(strstr(ran->err, "demo: still mounted: "));
    assert_sh_ok("bash", "guest\nhost\n", "sed 's|.*/||' tried | sort");
    assert_sh_ok("bash", "", "%s --end tmp/*", demo);
    assert_false(anything_mounted());
    assert_sh_ok("bash", "", "rmdir tmp");
}

/* fusermount3 unmounts nothing where there is no /etc/mtab. */
static void test_user_without_mtab(void **state)
{
    struct stat status;
    (void)state;
    // cppcheck-suppress getpwuidCalled
    if (access("/usr/bin/fusermount3", X_OK) != 0 || !getpwuid(USER))
        skip();
    if (shell_run("bash", "setpriv --reuid %d --clear-groups test -x %s -a -x %s", USER, demo,
                  harness_binary())
            ->status != 0)
        skip(); /* a tree that this user cannot read */
    assert_int_equal(stat("/dev/fuse", &status), 0);
    assert_int_equal(mknod("fuse", S_IFCHR | 0600, status.st_rdev), 0);
    assert_int_equal(chmod("fuse", 0666), 0);
    assert_int_equal(mount("fuse", "/dev/fuse", NULL, MS_BIND, NULL), 0);
    assert_sh_ok("bash", "",
                 "mkdir tmp bin && chown %d tmp && printf '#!/bin/sh\\nexit 1\\n' "
                 ">bin/fusermount3 && chmod +x bin/fusermount3",
                 USER);
    const struct shell_result ran =
        *shell_run("bash",
                   "PATH=$PWD/bin:$PATH TMPDIR=$PWD/tmp setpriv --reuid %d --regid %d "
                   "--clear-groups %s --once",
                   USER, USER, demo);
    assert_int_equal(umount2("/dev/fuse", 0), 0);
    if (ran.status != 0)
        fail_msg("status %d: %s", ran.status, ran.err);
    assert_non_null(strstr(ran.out, "are removed"));
    assert_false(anything_mounted());
    assert_sh_ok("bash", "", "rmdir tmp");
}

static const struct CMUnitTest tests[] = {
    HARNESS_TEST(test_once),
    HARNESS_TEST(test_once_into_a_full_file),
    HARNESS_TEST(test_unmounting_fails),
    HARNESS_TEST(test_user_without_mtab),
};

int main(void)
{
    if (!realpath("scripts/demo", demo)) { /* run from the root of the tree */
        perror("scripts/demo");
        return 1;
    }
    harness_begin();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    harness_end();
    return failed > 0;
}
