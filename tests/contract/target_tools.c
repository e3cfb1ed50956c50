/* The protocol "tools" for the suite: the host side is the local store itself, the guest side goes
 * through the simulated host. */
#include "contract.h"
#include "simulator.h"
#include "target.h"

#include "cleanup.h"

#include <stdio.h>
#include <unistd.h>

/* Starts the simulator unless it runs already. `socket_path` is where it listens. */
static int need_sim(const char *directory, const char *const *arguments, char socket_path[PATH_MAX])
{
    snprintf(socket_path, PATH_MAX, "%s/rpc", directory);
    return access(socket_path, F_OK) ? simulator_start(directory, arguments) : 0;
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
    simulator_end();
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
    simulator_product("libfakevsock.so", library);
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
