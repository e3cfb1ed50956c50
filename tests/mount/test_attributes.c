/* chmod, chown and utimens: remembered by the mount alone, never widening what it lets in. */
#include "harness.h"

#include "peer.h"
#include "shell.h"
#include "stats.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOBODY 65534
#define THEN 1000000000 /* a time long ago: 2001-09-09 01:46:40 UTC */

static const struct timespec then[] = {{.tv_sec = THEN - 1}, {.tv_sec = THEN, .tv_nsec = 5}};

static void change_all(const char *path)
{
    assert_ok(chmod(path, 0400));
    assert_ok(chown(path, 12, 34));
    assert_ok(utimensat(AT_FDCWD, path, then, 0));
}

static void assert_changed(const struct stat *status)
{
    assert_int_equal(status->st_mode, S_IFREG | 0400);
    assert_int_equal(status->st_uid, 12);
    assert_int_equal(status->st_gid, 34);
    assert_int_equal(status->st_atim.tv_sec, THEN - 1);
    assert_int_equal(status->st_mtim.tv_sec, THEN);
    assert_int_equal(status->st_mtim.tv_nsec, 5);
}

/* The daemon is asked: the kernel's own memory of the attributes is over. */
static void assert_path_changed(const char *path)
{
    struct stat status;
    harness_outlive_attributes();
    assert_ok(stat(path, &status));
    assert_changed(&status);
}

static void assert_handle_changed(int fd)
{
    struct stat status;
    harness_outlive_attributes();
    assert_ok(fstat(fd, &status));
    assert_changed(&status);
}

static time_t mtime(const char *path)
{
    struct stat status;
    harness_outlive_attributes();
    assert_ok(stat(path, &status));
    return status.st_mtime;
}

static uint64_t forgotten(void)
{
    return stats_counter("m", "datasetfs_fuse_requests_total{opcode=\"forget\"}");
}

/* The other side removes the key, and the kernel notices and drops the inode. */
static void remove_and_forget(const char *key, const char *path)
{
    uint64_t before = forgotten();
    peer_remove("app", key);
    harness_outlive_attributes();
    assert_errno(open(path, O_RDONLY), ENOENT);
    assert_soon(forgotten() > before);
}

static void test_attributes_stick_but_never_widen(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_set("app", "k", "v");
    assert_int_equal(harness_mode("m/app/k"), 0600);
    assert_int_equal(chmod("m/app/k", 0777), 0);
    harness_outlive_attributes();
    assert_int_equal(harness_mode("m/app/k"), 0600);
    assert_int_equal(chmod("m/app/k", 06400), 0);
    harness_outlive_attributes();
    assert_int_equal(harness_mode("m/app/k"), 0400);
    assert_int_equal(chmod("m/app", 0777), 0);
    assert_int_equal(harness_mode("m/app"), 0700);

    int fd = harness_open("m/app/k", O_RDWR);
    struct timespec times[] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000001}};
    assert_int_equal(futimens(fd, times), 0);
    assert_int_equal(fchown(fd, 1234, 1234), 0);
    assert_int_equal(fchmod(fd, 0600), 0);
    harness_outlive_attributes();
    struct stat status;
    assert_int_equal(fstat(fd, &status), 0);
    assert_int_equal(status.st_mtime, 1000000001);
    assert_int_equal(status.st_uid, 1234);
    assert_int_equal(status.st_gid, 1234);
    assert_int_equal(status.st_mode, S_IFREG | 0600);
    assert_int_equal(close(fd), 0);
    assert_store("app", "k", "v");
    fd = open("m/app/created", O_WRONLY | O_CREAT | O_CLOEXEC, 0777);
    assert_true(fd >= 0);
    assert_int_equal(harness_mode("m/app/created"), 0600);
    assert_int_equal(close(fd), 0);
}

/* They stay over renames, in one DataSet and between two, and the store hears of nothing but the
 * renames. */
