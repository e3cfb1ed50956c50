/* Other users who come by name spaces, bind mounts and /proc. */
#include "harness.h"

#include "peer.h"
#include "shell.h"
#include "sim_rest.h"

#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STRANGER = 65534 };

static int read_key(void *path)
{
    char got[16];
    ssize_t len = harness_read(path, got, sizeof got);
    return len < 0 ? (int)-len : 0;
}

/* In a user name space where he is root. */
static int read_as_its_root(void *path)
{
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
        return errno == EPERM || errno == ENOSPC || errno == EUSERS ? 255 : errno;
    return read_key(path);
}

static void test_name_space(void **state)
{
    (void)state;
    static const char *const options[] = {NULL, "allow_other"};
    char key[] = "m/app/k";
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        struct harness_daemon *daemon =
            i == 0 ? harness_start_app(options[i]) : harness_start("m", options[i]);
        if (i == 0)
            peer_set("app", "k", "value");
        int got = harness_in_child(STRANGER, read_as_its_root, key);
        if (got == 255)
            skip(); /* this system lets nobody make one */
        assert_int_equal(got, EACCES);
        /* Not even root's own children, who gave up being root for it. */
        assert_int_equal(harness_in_child(STRANGER, read_key, key), EACCES);
        assert_int_equal(harness_in_child(0, read_key, key), 0);
        harness_stop(daemon);
    }
}

/* A mount that is at "b" too. */
static struct harness_daemon *start_in_two_places(void)
{
    struct harness_daemon *daemon = harness_start_app(NULL);
    peer_set("app", "k", "value");
    assert_int_equal(mkdir("b", 0755), 0);
    assert_int_equal(mount("m", "b", NULL, MS_BIND, NULL), 0);
    return daemon;
}

/* The same mount elsewhere is no other door, and holds it when its first place is left. */
static void test_bind_mount(void **state)
{
    (void)state;
    char key[] = "b/app/k";
    struct harness_daemon *daemon = start_in_two_places();
    assert_int_equal(harness_in_child(STRANGER, read_key, key), EACCES);
    assert_int_equal(harness_in_child(0, read_key, key), 0);
    assert_int_equal(umount2("m", 0), 0);
    assert_content("b/app/k", "value");
    assert_int_equal(harness_write("b/app/k", O_TRUNC, "written"), 0);
    assert_store("app", "k", "written");
    assert_int_equal(umount2("b", 0), 0);
    harness_stop_by(daemon, 0);
}

/* When the daemon ends, the other place answers at once that nobody serves it. */
static void test_bind_mount_that_stays(void **state)
{
    (void)state;
    char key[] = "b/app/k";
    harness_stop(start_in_two_places());
    assert_false(harness_mounted("m", NULL, 0));
    assert_int_equal(harness_in_child(0, read_key, key), ENOTCONN);
    assert_int_equal(umount2("b", 0), 0);
}

/* What /proc shows of a process: the files that only those may open who may look into it. */
struct seen {
    pid_t pid;
    const char *files[8];
};

/* How many of them he may open or, if they are links, follow. */
static int look_into(void *argument)
{
    const struct seen *seen = argument;
    int open_to_him = 0;
    for (size_t i = 0; seen->files[i]; i++) {
        char path[64], text[16];
        struct stat status;
        snprintf(path, sizeof path, "/proc/%d/%s", (int)seen->pid, seen->files[i]);
        assert_int_equal(lstat(path, &status), 0);
        int fd = S_ISLNK(status.st_mode) ? -1 : open(path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0 ? pread(fd, text, 1, 0) >= 0 : readlink(path, text, sizeof text) >= 0)
            open_to_him++;
        if (fd >= 0)
            close(fd);
    }
    if (ptrace(PTRACE_ATTACH, seen->pid, NULL, NULL) == 0)
        open_to_him++;
    return open_to_him;
}

static void assert_closed(uid_t uid, pid_t pid)
{
    struct seen seen = {
        .pid = pid,
        .files = {"environ", "mem", "maps", "auxv", "cwd", "root", "exe", NULL},
    };
    assert_int_equal(harness_in_child(uid, look_into, &seen), 0);
}

