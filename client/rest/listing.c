/* The listing of a vCenter's machines. */
#include "listing.h"

#include "cleanup.h"
#include "parts.h"
#include "vm_name.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* In one query so many ids stand at the most: a URL has its limits. */
enum { IDS_AT_ONCE = 100 };

/* Patterns that are names are given to vCenter, if there are no others, nor more than go into one
 * query. */
static int add_names(const struct ds_machine_filter *filter, struct ds_fetch *fetch)
{
    const struct ds_names *globs = filter ? &filter->globs : NULL;
    int err = 0;
    if (!globs || globs->count > IDS_AT_ONCE)
        return 0;
    for (size_t i = 0; i < globs->count; i++)
        if (strpbrk(globs->names[i], "*?[\\"))
            return 0;
    for (size_t i = 0; i < globs->count && !err; i++)
        err = ds_vm_name_add(&fetch->url, globs->names[i]);
    return err;
}

/* The query for all machines of one part of the scope. */
static int begin(const struct ds_fetcher *fetcher, const struct ds_scope *scope, size_t at,
                 struct ds_fetch *fetch)
{
    const struct ds_machine_filter *filter = fetcher->inventory->filter;
    int err = ds_fetch_begin(fetch, fetcher->vcenter, "vm");
    if (!err)
        err = ds_scope_add(scope, filter, at, true, fetch);
    return err ? err : add_names(filter, fetch);
}

/* Asks for the part as a whole. */
static int ask_whole(const struct ds_fetcher *fetcher, const struct ds_scope *scope, size_t at,
                     bool *too_many, struct ds_machines *out)
{
    struct ds_fetch fetch DS_CLEANUP(ds_fetch_clear) = {0};
    int err = begin(fetcher, scope, at, &fetch);
    if (!err)
        err = ds_fetch_run(fetcher, &fetch, 1);
    if (err)
        return err;
    *too_many = fetch.too_many;
    return fetch.too_many ? 0 : ds_fetch_machines(fetcher, &fetch, out);
}

static int append(struct ds_machines *to, const struct ds_machines *from)
{
    int err = 0;
    for (size_t i = 0; i < from->count && !err; i++)
        err = ds_machines_add(to, from->list[i].id, from->list[i].name, from->list[i].power);
    to->left_out += from->left_out;
    return err;
}

/* The sum must be more than what vCenter has refused to list as one: if it is not, either machines
 * have gone meanwhile, or this user may not see what they are on. */
static int check_sum(const struct ds_fetcher *fetcher, const struct ds_scope *scope, size_t at,
                     struct ds_listing *listing, struct ds_machines *found)
{
    struct ds_machines whole DS_CLEANUP(ds_machines_clear) = {0};
    bool too_many = false;
    size_t count = found->count + found->left_out;
    if (count > DS_PARTS_LIST_MAX)
        return 0;
    int err = ask_whole(fetcher, scope, at, &too_many, &whole);
    if (err)
        return err;
    if (too_many)
        return ds_call_fail(fetcher->call, -EACCES,
                            "vCenter has more than %d virtual machines here, but this user sees "
                            "hosts and clusters of %zu only: give read access to them, or use -o "
                            "folder=",
                            DS_PARTS_LIST_MAX, count);
    atomic_store(&listing->divided, false);
    ds_machines_clear(found);
    *found = whole;
    whole = (struct ds_machines){0};
    return 0;
}

