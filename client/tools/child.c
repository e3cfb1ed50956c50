/* A program that is run to its end, with bounded output. */
#include "child.h"

#include "../base/wait.h"
#include "cleanup.h"
#include "launch.h"
#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { MAX_ERRORS_BYTES = 4096, ROOM_BYTES = 64 * 1024 };

enum {
    READ_OUTPUT = DS_LAUNCH_OUTPUT,
    READ_ERRORS = DS_LAUNCH_ERRORS,
    READ_ALIVE = DS_LAUNCH_ALIVE,
    READ_COUNT
};

struct child {
    pid_t pid;
    int fds[READ_COUNT]; /* our ends of the pipes, -1 when closed */
};

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
    int moved = fcntl(*fd, F_DUPFD_CLOEXEC, DS_LAUNCH_LAST_FD + 1);
    if (moved < 0)
        return -errno;
    close(*fd);
    *fd = moved;
    return 0;
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
    int ends[DS_LAUNCH_COUNT] = {-1, -1, -1, -1};
    int err = make_input(input, len, &ends[DS_LAUNCH_INPUT]);
    for (int i = 0; i < READ_COUNT && !err; i++) {
        int made[2];
        err = pipe2(made, O_CLOEXEC) < 0 ? -errno : 0;
        if (!err) {
            child->fds[i] = made[0];
            ends[i] = made[1];
        }
    }
    for (int i = 0; i < DS_LAUNCH_COUNT && !err; i++)
        err = move_up(&ends[i]);
    if (err) {
        err = ds_call_fail(call, err == -ENOMEM ? -ENOMEM : -EHOSTUNREACH, "cannot run %.100s: %s",
                           argv[0], strerror(-err));
    } else {
        int error = ds_runner_started() ? ds_runner_run(ends, &child->pid)
                                        : ds_launch(argv, ends, &child->pid);
        if (error)
            err = ds_call_fail(call, error == ENOMEM ? -ENOMEM : -EHOSTUNREACH,
                               "cannot run %.100s: %s", argv[0], strerror(error));
    }
    close_all(ends, DS_LAUNCH_COUNT);
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

/* Leaves nothing of the program's group; its status. */
static int end(pid_t pid)
{
    int status = 0;
    if (ds_runner_started())
        return ds_runner_end(pid);
    kill(-pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return status;
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
        result.status = end(child.pid);
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