static void test_proc(void **state)
{
    (void)state;
    struct harness_daemon *daemon = harness_start_app(NULL);
    assert_closed(STRANGER, daemon->pid);
    assert_closed(STRANGER, daemon->second);
    assert_closed(STRANGER, daemon->worker);
}

static int mount_of_vcenter(void *source)
{
    setenv("DATASETFS_USERNAME", SIM_USER, 1);
    setenv("DATASETFS_PASSWORD", SIM_PASSWORD, 1);
    execl(harness_binary(), "datasetfs", source, "m", "-o", "cacert=" SIM_CA, (char *)NULL);
    return 127;
}

/* True if the words stand in what the process may write to, but for the large parts that a
 * sanitizer reserves. */
static bool holds(pid_t pid, const char *words)
{
    enum { MOST_BYTES = 64 << 20 };
    char path[64], line[512];
    bool found = false;
    snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
    FILE *maps = fopen(path, "re");
    snprintf(path, sizeof path, "/proc/%d/mem", (int)pid);
    int mem = open(path, O_RDONLY | O_CLOEXEC);
    assert_non_null(maps);
    assert_true(mem >= 0);
    while (!found && fgets(line, sizeof line, maps)) {
        unsigned long begin, end;
        char rights[8];
        assert_int_equal(sscanf(line, "%lx-%lx %7s", &begin, &end, rights), 3);
        if (rights[1] != 'w' || end - begin > MOST_BYTES)
            continue;
        char *bytes = malloc(end - begin);
        assert_non_null(bytes);
        ssize_t len = pread(mem, bytes, end - begin, (off_t)begin);
        found = len > 0 && memmem(bytes, (size_t)len, words, strlen(words)) != NULL;
        free(bytes);
    }
    close(mem);
    fclose(maps);
    return found;
}

static void assert_forgotten(pid_t pid)
{
    assert_true(holds(pid, "DATASETFS_PASSWORD=")); /* they are looked for in the right places */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) /* which copy all variables */
    assert_false(holds(pid, SIM_PASSWORD));
#endif
}

/* Neither does the user whose mount it is see the password by another of his processes. */
static void test_proc_of_the_same_user(void **state)
{
    (void)state;
    struct stat status;
    char source[256];
    pid_t guard, second, worker;
    bool named = getpwuid(STRANGER) != NULL; // cppcheck-suppress getpwuidCalled
    if (access("/usr/bin/fusermount3", X_OK) != 0 || access("/etc/mtab", R_OK) != 0 || !named)
        skip();
    assert_int_equal(stat("/dev/fuse", &status), 0);
    assert_int_equal(mknod("fuse", S_IFCHR | 0600, status.st_rdev), 0);
    assert_int_equal(chmod("fuse", 0666), 0);
    assert_int_equal(mount("fuse", "/dev/fuse", NULL, MS_BIND, NULL), 0);
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    sim_start_rest(NULL);
    snprintf(source, sizeof source, "%s", sim_rest_source());
    assert_int_equal(mkdir("m", 0700), 0);
    assert_sh_ok("dash", "", "chown %d . m && chmod 644 " SIM_CA, STRANGER);
    assert_int_equal(harness_in_child(STRANGER, mount_of_vcenter, source), 0);
    assert_true(harness_mounted("m", NULL, 0));
    assert_int_equal(harness_children("datasetfs", &guard, 1), 1);
    assert_true(harness_find_family(guard, &second, &worker));
    assert_closed(STRANGER, worker);
    assert_forgotten(guard);
    assert_forgotten(second);
    assert_int_equal(kill(guard, SIGTERM), 0);
    assert_soon(!harness_mounted("m", NULL, 0));
    assert_int_equal(harness_wait_child(guard, HARNESS_SOON_MS, false), 0);
    assert_int_equal(umount2("/dev/fuse", 0), 0);
}

static const struct CMUnitTest tests[] = {
    HARNESS_TEST(test_name_space),
    HARNESS_TEST(test_bind_mount),
    HARNESS_TEST(test_bind_mount_that_stays),
    HARNESS_TEST(test_proc),
    HARNESS_TEST(test_proc_of_the_same_user),
};
HARNESS_MAIN(tests)
