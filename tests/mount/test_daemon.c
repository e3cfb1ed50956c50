/* How the daemon lives beside its caller: what it keeps of the caller's, and what can end it. */
#include "harness.h"

#include "cleanup.h"
#include "peer.h"
#include "shell.h"

#include <fcntl.h>
#include <linux/auto_fs.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* Reaps a daemon that has put itself into the background and was unmounted. */
static void end_background(void)
{
    int status = 0;
    assert_int_equal(umount2("m", 0), 0);
    assert_soon(waitpid(-1, &status, WNOHANG) > 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_lock_is_not_kept(void **state)
{
    static const char *const options[] = {"", "-o auto_unmount"};
    assert_int_equal(mkdir("m", 0700), 0);
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        assert_sh_ok(*state, "", "flock -n lk \"$DATASETFS\" local:s.db m %s", options[i]);
        assert_true(harness_mounted("m", NULL, 0));
        assert_sh_ok(*state, "", "flock -n lk true");
        assert_sh_ok(*state, "", "umount m");
        assert_soon(!harness_mounted("m", NULL, 0));
        while (waitpid(-1, NULL, 0) > 0)
            continue;
    }
}

static int mount_in_background(void *unused)
{
    (void)unused;
    execl(harness_binary(), "datasetfs", "local:s.db", "m", (char *)NULL);
    return 127;
}

/* Whoever reads from a pipe of the caller's sees its end. */
static void test_pipe_is_not_kept(void **state)
{
    (void)state;
    int ends[2];
    char byte;
    assert_int_equal(mkdir("m", 0700), 0);
    assert_int_equal(pipe(ends), 0); /* kept across execve(2) */
    assert_int_equal(harness_in_child(0, mount_in_background, NULL), 0);
    assert_true(harness_mounted("m", NULL, 0));
    close(ends[1]);
    struct pollfd fd = {.fd = ends[0], .events = POLLIN};
    assert_int_equal(poll(&fd, 1, HARNESS_SOON_MS), 1);
    assert_int_equal(read(ends[0], &byte, 1), 0);
    close(ends[0]);
    end_background();
}

/* A store that is named by its descriptor is found again when the descriptor is closed. */
static void test_store_by_descriptor(void **state)
{
    assert_sh_ok(*state, "", "mkdir m && \"$DATASETFS\" local:/dev/fd/7 m 7<>s.db");
    assert_sh_ok(*state, "x\n", "mkdir m/app && echo x >m/app/k && cat m/app/k");
    end_background();
    assert_sh_ok(*state, "x\n", "\"$DATASETFS\" local:/proc/self/fd/0 m <s.db && cat m/app/k");
    end_background();
}

static void test_ends_by_signal(void **state)
{
    (void)state;
    static const int signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGXCPU};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct harness_daemon *daemon = harness_start("m", "commit=close");
        if (i == 0)
            assert_int_equal(mkdir("m/app", 0700), 0);
        char text[16];
        snprintf(text, sizeof text, "signal %d", signals[i]);
        int fd = harness_open("m/app/k", O_WRONLY | O_CREAT | O_TRUNC);
        harness_put(fd, text);
        harness_stop_by(daemon, signals[i]);
        close(fd);
        assert_store("app", "k", text);
    }
}

/* A signal that ends a process makes all its threads end before any answers once more. */
static void expect_harmless(struct harness_daemon *daemon, int number)
{
    char text[16];
    snprintf(text, sizeof text, "signal %d", number);
    assert_int_equal(kill(daemon->pid, number), 0);
    assert_int_equal(kill(daemon->worker, number), 0);
    if (harness_write("m/app/k", O_CREAT | O_TRUNC, text) != 0)
        fail_msg("signal %d ends the daemon", number);
    assert_content("m/app/k", text);
}

static void test_harmless_signals(void **state)
{
    (void)state;
    static const int signals[] = {SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF,
                                  SIGPIPE, SIGIO,   SIGPWR,  SIGCHLD,   SIGWINCH,
                                  SIGURG,  SIGCONT, SIGXFSZ, SIGSTKFLT};
    struct harness_daemon *daemon = harness_start_app(NULL);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        expect_harmless(daemon, signals[i]);
    expect_harmless(daemon, SIGRTMIN);
    expect_harmless(daemon, SIGRTMAX);
}

