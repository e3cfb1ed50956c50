/* Machines by what they are on. */
#include "parts.h"

#include "by_folder.h"
#include "cleanup.h"

#include <errno.h>
#include <stdlib.h>

/* What is asked for by itself. */
struct part {
    bool by_host; /* else by cluster */
    const char *id;
};

struct division {
    const struct ds_fetcher *fetcher;
    const struct ds_scope *scope;
    size_t at;           /* the query of the scope */
    struct ds_names ids; /* of all that are found to divide by */
    struct part *parts;
    size_t count;
    size_t room;
    struct ds_machines *out;
};

static void end(struct division *division)
{
    ds_names_clear(&division->ids);
    free(division->parts);
}

static int add_part(struct division *division, bool by_host, const char *id)
{
    if (division->count == division->room) {
        size_t room = division->room ? division->room * 2 : 16;
        struct part *parts = reallocarray(division->parts, room, sizeof *parts);
        if (!parts)
            return -ENOMEM;
        division->parts = parts;
        division->room = room;
    }
    int err = ds_names_add(&division->ids, id);
    if (!err)
        division->parts[division->count++] =
            (struct part){.by_host = by_host, .id = division->ids.names[division->ids.count - 1]};
    return err;
}

/* The query for clusters or hosts. */
static int begin_list(const struct division *division, const char *kind, struct ds_fetch *fetch)
{
    int err = ds_fetch_begin(fetch, division->fetcher->vcenter, kind);
    return err ? err
               : ds_fetch_add(fetch, "datacenters", &division->scope->datacenters, 0, SIZE_MAX);
}

static int add_listed(struct division *division, bool by_host, struct ds_fetch *fetch)
{
    static const char *const kinds[] = {"cluster", "host"};
    struct ds_names names DS_CLEANUP(ds_names_clear) = {0};
    struct ds_names ids DS_CLEANUP(ds_names_clear) = {0};
    if (fetch->too_many)
        return ds_call_fail(division->fetcher->call, -ENOSPC,
                            "there are too many virtual machines for one list, and more %ss than "
                            "vCenter lists: use -o datacenter=, cluster= or folder=",
                            kinds[by_host]);
    int err = ds_fetch_ids(division->fetcher, fetch, kinds[by_host], &names, &ids);
    /* One that cannot be named cannot be asked for. */
    if (!err && names.left_out)
        err = ds_call_fail(division->fetcher->call, -EPROTO,
                           "vCenter lists a %s without an id, so its machines cannot be listed",
                           kinds[by_host]);
    for (size_t i = 0; i < ids.count && !err; i++)
        err = add_part(division, by_host, ids.names[i]);
    return err;
}

/* All clusters, and the hosts that are in none. */
static int find_parts(struct division *division)
{
    struct ds_fetch fetches[2] = {{.too_many = false}, {.too_many = false}};
    int err = begin_list(division, "cluster", &fetches[0]);
    if (!err)
        err = begin_list(division, "host", &fetches[1]);
    if (!err)
        err = ds_url_add(&fetches[1].url, "standalone", "true");
    if (!err)
        err = ds_fetch_run(division->fetcher, fetches, 2);
    for (int i = 0; i < 2 && !err; i++)
        err = add_listed(division, i == 1, &fetches[i]);
    for (int i = 0; i < 2; i++)
        ds_fetch_clear(&fetches[i]);
    return err;
}

static int begin_part(const struct division *division, const struct part *part,
                      struct ds_fetch *fetch)
{
    int err = ds_fetch_begin(fetch, division->fetcher->vcenter, "vm");
    if (!err)
        err = ds_scope_add(division->scope, division->fetcher->inventory->filter, division->at,
                           false, fetch);
    return err ? err : ds_url_add(&fetch->url, part->by_host ? "hosts" : "clusters", part->id);
}

static void free_fetches(struct ds_fetch *fetches, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ds_fetch_clear(&fetches[i]);
    free(fetches);
}