static void test_across_rename(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_create("other", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_set("app", "k", "v");
    peer_set("app", "l", "w");
    uint64_t before = stats_changes("m");
    change_all("m/app/k");
    assert_path_changed("m/app/k");
    assert_int_equal(stats_changes("m"), before);
    assert_ok(rename("m/app/k", "m/app/j"));
    assert_path_changed("m/app/j");
    assert_ok(rename("m/app/j", "m/other/k"));
    assert_path_changed("m/other/k");
    assert_int_equal(stats_changes("m"), before + 4);
    /* Over a key that has attributes of its own. */
    assert_ok(chmod("m/app/l", 0200));
    assert_ok(rename("m/other/k", "m/app/l"));
    assert_path_changed("m/app/l");
    /* The old name has nothing left of them. */
    peer_set("app", "k", "again");
    assert_int_equal(harness_mode("m/app/k"), 0600);
    assert_int_not_equal(mtime("m/app/k"), THEN);
}

static void test_mv_between_datasets(void **state)
{
    harness_start_app(NULL);
    peer_create("other", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_set("app", "k", "v");
    peer_set("other", "k", "old");
    assert_sh_ok(*state, "", "chmod 400 m/app/k; chown 12:34 m/app/k");
    assert_sh_ok(*state, "", "touch -d '2001-09-09 01:46:40 UTC' m/app/k && mv -f m/app/k m/other");
    harness_outlive_attributes();
    assert_sh_ok(*state, "400 12 34 1000000000\n", "stat -c '%%a %%u %%g %%Y' m/other/k");
}

/* By an open handle, in the order rename, change, rename, and after the name was replaced: the
 * inode keeps what it has, and the new file of that name has its own. */
static void test_open_file(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_set("app", "a", "A");
    peer_set("app", "c", "C");
    int fd = harness_open("m/app/a", O_RDWR);
    assert_ok(fchmod(fd, 0400));
    assert_ok(rename("m/app/a", "m/app/b"));
    assert_ok(fchown(fd, 12, 34));
    assert_ok(futimens(fd, then));
    assert_handle_changed(fd);
    assert_path_changed("m/app/b");
    assert_ok(rename("m/app/c", "m/app/b"));
    assert_handle_changed(fd);
    struct stat status;
    assert_ok(stat("m/app/b", &status));
    assert_int_equal(status.st_mode, S_IFREG | 0600);
    assert_int_equal(status.st_uid, 0);
    assert_int_not_equal(status.st_mtime, THEN);
    harness_put(fd, "in memory");
    harness_outlive_attributes();
    assert_ok(fstat(fd, &status));
    assert_int_not_equal(status.st_mtime, THEN);
    assert_ok(futimens(fd, then));
    assert_handle_changed(fd);
    assert_ok(close(fd));

    /* An unlinked one that gets them only then. */
    fd = harness_open("m/app/b", O_RDWR);
    assert_ok(unlink("m/app/b"));
    assert_ok(fchmod(fd, 0400));
    assert_ok(fchown(fd, 12, 34));
    assert_ok(futimens(fd, then));
    assert_handle_changed(fd);
    assert_int_equal(harness_write("m/app/b", O_CREAT | O_EXCL, "new"), 0);
    assert_int_equal(harness_mode("m/app/b"), 0600);
    assert_handle_changed(fd);
    assert_ok(close(fd));
}

/* As cp -p, tar and rsync do it: before the first data, after it, and before and after a rename. */
static void test_new_file(void **state)
{
    (void)state;
    harness_start_app(NULL);
    int fd = harness_open("m/app/k", O_WRONLY | O_CREAT | O_EXCL);
    assert_ok(fchmod(fd, 0400));
    assert_ok(fchown(fd, 12, 34));
    assert_not_in_store("app", "k");
    harness_put(fd, "one");
    assert_store("app", "k", "one");
    assert_int_not_equal(mtime("m/app/k"), THEN);
    harness_put(fd, "two");
    assert_ok(futimens(fd, then));
    assert_handle_changed(fd);
    assert_ok(close(fd));
    assert_path_changed("m/app/k");
    assert_store("app", "k", "onetwo");

    fd = harness_open("m/app/.l.XXXXXX", O_WRONLY | O_CREAT | O_EXCL);
    harness_put(fd, "synchronised");
    assert_ok(close(fd));
    assert_ok(utimensat(AT_FDCWD, "m/app/.l.XXXXXX", then, 0));
    assert_ok(chown("m/app/.l.XXXXXX", 12, 34));
    assert_ok(rename("m/app/.l.XXXXXX", "m/app/l"));
    assert_ok(chmod("m/app/l", 0400));
    assert_path_changed("m/app/l");
    assert_ok(utimensat(AT_FDCWD, "m/app/l", then, 0));
    assert_path_changed("m/app/l");
}

/* To commit what is seen already is no modification: the time that was set stays. */
static void test_times_outlive_commit(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_set("app", "k", "old");
    int fd = harness_open("m/app/empty", O_WRONLY | O_CREAT);
    assert_ok(futimens(fd, then));
    assert_ok(close(fd));
    assert_soon(peer_has("app", "empty", ""));
    assert_int_equal(mtime("m/app/empty"), THEN);

    fd = harness_open("m/app/k", O_WRONLY | O_TRUNC);
    assert_ok(futimens(fd, then));
    assert_ok(fsync(fd));
    assert_store("app", "k", "");
    assert_int_equal(mtime("m/app/k"), THEN);
    harness_put(fd, "new");
    assert_int_not_equal(mtime("m/app/k"), THEN);
    assert_ok(close(fd));

    fd = harness_open("m/app/made", O_WRONLY | O_CREAT);
    assert_ok(futimens(fd, then));
    assert_ok(rename("m/app/made", "m/app/moved"));
    assert_store("app", "moved", "");
    assert_int_equal(mtime("m/app/moved"), THEN);
    assert_ok(close(fd));
    assert_int_equal(mtime("m/app/moved"), THEN);
}

/* A new value, by whomever, is a modification. */
static void test_times_end_with_content(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_set("app", "k", "v");
    assert_ok(utimensat(AT_FDCWD, "m/app/k", then, 0));
    assert_content("m/app/k", "v");
    assert_int_equal(mtime("m/app/k"), THEN);
    peer_set("app", "k", "v");
    assert_int_equal(mtime("m/app/k"), THEN);
    peer_set("app", "k", "w");
    assert_int_not_equal(mtime("m/app/k"), THEN);
    assert_ok(utimensat(AT_FDCWD, "m/app/k", then, 0));
    assert_int_equal(mtime("m/app/k"), THEN);
    assert_int_equal(harness_write("m/app/k", O_APPEND, "x"), 0);
    assert_int_not_equal(mtime("m/app/k"), THEN);
    /* One time alone leaves the other. */
    struct stat status;
    assert_ok(utimensat(AT_FDCWD, "m/app/k", then, 0));
    const struct timespec later[] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = THEN + 9}};
    assert_ok(utimensat(AT_FDCWD, "m/app/k", later, 0));
    harness_outlive_attributes();
    assert_ok(stat("m/app/k", &status));
    assert_int_equal(status.st_atime, THEN - 1);
    assert_int_equal(status.st_mtime, THEN + 9);
}

