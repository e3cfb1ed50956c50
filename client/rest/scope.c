/* Which machines of a vCenter an inventory is about. */
#include "scope.h"

#include "cleanup.h"
#include "vm_name.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What is new below a folder is seen as soon as what is new of machines. */
enum { KEPT_MS = 60 * 1000 };

/* A kind of what machines are in. */
struct kind {
    const char *name;      /* in paths and as the member with the id */
    const char *by_id;     /* the parameter */
    const char *id_prefix; /* what is a name otherwise */
};
static const struct kind folder = {"folder", "folders", "group-v"};
static const struct kind cluster = {"cluster", "clusters", "domain-c"};
static const struct kind datacenter = {"datacenter", "datacenters", "datacenter-"};

static bool is_id(const struct kind *kind, const char *text)
{
    size_t len = strlen(kind->id_prefix);
    const char *digits = text + len;
    return !strncmp(text, kind->id_prefix, len) && *digits &&
           strspn(digits, "0123456789") == strlen(digits);
}

static bool has(const struct ds_names *list, const char *text)
{
    for (size_t i = 0; i < list->count; i++)
        if (!strcmp(list->names[i], text))
            return true;
    return false;
}

/* Adds what is not there yet. */
static int add_new(struct ds_names *list, const struct ds_names *more)
{
    int err = 0;
    for (size_t i = 0; i < more->count && !err; i++)
        if (!has(list, more->names[i]))
            err = ds_names_add(list, more->names[i]);
    return err;
}

static int begin(const struct ds_fetcher *fetcher, const struct kind *kind, struct ds_fetch *fetch)
{
    int err = ds_fetch_begin(fetch, fetcher->vcenter, kind->name);
    /* There are folders of hosts, of networks, … too. */
    return err || kind != &folder ? err : ds_url_add(&fetch->url, "type", "VIRTUAL_MACHINE");
}

/* The objects that a query is for. */
static int ask(const struct ds_fetcher *fetcher, const struct kind *kind, struct ds_fetch *fetch,
               struct ds_names *names, struct ds_names *ids)
{
    int err = ds_fetch_run(fetcher, fetch, 1);
    if (!err && fetch->too_many)
        err = ds_call_fail(fetcher->call, -ENOSPC,
                           "there are more of what -o %s= names than vCenter lists: name others",
                           kind->name);
    return err ? err : ds_fetch_ids(fetcher, fetch, kind->name, names, ids);
}

/* Those of the given texts that are ids, or those that are names, are looked up together; each must
 * be there. */
static int look_up(const struct ds_fetcher *fetcher, const struct kind *kind,
                   const struct ds_names *given, bool by_id, struct ds_names *out)
{
    struct ds_fetch fetch DS_CLEANUP(ds_fetch_clear) = {0};
    struct ds_names names DS_CLEANUP(ds_names_clear) = {0};
    struct ds_names ids DS_CLEANUP(ds_names_clear) = {0};
    bool any = false;
    int err = begin(fetcher, kind, &fetch);
    for (size_t i = 0; i < given->count && !err; i++) {
        if (is_id(kind, given->names[i]) != by_id)
            continue;
        any = true;
        err = by_id ? ds_url_add(&fetch.url, kind->by_id, given->names[i])
                    : ds_vm_name_add(&fetch.url, given->names[i]);
    }
    if (err || !any)
        return err;
    err = ask(fetcher, kind, &fetch, &names, &ids);
    for (size_t i = 0; i < names.count && !err; i++)
        ds_vm_name_read(names.names[i]);
    for (size_t i = 0; i < given->count && !err; i++)
        if (is_id(kind, given->names[i]) == by_id && !has(by_id ? &ids : &names, given->names[i]))
            err = ds_call_fail(fetcher->call, -ENODEV,
                               "there is no %s '%.80s', or this user may not see it", kind->name,
                               given->names[i]);
    return err ? err : add_new(out, &ids);
}

static int look_up_all(const struct ds_fetcher *fetcher, const struct kind *kind,
                       const struct ds_names *given, struct ds_names *out)
{
    int err = look_up(fetcher, kind, given, true, out);
    return err ? err : look_up(fetcher, kind, given, false, out);
}

/* Adds what is below, a level at a time. */
static int add_below(const struct ds_fetcher *fetcher, struct ds_names *folders)
{
    int err = 0;
    for (size_t at = 0; at < folders->count && !err;) {
        struct ds_fetch fetch DS_CLEANUP(ds_fetch_clear) = {0};
        struct ds_names names DS_CLEANUP(ds_names_clear) = {0};
        struct ds_names ids DS_CLEANUP(ds_names_clear) = {0};
        size_t left = folders->count - at;
        size_t count = left < DS_SCOPE_FOLDERS ? left : DS_SCOPE_FOLDERS;
        err = begin(fetcher, &folder, &fetch);
        if (!err)
            err = ds_fetch_add(&fetch, "parent_folders", folders, at, count);
        if (!err)
            err = ask(fetcher, &folder, &fetch, &names, &ids);
        if (!err)
            err = add_new(folders, &ids);
        at += count;
    }
    return err;
}

