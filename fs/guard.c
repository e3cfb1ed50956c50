/* The parent of the process that serves. */
#include "guard.h"

#include "client.h"
#include "command_line.h"
#include "kernel/signals.h"
#include "log.h"
#include "mount.h"
#include "notify.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the child says, one byte each. To MOUNT the answer is one byte with the descriptor, or
 * without it. */
enum { MOUNT = 'm', READY = 'r', STOPPING = 's', UNMOUNT = 'u' };

struct guard {
    const struct fs_guard_start *start;
    int channel; /* to the child */
    int signals; /* signalfd */
    int heir;    /* to our second; its other writers are the child's */
    pid_t child, second;
    bool mounted;
    struct fs_mount_id id; /* of the mount */
    int report;            /* -1: done, or in the foreground */
};

union control {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
};

static ssize_t send_byte(int channel, char byte, int fd)
{
    union control control = {{0}};
    struct iovec text = {&byte, 1};
    struct msghdr message = {.msg_iov = &text, .msg_iovlen = 1};
    ssize_t sent;

    if (fd >= 0) {
        struct cmsghdr *header;

        message.msg_control = control.bytes;
        message.msg_controllen = sizeof(control.bytes);
        header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(fd));
        memcpy(CMSG_DATA(header), &fd, sizeof(fd));
    }
    do
        sent = sendmsg(channel, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent;
}

/* The next byte, with a descriptor in `*fd` or -1; without `fd` whatever comes along is dropped,
 * since there is no room for it. 0 at the end, or a negative errno. */
static int receive_byte(int channel, int flags, int *fd)
{
    union control control;
    char byte;
    struct iovec text = {&byte, 1};
    struct msghdr message = {.msg_iov = &text, .msg_iovlen = 1};
    const struct cmsghdr *header;
    ssize_t got;

    if (fd != NULL) {
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof(control.bytes);
        *fd = -1;
    }
    do
        got = recvmsg(channel, &message, MSG_CMSG_CLOEXEC | flags);
    while (got < 0 && errno == EINTR);
    if (got <= 0)
        return got < 0 ? -errno : 0;
    header = fd != NULL ? CMSG_FIRSTHDR(&message) : NULL;
    if (header != NULL && header->cmsg_type == SCM_RIGHTS)
        memcpy(fd, CMSG_DATA(header), sizeof(*fd));
    return byte;
}

static void mount_it(struct guard *guard)
{
    const struct fs_guard_start *start = guard->start;
    char why[FS_MOUNT_WHY_BYTES];
    int fd = fs_mount_open(start->options, start->source, start->mountpoint, why);

    if (fd < 0) {
        ds_log(DS_LOG_ERROR, "%s", why);
        send_byte(guard->channel, MOUNT, -1);
        return;
    }
    guard->id = fs_mount_look(start->mountpoint);
    guard->mounted = true;
    if (write(guard->heir, &guard->id, sizeof(guard->id)) != sizeof(guard->id))
        ds_log(DS_LOG_WARNING, "the mount stays if this process is killed: %s", strerror(errno));
    send_byte(guard->channel, MOUNT, fd);
    close(fd); /* with it the mount would outlive the child */
}

/* In the background we are no service: whoever started us speaks for itself. */
static void tell_manager(const struct guard *guard, const char *state)
{
    int err = guard->start->options->foreground ? fs_notify(state) : 0;

    if (err != 0)
        ds_log(DS_LOG_WARNING, "cannot tell the service manager %s: %s", state, strerror(-err));
}

static void tell_ready(struct guard *guard)
{
    if (guard->report >= 0) {
        fs_daemon_let_go(guard->start->mountpoint);
        fs_daemon_report(guard->report, FS_EXIT_OK);
        guard->report = -1;
    }
    tell_manager(guard, FS_NOTIFY_READY);
}

static void unmount_it(struct guard *guard)
{
    if (guard->mounted)
        fs_mount_end(guard->start->mountpoint, &guard->id);
}

/* All that the child has said. Descriptors that it sends are not taken: they would become more than
 * we may have, and to close one may take as long as the child likes. */
static void listen_to_child(struct guard *guard)
{
    int said;

    while ((said = receive_byte(guard->channel, MSG_DONTWAIT, NULL)) > 0) {
        if (said == MOUNT && !guard->mounted)
            mount_it(guard);
        else if (said == READY)
            tell_ready(guard);
        else if (said == STOPPING)
            tell_manager(guard, FS_NOTIFY_STOPPING);
        else if (said == UNMOUNT)
            unmount_it(guard);
    }
    if (said != -EAGAIN) { /* its end, of which a signal tells */
        close(guard->channel);
        guard->channel = -1;
    }
}

