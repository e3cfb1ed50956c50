/* What an import has to do. */
#include "import_plan.h"

#include "cleanup.h"
#include "document.h"
#include "log.h"
#include "shown.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* One DataSet as it is and as it is to be. */
struct subject {
    struct ds_session *session;
    struct ds_import_step *step;
    const json_t *entries;
    struct ds_attributes wanted;
    bool exists;
    struct ds_attributes there; /* if it exists */
    struct ds_names keys;       /* of it, unless they cannot be read */
};

static void clear(struct subject *subject)
{
    ds_attributes_clear(&subject->wanted);
    ds_attributes_clear(&subject->there);
    ds_names_clear(&subject->keys);
}

bool ds_import_changes(const struct ds_attributes *attributes)
{
    return attributes->description != NULL || attributes->host != DS_ACCESS_UNKNOWN ||
           attributes->guest != DS_ACCESS_UNKNOWN ||
           attributes->omit_from_snapshot_and_clone != DS_FLAG_UNKNOWN;
}

static const struct ds_caps *caps_of(const struct subject *subject)
{
    return ds_client_caps(subject->session->client);
}

static enum ds_status fail(const struct subject *subject, int err, const char *key)
{
    return ds_session_fail(subject->session, err, subject->step->dataset, key);
}

/* Says why nothing of the document is done. */
static enum ds_status refuse(const struct subject *subject, enum ds_status status, const char *key,
                             const char *why)
{
    char shown[DS_SHOWN_BYTES];

    ds_log(DS_LOG_ERROR, "%s %s; nothing was changed", ds_shown(subject->step->dataset, key, shown),
           why);
    return status;
}

static bool replaces(const struct subject *subject)
{
    return subject->session->arguments->replace;
}

static bool is_narrow(enum ds_access access)
{
    return access == DS_ACCESS_NONE || access == DS_ACCESS_READ_ONLY;
}

/* Our own access, which is made wide enough for the changes while they last. */
static void plan_host_access(struct subject *subject)
{
    struct ds_import_step *step = subject->step;
    enum ds_access now = step->creates ? step->begin.host : subject->there.host;
    enum ds_access wanted = subject->wanted.host != DS_ACCESS_UNKNOWN ? subject->wanted.host : now;

    if (is_narrow(now) && (json_object_size(step->sets) > 0 || step->removes.count > 0))
        step->begin.host = now = DS_ACCESS_READ_WRITE;
    if (wanted != now)
        step->end.host = wanted;
}

static int plan_new(struct subject *subject)
{
    struct ds_import_step *step = subject->step;
    int err = ds_attributes_copy(&step->begin, &subject->wanted);

    step->creates = true;
    step->sets = json_incref((json_t *)subject->entries);
    plan_host_access(subject);
    return err;
}

/* What differs of the attributes. That our own access is wider than it is to be is what an import
 * leaves that was interrupted, and no reason to refuse. */
static enum ds_status plan_attributes(struct subject *subject, bool *differ)
{
    struct ds_import_step *step = subject->step;
    const struct ds_attributes *wanted = &subject->wanted, *there = &subject->there;

    if (wanted->description != NULL &&
        (there->description == NULL || strcmp(wanted->description, there->description) != 0)) {
        step->begin.description = strdup(wanted->description);
        if (step->begin.description == NULL)
            return fail(subject, -ENOMEM, NULL);
    }
    if (wanted->guest != there->guest)
        step->begin.guest = wanted->guest;
    if (wanted->omit_from_snapshot_and_clone != there->omit_from_snapshot_and_clone)
        step->begin.omit_from_snapshot_and_clone = wanted->omit_from_snapshot_and_clone;
    *differ = ds_import_changes(&step->begin) || wanted->host > there->host;
    return DS_STATUS_OK;
}

/* A guest changes entries only. */
static enum ds_status keep_attributes(struct subject *subject, bool differ)
{
    struct ds_import_step *step = subject->step;

    ds_attributes_clear(&step->begin);
    if (is_narrow(ds_attributes_access(&subject->there, DS_SIDE_GUEST)))
        return refuse(subject, DS_STATUS_REFUSED, NULL, "may not be changed by the guest");
    if (differ)
        ds_log(DS_LOG_WARNING, "%s: its attributes stay as they are: only the host changes them",
               step->dataset);
    return DS_STATUS_OK;
}

static bool is_wanted(const struct ds_entry *entry, const json_t *value)
{
    return entry->error == 0 && entry->value.len == json_string_length(value) &&
           (entry->value.len == 0 ||
            memcmp(entry->value.data, json_string_value(value), entry->value.len) == 0);
}

/* One key of the document that is there: whether it is to be set. */
static enum ds_status plan_key(struct subject *subject, const struct ds_entry *entry)
{
    json_t *value = json_object_get(subject->entries, entry->key);

    if (is_wanted(entry, value)) {
        json_object_del(subject->step->sets, entry->key);
        return DS_STATUS_OK;
    }
    if (entry->error == 0 || entry->error == -EBADMSG)
        return replaces(subject) ? DS_STATUS_OK
                                 : refuse(subject, DS_STATUS_FAILED, entry->key,
                                          "is there with another value, which --replace would "
                                          "replace");
    return entry->error == -ENOENT ? DS_STATUS_OK : fail(subject, entry->error, entry->key);
}