static int find_out(const struct ds_fetcher *fetcher, struct ds_scope *scope)
{
    const struct ds_machine_filter *filter = fetcher->inventory->filter;
    int err = look_up_all(fetcher, &datacenter, &filter->datacenters, &scope->datacenters);
    if (!err)
        err = look_up_all(fetcher, &cluster, &filter->clusters, &scope->clusters);
    if (!err)
        err = look_up_all(fetcher, &folder, &filter->folders, &scope->folders);
    return err ? err : add_below(fetcher, &scope->folders);
}

static int copy_names(struct ds_names *to, const struct ds_names *from)
{
    int err = 0;
    for (size_t i = 0; i < from->count && !err; i++)
        err = ds_names_add(to, from->names[i]);
    return err;
}

static int copy(struct ds_scope *to, const struct ds_scope *from)
{
    int err = copy_names(&to->folders, &from->folders);
    if (!err)
        err = copy_names(&to->clusters, &from->clusters);
    if (!err)
        err = copy_names(&to->datacenters, &from->datacenters);
    to->found_ms = from->found_ms;
    if (err)
        ds_scope_clear(to);
    return err;
}

/* With the turn. */
static int get(struct ds_scopes *scopes, const struct ds_fetcher *fetcher, int64_t after_ms,
               struct ds_scope *out)
{
    int64_t now_ms = ds_call_now_ms();
    const struct ds_scope *last = &scopes->last;
    if (!last->found_ms || last->found_ms <= after_ms || now_ms - last->found_ms >= KEPT_MS) {
        struct ds_scope found = {.found_ms = now_ms};
        int err = find_out(fetcher, &found);
        if (err) {
            ds_scope_clear(&found);
            return err;
        }
        ds_scope_clear(&scopes->last);
        scopes->last = found;
    }
    return copy(out, &scopes->last);
}

int ds_scope_get(struct ds_scopes *scopes, const struct ds_fetcher *fetcher, int64_t after_ms,
                 struct ds_scope *out)
{
    const struct ds_machine_filter *filter = fetcher->inventory->filter;
    *out = (struct ds_scope){0};
    if (!filter ||
        (!filter->folders.count && !filter->clusters.count && !filter->datacenters.count))
        return 0;
    int err = ds_turns_take(&scopes->turn, fetcher->call, true);
    if (err)
        return err;
    err = get(scopes, fetcher, after_ms, out);
    ds_turns_give(&scopes->turn);
    return err;
}

int ds_scopes_init(struct ds_scopes *scopes)
{
    return ds_turns_init(&scopes->turn, 1);
}

void ds_scopes_end(struct ds_scopes *scopes)
{
    ds_turns_end(&scopes->turn);
    ds_scope_clear(&scopes->last);
}

bool ds_scope_may_lack(const struct ds_scope *scope, int64_t since_ms)
{
    return scope->folders.count && scope->found_ms < since_ms;
}

void ds_scope_clear(struct ds_scope *scope)
{
    scope->found_ms = 0;
    ds_names_clear(&scope->folders);
    ds_names_clear(&scope->clusters);
    ds_names_clear(&scope->datacenters);
}

size_t ds_scope_queries(const struct ds_scope *scope)
{
    size_t folders = scope->folders.count;
    return folders ? (folders + DS_SCOPE_FOLDERS - 1) / DS_SCOPE_FOLDERS : 1;
}

static int add_powers(unsigned powers, struct ds_fetch *fetch)
{
    static const struct {
        enum ds_power power;
        const char *word;
    } words[] = {{DS_POWER_ON, "POWERED_ON"},
                 {DS_POWER_OFF, "POWERED_OFF"},
                 {DS_POWER_SUSPENDED, "SUSPENDED"}};
    int err = 0;
    for (size_t i = 0; i < sizeof words / sizeof *words && !err; i++)
        if (powers & 1U << words[i].power)
            err = ds_url_add(&fetch->url, "power_states", words[i].word);
    return err;
}

int ds_scope_add(const struct ds_scope *scope, const struct ds_machine_filter *filter, size_t at,
                 bool clusters, struct ds_fetch *fetch)
{
    int err = ds_fetch_add(fetch, "datacenters", &scope->datacenters, 0, SIZE_MAX);
    if (!err && clusters)
        err = ds_fetch_add(fetch, "clusters", &scope->clusters, 0, SIZE_MAX);
    if (!err)
        err = ds_fetch_add(fetch, "folders", &scope->folders, at * DS_SCOPE_FOLDERS,
                           DS_SCOPE_FOLDERS);
    return err || !filter ? err : add_powers(filter->powers, fetch);
}
