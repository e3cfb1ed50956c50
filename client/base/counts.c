/* What clients and inventories say of themselves, and their counters. */
#include "inventory.h"

static const char *const op_names[DS_OP_COUNT] = {
    [DS_OP_LIST] = "list",     [DS_OP_QUERY] = "query",     [DS_OP_CREATE] = "create",
    [DS_OP_UPDATE] = "update", [DS_OP_DESTROY] = "destroy", [DS_OP_LIST_KEYS] = "list_keys",
    [DS_OP_GET] = "get",       [DS_OP_SET] = "set",         [DS_OP_APPEND] = "append",
    [DS_OP_REMOVE] = "remove",
};

const char *ds_op_name(enum ds_op op)
{
    return op_names[op];
}

void ds_client_count(struct ds_client *client, enum ds_op op)
{
    atomic_fetch_add_explicit(&client->requests[op], 1, memory_order_relaxed);
}

uint64_t ds_client_requests(const struct ds_client *client, enum ds_op op)
{
    return atomic_load_explicit(&client->requests[op], memory_order_relaxed);
}

uint64_t ds_client_errors(const struct ds_client *client, enum ds_op op)
{
    return atomic_load_explicit(&client->errors[op], memory_order_relaxed);
}

const struct ds_caps *ds_client_caps(const struct ds_client *client)
{
    return &client->caps;
}

enum ds_support ds_client_support(const struct ds_client *client)
{
    return atomic_load_explicit(&client->support, memory_order_relaxed);
}

unsigned ds_client_hardware(const struct ds_client *client)
{
    return atomic_load_explicit(&client->hardware, memory_order_relaxed);
}

const char *ds_client_about(const struct ds_client *client)
{
    return client->about;
}

void ds_inventory_count(struct ds_inventory *inventory, enum ds_inventory_op op)
{
    atomic_fetch_add_explicit(&inventory->requests[op], 1, memory_order_relaxed);
}

uint64_t ds_inventory_requests(const struct ds_inventory *inventory, enum ds_inventory_op op)
{
    return atomic_load_explicit(&inventory->requests[op], memory_order_relaxed);
}

unsigned ds_inventory_parallel(const struct ds_inventory *inventory)
{
    return inventory->parallel > 1 ? inventory->parallel : 1;
}

const struct ds_caps *ds_inventory_caps(const struct ds_inventory *inventory)
{
    return &inventory->caps;
}