/* Until the mount ends, and not only until the kernel forgets the inode. */
static void test_forgotten_inode(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_set("app", "k", "v");
    change_all("m/app/k");
    uint64_t before = forgotten();
    assert_ok(mount(NULL, "m", NULL, MS_REMOUNT | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
    assert_soon(forgotten() > before);
    assert_path_changed("m/app/k");
    /* The same value made anew is modified. */
    remove_and_forget("k", "m/app/k");
    peer_set("app", "k", "v");
    assert_int_equal(harness_mode("m/app/k"), 0400);
    assert_int_not_equal(mtime("m/app/k"), THEN);
}

static void test_touch(void **state)
{
    harness_start_app(NULL);
    peer_set("app", "old", "v");
    assert_sh_ok(*state, "", "touch m/app/new");
    assert_soon(peer_has("app", "new", ""));
    uint64_t before = stats_changes("m");
    assert_sh_ok(*state, "", "touch m/app/old && touch m/app/new && touch -c m/app/missing");
    assert_sh_ok(*state, "", "touch -d '2001-09-09 01:46:40 UTC' m/app/old");
    assert_sh_ok(*state, "", "touch -r m/app/old m/app/new && chmod 400 m/app/new");
    assert_int_equal(mtime("m/app/new"), THEN);
    assert_sh_ok(*state, "v", "cat m/app/old && cat m/app/new");
    assert_int_equal(stats_changes("m"), before);
    assert_sh_ok(*state, "", "touch m/app/old");
    assert_int_not_equal(mtime("m/app/old"), THEN);
    assert_int_equal(stats_changes("m"), before);
    assert_store("app", "old", "v");
    assert_int_equal(peer_keys("app"), 2);
    /* A time that is given to a key that it makes. */
    assert_sh_ok(*state, "", "touch -d '2001-09-09 01:46:40 UTC' m/app/made");
    assert_soon(peer_has("app", "made", ""));
    assert_int_equal(mtime("m/app/made"), THEN);
}

static void test_copies(void **state)
{
    harness_start_app(NULL);
    assert_sh_ok(*state, "", "echo text >f; : >e; chmod 755 f e; chown 12:34 f e");
    assert_sh_ok(*state, "", "touch -d '2001-09-09 01:46:40 UTC' f e; cp -p f e m/app");
    harness_outlive_attributes();
    assert_sh_ok(*state, "600 12 34 1000000000\n", "stat -c '%%a %%u %%g %%Y' m/app/f");
    assert_soon(peer_has("app", "e", ""));
    assert_sh_ok(*state, "600 12 34 1000000000\n", "stat -c '%%a %%u %%g %%Y' m/app/e");
    assert_sh_ok(*state, "", "cp -p m/app/f m/app/g && cmp f m/app/g");
    harness_outlive_attributes();
    assert_sh_ok(*state, "600 12 34 1000000000\n", "stat -c '%%a %%u %%g %%Y' m/app/g");
    assert_sh_ok(*state, "", "install -m 400 -o 12 -g 34 -p f m/app/i");
    harness_outlive_attributes();
    assert_sh_ok(*state, "400 12 34 1000000000\n", "stat -c '%%a %%u %%g %%Y' m/app/i");
    assert_sh_ok(*state, "", "tar c f | tar x -C m/app");
    harness_outlive_attributes();
    assert_sh_ok(*state, "600 12 34 1000000000\n", "stat -c '%%a %%u %%g %%Y' m/app/f");
}

/* A key that this mount makes anew has nothing of one that had its name. */
static void test_made_anew(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_set("app", "k", "v");
    peer_set("app", "l", "v");
    change_all("m/app/k");
    change_all("m/app/l");
    assert_ok(unlink("m/app/k"));
    assert_int_equal(harness_write("m/app/k", O_CREAT, "new"), 0);
    peer_remove("app", "l");
    harness_outlive_attributes();
    assert_int_equal(harness_write("m/app/l", O_CREAT, "new"), 0);
    for (int i = 0; i < 2; i++) {
        struct stat status;
        assert_ok(stat(i == 0 ? "m/app/k" : "m/app/l", &status));
        assert_int_equal(status.st_mode, S_IFREG | 0600);
        assert_int_equal(status.st_uid, 0);
        assert_int_not_equal(status.st_mtime, THEN);
    }
}

static void test_destroyed_dataset(void **state)
{
    (void)state;
    harness_skip_in_guest();
    harness_start_app("force");
    peer_set("app", "k", "v");
    peer_set("app", "l", "v");
    change_all("m/app/k");
    change_all("m/app/l");
    remove_and_forget("l", "m/app/l");
    assert_ok(chmod("m/app", 0500));
    assert_ok(rmdir("m/app"));
    assert_ok(mkdir("m/app", 0700));
    peer_set("app", "k", "v");
    peer_set("app", "l", "v");
    assert_int_equal(harness_mode("m/app"), 0700);
    assert_int_equal(harness_mode("m/app/k"), 0600);
    assert_int_equal(harness_mode("m/app/l"), 0600);
    assert_int_not_equal(mtime("m/app/k"), THEN);
}

static void test_never_executable(void **state)
{
    harness_start_app("umask=0");
    assert_sh_ok(*state, "",
                 "echo exit >f; chmod 7777 f; cp -p f m/app/k; install -m 755 f m/app/l");
    assert_sh_ok(*state, "", "chmod +x m/app/k; chmod a+rwxs m/app/l; umask 0; cp f m/app/n");
    harness_outlive_attributes();
    assert_sh_ok(*state, "666\n666\n666\n", "stat -c %%a m/app/k m/app/l m/app/n");
    assert_sh_ok(*state, "", "! test -x m/app/k && ! test -x m/app/l && ! test -x m/app/n");
    assert_sh_fails(*state, "ermission denied", "m/app/k");
    assert_errno(access("m/app/l", X_OK), EACCES);
    int fd = open("m/app/o", O_WRONLY | O_CREAT | O_CLOEXEC, 07777);
    assert_true(fd >= 0);
    assert_ok(fchmod(fd, 07777));
    struct stat status;
    assert_ok(fstat(fd, &status));
    assert_int_equal(status.st_mode, S_IFREG | 0666);
    assert_ok(close(fd));
}

static int chown_handle(void *fd)
{
    return fchown(*(int *)fd, NOBODY, NOBODY) == 0 ? 0 : errno;
}

static int chmod_it(void *path)
{
    return chmod(path, 0400) == 0 ? 0 : errno;
}

static int touch_it(void *path)
{
    return utimensat(AT_FDCWD, path, then, 0) == 0 ? 0 : errno;
}

static int read_it(void *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd >= 0 ? close(fd) : errno;
}

/* Nobody changes what is not his, and to be given a key opens no way to it: the root of the mount
 * stays its owner's. */
static void test_other_user(void **state)
{
    (void)state;
    harness_start_app("allow_other");
    peer_set("app", "k", "v");
    char key[] = "m/app/k";
    int fd = harness_open(key, O_RDWR);
    assert_int_equal(harness_in_child(NOBODY, chown_handle, &fd), EPERM);
    assert_int_equal(harness_in_child(NOBODY, chmod_it, key), EACCES);
    assert_int_equal(harness_in_child(NOBODY, touch_it, key), EACCES);
    assert_ok(chown("m", NOBODY, NOBODY));
    assert_ok(chown("m/app", NOBODY, NOBODY));
    assert_ok(fchown(fd, NOBODY, NOBODY));
    assert_int_equal(harness_in_child(NOBODY, read_it, key), EACCES);
    assert_ok(close(fd));
}

static void test_owner(void **state)
{
    (void)state;
    harness_start_app("allow_other,uid=65534,gid=65534");
    peer_set("app", "k", "v");
    char key[] = "m/app/k";
    assert_int_equal(harness_in_child(NOBODY, touch_it, key), 0);
    assert_int_equal(harness_in_child(NOBODY, chmod_it, key), 0);
    assert_int_equal(harness_mode(key), 0400);
    assert_int_equal(mtime(key), THEN);
    assert_int_equal(harness_in_child(NOBODY + 1, touch_it, key), EACCES);
}

static const struct CMUnitTest tests[] = {
    HARNESS_TEST(test_attributes_stick_but_never_widen),
    HARNESS_TEST(test_across_rename),
    HARNESS_SHELLS(test_mv_between_datasets),
    HARNESS_TEST(test_open_file),
    HARNESS_TEST(test_new_file),
    HARNESS_TEST(test_times_outlive_commit),
    HARNESS_TEST(test_times_end_with_content),
    HARNESS_TEST(test_forgotten_inode),
    HARNESS_SHELLS(test_touch),
    HARNESS_SHELLS(test_copies),
    HARNESS_TEST(test_made_anew),
    HARNESS_TEST(test_destroyed_dataset),
    HARNESS_SHELLS(test_never_executable),
    HARNESS_TEST(test_other_user),
    HARNESS_TEST(test_owner),
};

HARNESS_MAIN(tests)
