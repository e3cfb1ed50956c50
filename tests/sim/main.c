/* datasets-sim: a simulated ESX host and vCenter, for tests. */
#include "cleanup.h"
#include "options.h"
#include "rest.h"
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

#define STORE_TIMEOUT_MS 60000

static int fail(const char *what, int err)
{
    fprintf(stderr, "datasets-sim: %s: %s\n", what, strerror(-err));
    return EXIT_FAILURE;
}

static int open_stores(const struct sim_options *options, struct sim_host *host)
{
    int err = 0;
    if (options->rpc_path)
        err = sim_vms_open_store(options->store, DS_SIDE_GUEST, &host->store);
    if (!err && options->rest.given)
        err = sim_vms_open(&host->vms);
    return err;
}

/* SIGTERM and SIGINT come by the fd from now on, in all threads. */
static int take_signals(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    return signalfd(-1, &signals, SFD_CLOEXEC);
}

static int tell_ready(int fd)
{
    static const char line[] = "ready\n";
    if (fd < 0)
        return 0;
    ssize_t written = write(fd, line, sizeof line - 1);
    int err = written == sizeof line - 1 ? 0 : written < 0 ? -errno : -EIO;
    close(fd);
    return err;
}

static int serve(const struct sim_options *options, struct sim_host *host, int signal_fd)
{
    struct sim_listener listeners[2];
    struct sim_rest *rest = NULL;
    size_t count = 0;
    int err = 0;
    if (options->rpc_path)
        listeners[count++] =
            (struct sim_listener){.path = options->rpc_path, .serve = sim_channel_serve, .fd = -1};
    if (options->control_path)
        listeners[count++] = (struct sim_listener){
            .path = options->control_path, .serve = sim_control_serve, .fd = -1};
    for (size_t i = 0; i < count && !err; i++)
        err = sim_server_listen(&listeners[i]);
    if (!err && options->rest.given)
        err = sim_rest_start(host, &options->rest, &rest);
    if (!err)
        err = tell_ready(options->ready_fd);
    if (!err)
        sim_server_run(host, listeners, count, signal_fd);
    sim_rest_stop(rest);
    for (size_t i = 0; i < count; i++)
        sim_server_close(&listeners[i]);
    return err ? fail("cannot listen", err) : EXIT_SUCCESS;
}

static int run(int argc, char **argv, struct sim_host *host)
{
    struct sim_options options;
    int status = sim_options_parse(argc, argv, host->faults, &host->vms, &options);
    sim_rest_options_clear(&options.rest);
    if (status >= 0)
        return status;
    umask(0177);
    int signal_fd DS_AUTO_CLOSE = take_signals();
    int stop_fd DS_AUTO_CLOSE = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int log_fd DS_AUTO_CLOSE = -1;
    if (signal_fd < 0 || stop_fd < 0)
        return fail("cannot begin", -errno);
    if (options.log)
        log_fd = open(options.log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (options.log && log_fd < 0)
        return fail(options.log, -errno);
    int err = open_stores(&options, host);
    if (err)
        return fail("cannot open the store", err);
    host->shape = options.shape;
    host->log_fd = log_fd;
    host->stop_fd = stop_fd;
    return serve(&options, host, signal_fd);
}

int main(int argc, char **argv)
{
    struct sim_host host = {.faults = sim_faults_new(), .sessions = sim_rest_sessions_new()};
    sim_vms_init(&host.vms);
    sim_schedule_init(&host.schedule);
    if (!host.faults || !host.sessions)
        return fail("cannot begin", -ENOMEM);
    int status = run(argc, argv, &host);
    struct ds_call call;
    ds_call_init(&call, STORE_TIMEOUT_MS);
    ds_client_free(host.store, &call);
    sim_vms_clear(&host.vms);
    sim_schedule_clear(&host.schedule);
    sim_rest_sessions_free(host.sessions);
    sim_faults_free(host.faults);
    return status;
}
