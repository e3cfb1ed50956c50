/* datasetfs: mounts the DataSets of a virtual machine as a file system. */
#include "cleanup.h"
#include "client.h"
#include "command_line.h"
#include "daemon.h"
#include "file/working.h"
#include "help.h"
#include "hidden.h"
#include "kernel/errors.h"
#include "kernel/forget.h"
#include "kernel/loop.h"
#include "kernel/memory.h"
#include "kernel/request.h"
#include "kernel/signals.h"
#include "kernel/timer.h"
#include "log.h"
#include "model/due.h"
#include "model/fs.h"
#include "model/node.h"
#include "mount.h"
#include "ops.h"
#include "scratch/leftover.h"
#include "state.h"
#include "store/ask.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Nothing is lost when the store hears nothing of our end. */
enum { END_MAX_MS = 5000 };

/* Everything between the command line and the end of the mount. */
struct session {
    const struct fs_options *options;
    char *source;                         /* independent of the working directory */
    char *mountpoint;                     /* absolute */
    int report;                           /* to the waiting parent, or -1 in the foreground */
    int signals;                          /* signalfd */
    int ended;                            /* eventfd: the kernel has ended the session */
    struct fs_daemon_inherited inherited; /* in the background: to be closed */
    struct ds_client *client;
    struct fs *fs;
};

/* One line, whatever a name or the store's words have in them. */
static int complain(int status, const char *what)
{
    ds_log(DS_LOG_ERROR, "%s", what);
    return status;
}

static int complain_errno(int status, const char *what, int err)
{
    ds_log(DS_LOG_ERROR, "%s: %s", what, strerror(-err));
    return status;
}

/* What ends the mount becomes readable. */
static int watch_for_end(struct session *session)
{
    session->ended = eventfd(0, EFD_CLOEXEC);
    return session->ended < 0 ? -errno : fs_signals_take(&session->signals);
}

static int open_store(struct session *session)
{
    struct ds_call call;
    int err;

    ds_call_init(&call, session->options->timeout_ms);
    err =
        ds_source_open(session->source, &session->options->source_options, &call, &session->client);
    if (err == 0)
        return FS_EXIT_OK;
    if (call.text[0] != '\0')
        return complain(FS_EXIT_MOUNT, call.text);
    return complain_errno(FS_EXIT_MOUNT, session->options->source, err);
}

static int mount_fs(struct session *session)
{
    char why[FS_MOUNT_WHY_BYTES];
    int err = fs_state_new(session->options, fs_ops_kinds, session->client, &session->fs);

    if (err == 0)
        err = fs_timer_new(&session->fs->kernel.timer);
    if (err == 0)
        fs_errors_set_timer(session->fs->kernel.errors, session->fs->kernel.timer);
    if (err != 0)
        return complain_errno(FS_EXIT_SYSTEM, "cannot start", err);
    err = fs_mount_session(session->options, session->source, session->mountpoint, session->fs,
                           &session->fs->kernel.session, why);
    return err == 0 ? FS_EXIT_OK : complain(FS_EXIT_MOUNT, why);
}

static void await_end(const struct session *session)
{
    struct pollfd fds[] = {{.fd = session->signals, .events = POLLIN},
                           {.fd = session->ended, .events = POLLIN}};

    while (poll(fds, 2, -1) < 0 && errno == EINTR)
        continue;
}

/* Reads until the end, then commits what still waits. Requests that come in meanwhile stay with the
 * kernel, which fails them when the mount is gone. */
static int serve(struct session *session)
{
    struct fs *fs = session->fs;
    struct fs_request leftover;
    int left_err, read_err, err = fs_forget_start(&fs->kernel, fs_node_forgotten);

    if (err == 0)
        err = fs_loop_start(&fs->kernel, session->options->max_threads, session->ended);
    if (err != 0) {
        fs_forget_stop(&fs->kernel);
        return complain_errno(FS_EXIT_SYSTEM, "cannot start a thread", err);
    }
    if (session->report >= 0)
        fs_daemon_ready(session->report, session->mountpoint);
    session->report = -1;
    if (ds_client_about(session->client) != NULL)
        ds_log(DS_LOG_INFO, "%s", ds_client_about(session->client));
    await_end(session);
    fs_ask_cancel_reads(fs->vm);
    fs_forget_stop(&fs->kernel);
    fs_due_stop(fs);
    fs_ask_cancel_reads(fs->vm);
    fs_loop_stop(fs->kernel.loop);
    read_err = fs_loop_error(fs->kernel.loop);
    fs_errors_set_timer(fs->kernel.errors, NULL);
    fs_timer_free(fs->kernel.timer);
    fs->kernel.timer = NULL;
    fs_loop_free(fs->kernel.loop);

    fs_request_init_internal(&leftover, &fs->kernel);
    err = fs_working_commit_all(&leftover, NULL, FS_COMMIT_ON_UNMOUNT);
    left_err = fs_leftover_publish(&leftover);
    if (err != 0)
        ds_log(DS_LOG_ERROR, "not everything could be committed at the end: %s", strerror(-err));
    if (read_err != 0)
        ds_log(DS_LOG_ERROR, "the mount ends: no more requests can be read: %s",
               strerror(-read_err));
    fs_request_clear(&leftover);
    return err != 0 || left_err != 0 || read_err != 0 ? FS_EXIT_SYSTEM : FS_EXIT_OK;
}

