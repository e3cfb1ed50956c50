/* A program that is run to its end, with bounded output. */
#include "child.h"

#include "../base/wait.h"
#include "cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

/* Descriptors of the program. It knows nothing of the last one, which closes when it ends. */
enum { CHILD_INPUT = 3, CHILD_ALIVE = 4 };

enum { MAX_ERRORS_BYTES = 4096, ROOM_BYTES = 64 * 1024 };

enum { READ_OUTPUT, READ_ERRORS, READ_ALIVE, READ_COUNT };

struct child {
    pid_t pid;
    int fds[READ_COUNT]; /* our ends of the pipes, -1 when closed */
};

/* The environment with another locale. The array is owned by the caller, its strings are not. */
static const char **make_environment(void)
{
    static const char locale[] = "LC_ALL=C.UTF-8";
    size_t count = 0;
    while (environ && environ[count])
        count++;
    const char **copy = calloc(count + 2, sizeof *copy);
    if (!copy)
        return NULL;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (strncmp(environ[i], locale, strlen("LC_ALL=")) != 0)
            copy[kept++] = environ[i];
    copy[kept] = locale;
    return copy;
}

static int make_input(const char *input, size_t len, int *out)
{
    int fd DS_AUTO_CLOSE = memfd_create("datasetfs-request", MFD_CLOEXEC);
    if (fd < 0)
        return -errno;
    for (size_t at = 0; at < len;) {
        ssize_t n = write(fd, input + at, len - at);
        if (n < 0)
            return -errno;
        at += (size_t)n;
    }
    if (lseek(fd, 0, SEEK_SET) < 0)
        return -errno;
    *out = ds_cleanup_keep(&fd);
    return 0;
}

/* Not below the descriptors that the program gets, so that giving them closes none of these. */
static int move_up(int *fd)
{
    int moved = fcntl(*fd, F_DUPFD_CLOEXEC, CHILD_ALIVE + 1);
    if (moved < 0)
        return -errno;
    close(*fd);
    *fd = moved;
    return 0;
}

/* The ends for the program, indexed as in struct child, and its input behind them. */
static int spawn(const char *const argv[], int ends[READ_COUNT + 1], pid_t *pid)
{
    static const int numbers[] = {STDOUT_FILENO, STDERR_FILENO, CHILD_ALIVE, CHILD_INPUT};
    const char **environment DS_AUTO_FREE = make_environment();
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigset_t all;
    if (!environment)
        return ENOMEM;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                              POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawn_file_actions_init(&actions);
    int error = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    for (int i = 0; i <= READ_COUNT && !error; i++)
        error = posix_spawn_file_actions_adddup2(&actions, ends[i], numbers[i]);
    if (!error)
        error = posix_spawnp(pid, argv[0], &actions, &attributes, (char *const *)argv,
                             (char *const *)environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return error;
}

static void close_all(int *fds, int count)
{
    for (int i = 0; i < count; i++) {
        if (fds[i] >= 0)
            close(fds[i]);
        fds[i] = -1;
    }
}

static int start(struct ds_call *call, const char *const argv[], const char *input, size_t len,
                 struct child *child)
{
    int ends[READ_COUNT + 1] = {-1, -1, -1, -1};
    int err = make_input(input, len, &ends[READ_COUNT]);
    for (int i = 0; i < READ_COUNT && !err; i++) {
        int made[2];
        err = pipe2(made, O_CLOEXEC) < 0 ? -errno : 0;
        if (!err) {
            child->fds[i] = made[0];
            ends[i] = made[1];
        }
    }
    for (int i = 0; i <= READ_COUNT && !err; i++)
        err = move_up(&ends[i]);
    if (err) {
        err = ds_call_fail(call, err == -ENOMEM ? -ENOMEM : -EHOSTUNREACH, "cannot run %.100s: %s",
                           argv[0], strerror(-err));
    } else {
        int error = spawn(argv, ends, &child->pid);
        if (error)
            err = ds_call_fail(call, error == ENOMEM ? -ENOMEM : -EHOSTUNREACH,
                               "cannot run %.100s: %s", argv[0], strerror(error));
    }
    close_all(ends, READ_COUNT + 1);
    return err;
}

/* Reads what there is. The rest of what is over `max_bytes` is thrown away; `*over` says so. */
static int read_some(int *fd, struct ds_buf *out, size_t max_bytes, bool *over)
{
    int err = ds_buf_reserve(out, ROOM_BYTES);
    if (err)
        return err;
    ssize_t n = read(*fd, out->data + out->len, ROOM_BYTES);
    if (n < 0)
        return errno == EINTR ? 0 : -errno;
    if (n == 0) {
        close(*fd);
        *fd = -1;
        return 0;
    }
    *over = (size_t)n > max_bytes - out->len;
    out->len += *over ? max_bytes - out->len : (size_t)n;
    out->data[out->len] = '\0';
    return 0;
}

/* Reads until the program has ended. */
static int attend(struct ds_call *call, bool heed_cancel, struct child *child, size_t max_bytes,
                  struct ds_child_result *out)
{
    while (child->fds[READ_OUTPUT] >= 0 || child->fds[READ_ERRORS] >= 0 ||
           child->fds[READ_ALIVE] >= 0) {
        int err = ds_wait_check(call, heed_cancel);
        if (err)
            return err;
        struct pollfd fds[READ_COUNT + 1];
        for (int i = 0; i < READ_COUNT; i++)
            fds[i] = (struct pollfd){.fd = child->fds[i], .events = POLLIN};
        fds[READ_COUNT] = (struct pollfd){.fd = heed_cancel ? atomic_load(&call->cancel_fd) : -1,
                                          .events = POLLIN};
        if (poll(fds, READ_COUNT + 1, ds_call_left_ms(call)) <= 0)
            continue;
        bool over = false;
        bool ignored;
        if (fds[READ_OUTPUT].revents)
            err = read_some(&child->fds[READ_OUTPUT], &out->output, max_bytes, &over);
        if (!err && fds[READ_ERRORS].revents)
            err = read_some(&child->fds[READ_ERRORS], &out->errors, MAX_ERRORS_BYTES, &ignored);
        if (!err && over)
            err = ds_call_fail(call, -EPROTO, "the reply is too long");
        if (err)
            return err;
        if (fds[READ_ALIVE].revents)
            close_all(&child->fds[READ_ALIVE], 1);
    }
    return 0;
}

int ds_child_run(struct ds_call *call, bool heed_cancel, const struct ds_child_program *program,
                 struct ds_child_result *out)
{
    struct child child = {.fds = {-1, -1, -1}};
    struct ds_child_result result = {0};
    int err = start(call, program->argv, program->input, program->input_len, &child);
    if (!err) {
        ds_call_set_sent(call, DS_SENT_MAYBE);
        err = attend(call, heed_cancel, &child, program->max_output_bytes, &result);
        kill(-child.pid, SIGKILL);
        while (waitpid(child.pid, &result.status, 0) < 0 && errno == EINTR)
            continue;
    }
    close_all(child.fds, READ_COUNT);
    if (err) {
        ds_buf_free(&result.output);
        ds_buf_free(&result.errors);
        return err;
    }
    *out = result;
    return 0;
}