/* Passes on what has come. */
static void pass_signals(const struct guard *guard)
{
    struct signalfd_siginfo info;

    while (read(guard->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
        if (info.ssi_signo != SIGCHLD)
            kill(guard->child, (int)info.ssi_signo);
}

/* Waits for the child and does what it wants. Its status, as waitpid() gives it. */
static int watch(struct guard *guard)
{
    int status;

    for (;;) {
        struct pollfd fds[] = {{.fd = guard->signals, .events = POLLIN},
                               {.fd = guard->channel, .events = POLLIN}};

        poll(fds, 2, -1);
        pass_signals(guard);
        if (guard->channel >= 0)
            listen_to_child(guard);
        if (waitpid(guard->child, &status, WNOHANG) == guard->child)
            break;
    }
    if (guard->channel >= 0) /* its last words */
        listen_to_child(guard);
    return status;
}

/* As the child has ended. */
static _Noreturn void end_as(int status)
{
    int number = WTERMSIG(status);
    sigset_t set;

    if (WIFEXITED(status))
        _exit(WEXITSTATUS(status));
    ds_log(DS_LOG_ERROR, "the process that served the mount was ended by signal %d", number);
    sigemptyset(&set);
    sigaddset(&set, number);
    signal(number, SIG_DFL);
    raise(number);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    _exit(FS_EXIT_SYSTEM);
}

static _Noreturn void be_guard(struct guard *guard)
{
    int status;

    fs_daemon_close_inherited(guard->start->inherited);
    ds_source_forget_environment();
    status = watch(guard);
    unmount_it(guard);
    kill(guard->second, SIGKILL);
    while (waitpid(guard->second, NULL, 0) < 0 && errno == EINTR)
        continue;
    if (guard->report >= 0)
        fs_daemon_report(guard->report, WIFEXITED(status) ? WEXITSTATUS(status) : FS_EXIT_SYSTEM);
    end_as(status);
}

/* Our second: waits until neither we nor the child hold the other end, and unmounts then. */
static _Noreturn void be_second(int end, const struct fs_guard_start *start)
{
    struct fs_mount_id id = {0};
    bool mounted = false;
    ssize_t got;

    fs_daemon_close_inherited(start->inherited);
    ds_source_forget_environment();
    if (start->report >= 0)
        close(start->report);
    if (!start->options->foreground)
        fs_daemon_let_go(start->mountpoint);
    for (;;) {
        got = read(end, &id, sizeof(id));
        mounted = mounted || got == sizeof(id);
        if (got == 0 || (got < 0 && errno != EINTR))
            break;
    }
    if (mounted)
        fs_mount_end(start->mountpoint, &id);
    _exit(FS_EXIT_OK);
}

static int fork_second(struct guard *guard)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0)
        return -errno;
    guard->heir = ends[1];
    guard->second = fork();
    if (guard->second == 0) {
        close(ends[1]);
        be_second(ends[0], guard->start);
    }
    close(ends[0]);
    return guard->second < 0 ? -errno : 0;
}

static int fork_child(struct guard *guard, int *channel)
{
    int ends[2];
    int err;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return -errno;
    guard->channel = ends[0];
    guard->child = fork();
    if (guard->child == 0) {
        close(ends[0]);
        if (guard->report >= 0)
            close(guard->report);
        close(guard->signals);
        *channel = ends[1]; /* the way to our second stays open, too, until this process ends */
        return 0;
    }
    err = guard->child < 0 ? -errno : 0;
    close(ends[1]);
    if (err == 0)
        be_guard(guard);
    close(ends[0]);
    return err;
}

int fs_guard_fork(const struct fs_guard_start *start, int *channel)
{
    struct guard guard = {.start = start, .report = start->report};
    int err = fs_signals_watch(&guard.signals);

    if (err == 0)
        err = fork_second(&guard);
    if (err == 0)
        err = fork_child(&guard, channel);
    if (err != 0 && guard.second > 0)
        close(guard.heir); /* which it waits for */
    return err;
}

static int say(int channel, char byte)
{
    return send_byte(channel, byte, -1) == 1 ? 0 : -errno;
}

int fs_guard_mount(int channel)
{
    int fd = -1;
    int err = say(channel, MOUNT);
    int answer = err == 0 ? receive_byte(channel, 0, &fd) : err;

    if (answer <= 0)
        return answer < 0 ? answer : -EPIPE;
    return fd >= 0 ? fd : -EPERM;
}

int fs_guard_ready(int channel)
{
    return say(channel, READY);
}

int fs_guard_stopping(int channel)
{
    return say(channel, STOPPING);
}

int fs_guard_unmount(int channel)
{
    return say(channel, UNMOUNT);
}