static void end_session(struct session *session)
{
    struct fs *fs = session->fs;
    struct ds_call call;

    if (fs != NULL && fs->kernel.session != NULL) {
        fuse_session_unmount(fs->kernel.session);
        fuse_session_destroy(fs->kernel.session);
    }
    if (fs != NULL) {
        fs_errors_set_timer(fs->kernel.errors, NULL);
        fs_timer_free(fs->kernel.timer);
        fs_state_free(fs);
    }
    ds_call_init(&call, session->options->timeout_ms < END_MAX_MS ? session->options->timeout_ms
                                                                  : END_MAX_MS);
    ds_client_free(session->client, &call);
    if (session->signals >= 0)
        close(session->signals);
    if (session->ended >= 0)
        close(session->ended);
}

static int run_session(struct session *session)
{
    int status = FS_EXIT_OK, err = watch_for_end(session);

    if (err != 0)
        status = complain_errno(FS_EXIT_SYSTEM, "cannot take signals", err);
    if (status == FS_EXIT_OK)
        status = open_store(session);
    fs_daemon_close_inherited(&session->inherited); /* files named /dev/fd/N have been read */
    if (status == FS_EXIT_OK)
        status = mount_fs(session);
    if (status == FS_EXIT_OK)
        status = serve(session);
    end_session(session);
    if (session->report >= 0)
        fs_daemon_failed(session->report, status);
    return status;
}

static int run(const struct fs_options *options)
{
    struct session session = {.options = options, .report = -1, .signals = -1, .ended = -1};
    char why[FS_MOUNT_WHY_BYTES];
    int status, err;

    if (fs_mount_check(options->mountpoint, &session.mountpoint, why) != 0)
        return complain(FS_EXIT_MOUNT, why);
    err = ds_source_absolute(options->source, &session.source);
    if (err == 0 && fs_hidden_check(options, session.source, session.mountpoint, why) != 0) {
        free(session.source);
        free(session.mountpoint);
        return complain(FS_EXIT_MOUNT, why);
    }
    if (err == 0 && !options->foreground)
        err = fs_daemon_inherit(&session.inherited);
    if (err == 0 && !options->foreground)
        err = fs_daemon_fork(&session.report);
    if (err == 0)
        status = run_session(&session);
    else
        status = complain_errno(FS_EXIT_SYSTEM, "cannot start", err);
    fs_daemon_close_inherited(&session.inherited);
    free(session.source);
    free(session.mountpoint);
    return status;
}

/* 0, unless the text could not be written. */
static int print(const char *text)
{
    if (fputs(text, stdout) >= 0 && fflush(stdout) == 0)
        return FS_EXIT_OK;
    return complain_errno(FS_EXIT_SYSTEM, "standard output", -errno);
}

/* Descriptors 0 to 2 are for what they are for: started without them, the next files to be opened
 * would take their places, and then be replaced in the background. What was closed stays of no use:
 * what is to be printed there fails. */
static void fill_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        int filled = fcntl(fd, F_GETFD) < 0
                         ? open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY)
                         : fd;

        if (filled != fd)
            return;
    }
}

int main(int argc, char *argv[])
{
    struct fs_options options;
    char why[FS_OPTION_WHY_BYTES];
    int status;

    fill_descriptors();
    fs_memory_begin();
    if (fs_command_line_parse(&options, argc, argv, why) != 0)
        return complain(FS_EXIT_USAGE, why);
    if (options.debug)
        ds_log_set_level(DS_LOG_DEBUG);
    if (options.help) {
        status = print(fs_help());
    } else if (options.version) {
        status = print("datasetfs " DS_VERSION "\n");
    } else {
        status = run(&options);
    }
    fs_options_clear(&options);
    return status;
}
