/* export: DataSets with attributes and values as one document. */
#include "attributes.h"
#include "cleanup.h"
#include "document.h"
#include "log.h"
#include "print.h"
#include "progress.h"
#include "spelling.h"
#include "verbs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Values that are asked for with one deadline. */
enum { AT_ONCE = 4096 };

/* Adds the values. A key that has gone since it was listed is left out. */
static enum ds_status add_values(struct ds_session *session, const char *dataset,
                                 struct ds_entry *got, size_t count, json_t *entries)
{
    enum ds_status status = DS_STATUS_OK;
    int err = ds_client_get(session->client, ds_session_call(session), dataset, got, count);

    if (err != 0)
        status = ds_session_fail(session, err, dataset, NULL);
    for (size_t i = 0; i < count; i++) {
        if (status == DS_STATUS_OK && got[i].error != 0 && got[i].error != -ENOENT)
            status = ds_session_fail(session, got[i].error, dataset, got[i].key);
        if (status == DS_STATUS_OK && got[i].error == 0 && ds_print_add(entries, &got[i]) != 0)
            status = ds_session_fail(session, -ENOMEM, dataset, got[i].key);
        ds_buf_free(&got[i].value);
    }
    return status;
}

static enum ds_status add_entries(struct ds_session *session, const char *dataset, json_t *entries)
{
    struct ds_names keys DS_CLEANUP(ds_names_clear) = {0};
    struct ds_entry *got DS_AUTO_FREE = calloc(AT_ONCE, sizeof(*got));
    enum ds_status status = DS_STATUS_OK;
    int err = ds_client_list_keys(session->client, ds_session_call(session), dataset, &keys);

    if (err != 0 || got == NULL)
        return ds_session_fail(session, err != 0 ? err : -ENOMEM, dataset, NULL);
    if (keys.left_out > 0) {
        ds_log(DS_LOG_ERROR, "%s: %zu of its keys are none that can be exported", dataset,
               keys.left_out);
        return DS_STATUS_FAILED;
    }
    for (size_t at = 0, count; at < keys.count && status == DS_STATUS_OK; at += count) {
        count = keys.count - at < AT_ONCE ? keys.count - at : AT_ONCE;
        for (size_t i = 0; i < count; i++)
            got[i].key = keys.names[at + i];
        status = add_values(session, dataset, got, count, entries);
        ds_progress_show(at + count, keys.count);
    }
    ds_progress_clear();
    return status;
}

static enum ds_status add_dataset(struct ds_session *session, const char *dataset, json_t *datasets)
{
    struct ds_attributes attributes DS_CLEANUP(ds_attributes_clear) = {0};
    int err = ds_client_query(session->client, ds_session_call(session), dataset, &attributes);
    json_t *object;

    if (err != 0)
        return ds_session_fail(session, err, dataset, NULL);
    attributes.used_known = false; /* it is what the entries are */
    object = ds_attributes_object(NULL, &attributes);
    if (object == NULL || json_object_set_new(object, "entries", json_object()) != 0 ||
        json_object_set(datasets, dataset, object) != 0) {
        json_decref(object);
        return ds_session_fail(session, -ENOMEM, dataset, NULL);
    }
    json_decref(object); /* the document's */
    return add_entries(session, dataset, ds_document_entries(object));
}

/* Nothing is printed unless all could be read. */
enum ds_status ds_export_run(struct ds_session *session)
{
    struct ds_names names DS_CLEANUP(ds_names_clear) = {0};
    enum ds_status status = ds_spelling_datasets(session, &names);
    json_t *document = ds_document_new();

    if (document == NULL)
        status = ds_session_fail(session, -ENOMEM, NULL, NULL);
    for (size_t i = 0; i < names.count && status == DS_STATUS_OK; i++)
        status = add_dataset(session, names.names[i], ds_document_datasets(document));
    if (status == DS_STATUS_OK && ds_print_json(document) != 0)
        status = ds_session_fail(session, -ENOMEM, NULL, NULL);
    json_decref(document);
    return status;
}
