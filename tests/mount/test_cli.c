/* The command line: what is accepted, what is refused and how, and starting in the background. */
#include "harness.h"

#include "peer.h"
#include "shell.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* In our own mount namespace we can install it where mount(8)'s shell looks. */
#define INSTALLED "/usr/local/sbin"

/* `$DATASETFS arguments` ends with this status and one line on standard error in which `words`
 * stand, and mounts nothing. Returns that line. */
static const char *refused(const char *arguments, int status, const char *words)
{
    const struct shell_result *ran = shell_run("dash", "$DATASETFS %s", arguments);
    char *newline = strchr(ran->err, '\n');
    if (ran->status != status || !newline || newline[1] != '\0' || !strstr(ran->err, words))
        fail_msg("datasetfs %s: status %d, not %d, or not one line with '%s': '%s'", arguments,
                 ran->status, status, words, ran->err);
    assert_int_equal(ran->out_len, 0);
    assert_false(harness_mounted("m", NULL, 0));
    return ran->err;
}

/* Reaps an unmounted daemon that has put itself into the background (its orphans are ours). */
static void reap_background(void)
{
    int status = 0;
    assert_soon(waitpid(-1, &status, WNOHANG) > 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void end_background(void)
{
    assert_int_equal(umount2("m", 0), 0);
    reap_background();
}

static void test_help_and_version(void **state)
{
    (void)state;
    static const char *const words[] = {
        "SOURCE", "MOUNTPOINT", "-o",     "-f",       "-d",          "-V",
        "side=",  "ttl=",       "cache=", "timeout=", "force",       "max_threads",
        "xattr",  "umask",      "uid=",   "gid=",     "host_access", "description"};
    const struct shell_result *ran = shell_run("dash", "$DATASETFS -h");
    assert_int_equal(ran->status, 0);
    assert_int_equal(ran->err_len, 0);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!strstr(ran->out, words[i]))
            fail_msg("-h does not tell of %s", words[i]);
    }
    ran = shell_run("dash", "$DATASETFS -V");
    assert_int_equal(ran->status, 0);
    assert_non_null(strstr(ran->out, "datasetfs"));
    assert_non_null(strstr(ran->out, DS_VERSION));
    assert_non_null(strstr(ran->out, "libfuse 3."));
    assert_non_null(strstr(ran->out, "jansson 2."));
    assert_non_null(strstr(ran->out, "SQLite 3."));
    assert_non_null(strstr(ran->out, "libcurl "));
}

static void test_output_that_fails(void **state)
{
    static const char *const flags[] = {"-h", "-V"};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        assert_sh_fails(*state, "No space left on device", "$DATASETFS %s >/dev/full", flags[i]);
        assert_sh_fails(*state, "Bad file descriptor", "$DATASETFS %s >&-", flags[i]);
    }
}

static void test_usage_errors(void **state)
{
    (void)state;
    assert_int_equal(mkdir("m", 0700), 0);
    refused("local:s.db m -o nonsense", 1, "nonsense");
    refused("local:s.db m -o ro,colour=red", 1, "colour");
    refused("local:s.db m --nonsense", 1, "nonsense");
    refused("local:s.db m -x", 1, "x");
    refused("local:s.db m extra", 1, "extra");
    refused("local:s.db m -o", 1, "-o");
    refused("local:s.db", 1, "MOUNTPOINT");
    refused("", 1, "SOURCE");
    refused("local:s.db m -o timeout=soon", 1, "timeout");
    refused("local:s.db m -o timeout=0", 1, "timeout");
    refused("local:s.db m -o ttl=-1", 1, "ttl");
    refused("local:s.db m -o max_threads=1", 1, "max_threads");
    refused("local:s.db m -o cache=lots", 1, "cache");
    refused("local:s.db m -o umask=9", 1, "umask");
    refused("local:s.db m -o uid=somebody", 1, "uid");
    refused("local:s.db m -o side=both", 1, "side");
    refused("local:s.db m -o host_access=SOMETIMES", 1, "host_access");
    refused("local:s.db m -o timeout", 1, "timeout");
    assert_errno(access("s.db", F_OK), ENOENT); /* not even touched */
}

