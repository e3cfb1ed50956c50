/* Running the tools' program in another process. */
#include "runner.h"

#include "cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* More than are ever under way at once. */
enum { RUNNING_MAX = 16 };
/* Above all that the program gets, so that giving them closes none of what comes over the socket.
 */
enum { RUNNER_SOCKET = DS_LAUNCH_LAST_FD + 1 };

struct question {
    pid_t end; /* 0: run, with descriptors */
};

struct answer {
    int error;  /* a positive errno */
    pid_t pid;  /* of what runs */
    int status; /* of what has ended */
};

static struct {
    pthread_mutex_t lock; /* a question and its answer */
    int socket;           /* -1: there is none */
    pid_t pid;
} runner = {.lock = PTHREAD_MUTEX_INITIALIZER, .socket = -1};

union control {
    char bytes[CMSG_SPACE(sizeof(int) * DS_LAUNCH_COUNT)];
    struct cmsghdr align;
};

/* Takes one question with its descriptors, which are -1 where there are none. False at the end. */
static bool hear(struct question *question, int fds[DS_LAUNCH_COUNT])
{
    union control control;
    struct iovec text = {question, sizeof *question};
    struct msghdr message = {.msg_iov = &text,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    const struct cmsghdr *header;
    ssize_t got;

    do
        got = recvmsg(RUNNER_SOCKET, &message, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    for (int i = 0; i < DS_LAUNCH_COUNT; i++)
        fds[i] = -1;
    if (got != sizeof *question)
        return false;
    header = CMSG_FIRSTHDR(&message);
    if (header != NULL && header->cmsg_type == SCM_RIGHTS &&
        header->cmsg_len == CMSG_LEN(sizeof(int) * DS_LAUNCH_COUNT))
        memcpy(fds, CMSG_DATA(header), sizeof(int) * DS_LAUNCH_COUNT);
    return true;
}

/* Where `pid` stands; 0 finds a free place. -1 if nowhere. */
static int place_of(const pid_t running[RUNNING_MAX], pid_t pid)
{
    for (int i = 0; i < RUNNING_MAX; i++)
        if (running[i] == pid)
            return i;
    return -1;
}

static struct answer run(const char *const argv[], const int fds[DS_LAUNCH_COUNT],
                         pid_t running[RUNNING_MAX])
{
    struct answer answer = {.error = EAGAIN};
    int place = place_of(running, 0);

    if (fds[0] < 0)
        answer.error = EINVAL;
    else if (place >= 0)
        answer.error = ds_launch(argv, fds, &answer.pid);
    if (answer.error == 0)
        running[place] = answer.pid;
    return answer;
}

static struct answer end(pid_t pid, pid_t running[RUNNING_MAX])
{
    struct answer answer = {.error = ESRCH};
    int place = place_of(running, pid);

    if (place < 0)
        return answer;
    kill(-pid, SIGKILL);
    while (waitpid(pid, &answer.status, 0) < 0 && errno == EINTR)
        continue;
    running[place] = 0;
    answer.error = 0;
    return answer;
}

/* All that this process does. */
static void serve(const char *const argv[])
{
    pid_t running[RUNNING_MAX] = {0};
    int fds[DS_LAUNCH_COUNT];
    struct question question;

    while (hear(&question, fds)) {
        struct answer answer =
            question.end > 0 ? end(question.end, running) : run(argv, fds, running);

        for (int i = 0; i < DS_LAUNCH_COUNT; i++)
            if (fds[i] >= 0)
                close(fds[i]);
        if (send(RUNNER_SOCKET, &answer, sizeof answer, MSG_NOSIGNAL) != sizeof answer)
            break;
    }
    for (int i = 0; i < RUNNING_MAX; i++)
        if (running[i] > 0)
            (void)end(running[i], running);
}

/* Keeps the socket and nothing else of its parent's, and outlives the signals that end that. */
static _Noreturn void be_runner(int socket, const char *program)
{
    const char *const argv[] = {program, "--cmdfile", DS_LAUNCH_INPUT_NAME, NULL};
    sigset_t all;
    int null;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    signal(SIGCHLD, SIG_DFL);
    if (dup2(socket, RUNNER_SOCKET) < 0 || fcntl(RUNNER_SOCKET, F_SETFD, FD_CLOEXEC) != 0)
        _exit(1);
    null = open("/dev/null", O_RDWR | O_CLOEXEC); /* now it is not in the socket's place */
    if (null < 0)
        _exit(1);
    for (int fd = 0; fd < RUNNER_SOCKET; fd++)
        dup2(null, fd);
    if (syscall(__NR_close_range, RUNNER_SOCKET + 1, UINT_MAX, 0) != 0)
        for (int fd = RUNNER_SOCKET + 1; fd < FD_SETSIZE; fd++)
            close(fd);
    serve(argv);
    _exit(0);
}

int ds_runner_start(const char *program)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return -errno;
    runner.pid = fork();
    if (runner.pid == 0)
        be_runner(ends[1], program);
    close(ends[1]);
    if (runner.pid < 0) {
        int err = -errno;

        close(ends[0]);
        return err;
    }
    runner.socket = ends[0];
    return 0;
}

bool ds_runner_started(void)
{
    return runner.socket >= 0;
}

/* With the lock. */
static struct answer ask(struct msghdr *message)
{
    struct answer answer = {.error = EIO};
    ssize_t got;

    do
        got = sendmsg(runner.socket, message, MSG_NOSIGNAL);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return answer;
    do
        got = recv(runner.socket, &answer, sizeof answer, 0);
    while (got < 0 && errno == EINTR);
    if (got != sizeof answer)
        answer.error = EIO;
    return answer;
}

int ds_runner_run(const int fds[DS_LAUNCH_COUNT], pid_t *pid)
{
    union control control = {{0}};
    struct question question = {0};
    struct iovec text = {&question, sizeof question};
    struct msghdr message = {.msg_iov = &text,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    struct answer answer;

    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int) * DS_LAUNCH_COUNT);
    memcpy(CMSG_DATA(header), fds, sizeof(int) * DS_LAUNCH_COUNT);
    DS_LOCK_SCOPE(&runner.lock);
    answer = ask(&message);
    if (answer.error == 0)
        *pid = answer.pid;
    return answer.error;
}

int ds_runner_end(pid_t pid)
{
    struct question question = {.end = pid};
    struct iovec text = {&question, sizeof question};
    struct msghdr message = {.msg_iov = &text, .msg_iovlen = 1};
    struct answer answer;

    DS_LOCK_SCOPE(&runner.lock);
    answer = ask(&message);
    /* As after SIGKILL: nobody can tell any more. */
    return answer.error == 0 ? answer.status : SIGKILL;
}

void ds_runner_stop(void)
{
    if (runner.socket < 0)
        return;
    close(runner.socket);
    runner.socket = -1;
    while (waitpid(runner.pid, NULL, 0) < 0 && errno == EINTR)
        continue;
}
