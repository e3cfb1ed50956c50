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

int ds_ids_put(struct ds_ids *ids, const char *name, const char *id)
{
    DS_LOCK_SCOPE(&ids->mutex);
    size_t at = find(ids, name);
    ids->differ = ids->differ || strcmp(name, id) != 0;
    if (at < ids->names.count) {
        char *copy = strdup(id);
        if (!copy)
            return -ENOMEM;
        free(ids->ids.names[at]);
        ids->ids.names[at] = copy;
        return 0;
    }
    int err = ds_names_add(&ids->ids, id);
    if (!err)
        err = ds_names_add(&ids->names, name);
    if (err && ids->ids.count > ids->names.count)
        free(ids->ids.names[--ids->ids.count]);
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
