/* What -o says of the machines of an inventory. */
#include "store_options.h"

#include "utf8.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void ds_machine_filter_clear(struct ds_machine_filter *filter)
{
    ds_names_clear(&filter->folders);
    ds_names_clear(&filter->clusters);
    ds_names_clear(&filter->datacenters);
    ds_names_clear(&filter->globs);
    *filter = (struct ds_machine_filter){0};
}

/* The filter, which is there once something is to be put into it. */
static struct ds_machine_filter *filter_of(struct ds_store_options *options)
{
    if (!options->machines)
        options->machines = calloc(1, sizeof *options->machines);
    options->source.machines = options->machines;
    return options->machines;
}

static int add_text(struct ds_names *list, const char *value)
{
    size_t len = strlen(value);
    return len && len <= DS_NAME_MAX_BYTES && ds_utf8_valid(value, len) ? ds_names_add(list, value)
                                                                        : -EINVAL;
}

static int add_folder(void *to, const struct ds_option *option, const char *value)
{
    struct ds_machine_filter *filter = filter_of(to);
    (void)option;
    return filter ? add_text(&filter->folders, value) : -ENOMEM;
}

static int add_cluster(void *to, const struct ds_option *option, const char *value)
{
    struct ds_machine_filter *filter = filter_of(to);
    (void)option;
    return filter ? add_text(&filter->clusters, value) : -ENOMEM;
}

static int add_datacenter(void *to, const struct ds_option *option, const char *value)
{
    struct ds_machine_filter *filter = filter_of(to);
    (void)option;
    return filter ? add_text(&filter->datacenters, value) : -ENOMEM;
}

static int add_glob(void *to, const struct ds_option *option, const char *value)
{
    struct ds_machine_filter *filter = filter_of(to);
    (void)option;
    return filter ? add_text(&filter->globs, value) : -ENOMEM;
}

static int add_power(void *to, const struct ds_option *option, const char *value)
{
    struct ds_machine_filter *filter = filter_of(to);
    (void)option;
    if (!filter)
        return -ENOMEM;
    for (int power = DS_POWER_ON; power < DS_POWER_COUNT; power++) {
        if (strcasecmp(value, ds_power_name((enum ds_power)power)) != 0)
            continue;
        filter->powers |= 1U << power;
        return 0;
    }
    return -EINVAL;
}

#define OR_ID "its name or its id"

const struct ds_option ds_machine_option[] = {
    {"folder", "NAME", OR_ID, "only machines below it, for https://HOST; repeatable",
     .set = add_folder},
    {"cluster", "NAME", OR_ID, "only machines on it, for https://HOST; repeatable",
     .set = add_cluster},
    {"datacenter", "NAME", OR_ID, "only machines in it, for https://HOST; repeatable",
     .set = add_datacenter},
    {"power", "on|off|suspended", "on, off or suspended",
     "only machines in that state, for https://HOST; repeatable", .set = add_power},
    {"machines", "GLOB", "a pattern of names, such as web-*",
     "only machines with such names; repeatable", .set = add_glob},
    {.name = NULL},
};
