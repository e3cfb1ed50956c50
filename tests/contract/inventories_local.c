/* The kind "local" for the suite of inventories. */
#include "inventories.h"

#include <stdio.h>

static int open_local(const char *directory, const struct ds_machine_filter *filter,
                      struct ds_call *call, struct ds_inventory **out)
{
    struct ds_source_options options = {.side = DS_SIDE_HOST, .machines = filter};
    char *source = NULL;
    if (asprintf(&source, "local:%s/machines/", directory) < 0)
        return -ENOMEM;
    int err = ds_inventory_open(source, &options, call, out);
    free(source);
    return err;
}

const struct inventory_target inventory_target_local = {.name = "local", .open = open_local};