/* Those keys that are both there and in the document. */
static enum ds_status plan_common(struct subject *subject, struct ds_entry *common, size_t count)
{
    enum ds_status status = DS_STATUS_OK;
    int err = 0;

    if (count > 0)
        err = ds_client_get(subject->session->client, ds_session_call(subject->session),
                            subject->step->dataset, common, count);
    if (err != 0)
        status = fail(subject, err, NULL);
    for (size_t i = 0; i < count; i++) {
        if (status == DS_STATUS_OK)
            status = plan_key(subject, &common[i]);
        ds_buf_free(&common[i].value);
    }
    return status;
}

static enum ds_status plan_entries(struct subject *subject)
{
    struct ds_import_step *step = subject->step;
    struct ds_entry *common DS_AUTO_FREE = calloc(subject->keys.count + 1, sizeof(*common));
    size_t count = 0;

    step->sets = json_copy((json_t *)subject->entries);
    if (step->sets == NULL || common == NULL)
        return fail(subject, -ENOMEM, NULL);
    for (size_t i = 0; i < subject->keys.count; i++) {
        const char *key = subject->keys.names[i];

        if (json_object_get(subject->entries, key) != NULL)
            common[count++].key = key;
        else if (!replaces(subject))
            return refuse(subject, DS_STATUS_FAILED, key,
                          "is there and not in the document: --replace would remove it");
        else if (ds_names_add(&step->removes, key) != 0)
            return fail(subject, -ENOMEM, NULL);
    }
    return plan_common(subject, common, count);
}

/* What of the entries can be known. Where our side may not read them, all are set. */
static enum ds_status read_there(struct subject *subject)
{
    const char *dataset = subject->step->dataset;
    struct ds_session *session = subject->session;
    int err = ds_client_query(session->client, ds_session_call(session), dataset, &subject->there);

    if (err == 0 && ds_attributes_access(&subject->there, caps_of(subject)->side) == DS_ACCESS_NONE)
        return refuse(subject, DS_STATUS_REFUSED, NULL,
                      "may not be read: give this side access first");
    if (err == 0)
        err =
            ds_client_list_keys(session->client, ds_session_call(session), dataset, &subject->keys);
    return err == 0 ? DS_STATUS_OK : fail(subject, err, NULL);
}

static enum ds_status plan_existing(struct subject *subject)
{
    enum ds_status status = read_there(subject);
    bool differ = false;

    if (status == DS_STATUS_OK)
        status = plan_attributes(subject, &differ);
    if (status != DS_STATUS_OK)
        return status;
    if (!caps_of(subject)->can_create)
        status = keep_attributes(subject, differ);
    else if (differ && !replaces(subject))
        return refuse(subject, DS_STATUS_FAILED, NULL,
                      "is there with other attributes, which --replace would replace");
    if (status == DS_STATUS_OK)
        status = plan_entries(subject);
    if (status == DS_STATUS_OK && caps_of(subject)->can_create)
        plan_host_access(subject);
    return status;
}

static bool has(const struct ds_names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->names[i], name) == 0)
            return true;
    return false;
}

static enum ds_status plan_one(struct ds_session *session, const struct ds_names *there,
                               const json_t *dataset, struct ds_import_step *step)
{
    struct subject subject DS_CLEANUP(clear) = {
        .session = session, .step = step, .entries = ds_document_entries(dataset)};
    int err = ds_document_attributes(dataset, &subject.wanted);

    if (err == 0 && has(there, step->dataset))
        return plan_existing(&subject);
    if (err == 0 && !caps_of(&subject)->can_create)
        return refuse(&subject, DS_STATUS_REFUSED, NULL,
                      "is not there, and a guest makes no DataSets");
    if (err == 0)
        err = plan_new(&subject);
    return err == 0 ? DS_STATUS_OK : fail(&subject, err, NULL);
}

enum ds_status ds_import_plan_make(struct ds_session *session, const json_t *document,
                                   struct ds_import_plan *plan)
{
    struct ds_names there DS_CLEANUP(ds_names_clear) = {0};
    json_t *datasets = ds_document_datasets(document), *dataset;
    enum ds_status status = DS_STATUS_OK;
    const char *name;
    int err = ds_client_list(session->client, ds_session_call(session), &there);

    *plan = (struct ds_import_plan){0};
    plan->steps = calloc(json_object_size(datasets) + 1, sizeof(*plan->steps));
    if (err != 0 || plan->steps == NULL)
        return ds_session_fail(session, err != 0 ? err : -ENOMEM, NULL, NULL);
    json_object_foreach(datasets, name, dataset)
    {
        struct ds_import_step *step = &plan->steps[plan->count++];

        step->dataset = name;
        if (status == DS_STATUS_OK)
            status = plan_one(session, &there, dataset, step);
        plan->sets += json_object_size(step->sets);
    }
    return status;
}

void ds_import_plan_clear(struct ds_import_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        struct ds_import_step *step = &plan->steps[i];

        ds_attributes_clear(&step->begin);
        ds_attributes_clear(&step->end);
        ds_names_clear(&step->removes);
        json_decref(step->sets);
    }
    free(plan->steps);
    *plan = (struct ds_import_plan){0};
}
