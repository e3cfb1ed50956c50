/* The life of a mount: its start and its end, each from top to bottom. */
#include "serve.h"

#include "client.h"
#include "command_line.h"
#include "daemon.h"
#include "file/working.h"
#include "guard.h"
#include "hidden.h"
#include "inventory.h"
#include "kernel/error_log.h"
#include "kernel/forget.h"
#include "kernel/loop.h"
#include "kernel/request.h"
#include "kernel/signals.h"
#include "kernel/timer.h"
#include "log.h"
#include "model/due_work.h"
#include "model/fs.h"
#include "model/node.h"
#include "mount.h"
#include "ops.h"
#include "scratch/leftover.h"
#include "state.h"
#include "store/turn.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Nothing is lost when the store hears nothing of our end. */
enum { END_MAX_MS = 5000 };

struct session {
    const struct fs_options *options;
    char *source;     /* independent of the working directory */
    char *mountpoint; /* absolute */
    int report;       /* to whoever waits, or -1 in the foreground; the guard's */
    int channel;      /* to the guard */
    int signals;      /* signalfd */
    int ended;        /* eventfd: the kernel has ended the session */
    struct fs_daemon_inherited inherited; /* in the background: to be closed */
    struct fs_store store;
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

/* What is mounted, and where. */
static int look_up(struct session *session)
{
    char why[FS_MOUNT_WHY_BYTES];
    int err;

    if (session->options->name_space != NULL &&
        fs_mount_enter(session->options->name_space, why) != 0)
        return complain(FS_EXIT_MOUNT, why);
    if (fs_mount_check(session->options->mountpoint, &session->mountpoint, why) != 0)
        return complain(FS_EXIT_MOUNT, why);
    err = ds_source_absolute(session->options->source, &session->source);
    if (err != 0)
        return complain_errno(FS_EXIT_SYSTEM, "cannot start", err);
    if (fs_hidden_check(session->options, session->source, session->mountpoint, why) != 0)
        return complain(FS_EXIT_MOUNT, why);
    return FS_EXIT_OK;
}

/* Goes into the background: from here on in the child. */
static int go_back(struct session *session)
{
    int err;

    if (session->options->foreground)
        return FS_EXIT_OK;
    err = fs_daemon_inherit(&session->inherited);
    if (err == 0)
        err = fs_daemon_fork(&session->report);
    return err == 0 ? FS_EXIT_OK : complain_errno(FS_EXIT_SYSTEM, "cannot start", err);
}

/* Leaves the rights with a parent. From here on in the process that serves. */
static int leave_rights(struct session *session)
{
    const struct fs_guard_start start = {.options = session->options,
                                         .source = session->source,
                                         .mountpoint = session->mountpoint,
                                         .report = session->report,
                                         .inherited = &session->inherited};
    struct ds_confine confine = {0};
    int err = fs_guard_fork(&start, &session->channel);

    if (err == 0)
        err = ds_source_prepare(session->source, &session->options->store.source, &confine);
    if (err == 0 && !session->options->no_sandbox)
        ds_confine_apply(&confine);
    ds_confine_clear(&confine);
    return err == 0 ? FS_EXIT_OK : complain_errno(FS_EXIT_SYSTEM, "cannot start", err);
}

/* What ends the mount becomes readable. */
static int watch_for_end(struct session *session)
{
    int err;

    session->ended = eventfd(0, EFD_CLOEXEC);
    err = session->ended < 0 ? -errno : fs_signals_take(&session->signals);
    return err == 0 ? FS_EXIT_OK : complain_errno(FS_EXIT_SYSTEM, "cannot take signals", err);
}

static int open_store(struct session *session)
{
    struct ds_call call;
    int err;

    ds_call_init(&call, session->options->store.timeout_ms);
    if (ds_inventory_is(session->source))
        err = ds_inventory_open(session->source, &session->options->store.source, &call,
                                &session->store.inventory);
    else
        err = ds_source_open(session->source, &session->options->store.source, &call,
                             &session->store.client);
    if (err == 0)
        return FS_EXIT_OK;
    if (call.text[0] != '\0')
        return complain(FS_EXIT_MOUNT, call.text);
    return complain_errno(FS_EXIT_MOUNT, session->options->source, err);
}

static int make_state(struct session *session)
{
    int err = fs_state_new(session->options, fs_ops_kinds, &session->store, &session->fs);
    struct fs_kernel *kernel;

    if (err == 0) {
        kernel = &session->fs->kernel;
        err = fs_timer_new(&kernel->timer);
        if (err == 0)
            fs_error_log_set_timer(kernel->errors, kernel->timer);
    }
    return err == 0 ? FS_EXIT_OK : complain_errno(FS_EXIT_SYSTEM, "cannot start", err);
}

static int mount_fs(struct session *session)
{
    char why[FS_MOUNT_WHY_BYTES];
    int fd = fs_guard_mount(session->channel);
    int err;

    if (fd == -EPERM) /* it has said why */
        return FS_EXIT_MOUNT;
    if (fd < 0)
        return complain_errno(FS_EXIT_SYSTEM, "cannot mount", fd);
    err = fs_mount_session_take(fd, session->options, session->source, session->mountpoint,
                                &session->fs->kernel, why);
    return err == 0 ? FS_EXIT_OK : complain(FS_EXIT_MOUNT, why);
}

static int start_threads(struct session *session)
{
    struct fs_kernel *kernel = &session->fs->kernel;
    int err = fs_forget_start(kernel, fs_node_forgotten);

    if (err == 0)
        err = fs_loop_start(kernel, session->options->max_threads, session->ended);
    if (err == 0)
        return FS_EXIT_OK;
    fs_forget_stop(kernel);
    return complain_errno(FS_EXIT_SYSTEM, "cannot start a thread", err);
}

static void tell_ready(struct session *session)
{
    if (session->options->verbose)
        ds_log(DS_LOG_INFO, "%s mounted on %s", session->source, session->mountpoint);
    if (!session->options->foreground)
        fs_daemon_let_go(session->mountpoint);
    fs_guard_ready(session->channel); /* if it is dead, that ends the mount */
    if (session->store.client != NULL && ds_client_about(session->store.client) != NULL)
        ds_log(DS_LOG_INFO, "%s", ds_client_about(session->store.client));
}

static int start(struct session *session)
{
    int status = watch_for_end(session);

    if (status == FS_EXIT_OK)
        status = open_store(session);
    fs_daemon_close_inherited(&session->inherited); /* files named /dev/fd/N have been read */
    if (status == FS_EXIT_OK)
        status = make_state(session);
    if (status == FS_EXIT_OK)
        status = mount_fs(session);
    if (status == FS_EXIT_OK)
        status = start_threads(session);
    if (status == FS_EXIT_OK)
        tell_ready(session);
    return status;
}

static void await_end(const struct session *session)
{
    struct pollfd fds[] = {{.fd = session->signals, .events = POLLIN},
                           {.fd = session->ended, .events = POLLIN},
                           {.fd = session->channel, .events = POLLIN}};

    while (poll(fds, 3, -1) < 0 && errno == EINTR)
        continue;
}

/* Nothing is read and nothing runs any more. Requests that come in now stay with the kernel, which
 * fails them when the mount is gone. */
static int stop_threads(struct fs *fs)
{
    struct fs_kernel *kernel = &fs->kernel;
    int err;

    fs_turn_cancel_reads(fs);
    fs_forget_stop(kernel);
    fs_due_stop(fs);
    fs_turn_cancel_reads(fs);
    fs_loop_stop(kernel->loop);
    err = fs_loop_error(kernel->loop);
    fs_error_log_set_timer(kernel->errors, NULL);
    fs_timer_free(kernel->timer);
    kernel->timer = NULL;
    fs_loop_free(kernel->loop);
    kernel->loop = NULL;
    return err;
}

/* Commits what still waits. */
static int commit_rest(struct fs *fs)
{
    struct fs_request leftover;
    int err, left_err;

    fs_request_init_internal(&leftover, &fs->kernel);
    err = fs_working_commit_all(&leftover, NULL, FS_COMMIT_ON_UNMOUNT);
    left_err = fs_leftover_publish(&leftover);
    fs_request_clear(&leftover);
    if (err != 0)
        ds_log(DS_LOG_ERROR, "not everything could be committed at the end: %s", strerror(-err));
    return err != 0 ? err : left_err;
}

static int stop_serving(struct fs *fs)
{
    int read_err = stop_threads(fs);
    int err = commit_rest(fs);

    if (read_err != 0)
        ds_log(DS_LOG_ERROR, "the mount ends: no more requests can be read: %s",
               strerror(-read_err));
    return err != 0 || read_err != 0 ? FS_EXIT_SYSTEM : FS_EXIT_OK;
}

static void unmount_fs(const struct session *session, struct fs *fs, struct ds_call *call)
{
    if (fs->kernel.session != NULL) {
        fuse_session_destroy(fs->kernel.session);
        fs_guard_unmount(session->channel); /* if it is dead, its second does */
    }
    fs_error_log_set_timer(fs->kernel.errors, NULL);
    fs_timer_free(fs->kernel.timer);
    fs_state_free(fs, call);
}

static void begin_end(const struct session *session, struct ds_call *call)
{
    ds_call_init(call, session->options->store.timeout_ms < END_MAX_MS
                           ? session->options->store.timeout_ms
                           : END_MAX_MS);
}

/* Also of a start that failed on its way. */
static int end(struct session *session)
{
    struct fs *fs = session->fs;
    struct ds_call call;
    int status = FS_EXIT_OK;

    if (fs != NULL && fs->kernel.loop != NULL)
        status = stop_serving(fs);
    begin_end(session, &call);
    if (fs != NULL)
        unmount_fs(session, fs, &call);
    ds_client_free(session->store.client, &call);
    ds_inventory_free(session->store.inventory, &call);
    if (session->signals >= 0)
        close(session->signals);
    if (session->ended >= 0)
        close(session->ended);
    if (session->channel >= 0)
        close(session->channel);
    return status;
}

static int run(struct session *session)
{
    int status = start(session), end_status;

    if (status == FS_EXIT_OK) {
        await_end(session);
        fs_guard_stopping(session->channel);
    }
    end_status = end(session);
    if (status == FS_EXIT_OK)
        status = end_status;
    return status;
}

int fs_serve(const struct fs_options *options)
{
    struct session session = {
        .options = options, .report = -1, .channel = -1, .signals = -1, .ended = -1};
    int status = look_up(&session);

    if (status == FS_EXIT_OK && !options->check_only)
        status = go_back(&session);
    if (status == FS_EXIT_OK && !options->check_only)
        status = leave_rights(&session);
    if (status == FS_EXIT_OK && !options->check_only)
        status = run(&session);
    fs_daemon_close_inherited(&session.inherited);
    free(session.source);
    free(session.mountpoint);
    return status;
}
