/* Machines by the folders that they are in. */
#include "by_folder.h"

#include "cleanup.h"

#include <errno.h>

struct folders {
    const struct ds_fetcher *fetcher;
    const struct ds_scope *scope;
    const struct ds_names *ids;
    struct ds_machines *out;
};

/* All that there are; none if they are more than vCenter lists. */
static int list_folders(const struct ds_fetcher *fetcher, const struct ds_scope *scope,
                        struct ds_names *ids)
{
    struct ds_fetch fetch DS_CLEANUP(ds_fetch_clear) = {0};
    struct ds_names names DS_CLEANUP(ds_names_clear) = {0};
    int err = ds_fetch_begin(&fetch, fetcher->vcenter, "folder");
    if (!err)
        err = ds_url_add(&fetch.url, "type", "VIRTUAL_MACHINE");
    if (!err)
        err = ds_fetch_add(&fetch, "datacenters", &scope->datacenters, 0, SIZE_MAX);
    if (!err)
        err = ds_fetch_run(fetcher, &fetch, 1);
    return err || fetch.too_many ? err : ds_fetch_ids(fetcher, &fetch, "folder", &names, ids);
}

/* Asks for some of them, in halves where they hold too many machines. */
static int ask_some(const struct folders *folders, size_t from, size_t count, bool *done)
{
    struct ds_fetch fetch DS_CLEANUP(ds_fetch_clear) = {0};
    struct ds_scope others = *folders->scope;
    others.folders = (struct ds_names){0};
    int err = ds_fetch_begin(&fetch, folders->fetcher->vcenter, "vm");
    if (!err)
        err = ds_scope_add(&others, folders->fetcher->inventory->filter, 0, true, &fetch);
    if (!err)
        err = ds_fetch_add(&fetch, "folders", folders->ids, from, count);
    if (!err)
        err = ds_fetch_run(folders->fetcher, &fetch, 1);
    if (err)
        return err;
    if (!fetch.too_many)
        return ds_fetch_machines(folders->fetcher, &fetch, folders->out);
    *done = count > 1;
    err = *done ? ask_some(folders, from, count / 2, done) : 0;
    return err || !*done ? err : ask_some(folders, from + count / 2, count - count / 2, done);
}

int ds_by_folder_ask(const struct ds_fetcher *fetcher, const struct ds_scope *scope, size_t at,
                     struct ds_machines *out, bool *done)
{
    struct ds_names listed DS_CLEANUP(ds_names_clear) = {0};
    bool named = scope->folders.count > 0;
    struct folders folders = {
        .fetcher = fetcher, .scope = scope, .ids = named ? &scope->folders : &listed, .out = out};
    int err = named ? 0 : list_folders(fetcher, scope, &listed);
    size_t from = named ? at * DS_SCOPE_FOLDERS : 0;
    size_t end = folders.ids->count;
    if (named && end - from > DS_SCOPE_FOLDERS)
        end = from + DS_SCOPE_FOLDERS;
    *done = from < end;
    for (; from < end && !err && *done; from += DS_SCOPE_FOLDERS)
        err = ask_some(&folders, from,
                       end - from < DS_SCOPE_FOLDERS ? end - from : DS_SCOPE_FOLDERS, done);
    return err;
}
