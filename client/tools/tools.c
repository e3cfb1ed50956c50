/* The vtable of the tools channel, and its opening. */
#include "tools.h"

#include "commands.h"
#include "doubt.h"
#include "get.h"
#include "log.h"
#include "pool.h"
#include "runner.h"
#include "set.h"
#include "vmtoolsd.h"
#include "vsock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* As many short keys as a message of 64 KiB holds; longer ones take several messages. */
enum { BATCH_KEYS = 4096 };

static struct ds_tools *tools_of(struct ds_client *client)
{
    return (struct ds_tools *)client;
}

static int list(struct ds_client *client, struct ds_call *call, struct ds_names *out)
{
    return ds_commands_list(tools_of(client), call, out);
}

static int query(struct ds_client *client, struct ds_call *call, const char *dataset,
                 struct ds_attributes *out)
{
    int err = ds_commands_query(tools_of(client), call, dataset, out);
    return ds_doubt_settle(tools_of(client), call, dataset, NULL, err);
}

static int list_keys(struct ds_client *client, struct ds_call *call, const char *dataset,
                     struct ds_names *out)
{
    int err = ds_commands_list_keys(tools_of(client), call, dataset, out);
    return ds_doubt_settle(tools_of(client), call, dataset, NULL, err);
}

static int set(struct ds_client *client, struct ds_call *call, const char *dataset, const char *key,
               const char *data, size_t len, const struct ds_previous *previous)
{
    int err = ds_set_entry(client, call, dataset, key, data, len, previous);
    return ds_doubt_settle(tools_of(client), call, dataset, NULL, err);
}

static int append(struct ds_client *client, struct ds_call *call, const char *dataset,
                  const char *key, const char *data, size_t len)
{
    int err = ds_set_append(client, call, dataset, key, data, len);
    return ds_doubt_settle(tools_of(client), call, dataset, NULL, err);
}

static int remove_key(struct ds_client *client, struct ds_call *call, const char *dataset,
                      const char *key)
{
    int err = ds_commands_remove(tools_of(client), call, DS_EXCHANGE_CHANGE, dataset, key);
    return ds_doubt_settle(tools_of(client), call, dataset, key, err);
}

static void tools_free(struct ds_client *client, struct ds_call *call)
{
    struct ds_tools *tools = tools_of(client);
    (void)call;
    tools->transport->free(tools->transport);
    free(tools);
}

static const struct ds_client_ops tools_ops = {
    .name = "tools",
    .list = list,
    .query = query,
    .list_keys = list_keys,
    .get = ds_get_entries,
    .set = set,
    .set_some = ds_set_some,
    .append = append,
    .remove = remove_key,
    .free = tools_free,
};

int ds_tools_make_take(struct ds_transport *transport, unsigned parallel, bool can_append,
                       struct ds_client **out)
{
    struct ds_tools *tools = calloc(1, sizeof *tools);
    if (!tools) {
        transport->free(transport);
        return -ENOMEM;
    }
    tools->transport = transport;
    tools->client.ops = &tools_ops;
    tools->client.caps = (struct ds_caps){
        .side = DS_SIDE_GUEST,
        .can_append = can_append,
        .batch_keys = BATCH_KEYS,
        .parallel = parallel,
    };
    *out = &tools->client;
    return 0;
}

/* The client is as good as its first answer. Takes it over if there is none. */
static int try_store(struct ds_client *client, struct ds_call *call, struct ds_client **out)
{
    struct ds_names names = {0};
    int err = ds_client_list(client, call, &names);
    ds_names_clear(&names);
    if (err)
        ds_client_free(client, call);
    else
        *out = client;
    return err;
}

/* What runs the program, where it is to be run. */
static const char *program_of(enum ds_tools_way way, const char *path)
{
    if (way == DS_TOOLS_WAY_PROGRAM)
        return path ? path : DS_TOOLS_PROGRAM;
    return way == DS_TOOLS_WAY_HOST && !ds_vsock_exists() ? DS_TOOLS_PROGRAM : NULL;
}

int ds_tools_prepare(enum ds_tools_way way, const char *path, struct ds_confine *confine)
{
    const char *program = program_of(way, path);
    confine->port = way == DS_TOOLS_WAY_HOST && !program;
    return program ? ds_runner_start(program) : 0;
}

int ds_tools_open(enum ds_tools_way way, const char *path, const struct ds_source_options *options,
                  struct ds_call *call, struct ds_client **out)
{
    struct ds_transport *transport;
    struct ds_client *client;
    unsigned parallel = options->channels ? options->channels : DS_TOOLS_CHANNELS;
    if (parallel > DS_TOOLS_MAX_CHANNELS)
        parallel = DS_TOOLS_MAX_CHANNELS;
    bool falls_back = way == DS_TOOLS_WAY_HOST && !ds_vsock_exists();
    if (falls_back) {
        ds_log(DS_LOG_WARNING,
               "this kernel has no AF_VSOCK: running %s for each request, which is slow",
               DS_TOOLS_PROGRAM);
        way = DS_TOOLS_WAY_PROGRAM;
    }
    bool runs_program = way == DS_TOOLS_WAY_PROGRAM;
    int err = runs_program ? ds_vmtoolsd_new(path ? path : DS_TOOLS_PROGRAM, parallel, &transport)
                           : ds_tools_pool_new(path, parallel, DS_TOOLS_POOL_IDLE_MS, &transport);
    if (!err)
        err = ds_tools_make_take(transport, parallel, !runs_program, &client);
    if (!err && options->delay_connect)
        *out = client;
    else if (!err)
        err = try_store(client, call, out);
    /* No program either that could have said so. */
    if (err == -EHOSTUNREACH && falls_back && ds_call_sent(call) == DS_SENT_NO)
        err = ds_call_fail(call, err,
                           "not inside a VMware virtual machine, or guest RPC is disabled (no "
                           "AF_VSOCK, and %s)",
                           call->text);
    return err;
}
