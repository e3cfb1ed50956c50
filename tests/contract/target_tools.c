/* The protocol "tools" for the suite: the host side is the local store itself, the guest side goes
 * through the simulated host. */
#include "contract.h"
#include "target.h"

#include "cleanup.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READY_WITHIN_MS = 20000 };

static pid_t sim_pid; /* of the directory in use; 0: none */

/* A product of the build that this program is from. */
static void built(const char *name, char path[PATH_MAX])
{
    char self[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    assert_true(len > 0);
    self[len] = '\0';
    char *below = strstr(self, "/tests/contract/");
    assert_non_null(below);
    snprintf(path, PATH_MAX, "%.*s/%s", (int)(below - self), self, name);
}

static void run_sim(const char *directory, const char *const *arguments, int ready_fd)
{
    char program[PATH_MAX];
    char store[PATH_MAX];
    char rpc[PATH_MAX];
    char ready[16];
    const char *argv[32] = {"datasets-sim", "--store", store, "--rpc", rpc, "--ready-fd", ready};
    size_t count = 7;
    built("datasets-sim", program);
    snprintf(store, sizeof store, "%s/store", directory);
    snprintf(rpc, sizeof rpc, "unix:%s/rpc", directory);
    snprintf(ready, sizeof ready, "%d", ready_fd);
    for (; arguments && *arguments; arguments++)
        argv[count++] = *arguments;
    execv(program, (char *const *)argv);
    _exit(127);
}

static int start_sim(const char *directory, const char *const *arguments)
{
    int ready[2];
    if (pipe2(ready, O_CLOEXEC) < 0)
        return -errno;
    sim_pid = fork();
    if (sim_pid == 0) {
        fcntl(ready[1], F_SETFD, 0);
        run_sim(directory, arguments, ready[1]);
    }
    close(ready[1]);
    struct pollfd fd = {.fd = ready[0], .events = POLLIN};
    char byte;
    bool listens = poll(&fd, 1, READY_WITHIN_MS) == 1 && read(ready[0], &byte, 1) == 1;
    close(ready[0]);
    return listens ? 0 : -EIO;
}

/* Starts the simulator unless it runs already. `socket_path` is where it listens. */
static int need_sim(const char *directory, const char *const *arguments, char socket_path[PATH_MAX])
{
    snprintf(socket_path, PATH_MAX, "%s/rpc", directory);
    return access(socket_path, F_OK) ? start_sim(directory, arguments) : 0;
}

static int open_with(const char *directory, enum ds_side side, const char *const *arguments,
                     struct ds_call *call, struct ds_client **out)
{
    struct ds_source_options options = {0};
    char socket_path[PATH_MAX];
    char *source DS_AUTO_FREE = NULL;
    if (side == DS_SIDE_HOST)
        return contract_open_local(directory, side, call, out);
    int err = need_sim(directory, arguments, socket_path);
    if (!err && asprintf(&source, "tools:unix=%s", socket_path) < 0)
        return -ENOMEM;
    return err ? err : ds_source_open(source, &options, call, out);
}

int contract_open_tools(const char *directory, enum ds_side side, struct ds_call *call,
                        struct ds_client **out)
{
    return open_with(directory, side, NULL, call, out);
}

int contract_open_tools_otherwise(const char *directory, enum ds_side side, struct ds_call *call,
                                  struct ds_client **out)
{
    static const char *const arguments[] = {
        "--failure",       "rpc",           "--missing", "error",  "--access-spelling",
        "hostAccess",      "--entries",     "keyvalue",  "--page", "65536",
        "--access-nested", "--raw-control", NULL};
    return open_with(directory, side, arguments, call, out);
}

void contract_end_tools(void)
{
    int status = -1;
    if (!sim_pid)
        return;
    kill(sim_pid, SIGTERM);
    while (waitpid(sim_pid, &status, 0) < 0 && errno == EINTR)
        continue;
    sim_pid = 0;
    assert_int_equal(status, 0);
}

/* From now on programs find the simulator behind AF_VSOCK; what runs already does not change. */
int contract_open_vmtoolsd(const char *directory, enum ds_side side, struct ds_call *call,
                           struct ds_client **out)
{
    struct ds_source_options options = {0};
    char socket_path[PATH_MAX];
    char library[PATH_MAX];
    if (side == DS_SIDE_HOST)
        return contract_open_local(directory, side, call, out);
    int err = need_sim(directory, NULL, socket_path);
    if (err)
        return err;
    built("libfakevsock.so", library);
    setenv("FAKEVSOCK_PATH", socket_path, 1);
    setenv("LD_PRELOAD", library, 1);
    return ds_source_open("tools:vmtoolsd", &options, call, out);
}

void contract_end_vmtoolsd(void)
{
    unsetenv("LD_PRELOAD");
    unsetenv("FAKEVSOCK_PATH");
    contract_end_tools();
}

bool contract_missing_vmtoolsd(void)
{
    return system("command -v vmtoolsd >/dev/null") != 0; // NOLINT: a shell's own search
}
