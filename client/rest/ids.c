/* The ids of DataSets. */
#include "ids.h"

#include "cleanup.h"

#include <errno.h>
#include <string.h>

void ds_ids_init(struct ds_ids *ids)
{
    *ids = (struct ds_ids){0};
    pthread_mutex_init(&ids->mutex, NULL);
}

void ds_ids_end(struct ds_ids *ids)
{
    ds_names_clear(&ids->names);
    ds_names_clear(&ids->ids);
    pthread_mutex_destroy(&ids->mutex);
}

void ds_ids_replace_take(struct ds_ids *ids, struct ds_names *names, struct ds_names *list)
{
    DS_LOCK_SCOPE(&ids->mutex);
    ds_names_clear(&ids->names);
    ds_names_clear(&ids->ids);
    ids->names = *names;
    ids->ids = *list;
    *names = *list = (struct ds_names){0};
    ids->differ = false;
    for (size_t i = 0; i < ids->ids.count; i++)
        ids->differ = ids->differ || strcmp(ids->ids.names[i], ids->names.names[i]) != 0;
}

/* With the mutex; the number of names if it is not there. */
static size_t find(const struct ds_ids *ids, const char *name)
{
    size_t at = 0;
    while (at < ids->names.count && strcmp(ids->names.names[at], name) != 0)
        at++;
    return at;
}

/* Copies the list with another id at one place: what was there shall take no room. */
static int replace(struct ds_names *list, size_t at, const char *id)
{
    struct ds_names copy = {0};
    int err = 0;
    if (!strcmp(list->names[at], id))
        return 0;
    for (size_t i = 0; i < list->count && !err; i++)
        err = ds_names_add(&copy, i == at ? id : list->names[i]);
    if (err) {
        ds_names_clear(&copy);
        return err;
    }
    ds_names_clear(list);
    *list = copy;
    return 0;
}

int ds_ids_put(struct ds_ids *ids, const char *name, const char *id)
{
    DS_LOCK_SCOPE(&ids->mutex);
    size_t at = find(ids, name);
    ids->differ = ids->differ || strcmp(name, id) != 0;
    if (at < ids->names.count)
        return replace(&ids->ids, at, id);
    int err = ds_names_add(&ids->ids, id);
    if (!err)
        err = ds_names_add(&ids->names, name);
    if (err && ids->ids.count > ids->names.count)
        ids->ids.count--;
    return err;
}

bool ds_ids_has(struct ds_ids *ids, const char *name)
{
    DS_LOCK_SCOPE(&ids->mutex);
    return find(ids, name) < ids->names.count;
}

int ds_ids_find(struct ds_ids *ids, const char *name, char **out)
{
    DS_LOCK_SCOPE(&ids->mutex);
    size_t at = find(ids, name);
    if (at == ids->names.count && (ids->differ || !ids->names.count))
        return -ENOENT;
    char *copy = strdup(at < ids->names.count ? ids->ids.names[at] : name);
    if (!copy)
        return -ENOMEM;
    *out = copy;
    return 0;
}