static void test_bad_sources(void **state)
{
    (void)state;
    assert_int_equal(mkdir("m", 0700), 0);
    refused("bogus m", 1, "bogus");
    refused("s.db m", 1, "s.db");
    refused("local: m", 1, "local:");
    refused("'' m", 1, "SOURCE");
    refused("http://vcenter.example/vm-42 m", 1, "http");
    const char *line = refused("https://user:secret@vcenter.example/vm-42 m", 1, "password");
    assert_null(strstr(line, "secret"));
    line = refused("http://user:secret@vcenter.example/vm-42 m", 1, "http");
    assert_null(strstr(line, "secret"));
}

/* A file that is no store is refused and stays as it is. */
static void test_not_a_store(void **state)
{
    (void)state;
    assert_int_equal(mkdir("m", 0700), 0);
    assert_sh_ok("dash", "", "seq 1 2000 > s.db && cp s.db copy");
    refused("local:s.db m", 32, "s.db");
    assert_sh_ok("dash", "", "cmp s.db copy && test ! -e s.db-wal");
    assert_int_equal(mkdir("dir", 0700), 0);
    refused("local:dir m", 32, "dir");
    refused("local:missing/s.db m", 32, "missing/s.db");
}

static void test_read_only_directory(void **state)
{
    (void)state;
    assert_int_equal(mkdir("m", 0700), 0);
    assert_int_equal(mkdir("sealed", 0700), 0);
    assert_int_equal(mount("tmpfs", "sealed", "tmpfs", MS_RDONLY, NULL), 0);
    refused("local:sealed/s.db m", 32, "sealed/s.db");
    assert_int_equal(umount2("sealed", 0), 0);
}

/* The daemon would look for its own store through its own mount, and wait for itself. */
static void test_store_below_mount_point(void **state)
{
    (void)state;
    assert_sh_ok("dash", "", "mkdir -p m/deep");
    assert_sh_fails("dash", "lies below the mount point", "$DATASETFS local:m/s.db m");
    assert_sh_fails("dash", "lies below the mount point", "$DATASETFS local:m/deep/s.db m");
    assert_int_equal(shell_run("dash", "$DATASETFS local:m/s.db m")->status, 32);
    assert_sh_ok("dash", "", "test ! -e m/s.db");
    assert_sh_ok("dash", "", "$DATASETFS local:s.db m && umount m");
}

/* Whatever the mount would hide from the daemon, by whatever name. */
static void test_files_below_mount_point(void **state)
{
    (void)state;
    static const char *const names[] = {"m/f",  "m/deep/f",  "./m/../m/f", "link/f",
                                        "away", "through/f", "bound/f",    "m/deep/../../f"};
    static const char https[] = "https://127.0.0.1:1/vm-1 m";
    assert_sh_ok("dash", "",
                 "mkdir -p m/deep bound && ln -s m link && ln -s $PWD/m/f away && "
                 "touch f m/f m/deep/f && chmod 600 f m/f m/deep/f && ln -s ../f m/deep/out && "
                 "ln -s m/deep/../../m through && mount --bind m bound");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char arguments[256];
        snprintf(arguments, sizeof arguments, "%s -o credentials=%s", https, names[i]);
        refused(arguments, 32, "lies below the mount point");
        snprintf(arguments, sizeof arguments, "%s -o credentials=f,cacert=%s", https, names[i]);
        refused(arguments, 32, "lies below the mount point");
        snprintf(arguments, sizeof arguments, "local:%s m", names[i]);
        refused(arguments, 32, "lies below the mount point");
        snprintf(arguments, sizeof arguments, "tools:unix=%s m", names[i]);
        refused(arguments, 32, "lies below the mount point");
        snprintf(arguments, sizeof arguments, "tools:vmtoolsd=%s m", names[i]);
        refused(arguments, 32, "lies below the mount point");
    }
    assert_sh_ok("dash", "", "mkdir m/run m/home; touch m/run/datasetfs m/home/.netrc");
    assert_sh_fails("dash", "lies below the mount point",
                    "CREDENTIALS_DIRECTORY=$PWD/m/run $DATASETFS %s", https);
    assert_sh_fails("dash", "lies below the mount point", "HOME=$PWD/m/home $DATASETFS %s", https);
    /* What is not used does not matter. */
    assert_sh_fails("dash", "credentials",
                    "CREDENTIALS_DIRECTORY=$PWD/m/run $DATASETFS %s -o credentials=f 2>&1 >&2 | "
                    "grep -v 'lies below' >&2; false",
                    https);
    assert_int_equal(umount2("bound", 0), 0);
}

