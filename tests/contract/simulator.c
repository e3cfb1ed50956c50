#include "simulator.h"

#include "contract.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READY_WITHIN_MS = 20000 };

static pid_t sim_pid; /* of the directory in use; 0: none */

void simulator_product(const char *name, char path[PATH_MAX])
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
    const char *argv[96] = {"datasets-sim", "--store", store, "--rpc", rpc, "--ready-fd", ready};
    size_t count = 7;
    simulator_product("datasets-sim", program);
    snprintf(store, sizeof store, "%s/store", directory);
    snprintf(rpc, sizeof rpc, "unix:%s/rpc", directory);
    snprintf(ready, sizeof ready, "%d", ready_fd);
    for (; arguments && *arguments; arguments++)
        argv[count++] = *arguments;
    execv(program, (char *const *)argv);
    _exit(127);
}

int simulator_start(const char *directory, const char *const *arguments)
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

void simulator_end(void)
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
