/* Other users: they stay out, or are let in as the owner, the group and the modes say. */
#include "harness.h"

#include "peer.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define NOBODY 65534

static int enter(void *path)
{
    struct stat status;
    return stat(path, &status) == 0 ? 0 : errno;
}

static int open_for_reading(void *path)
{
    int fd = open(path, O_RDONLY);
    return fd >= 0 ? 0 : errno;
}

static int write_and_read(void *path)
{
    int error = -harness_write(path, O_CREAT | O_TRUNC, "mine");
    char got[8] = "";
    if (!error && (harness_read(path, got, sizeof got) != 4 || strcmp(got, "mine") != 0))
        error = EIO;
    return error;
}

static int write_only(void *path)
{
    return -harness_write(path, O_CREAT, "x");
}

static void test_other_user_stays_out(void **state)
{
    (void)state;
    harness_start_app(NULL);
    char point[] = "m";
    char key[] = "m/app/k";
    peer_set("app", "k", "v");
    assert_int_equal(harness_in_child(NOBODY, enter, point), EACCES);
    assert_int_equal(harness_in_child(NOBODY, open_for_reading, key), EACCES);
    assert_int_equal(harness_in_child(0, open_for_reading, key), 0);
}

static void test_allow_other(void **state)
{
    (void)state;
    harness_start_app("allow_other");
    char point[] = "m";
    char dataset[] = "m/app";
    char key[] = "m/app/k";
    char created[] = "m/app/created";
    char stats[] = "m/.datasetfs/stats";
    peer_set("app", "k", "v");
    /* Let in, modes decide: root's own are 0700 and 0600. */
    assert_int_equal(harness_in_child(NOBODY, enter, point), 0);
    assert_int_equal(harness_in_child(NOBODY, open_for_reading, dataset), EACCES);
    assert_int_equal(harness_in_child(NOBODY, open_for_reading, key), EACCES);
    assert_int_equal(harness_in_child(NOBODY, write_only, created), EACCES);
    assert_int_equal(harness_in_child(NOBODY, enter, stats), EACCES);
    assert_int_equal(harness_in_child(0, open_for_reading, key), 0);
    assert_int_equal(harness_in_child(0, open_for_reading, stats), 0);
    assert_not_in_store("app", "created");
}

static void test_uid(void **state)
{
    (void)state;
    harness_start_app("allow_other,uid=65534,gid=65534,umask=077");
    char key[] = "m/app/k";
    assert_int_equal(harness_in_child(NOBODY, write_and_read, key), 0);
    assert_store("app", "k", "mine");
    assert_int_equal(harness_in_child(NOBODY + 1, open_for_reading, key), EACCES);
    struct stat status;
    assert_int_equal(stat(key, &status), 0);
    assert_int_equal(status.st_uid, NOBODY);
    assert_int_equal(status.st_gid, NOBODY);
    assert_int_equal(status.st_mode, S_IFREG | 0600);
    peer_access("app", DS_ACCESS_READ_ONLY, DS_ACCESS_UNKNOWN);
    assert_int_equal(harness_in_child(NOBODY, write_and_read, key), EACCES);
    assert_store("app", "k", "mine");
}

/* Three users: the owner, one of the group, and a stranger. */
enum { OWNER = 65534, MEMBER = 65533, STRANGER = 65532, GROUP = 4711 };

struct deed {
    uid_t uid;
    gid_t gid;
    int (*function)(void *argument);
    char *path;
};

static int do_as(void *argument)
{
    const struct deed *deed = argument;
    if (setgroups(0, NULL) != 0 || setresgid(deed->gid, deed->gid, deed->gid) != 0 ||
        setresuid(deed->uid, deed->uid, deed->uid) != 0)
        return -1;
    return deed->function(deed->path);
}

static int as(uid_t uid, int (*function)(void *argument), const char *path)
{
    char copy[64];
    snprintf(copy, sizeof copy, "%s", path);
    struct deed deed = {
        .uid = uid, .gid = uid == MEMBER ? GROUP : uid, .function = function, .path = copy};
    return harness_in_child(0, do_as, &deed);
}

static int create(void *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0777);
    return fd < 0 ? errno : close(fd) == 0 ? 0 : errno;
}

static int list_it(void *path)
{
    DIR *listing = opendir(path);
    return listing == NULL ? errno : closedir(listing) == 0 ? 0 : errno;
}

static int run_it(void *path)
{
    char *arguments[] = {path, NULL};
    execv(path, arguments);
    return errno;
}

