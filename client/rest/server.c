/* The inventory of a vCenter. */
#include "server.h"

#include "cleanup.h"
#include "listing.h"
#include "rest.h"
#include "vm_name.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Requests a second: a vCenter answers some 1,500, and not for us alone. */
enum { RATE_DEFAULT = 200 };

struct server {
    struct ds_inventory inventory; /* first, see inventory.h */
    struct ds_vcenter *vcenter;
    struct ds_scopes scopes;
    struct ds_listing listing;
};

static struct server *server_of(struct ds_inventory *inventory)
{
    return (struct server *)inventory;
}

static struct ds_fetcher fetcher_of(struct server *server, enum ds_inventory_op op,
                                    struct ds_call *call)
{
    return (struct ds_fetcher){
        .vcenter = server->vcenter, .inventory = &server->inventory, .op = op, .call = call};
}

/* In a scope that was found out later than `after_ms`, which is then when it was. */
static int list_in(struct server *server, const struct ds_fetcher *fetcher, int64_t *after_ms,
                   struct ds_machines *out, bool *lacks)
{
    int64_t begin_ms = ds_call_now_ms();
    struct ds_scope scope DS_CLEANUP(ds_scope_clear) = {0};
    int err = ds_scope_get(&server->scopes, fetcher, *after_ms, &scope);
    if (!err)
        err = ds_listing_ask(&server->listing, fetcher, &scope, out, lacks);
    *lacks = *lacks && ds_scope_may_lack(&scope, begin_ms);
    *after_ms = scope.found_ms;
    return err;
}

static int list(struct ds_inventory *inventory, struct ds_call *call, struct ds_machines *out)
{
    struct server *server = server_of(inventory);
    struct ds_fetcher fetcher = fetcher_of(server, DS_INVENTORY_LIST, call);
    int64_t after_ms = 0;
    bool lacks = false;
    int err = list_in(server, &fetcher, &after_ms, out, &lacks);
    if (err || !lacks)
        return err;
    /* Who is missing may be in a folder that is new. */
    ds_machines_clear(out);
    return list_in(server, &fetcher, &after_ms, out, &lacks);
}

/* Adds those that are what was asked for: a server may take no notice of a filter. */
static int take_fitting(const struct ds_machines *from, enum ds_machine_by by, const char *text,
                        struct ds_machines *out)
{
    int err = 0;
    for (size_t i = 0; i < from->count && !err; i++) {
        const struct ds_machine *machine = &from->list[i];
        if (!strcmp(by == DS_MACHINE_BY_ID ? machine->id : machine->name, text))
            err = ds_machines_add(out, machine->id, machine->name, machine->power);
    }
    return err;
}

/* vCenter says that they are too many for one list. */
static int fail_too_many(struct ds_call *call, enum ds_machine_by by, const char *text)
{
    if (by == DS_MACHINE_BY_ID)
        return -EPROTO;
    return ds_call_fail(call, -ENOTUNIQ,
                        "more virtual machines than vCenter lists are named '%.80s': use one of "
                        "their ids",
                        text);
}

/* Asks the query `at` of the scope. */
static int find_in(const struct ds_fetcher *fetcher, const struct ds_scope *scope, size_t at,
                   enum ds_machine_by by, const char *text, struct ds_machines *out)
{
    struct ds_fetch fetch DS_CLEANUP(ds_fetch_clear) = {0};
    struct ds_machines found DS_CLEANUP(ds_machines_clear) = {0};
    int err = ds_fetch_begin(&fetch, fetcher->vcenter, "vm");
    if (!err)
        err = by == DS_MACHINE_BY_ID ? ds_url_add(&fetch.url, "vms", text)
                                     : ds_vm_name_add(&fetch.url, text);
    if (!err)
        err = ds_scope_add(scope, fetcher->inventory->filter, at, true, &fetch);
    if (!err)
        err = ds_fetch_run(fetcher, &fetch, 1);
    if (!err && fetch.too_many)
        err = fail_too_many(fetcher->call, by, text);
    if (!err)
        err = ds_fetch_machines(fetcher, &fetch, &found);
    return err ? err : take_fitting(&found, by, text, out);
}

/* What is looked for. */
struct wanted {
    enum ds_machine_by by;
    const char *text;
};

/* In a scope that was found out later than `after_ms`, which is then when it was. `*lacks`: it was
 * so before. */