/* With the turn. */
static int divide(struct ds_listing *listing, const struct ds_fetcher *fetcher,
                  const struct ds_scope *scope, size_t at, struct ds_machines *out, bool *more)
{
    struct ds_machines found DS_CLEANUP(ds_machines_clear) = {0};
    bool twice = listing->unsure || !listing->known.count;
    bool sure = twice;
    int err = ds_parts_ask(fetcher, scope, at, &found, &sure);
    if (!err)
        err = check_sum(fetcher, scope, at, listing, &found);
    if (!err)
        err = append(out, &found);
    *more = *more || (twice && !sure);
    return err;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorts the ids of the machines in `sorted`. */
static void sort_ids(const struct ds_machines *machines, const char **sorted)
{
    for (size_t i = 0; i < machines->count; i++)
        sorted[i] = machines->list[i].id;
    qsort(sorted, machines->count, sizeof *sorted, compare);
}

/* Those that were known and are not there. */
static int find_missing(const struct ds_names *known, const struct ds_machines *machines,
                        struct ds_names *missing)
{
    const char **sorted DS_AUTO_FREE = calloc(machines->count + 1, sizeof *sorted);
    int err = sorted ? 0 : -ENOMEM;
    if (!err)
        sort_ids(machines, sorted);
    for (size_t i = 0; i < known->count && !err; i++)
        if (!bsearch(&known->names[i], sorted, machines->count, sizeof *sorted, compare))
            err = ds_names_add(missing, known->names[i]);
    return err;
}

/* Who is missing has gone only if vCenter says so of its id. */
static int ask_missing(const struct ds_fetcher *fetcher, const struct ds_scope *scope,
                       const struct ds_names *missing, struct ds_machines *out)
{
    int err = 0;
    for (size_t from = 0; from < missing->count && !err; from += IDS_AT_ONCE)
        for (size_t at = 0; at < ds_scope_queries(scope) && !err; at++) {
            struct ds_fetch fetch DS_CLEANUP(ds_fetch_clear) = {0};
            err = begin(fetcher, scope, at, &fetch);
            if (!err)
                err = ds_fetch_add(&fetch, "vms", missing, from, IDS_AT_ONCE);
            if (!err)
                err = ds_fetch_run(fetcher, &fetch, 1);
            if (!err && fetch.too_many)
                err = ds_call_fail(fetcher->call, -EPROTO,
                                   "vCenter says that there are too many of %d virtual machines",
                                   IDS_AT_ONCE);
            if (!err)
                err = ds_fetch_machines(fetcher, &fetch, out);
        }
    return err;
}

/* Notes who is there, with the turn. A list that was not one by parts after all needs no such help.
 */
static int remember(struct ds_listing *listing, const struct ds_scope *scope,
                    const struct ds_machines *machines)
{
    struct ds_names known = {0};
    bool needed = atomic_load(&listing->divided) || scope->folders.count;
    int err = 0;
    for (size_t i = 0; i < machines->count && !err && needed; i++)
        err = ds_names_add(&known, machines->list[i].id);
    if (err) {
        ds_names_clear(&known);
        return err;
    }
    ds_names_clear(&listing->known);
    listing->known = known;
    return 0;
}

/* Asks for each part as a whole, but for one that was too large the last time. */
static int ask_each(struct ds_listing *listing, const struct ds_fetcher *fetcher,
                    const struct ds_scope *scope, bool *too_many, struct ds_machines *out)
{
    size_t queries = ds_scope_queries(scope);
    int err = 0;
    if (queries == 1 && atomic_load(&listing->divided)) {
        *too_many = true;
        return 0;
    }
    for (size_t at = 0; at < queries && !err; at++)
        err = ask_whole(fetcher, scope, at, &too_many[at], out);
    return err;
}

/* Several queries, each of which has its list: as with parts, who moves meanwhile may be in none,
 * and where nobody is known yet it takes a second round to find it. */
static int ask_each_again(struct ds_listing *listing, const struct ds_fetcher *fetcher,
                          const struct ds_scope *scope, bool *too_many, struct ds_machines *out)
{
    size_t left_out = out->left_out;
    int err = 0;
    if (!listing->known.count && ds_scope_queries(scope) > 1)
        err = ask_each(listing, fetcher, scope, too_many, out);
    out->left_out = left_out;
    return err;
}

/* Each part of the scope that is too large for one list is divided; `out` has the others'. With the
 * turn. */
static int ask_divided(struct ds_listing *listing, const struct ds_fetcher *fetcher,
                       const struct ds_scope *scope, const bool *too_many, struct ds_machines *out)
{
    bool more = false;
    int err = 0;
    if (!atomic_exchange(&listing->divided, true))
        listing->unsure = true;
    for (size_t at = 0; at < ds_scope_queries(scope) && !err; at++)
        if (too_many[at])
            err = divide(listing, fetcher, scope, at, out, &more);
    if (!err)
        listing->unsure = more;
    return err;
}

static bool any(const bool *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (list[i])
            return true;
    return false;
}

/* Looks for those that were known and are not in `out`, and notes who is there. Where one query is
 * for all, it has told that they are not in the scope. With the turn. */
static int complete(struct ds_listing *listing, const struct ds_fetcher *fetcher,
                    const struct ds_scope *scope, struct ds_machines *out, bool *lacks)
{
    struct ds_names missing DS_CLEANUP(ds_names_clear) = {0};
    struct ds_names gone DS_CLEANUP(ds_names_clear) = {0};
    int err = find_missing(&listing->known, out, &missing);
    if (!err && (atomic_load(&listing->divided) || ds_scope_queries(scope) > 1))
        err = ask_missing(fetcher, scope, &missing, out);
    if (!err)
        err = ds_machines_sort(out);
    if (!err)
        err = find_missing(&missing, out, &gone);
    if (!err)
        err = remember(listing, scope, out);
    *lacks = gone.count > 0;
    return err;
}

int ds_listing_ask(struct ds_listing *listing, const struct ds_fetcher *fetcher,
                   const struct ds_scope *scope, struct ds_machines *out, bool *lacks)
{
    size_t queries = ds_scope_queries(scope);
    bool *too_many DS_AUTO_FREE = calloc(queries, sizeof *too_many);
    *lacks = false;
    if (!too_many)
        return -ENOMEM;
    int err = ask_each(listing, fetcher, scope, too_many, out);
    bool divided = any(too_many, queries);
    if (err || (!divided && !scope->folders.count))
        return err;
    err = ds_turns_take(&listing->turn, fetcher->call, true);
    if (err)
        return err;
    if (!divided)
        err = ask_each_again(listing, fetcher, scope, too_many, out);
    if (!err && any(too_many, queries))
        err = ask_divided(listing, fetcher, scope, too_many, out);
    if (!err)
        err = complete(listing, fetcher, scope, out, lacks);
    ds_turns_give(&listing->turn);
    return err;
}

int ds_listing_try(struct ds_listing *listing, const struct ds_fetcher *fetcher,
                   const struct ds_scope *scope)
{
    struct ds_machines machines DS_CLEANUP(ds_machines_clear) = {0};
    bool too_many = false;
    int err = ask_whole(fetcher, scope, 0, &too_many, &machines);
    if (!err && too_many)
        atomic_store(&listing->divided, true);
    return err;
}

int ds_listing_init(struct ds_listing *listing)
{
    return ds_turns_init(&listing->turn, 1);
}

void ds_listing_end(struct ds_listing *listing)
{
    ds_turns_end(&listing->turn);
    ds_names_clear(&listing->known);
}
