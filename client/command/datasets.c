/* info, create, update and delete. */
#include "attributes.h"
#include "cleanup.h"
#include "list_machines.h"
#include "print.h"
#include "spelling.h"
#include "verbs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* One DataSet's attributes, added to `array`. */
static enum ds_status add_info(struct ds_session *session, const char *dataset, json_t *array)
{
    struct ds_attributes attributes DS_CLEANUP(ds_attributes_clear) = {0};
    int err = ds_client_query(session->client, ds_session_call(session), dataset, &attributes);

    if (err == 0 && json_array_append_new(array, ds_attributes_object(dataset, &attributes)) != 0)
        err = -ENOMEM;
    return err == 0 ? DS_STATUS_OK : ds_session_fail(session, err, dataset, NULL);
}

/* One object for one DataSet that was named, else an array. */
static enum ds_status tell_datasets(struct ds_session *session)
{
    struct ds_names names DS_CLEANUP(ds_names_clear) = {0};
    enum ds_status status = ds_spelling_datasets(session, &names), one;
    json_t *array = json_array();
    bool single = session->arguments->count == 1;
    const json_t *shown;

    if (array == NULL)
        return ds_session_fail(session, -ENOMEM, NULL, NULL);
    for (size_t i = 0; i < names.count && status <= DS_STATUS_NOT_THERE; i++) {
        one = add_info(session, names.names[i], array);
        status = one > status ? one : status;
    }
    shown = single ? json_array_get(array, 0) : array;
    if (shown != NULL && status <= DS_STATUS_NOT_THERE && ds_print_json(shown) != 0)
        status = ds_session_fail(session, -ENOMEM, NULL, NULL);
    json_decref(array);
    return status;
}

enum ds_status ds_info_run(struct ds_session *session)
{
    return session->inventory != NULL ? ds_list_machines_info(session) : tell_datasets(session);
}

enum ds_status ds_create_run(struct ds_session *session)
{
    char *dataset DS_AUTO_FREE = NULL;
    enum ds_status status = ds_spelling_dataset(session, session->arguments->words[0], &dataset);
    int err;

    if (status != DS_STATUS_OK)
        return status;
    err = ds_client_create(session->client, ds_session_call(session), dataset,
                           &session->arguments->store.attributes);
    return err == 0 ? DS_STATUS_OK : ds_session_fail(session, err, dataset, NULL);
}

const char *ds_update_fault(const struct ds_arguments *arguments)
{
    const struct ds_attributes *change = &arguments->store.attributes;

    return change->description != NULL || change->host != DS_ACCESS_UNKNOWN ||
                   change->guest != DS_ACCESS_UNKNOWN ||
                   change->omit_from_snapshot_and_clone != DS_FLAG_UNKNOWN
               ? NULL
               : "nothing to change: give -o host_access=, guest_access=, description= or "
                 "omit_from_snapshot_and_clone=on|off";
}

enum ds_status ds_update_run(struct ds_session *session)
{
    char *dataset DS_AUTO_FREE = NULL;
    enum ds_status status = ds_spelling_dataset(session, session->arguments->words[0], &dataset);
    int err;

    if (status != DS_STATUS_OK)
        return status;
    err = ds_client_update(session->client, ds_session_call(session), dataset,
                           &session->arguments->store.attributes);
    return err == 0 ? DS_STATUS_OK : ds_session_fail(session, err, dataset, NULL);
}

enum ds_status ds_delete_run(struct ds_session *session)
{
    char *dataset DS_AUTO_FREE = NULL;
    enum ds_status status = ds_spelling_dataset(session, session->arguments->words[0], &dataset);
    struct ds_call *call;
    int err;

    if (status != DS_STATUS_OK)
        return status;
    call = ds_session_call(session);
    err = ds_client_destroy(session->client, call, dataset, session->arguments->force);
    if (err == -ENOTEMPTY)
        ds_call_fail(call, err, "it has entries: --force deletes them too");
    return err == 0 ? DS_STATUS_OK : ds_session_fail(session, err, dataset, NULL);
}