static void test_bad_mount_points(void **state)
{
    (void)state;
    const struct shell_result *ran = shell_run("dash", "$DATASETFS local:s.db absent");
    assert_true(ran->status == 1 || ran->status == 2 || ran->status == 32);
    assert_non_null(strstr(ran->err, "absent"));
    assert_non_null(strstr(ran->err, "No such file or directory"));
    assert_int_equal(harness_write("plain", O_CREAT, "x"), 0);
    ran = shell_run("dash", "$DATASETFS local:s.db plain");
    assert_true(ran->status == 1 || ran->status == 2 || ran->status == 32);
    assert_non_null(strstr(ran->err, "plain"));
    assert_non_null(strstr(ran->err, "ot a directory"));
    char *newline = strchr(ran->err, '\n');
    assert_true(newline && newline[1] == '\0');
}

/* The command returns once the mount can be used, and leaves nothing of the caller's open: the
 * command substitution would wait for the other end of its pipe. */
static void test_background(void **state)
{
    assert_sh_ok(*state, "hello\n",
                 "mkdir m && x=$($DATASETFS local:s.db m 2>&1) && test -z \"$x\" && mkdir m/app && "
                 "echo hello > m/app/k && cat m/app/k");
    assert_true(harness_mounted("m", NULL, 0));
    assert_store("app", "k", "hello\n");
    struct stat status;
    assert_int_equal(stat("s.db", &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_sh_ok(*state, "", "$DATASETFS local:s.db m 2> err && exit 1; test -s err");
    assert_sh_ok(*state, "1\n", "grep -c \" $PWD/m \" /proc/self/mountinfo");
    assert_sh_ok(*state, "hello\n", "cat m/app/k");
    end_background();
    assert_false(harness_mounted("m", NULL, 0));
}

static void test_second_start_is_refused(void **state)
{
    (void)state;
    harness_start_app(NULL);
    const struct shell_result *ran = shell_run("dash", "$DATASETFS local:s.db m");
    assert_int_equal(ran->status, 32);
    assert_non_null(strstr(ran->err, "m"));
    assert_non_null(strstr(ran->err, "mounted"));
    ran = shell_run("dash", "$DATASETFS local:other.db m");
    assert_int_equal(ran->status, 32);
    assert_int_equal(harness_write("m/app/k", O_CREAT, "x"), 0);
    assert_store("app", "k", "x");
}

/* The sixth and the last fields of a mountinfo line. */
static void assert_mount_table(const char *source)
{
    char line[4096];
    assert_true(harness_mounted("m", line, sizeof line));
    char options[256];
    char type[64];
    char device[256];
    const char *separator = strstr(line, " - ");
    assert_non_null(separator);
    assert_int_equal(sscanf(line, "%*s %*s %*s %*s %*s %255s", options), 1);
    assert_int_equal(sscanf(separator, " - %63s %255s", type, device), 2);
    assert_string_equal(type, "fuse.datasetfs");
    assert_string_equal(device, source);
    assert_non_null(strstr(options, "nosuid"));
    assert_non_null(strstr(options, "nodev"));
    assert_non_null(strstr(options, "noexec"));
}

static int execute(void *unused)
{
    (void)unused;
    execl("m/app/script", "script", (char *)NULL);
    return errno;
}

/* The same for a store file in the test's directory. */
static void assert_mounted_file(const char *name)
{
    char source[PATH_MAX];
    snprintf(source, sizeof source, "local:%.2000s/%.200s", harness_dir(), name);
    assert_mount_table(source);
}

static void test_mount_table(void **state)
{
    (void)state;
    harness_start("m", NULL);
    assert_mounted_file("s.db");
    /* noexec is the kernel's word; the modes say the same (see test_access.c). */
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_set("app", "script", "#!/bin/sh\n");
    assert_int_equal(harness_in_child(0, execute, NULL), EACCES);
}

static void test_fstab_words(void **state)
{
    (void)state;
    assert_sh_ok("dash", "",
                 "mkdir m && $DATASETFS -o rw,defaults,auto,noauto,user,users,owner,group "
                 "local:s.db m -o nofail,_netdev,x-systemd.automount,comment=words,dev "
                 "-o suid,exec,noatime,nouser,relatime");
    assert_mounted_file("s.db");
    end_background();
}

/* The mount table says where the file is, wherever one reads it; else it has SOURCE as typed, so
 * that a second "mount -a" knows its line again. */
static void test_source_in_mount_table(void **state)
{
    (void)state;
    assert_sh_ok("dash", "", "mkdir m sub && $DATASETFS local:./sub/../s.db m");
    assert_mounted_file("./sub/../s.db");
    assert_sh_ok("dash", "", "mkdir m/app && test -e s.db");
    end_background();
    assert_sh_ok("dash", "", "$DATASETFS local:$PWD/sub/..//s.db m");
    assert_mounted_file("sub/..//s.db");
    end_background();
}

static void test_mounted_again_from_fstab(void **state)
{
    if (access("/sbin/mount.fuse", X_OK) != 0 || access(INSTALLED, F_OK) != 0)
        skip();
    assert_sh_ok(*state, "",
                 "mkdir m bin && ln -s \"$DATASETFS\" bin/datasetfs && "
                 "echo \"local:$PWD/sub/../s.db $PWD/m fuse.datasetfs nofail 0 0\" >fstab && "
                 "mkdir sub");
    assert_int_equal(mount("bin", INSTALLED, NULL, MS_BIND, NULL), 0);
    for (int i = 0; i < 2; i++)
        assert_sh_ok(*state, "", "mount -a -T fstab");
    assert_sh_ok(*state, "1\n", "grep -c \" $PWD/m \" /proc/self/mountinfo");
    assert_sh_ok(*state, "", "umount \"local:$PWD/sub/../s.db\"");
    assert_int_equal(umount2(INSTALLED, MNT_DETACH), 0);
    reap_background();
}

static void test_read_only_option(void **state)
{
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    assert_sh_ok(*state, "", "mkdir m && $DATASETFS local:s.db m -o ro");
    assert_sh_fails(*state, "Read-only file system", "echo x > m/app/k");
    end_background();
}

/* mount.fuse3 finds the program on the PATH. */
static void test_mount_helper(void **state)
{
    if (access("/sbin/mount.fuse3", X_OK) != 0)
        skip();
    assert_sh_ok(
        *state, "",
        "mkdir m bin && ln -s \"$DATASETFS\" bin/datasetfs && PATH=$PWD/bin:/sbin:$PATH && "
        "mount.fuse3 local:$PWD/s.db m -t fuse.datasetfs -o nofail,dev,suid");
    assert_mounted_file("s.db");
    assert_sh_ok(*state, "x\n", "mkdir m/app && echo x > m/app/k && cat m/app/k");
    end_background();
}

/* mount(8) gives it an empty environment. */
static void test_mount_command(void **state)
{
    if (access("/sbin/mount.fuse", X_OK) != 0 || access(INSTALLED, F_OK) != 0)
        skip();
    assert_sh_ok(*state, "", "mkdir m bin && ln -s \"$DATASETFS\" bin/datasetfs");
    assert_int_equal(mount("bin", INSTALLED, NULL, MS_BIND, NULL), 0);
    shell_run(*state, "mount -t fuse.datasetfs -o side=guest,nofail,_netdev local:$PWD/s.db m");
    const struct shell_result ran = *shell_run(*state, "mkdir m/new");
    bool mounted = harness_mounted("m", NULL, 0);
    assert_int_equal(umount2(INSTALLED, MNT_DETACH), 0);
    assert_true(mounted);
    assert_non_null(strstr(ran.err, "Operation not permitted"));
    assert_mounted_file("s.db");
    end_background();
}

static void test_debug_stays_in_the_foreground(void **state)
{
    (void)state;
    assert_int_equal(mkdir("m", 0700), 0);
    pid_t pid = shell_spawn("dash", "exec $DATASETFS local:s.db m -d");
    assert_soon(harness_mounted("m", NULL, 0));
    assert_int_equal(mkdir("m/app", 0700), 0);
    assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
    kill(pid, SIGTERM);
    assert_int_equal(shell_wait(pid), 0);
    assert_false(harness_mounted("m", NULL, 0));
}

/* The log says which of several mounts it is about. */
static void test_background_logs_to_syslog(void **state)
{
    (void)state;
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "log"};
    int log = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_ok(bind(log, (struct sockaddr *)&address, sizeof address));
    assert_sh_ok("bash", "",
                 "unshare -m bash -e -c '"
                 "mkdir m dev && mount --rbind /dev dev && mount -t tmpfs dev /dev && "
                 "ln -s $PWD/dev/{null,fuse} $PWD/log /dev && "
                 "$DATASETFS local:s.db m && mkdir m/app && "
                 "! printf \"\\xff\" 2>/dev/null >m/app/k && umount m'");
    reap_background();
    char line[512] = "", expected[300];
    snprintf(expected, sizeof expected, "]: %.200s/m: write /app/k: a value is UTF-8",
             harness_dir());
    assert_true(recv(log, line, sizeof line - 1, MSG_DONTWAIT) > 0);
    if (!strstr(line, " datasetfs[") || !strstr(line, expected))
        fail_msg("the log has '%s', not '%s'", line, expected);
    close(log);
}

/* Started without some of the descriptors 0 to 2, as by a careless service manager. */
static void test_closed_descriptors(void **state)
{
    static const char *const closed[] = {"<&-", ">&-", "2>&-", "<&- >&- 2>&-"};
    for (size_t i = 0; i < sizeof closed / sizeof *closed; i++) {
        assert_sh_ok(*state, "", "mkdir -p closed && $DATASETFS local:s.db closed %s", closed[i]);
        assert_true(harness_mounted("closed", NULL, 0));
        assert_sh_ok(*state, "", "ls closed && umount closed");
    }
}

static const struct CMUnitTest tests[] = {
    HARNESS_SHELLS(test_closed_descriptors),
    HARNESS_TEST(test_help_and_version),
    HARNESS_SHELLS(test_output_that_fails),
    HARNESS_TEST(test_usage_errors),
    HARNESS_TEST(test_bad_sources),
    HARNESS_TEST(test_not_a_store),
    HARNESS_TEST(test_read_only_directory),
    HARNESS_TEST(test_bad_mount_points),
    HARNESS_TEST(test_store_below_mount_point),
    HARNESS_TEST(test_files_below_mount_point),
    HARNESS_SHELLS(test_background),
    HARNESS_TEST(test_background_logs_to_syslog),
    HARNESS_TEST(test_second_start_is_refused),
    HARNESS_TEST(test_mount_table),
    HARNESS_TEST(test_fstab_words),
    HARNESS_TEST(test_source_in_mount_table),
    HARNESS_SHELLS(test_mounted_again_from_fstab),
    HARNESS_SHELLS(test_read_only_option),
    HARNESS_SHELLS(test_mount_helper),
    HARNESS_SHELLS(test_mount_command),
    HARNESS_TEST(test_debug_stays_in_the_foreground),
};

HARNESS_MAIN(tests)
