/* The kind "rest" for the suite of inventories: a simulated vCenter with a machine for each file.
 */
#include "inventories.h"

#include "rest_server.h"
#include "simulator.h"

#include <stdio.h>

static unsigned next_id; /* of machines that come while it runs */

static int open_rest(const char *directory, const struct ds_machine_filter *filter,
                     struct ds_call *call, struct ds_inventory **out)
{
    char machines[PATH_MAX];
    char source[64];
    const char *const others[] = {"--vm-directory", machines, NULL};
    struct rest_server server;
    snprintf(machines, sizeof machines, "%s/machines", directory);
    int err = rest_server_use(directory, others, &server);
    if (err)
        return err;
    struct ds_source_options options = {
        .credentials = server.credentials, .cacert = server.certificate, .machines = filter};
    snprintf(source, sizeof source, "https://127.0.0.1:%u", server.port);
    return ds_inventory_open(source, &options, call, out);
}

/* As vSphere stores a name: here only '%' is something else. */
static void store_name(const char *name, char *out)
{
    for (; *name; name++)
        out = *name == '%' ? stpcpy(out, "%25") : stpncpy(out, name, 1);
    *out = '\0';
}

static void came(const char *directory, const char *name)
{
    char stored[256];
    store_name(name, stored);
    rest_server_control(directory, "add vm-%u=%s=%s/machines/%s.db", 5000 + next_id++, stored,
                        directory, name);
}

static void went(const char *directory, const char *name)
{
    char stored[256];
    char id[64];
    store_name(name, stored);
    snprintf(id, sizeof id, "%s", rest_server_control(directory, "id %s", stored));
    rest_server_control(directory, "state %s gone", id);
}

const struct inventory_target inventory_target_rest = {
    .name = "rest", .open = open_rest, .came = came, .went = went, .end = simulator_end};