static int find_later(struct server *server, const struct ds_fetcher *fetcher,
                      const struct wanted *wanted, int64_t *after_ms, bool *lacks,
                      struct ds_machines *out)
{
    int64_t begin_ms = ds_call_now_ms();
    struct ds_scope scope DS_CLEANUP(ds_scope_clear) = {0};
    int err = ds_scope_get(&server->scopes, fetcher, *after_ms, &scope);
    for (size_t at = 0; at < ds_scope_queries(&scope) && !err; at++)
        err = find_in(fetcher, &scope, at, wanted->by, wanted->text, out);
    *lacks = ds_scope_may_lack(&scope, begin_ms);
    *after_ms = scope.found_ms;
    return err;
}

static int find(struct ds_inventory *inventory, struct ds_call *call, enum ds_machine_by by,
                const char *text, struct ds_machines *out)
{
    struct server *server = server_of(inventory);
    struct ds_fetcher fetcher = fetcher_of(server, DS_INVENTORY_FIND, call);
    const struct wanted wanted = {.by = by, .text = text};
    int64_t after_ms = 0;
    bool lacks = false;
    int err = find_later(server, &fetcher, &wanted, &after_ms, &lacks, out);
    /* Who has an id was there, and is only gone if it is in no folder that is new either. */
    if (!err && !out->count && by == DS_MACHINE_BY_ID && lacks)
        err = find_later(server, &fetcher, &wanted, &after_ms, &lacks, out);
    return err;
}

static int open_machine(struct ds_inventory *inventory, struct ds_call *call, const char *id,
                        struct ds_client **out)
{
    return ds_rest_open_shared(server_of(inventory)->vcenter, id, call, out);
}

/* All but the vCenter. */
static void free_parts(struct server *server)
{
    ds_scopes_end(&server->scopes);
    ds_listing_end(&server->listing);
    free(server);
}

static void free_server(struct ds_inventory *inventory, struct ds_call *call)
{
    struct server *server = server_of(inventory);
    ds_vcenter_free(server->vcenter, call);
    free_parts(server);
}

static const struct ds_inventory_ops server_ops = {
    .name = "rest",
    .list = list,
    .find = find,
    .open_machine = open_machine,
    .free = free_server,
};

/* The vCenter is as good as its first answer. */
static int try_server(struct server *server, struct ds_call *call)
{
    struct ds_fetcher fetcher = fetcher_of(server, DS_INVENTORY_LIST, call);
    struct ds_scope scope DS_CLEANUP(ds_scope_clear) = {0};
    int err = ds_scope_get(&server->scopes, &fetcher, 0, &scope);
    return err ? err : ds_listing_try(&server->listing, &fetcher, &scope);
}

static int begin(struct server *server, const struct ds_source_options *options,
                 struct ds_call *call)
{
    int err = ds_scopes_init(&server->scopes);
    if (!err)
        err = ds_listing_init(&server->listing);
    return err || options->delay_connect ? err : try_server(server, call);
}

static int open_url(const struct ds_url *url, const struct ds_source_options *options,
                    struct ds_call *call, struct ds_inventory **out)
{
    struct server *server = calloc(1, sizeof *server);
    if (!server)
        return -ENOMEM;
    server->scopes.turn.fd = -1;
    server->listing.turn.fd = -1;
    struct ds_source_options bounded = *options;
    if (!options->rate_given)
        bounded.rate = RATE_DEFAULT;
    int err = ds_vcenter_new(url, &bounded, call, &server->vcenter);
    if (err) {
        free_parts(server);
        return err;
    }
    server->inventory.ops = &server_ops;
    server->inventory.caps = ds_vcenter_caps(server->vcenter);
    server->inventory.parallel = server->inventory.caps.parallel;
    server->inventory.filter = options->machines;
    err = begin(server, options, call);
    if (err) {
        ds_vcenter_abandon(server->vcenter, call);
        free_parts(server);
        return err;
    }
    server->vcenter->opened = true;
    *out = &server->inventory;
    return 0;
}

const struct ds_vcenter *ds_server_vcenter(const struct ds_inventory *inventory)
{
    return ((const struct server *)inventory)->vcenter;
}

int ds_server_open(const char *source, const struct ds_source_options *options,
                   struct ds_call *call, struct ds_inventory **out)
{
    char why[DS_WHY_BYTES];
    struct ds_url url;
    int err = ds_url_parse_server(source, &url, why);
    if (err)
        return err == -EINVAL ? ds_call_fail(call, err, "%s", why) : err;
    err = open_url(&url, options, call, out);
    ds_url_clear(&url);
    return err;
}