/* A caller may have blocked or ignored what the daemon needs. */
static void test_inherited_signals(void **state)
{
    (void)state;
    sigset_t all, before;
    sigfillset(&all);
    assert_int_equal(mkdir("m", 0700), 0);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    if (pid == 0) {
        signal(SIGCHLD, SIG_IGN);
        signal(SIGHUP, SIG_IGN);
        execl(harness_binary(), "datasetfs", "local:s.db", "m", "-f", (char *)NULL);
        _exit(127);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    assert_soon(harness_mounted("m", NULL, 0));
    assert_int_equal(mkdir("m/app", 0700), 0);
    assert_int_equal(kill(pid, SIGTERM), 0); /* the reader is woken by another signal */
    assert_int_equal(harness_wait_child(pid, HARNESS_SOON_MS, false), 0);
}

/* What the service manager at this socket hears next, or "" if that is nothing yet. */
static const char *heard(int manager)
{
    static char text[64];
    ssize_t got = recv(manager, text, sizeof text - 1, MSG_DONTWAIT);
    text[got > 0 ? got : 0] = '\0';
    return text;
}

/* "Ready" is when the mount can be used; in the background nothing is said for others. */
static void test_tells_service_manager(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "notify"};
    int manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_ok(bind(manager, (struct sockaddr *)&address, sizeof address));
    assert_sh_ok(*state, "", "mkdir m && NOTIFY_SOCKET=$PWD/notify $DATASETFS local:s.db m");
    assert_string_equal(heard(manager), "");
    end_background();
    pid_t pid = shell_spawn(*state, "NOTIFY_SOCKET=$PWD/notify exec $DATASETFS -f local:s.db m");
    struct pollfd fd = {.fd = manager, .events = POLLIN};
    assert_int_equal(poll(&fd, 1, HARNESS_START_MS), 1);
    assert_string_equal(heard(manager), "READY=1");
    assert_true(harness_mounted("m", NULL, 0));
    assert_ok(mkdir("m/app", 0700));
    assert_ok(kill(pid, SIGTERM));
    assert_int_equal(shell_wait(pid), 0);
    assert_string_equal(heard(manager), "STOPPING=1");
    assert_string_equal(heard(manager), "");
    close(manager);
}

enum { FILE_LIMIT_BYTES = 128 * 1024 };

static int mount_with_file_limit(void *unused)
{
    const struct rlimit limit = {FILE_LIMIT_BYTES, FILE_LIMIT_BYTES};
    setrlimit(RLIMIT_FSIZE, &limit);
    return mount_in_background(unused);
}

/* The store file cannot grow any more: that is a full disk, not the end of the mount. */
static void test_limit_of_file_sizes(void **state)
{
    char *text DS_AUTO_FREE = calloc(1, 100001);
    assert_non_null(text);
    memset(text, 'x', 100000);
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_close();
    assert_int_equal(mkdir("m", 0700), 0);
    assert_int_equal(harness_in_child(0, mount_with_file_limit, NULL), 0);
    int err = 0;
    char name[32];
    for (int i = 0; i < 10 && err == 0; i++) {
        snprintf(name, sizeof name, "m/app/k%d", i);
        err = harness_write(name, O_CREAT, text);
    }
    assert_int_equal(err, -ENOSPC);
    assert_sh_ok(*state, "", "grep -q 'limit of file sizes' m/.datasetfs/errors");
    assert_content("m/app/k0", text);
    assert_int_equal(unlink("m/app/k0"), 0);
    assert_int_equal(harness_write("m/app/small", O_CREAT, "small"), 0);
    assert_content("m/app/small", "small");
    end_background();
}

/* "games", who has no other process than ours: the limit counts all that a user runs. */
#define USER 5

static int mount_with_few_processes(void *argument)
{
    const struct rlimit limit = {*(rlim_t *)argument, *(rlim_t *)argument};
    if (setrlimit(RLIMIT_NPROC, &limit) != 0)
        return 126;
    if (!freopen("/dev/null", "w", stderr))
        return 126;
    return mount_in_background(NULL);
}

static int list_root(void *unused)
{
    char got[256];
    (void)unused;
    return access("m/app", F_OK) == 0 && harness_read("m/app/k", got, sizeof got) == 1 ? 0 : 1;
}

/* As on most machines; in our own mount namespace. */
static void let_users_mount(void)
{
    struct stat status;
    assert_int_equal(stat("/dev/fuse", &status), 0);
    assert_int_equal(mknod("fuse", S_IFCHR | 0600, status.st_rdev), 0);
    assert_int_equal(chmod("fuse", 0666), 0);
    assert_int_equal(mount("fuse", "/dev/fuse", NULL, MS_BIND, NULL), 0);
}