static int remove_it(void *path)
{
    return unlink(path) == 0 ? 0 : errno;
}

/* A group may read, and nobody else anything. */
static void test_group_reads(void **state)
{
    (void)state;
    harness_start_app("allow_other,uid=65534,gid=4711,umask=027");
    peer_create("none", DS_ACCESS_NONE, DS_ACCESS_READ_WRITE);
    peer_create("ro", DS_ACCESS_READ_ONLY, DS_ACCESS_READ_WRITE);
    peer_set("app", "k", "v");
    peer_set("ro", "k", "v");
    assert_int_equal(harness_mode("m"), 0750);
    assert_int_equal(harness_mode("m/app"), 0750);
    assert_int_equal(harness_mode("m/app/k"), 0640);
    assert_int_equal(harness_mode("m/ro"), 0550);
    assert_int_equal(harness_mode("m/ro/k"), 0440);
    assert_int_equal(harness_mode("m/none"), 0);

    assert_int_equal(as(OWNER, write_and_read, "m/app/k"), 0);
    assert_int_equal(as(OWNER, create, "m/app/o"), 0);
    assert_int_equal(as(MEMBER, open_for_reading, "m/app/k"), 0);
    assert_int_equal(as(MEMBER, list_it, "m/app"), 0);
    assert_int_equal(as(MEMBER, open_for_reading, "m/ro/k"), 0);
    assert_int_equal(as(MEMBER, write_only, "m/app/k"), EACCES);
    assert_int_equal(as(MEMBER, create, "m/app/new"), EACCES);
    assert_int_equal(as(MEMBER, remove_it, "m/app/k"), EACCES);
    assert_int_equal(as(MEMBER, run_it, "m/app/k"), EACCES);
    assert_int_equal(as(MEMBER, list_it, "m/none"), EACCES);
    assert_int_equal(as(MEMBER, list_it, "m/.datasetfs"), EACCES);
    assert_int_equal(as(STRANGER, list_it, "m"), EACCES);
    assert_int_equal(as(STRANGER, open_for_reading, "m/app/k"), EACCES);
    /* The owner's chmod narrows. */
    assert_ok(chmod("m/app/k", 0600));
    harness_outlive_attributes();
    assert_int_equal(as(MEMBER, open_for_reading, "m/app/k"), EACCES);
    assert_ok(chmod("m/app/k", 0777));
    harness_outlive_attributes();
    assert_int_equal(as(MEMBER, open_for_reading, "m/app/k"), 0);
    assert_int_equal(as(MEMBER, write_only, "m/app/k"), EACCES);
}

static int rename_it(void *path)
{
    char to[80];
    snprintf(to, sizeof to, "%s2", (char *)path);
    return rename(path, to) != 0 || rename(to, path) != 0 ? errno : 0;
}

static int make_directory(void *path)
{
    return mkdir(path, 0700) != 0 || rmdir(path) != 0 ? errno : 0;
}

static int remove_directory(void *path)
{
    return rmdir(path) == 0 ? 0 : errno;
}

static int narrow(void *path)
{
    return chmod(path, 0640) == 0 ? 0 : errno;
}

static int give_away(void *path)
{
    return chown(path, (uid_t)-1, 0) == 0 ? 0 : errno;
}

static int empty_it(void *path)
{
    return truncate(path, 0) == 0 ? 0 : errno;
}

static int touch_it(void *path)
{
    return utimensat(AT_FDCWD, path, NULL, 0) == 0 ? 0 : errno;
}

static int set_time(void *path)
{
    static const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    return utimensat(AT_FDCWD, path, times, 0) == 0 ? 0 : errno;
}

static int look(void *path)
{
    struct stat status;
    return stat(path, &status) == 0 ? 0 : errno;
}

static int ask_to_read(void *path)
{
    return access(path, R_OK) == 0 ? 0 : errno;
}

static int ask_to_write(void *path)
{
    return access(path, W_OK) == 0 ? 0 : errno;
}

static int read_attribute(void *path)
{
    char value[16];
    return getxattr(path, "user.dataset.guest", value, sizeof value) >= 0 ? 0 : errno;
}

static int change_attribute(void *path)
{
    return setxattr(path, "user.dataset.guest", "NONE", 4, 0) == 0 ? 0 : errno;
}

