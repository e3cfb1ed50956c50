/* Preloaded into the daemon: before its confined process makes its first thread, it tries what it
 * must not be able to do, and what it must. Each goes to the file $PROBE_FILE as a line, "NAME
 * ANSWER", where the answer is "done" or the name of an errno. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int results = -1;

__attribute__((constructor)) static void begin(void)
{
    const char *file = getenv("PROBE_FILE");
    if (file)
        results = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static const char *name_of(int error)
{
    static const struct {
        int error;
        const char *name;
    } names[] = {{EPERM, "EPERM"},
                 {EACCES, "EACCES"},
                 {ENOSYS, "ENOSYS"},
                 {ENOENT, "ENOENT"},
                 {EAFNOSUPPORT, "EAFNOSUPPORT"},
                 {ESRCH, "ESRCH"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].error == error)
            return names[i].name;
    return strerror(error);
}

/* `result` is what a system call has just returned. */
static void note(const char *what, long result)
{
    dprintf(results, "%s %s\n", what, result < 0 ? name_of(errno) : "done");
}

static void try_open(const char *what, const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0600);
    note(what, fd);
    if (fd >= 0)
        close(fd);
}

static void try_socket(const char *what, int family, int type)
{
    int fd = socket(family, type | SOCK_CLOEXEC, 0);
    note(what, fd);
    if (fd >= 0)
        close(fd);
}

static void try_processes(void)
{
    char *const argv[] = {(char[]){"true"}, NULL};
    char *const environment[] = {NULL};
    struct rlimit limit;
    struct clone_args with_space = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
    note("execve", execve("/bin/true", argv, environment));
    note("execveat", syscall(SYS_execveat, AT_FDCWD, "/bin/true", argv, environment, 0));
    note("ptrace", ptrace(PTRACE_PEEKDATA, getppid(), NULL, NULL));
    note("process_vm_readv", syscall(SYS_process_vm_readv, getppid(), NULL, 0L, NULL, 0L, 0L));
    note("kill", kill(getppid(), 0));
    note("kill-all", kill(0, 0));
    note("kill-self", kill(getpid(), 0));
    note("prlimit", prlimit(getppid(), RLIMIT_NOFILE, NULL, &limit));
    note("prlimit-self", prlimit(0, RLIMIT_NOFILE, NULL, &limit));
    note("setpriority", setpriority(PRIO_PROCESS, (id_t)getppid(), 0));
    note("unshare", unshare(CLONE_NEWUSER));
    note("setns", setns(-1, CLONE_NEWNET));
    note("clone", syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL));
    note("clone3", syscall(SYS_clone3, &with_space, sizeof with_space));
}

static void try_kernel(void)
{
    note("mount", mount("none", "/tmp", "tmpfs", 0, NULL));
    note("umount2", umount2("/proc", MNT_DETACH));
    note("fsopen", syscall(SYS_fsopen, "tmpfs", 0));
    note("open_tree", syscall(SYS_open_tree, AT_FDCWD, "/", 1));
    note("chroot", chroot("/"));
    note("add_key", syscall(SYS_add_key, "user", "x", "x", 1L, -3));
    note("keyctl", syscall(SYS_keyctl, 0, -3, 0));
    note("init_module", syscall(SYS_init_module, NULL, 0L, ""));
    note("finit_module", syscall(SYS_finit_module, -1, "", 0));
    note("delete_module", syscall(SYS_delete_module, "none", 0));
    note("io_uring_setup", syscall(SYS_io_uring_setup, 1, NULL));
    note("bpf", syscall(SYS_bpf, 0, NULL, 0));
    note("perf_event_open", syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0L));
    note("userfaultfd", syscall(SYS_userfaultfd, 0));
    note("sethostname", sethostname("x", 1));
}

/* As nss-resolve and sssd are asked: a plug-in that is loaded late, and a socket that lies where no
 * file may be opened. */
static void try_name_service(void)
{
    const char *path = getenv("PROBE_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    void *plug_in = dlopen("libnss_compat.so.2", RTLD_NOW);
    dprintf(results, "plug-in %s\n", plug_in ? "done" : "refused");
    if (plug_in)
        dlclose(plug_in);
    if (path)
        snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    note("connect", connect(fd, (struct sockaddr *)&address, sizeof address));
    close(fd);
}

/* Sends the parent two descriptors at once, again and again, with a word that it does not know. */
static void try_parent(void)
{
    union {
        char bytes[CMSG_SPACE(2 * sizeof(int))];
        struct cmsghdr align;
    } control;
    char byte = '?';
    struct iovec text = {&byte, 1};
    struct msghdr message = {.msg_iov = &text,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    const int sent[2] = {results, results};
    memset(&control, 0, sizeof control);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof sent);
    memcpy(CMSG_DATA(header), sent, sizeof sent);
    for (int fd = 3; fd < 64; fd++) {
        int type = 0;
        socklen_t len = sizeof type;
        if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) != 0 || type != SOCK_SEQPACKET)
            continue;
        for (int i = 0; i < 50; i++)
            note("tell-parent", sendmsg(fd, &message, MSG_NOSIGNAL));
    }
}

static void try_all(void)
{
    const char *outside = getenv("PROBE_OUTSIDE");
    int ends[2];
    try_processes();
    try_kernel();
    try_parent();
    try_socket("packet", AF_PACKET, SOCK_RAW);
    try_socket("alg", 38 /* AF_ALG */, SOCK_SEQPACKET);
    try_socket("bluetooth", AF_BLUETOOTH, SOCK_RAW);
    try_socket("unspec", AF_UNSPEC, SOCK_STREAM);
    try_socket("smc", 43 /* AF_SMC */, SOCK_STREAM);
    note("pair", socketpair(AF_TIPC, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
    try_socket("inet", AF_INET, SOCK_STREAM);
    try_socket("unix", AF_UNIX, SOCK_DGRAM);
    try_socket("netlink", AF_NETLINK, SOCK_RAW);
    try_open("read-outside", outside ? outside : "", O_RDONLY);
    try_open("write-outside", outside ? outside : "", O_WRONLY);
    note("truncate-outside", truncate(outside ? outside : "", 0));
    try_open("write-passwd", "/etc/passwd", O_WRONLY);
    try_open("make-etc", "/etc/datasetfs-probe", O_WRONLY | O_CREAT | O_EXCL);
    try_open("write-proc", "/proc/self/oom_score_adj", O_WRONLY);
    try_open("read-passwd", "/etc/passwd", O_RDONLY);
    try_open("read-proc", "/proc/self/status", O_RDONLY);
    try_open("random", "/dev/urandom", O_RDONLY);
    try_open("null", "/dev/null", O_RDWR);
    try_name_service();
}

int probing_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *),
                   void *argument) __asm__("pthread_create");

int probing_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *),
                   void *argument)
{
    int (*real_create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    *(void **)&real_create = dlsym(RTLD_NEXT, "pthread_create");
    if (results >= 0 && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1) {
        try_all();
        close(results);
        results = -1;
    }
    return real_create(thread, attributes, start, argument);
}
