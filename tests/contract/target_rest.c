/* The protocol "rest" for the suite: the host side goes through the simulated vCenter, the guest
 * side is the local store itself. */
#include "contract.h"
#include "rest_server.h"
#include "simulator.h"
#include "target.h"

#include <stdio.h>

static int open_with(const char *directory, enum ds_side side, const char *const *others,
                     struct ds_call *call, struct ds_client **out)
{
    char source[64];
    struct rest_server server;
    if (side == DS_SIDE_GUEST)
        return contract_open_local(directory, side, call, out);
    int err = rest_server_use(directory, others, &server);
    if (err)
        return err;
    struct ds_source_options options = {.credentials = server.credentials,
                                        .cacert = server.certificate};
    snprintf(source, sizeof source, "https://127.0.0.1:%u/vm-1", server.port);
    return ds_source_open(source, &options, call, out);
}

int contract_open_rest(const char *directory, enum ds_side side, struct ds_call *call,
                       struct ds_client **out)
{
    return open_with(directory, side, NULL, call, out);
}

int contract_open_rest_otherwise(const char *directory, enum ds_side side, struct ds_call *call,
                                 struct ds_client **out)
{
    static const char *const others[] = {
        "--error-style",    "legacy",       "--unauthorized-status", "400", "--success", "200",
        "--no-api-session", "--no-vm-list", "--id-prefix",           "ds:", NULL};
    return open_with(directory, side, others, call, out);
}

void contract_end_rest(void)
{
    simulator_end();
}
