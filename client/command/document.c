/* What export prints and import reads. */
#include "document.h"

#include "cleanup.h"
#include "log.h"
#include "set_many.h"

#include <errno.h>
#include <string.h>

json_t *ds_document_new(void)
{
    return json_pack("{s:s, s:i, s:{}}", "format", DS_DOCUMENT_FORMAT, "version",
                     DS_DOCUMENT_VERSION, "datasets");
}

json_t *ds_document_datasets(const json_t *document)
{
    return json_object_get(document, "datasets");
}

json_t *ds_document_entries(const json_t *dataset)
{
    return json_object_get(dataset, "entries");
}

/* -EINVAL, and `why` says what is wrong; -ENOMEM. */
static int read_attributes(const json_t *dataset, struct ds_attributes *out, char *why)
{
    json_t *copy = json_copy((json_t *)dataset);
    char *text DS_AUTO_FREE = NULL;

    if (copy != NULL && json_object_del(copy, "entries") == 0)
        text = json_dumps(copy, JSON_COMPACT);
    json_decref(copy);
    return text != NULL ? ds_attributes_from_json(text, strlen(text), out, why) : -ENOMEM;
}

int ds_document_attributes(const json_t *dataset, struct ds_attributes *out)
{
    char why[DS_WHY_BYTES];

    return read_attributes(dataset, out, why);
}

static enum ds_status fault(const char *where, const char *dataset, const char *words)
{
    ds_log(DS_LOG_ERROR, "%s: %s%s%s", where, dataset, *dataset != '\0' ? ": " : "", words);
    return DS_STATUS_USAGE;
}

static enum ds_status check_dataset(const char *where, const char *name, const json_t *dataset)
{
    struct ds_attributes attributes DS_CLEANUP(ds_attributes_clear) = {0};
    size_t len = strlen(name);
    char why[DS_WHY_BYTES];
    int err;

    if (len == 0 || len > DS_NAME_MAX_BYTES)
        return fault(where, name, "a DataSet's name has 1 to 4096 bytes");
    if (!json_is_object(dataset) || !json_is_object(ds_document_entries(dataset)))
        return fault(where, name, "expected an object with \"entries\", an object of keys");
    err = read_attributes(dataset, &attributes, why);
    if (err == -EINVAL)
        return fault(where, name, why);
    if (err != 0)
        return fault(where, name, strerror(-err));
    return ds_set_many_check(where, name, ds_document_entries(dataset));
}

/* Bytes that its entries take of a machine's. */
static uint64_t size_of(const json_t *dataset)
{
    uint64_t size = 0;
    const char *key;
    json_t *value;

    json_object_foreach(ds_document_entries(dataset), key, value) size +=
        strlen(key) + json_string_length(value);
    return size;
}

enum ds_status ds_document_check(const char *where, const json_t *document)
{
    const char *format = json_string_value(json_object_get(document, "format"));
    enum ds_status status = DS_STATUS_OK;
    uint64_t size = 0;
    const char *name;
    json_t *dataset;

    if (format == NULL || strcmp(format, DS_DOCUMENT_FORMAT) != 0 ||
        !json_is_object(ds_document_datasets(document)))
        return fault(where, "", "expected what 'datasetfs export' has printed");
    if (json_integer_value(json_object_get(document, "version")) != DS_DOCUMENT_VERSION)
        return fault(where, "", "the version of its format is not known: it should be 1");
    json_object_foreach(ds_document_datasets(document), name, dataset)
    {
        if (status == DS_STATUS_OK)
            status = check_dataset(where, name, dataset);
        if (status == DS_STATUS_OK)
            size += size_of(dataset);
    }
    if (status == DS_STATUS_OK && size > DS_TOTAL_MAX_BYTES)
        return fault(where, "", "more than the 100 MB that a virtual machine can have");
    return status;
}