/* Each call, by the owner, one of the group and a stranger, where the group may read. */
static void test_three_users(void **state)
{
    static const struct {
        const char *name;
        int (*function)(void *argument);
        const char *path;
        int owner, member, stranger;
    } calls[] = {
        {"stat", look, "m/app/k", 0, 0, EACCES},
        {"stat", look, "m/app", 0, 0, EACCES},
        {"access", ask_to_read, "m/app/k", 0, 0, EACCES},
        {"access", ask_to_write, "m/app/k", 0, EACCES, EACCES},
        {"access", ask_to_write, "m/app", 0, EACCES, EACCES},
        {"getxattr", read_attribute, "m/app", 0, 0, EACCES},
        {"setxattr", change_attribute, "m/ro", 0, EACCES, EACCES},
        {"readdir", list_it, "m", 0, 0, EACCES},
        {"utimensat", touch_it, "m/app/k", 0, EACCES, EACCES},
        {"utimensat", set_time, "m/app/k", 0, EPERM, EACCES},
        {"chmod", narrow, "m/app/k", 0, EPERM, EACCES},
        {"chown", give_away, "m/app/k", EPERM, EPERM, EACCES},
        {"rename", rename_it, "m/app/k", 0, EACCES, EACCES},
        {"mkdir", make_directory, "m/new", 0, EACCES, EACCES},
        {"rmdir", remove_directory, "m/gone", 0, EACCES, EACCES},
        {"truncate", empty_it, "m/app/k", 0, EACCES, EACCES},
        {"unlink", remove_it, "m/app/k", 0, EACCES, EACCES},
    };
    (void)state;
    harness_start_app("allow_other,uid=65534,gid=4711,umask=027,xattr");
    peer_create("ro", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_ONLY);
    peer_create("gone", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_ONLY);
    peer_set("app", "k", "v");
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        int stranger = as(STRANGER, calls[i].function, calls[i].path);
        int member = as(MEMBER, calls[i].function, calls[i].path);
        int owner = as(OWNER, calls[i].function, calls[i].path);
        if (stranger != calls[i].stranger || member != calls[i].member || owner != calls[i].owner)
            fail_msg("%s %s: owner %d, member %d, stranger %d; not %d, %d, %d", calls[i].name,
                     calls[i].path, owner, member, stranger, calls[i].owner, calls[i].member,
                     calls[i].stranger);
    }
}

/* A group that works together, and everybody reads. */
static void test_group_writes(void **state)
{
    (void)state;
    harness_start_app("allow_other,uid=65534,gid=4711,umask=002");
    assert_int_equal(as(MEMBER, create, "m/app/k"), 0);
    assert_int_equal(as(MEMBER, write_and_read, "m/app/k"), 0);
    assert_int_equal(harness_mode("m/app/k"), 0664);
    assert_int_equal(as(STRANGER, open_for_reading, "m/app/k"), 0);
    assert_int_equal(as(STRANGER, list_it, "m/app"), 0);
    assert_int_equal(as(STRANGER, write_only, "m/app/k"), EACCES);
    assert_int_equal(as(STRANGER, remove_it, "m/app/k"), EACCES);
    assert_int_equal(as(MEMBER, remove_it, "m/app/k"), 0);
    assert_not_in_store("app", "k");
}

/* The kernel judges by the mode that it was shown: access given back is honoured all the same. */
static void test_given_back_to_others(void **state)
{
    (void)state;
    harness_start_app("allow_other,uid=65534");
    peer_set("app", "k", "v");
    for (int i = 0; i < 3; i++) {
        peer_access("app", DS_ACCESS_NONE, DS_ACCESS_NONE);
        assert_soon(open_for_reading((char[]){"m/app/k"}) == EACCES);
        assert_soon(as(OWNER, open_for_reading, "m/app/k") == EACCES);
        peer_access("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
        harness_outlive_attributes();
        assert_int_equal(as(OWNER, write_and_read, "m/app/k"), 0);
    }
}

static void test_umask(void **state)
{
    (void)state;
    harness_start_app("umask=0277");
    peer_set("app", "k", "v");
    assert_int_equal(harness_mode("m/app/k"), 0400);
    assert_int_equal(harness_mode("m/app"), 0500);
    assert_int_equal(chmod("m/app/k", 0600), 0);
    assert_int_equal(harness_mode("m/app/k"), 0400);
}

static const struct CMUnitTest tests[] = {
    HARNESS_TEST(test_other_user_stays_out),
    HARNESS_TEST(test_allow_other),
    HARNESS_TEST(test_uid),
    HARNESS_TEST(test_group_reads),
    HARNESS_TEST(test_group_writes),
    HARNESS_TEST(test_three_users),
    HARNESS_TEST(test_given_back_to_others),
    HARNESS_TEST(test_umask),
};

HARNESS_MAIN(tests)