/* Asks for the parts from `from` on. Those that are too large are marked in `too_many`. */
static int ask_parts(struct division *division, size_t from, bool *too_many)
{
    size_t count = division->count - from;
    struct ds_fetch *fetches = calloc(count + 1, sizeof *fetches);
    int err = fetches ? 0 : -ENOMEM;
    for (size_t i = 0; i < count && !err; i++)
        err = begin_part(division, &division->parts[from + i], &fetches[i]);
    if (!err)
        err = ds_fetch_run(division->fetcher, fetches, count);
    for (size_t i = 0; i < count && !err; i++) {
        too_many[i] = fetches[i].too_many;
        if (!too_many[i])
            err = ds_fetch_machines(division->fetcher, &fetches[i], division->out);
    }
    if (fetches)
        free_fetches(fetches, count);
    return err;
}

static int fail_host(const struct division *division, const struct part *part)
{
    return ds_call_fail(division->fetcher->call, -ENOSPC,
                        "the host %.80s alone has more virtual machines than vCenter lists: use -o "
                        "folder= or power=",
                        part->id);
}

/* How many vCenter has told of, with those that have no name. */
static size_t told(const struct ds_machines *machines)
{
    return machines->count + machines->left_out;
}

/* The hosts of a cluster that is too large, in its place, with their machines. */
static int divide_cluster(struct division *division, const struct part *cluster)
{
    struct ds_fetch fetch DS_CLEANUP(ds_fetch_clear) = {0};
    size_t from = division->count;
    size_t before = told(division->out);
    bool *too_many DS_AUTO_FREE = NULL;
    const char *id = cluster->id;
    int err = begin_list(division, "host", &fetch);
    if (!err)
        err = ds_url_add(&fetch.url, "clusters", id);
    if (!err)
        err = ds_fetch_run(division->fetcher, &fetch, 1);
    if (!err)
        err = add_listed(division, true, &fetch);
    if (!err && !(too_many = calloc(division->count - from + 1, sizeof *too_many)))
        err = -ENOMEM;
    if (!err)
        err = ask_parts(division, from, too_many);
    for (size_t i = from; i < division->count && !err; i++)
        if (too_many[i - from])
            err = fail_host(division, &division->parts[i]);
    size_t count = told(division->out) - before;
    if (!err && count <= DS_PARTS_LIST_MAX)
        err = ds_call_fail(division->fetcher->call, -EACCES,
                           "the cluster %.60s has more than %d virtual machines, but this user "
                           "sees hosts of %zu only: give read access to all of them",
                           id, DS_PARTS_LIST_MAX, count);
    return err;
}

/* Asks for all parts that there are by now; those that are too large are divided, and gone. */
static int ask_all(struct division *division)
{
    size_t count = division->count;
    size_t kept = 0;
    bool *too_many DS_AUTO_FREE = calloc(count + 1, sizeof *too_many);
    int err = too_many ? ask_parts(division, 0, too_many) : -ENOMEM;
    for (size_t i = 0; i < count && !err; i++) {
        struct part part = division->parts[i];
        if (too_many[i])
            err = part.by_host ? fail_host(division, &part) : divide_cluster(division, &part);
    }
    for (size_t i = 0; i < division->count; i++)
        if (!err && !(i < count && too_many[i]))
            division->parts[kept++] = division->parts[i];
    division->count = err ? division->count : kept;
    return err;
}

/* Once more, and says whether that found nobody else. */
static int ask_again(struct division *division, bool *sure)
{
    struct ds_machines *out = division->out;
    bool done = false;
    size_t before = out->count;
    size_t left_out = out->left_out;
    int err = ds_by_folder_ask(division->fetcher, division->scope, division->at, out, &done);
    if (!err && !done)
        err = ask_all(division);
    if (!err)
        err = ds_machines_sort(out);
    *sure = !err && out->count == before;
    out->left_out = left_out; /* they have been counted */
    return err;
}

int ds_parts_ask(const struct ds_fetcher *fetcher, const struct ds_scope *scope, size_t at,
                 struct ds_machines *out, bool *sure)
{
    struct division division DS_CLEANUP(end) = {
        .fetcher = fetcher, .scope = scope, .at = at, .out = out};
    const struct ds_names *clusters = &scope->clusters;
    int err = clusters->count ? 0 : find_parts(&division);
    for (size_t i = 0; i < clusters->count && !err; i++)
        err = add_part(&division, false, clusters->names[i]);
    if (!err)
        err = ask_all(&division);
    if (!err)
        err = ds_machines_sort(out);
    return err || !*sure ? err : ask_again(&division, sure);
}