/* With too few threads it does not mount; with the fewest it answers. */
static void test_few_processes(void **state)
{
    (void)state;
    bool refused = false, mounted = false;
    bool named = getpwuid(USER) != NULL; // cppcheck-suppress getpwuidCalled
    /* Without mtab fusermount3 does not unmount. */
    if (access("/usr/bin/fusermount3", X_OK) != 0 || access("/etc/mtab", R_OK) != 0 || !named)
        skip();
    let_users_mount();
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_set("app", "k", "x");
    peer_close();
    assert_int_equal(mkdir("m", 0700), 0);
    assert_sh_ok("dash", "", "chown %d . m s.db*", USER);
    for (rlim_t most = 1; most <= 12; most++) {
        int status = harness_in_child(USER, mount_with_few_processes, &most);
        assert_int_not_equal(status, -1);
        if (status == 0) {
            mounted = true;
            assert_true(harness_mounted("m", NULL, 0));
            assert_int_equal(harness_in_child(USER, list_root, NULL), 0);
            end_background();
        } else {
            refused = true;
            assert_int_equal(umount2("m", MNT_DETACH), -1);
        }
        while (waitpid(-1, NULL, 0) > 0)
            continue;
    }
    assert_int_equal(umount2("/dev/fuse", 0), 0);
    assert_true(refused && mounted);
}

/* systemd's part in x-systemd.automount: the mount point is the kernel's, which asks us to mount
 * when somebody comes, and lets our process group pass meanwhile. */
struct automount {
    int pipe; /* from the kernel */
    int root; /* of the autofs */
};

static struct automount start_automount(const char *point)
{
    char options[128];
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC | O_DIRECT), 0);
    snprintf(options, sizeof options, "fd=%d,pgrp=%d,minproto=5,maxproto=5,direct", ends[1],
             (int)getpgrp());
    if (mount("tests", point, "autofs", 0, options) != 0) {
        close(ends[0]);
        close(ends[1]);
        skip();
    }
    close(ends[1]);
    int root = open(point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(root >= 0);
    return (struct automount){.pipe = ends[0], .root = root};
}

static int visit(void *unused)
{
    char got[16];
    (void)unused;
    setpgid(0, 0); /* not one of those who may pass */
    return harness_read("m/app/k", got, sizeof got) == 6 && !strcmp(got, "value\n") ? 0 : 1;
}

static void test_automount(void **state)
{
    (void)state;
    union autofs_v5_packet_union packet;
    assert_int_equal(mkdir("m", 0700), 0);
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_set("app", "k", "value\n");
    struct automount automount = start_automount("m");
    pid_t visitor = harness_fork(visit, NULL);

    struct pollfd fd = {.fd = automount.pipe, .events = POLLIN};
    assert_int_equal(poll(&fd, 1, HARNESS_SOON_MS), 1);
    assert_true(read(automount.pipe, &packet, sizeof packet) > 0);
    assert_int_equal(packet.hdr.type, autofs_ptype_missing_direct);
    int status = harness_in_child(0, mount_in_background, NULL);
    bool mounted = harness_mounted("m", NULL, 0);
    int answer = mounted ? ioctl(automount.root, AUTOFS_IOC_READY,
                                 (unsigned long)packet.v5_packet.wait_queue_token)
                         : ioctl(automount.root, AUTOFS_IOC_FAIL,
                                 (unsigned long)packet.v5_packet.wait_queue_token);
    int visited = harness_wait_child(visitor, HARNESS_SOON_MS, false);
    close(automount.root);
    close(automount.pipe);
    assert_int_equal(status, 0);
    assert_int_equal(answer, 0);
    assert_int_equal(visited, 0);
    end_background();
    assert_int_equal(umount2("m", 0), 0);
}

/* In the background it leaves its caller's session, in the foreground it stays. */
static void test_session(void **state)
{
    (void)state;
    struct harness_daemon *daemon = harness_start("m", NULL);
    assert_int_equal(getsid(daemon->pid), getsid(0));
    assert_int_equal(getpgid(daemon->pid), getpgrp());
    harness_stop(daemon);
    assert_int_equal(harness_in_child(0, mount_in_background, NULL), 0);
    assert_sh_ok("bash", "",
                 "for d in $(cat /proc/%d/task/%d/children); do "
                 "read -r _ _ _ _ group session _ <<<\"$(sed 's/(.*)/x/' /proc/$d/stat)\"; "
                 "if [ $d != $$ ]; then [ $session = $d ] && [ $group = $d ] || exit 1; fi; done",
                 (int)getpid(), (int)getpid());
    end_background();
}

static const struct CMUnitTest tests[] = {
    HARNESS_SHELLS(test_lock_is_not_kept),
    HARNESS_TEST(test_pipe_is_not_kept),
    HARNESS_SHELLS(test_store_by_descriptor),
    HARNESS_SHELLS(test_tells_service_manager),
    HARNESS_TEST(test_ends_by_signal),
    HARNESS_TEST(test_harmless_signals),
    HARNESS_TEST(test_inherited_signals),
    HARNESS_SHELLS(test_limit_of_file_sizes),
    HARNESS_TEST(test_few_processes),
    HARNESS_TEST(test_automount),
    HARNESS_TEST(test_session),
};

HARNESS_MAIN(tests)
