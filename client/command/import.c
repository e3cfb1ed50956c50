/* import: makes what a document says. Sets first and removes last, so that an import that ends in
 * the middle has taken nothing away that it was to keep; run again, it completes what is left. */
#include "cleanup.h"
#include "document.h"
#include "import_plan.h"
#include "input.h"
#include "log.h"
#include "progress.h"
#include "set_many.h"
#include "shown.h"
#include "verbs.h"

#include <stdio.h>
#include <string.h>

/* How far it is. */
struct done {
    size_t datasets;
    size_t sets;
};

static void describe(const char *what, const char *dataset, const char *key, const char *more)
{
    char shown[DS_SHOWN_BYTES];

    printf("%s %s%s\n", what, ds_shown(dataset, key, shown), more);
}

static void describe_step(const struct ds_import_step *step)
{
    const char *key;
    json_t *value;
    char size[32];

    if (step->creates)
        describe("create", step->dataset, NULL, "");
    else if (ds_import_changes(&step->begin) || ds_import_changes(&step->end))
        describe("update", step->dataset, NULL, "");
    json_object_foreach(step->sets, key, value)
    {
        snprintf(size, sizeof size, " (%zu bytes)", json_string_length(value));
        describe("set", step->dataset, key, size);
    }
    for (size_t i = 0; i < step->removes.count; i++)
        describe("remove", step->dataset, step->removes.names[i], "");
}

static enum ds_status set_attributes(struct ds_session *session, const struct ds_import_step *step,
                                     const struct ds_attributes *attributes, bool create)
{
    struct ds_call *call = ds_session_call(session);
    int err = 0;

    if (create)
        err = ds_client_create(session->client, call, step->dataset, attributes);
    else if (ds_import_changes(attributes))
        err = ds_client_update(session->client, call, step->dataset, attributes);
    return err == 0 ? DS_STATUS_OK : ds_session_fail(session, err, step->dataset, NULL);
}

static enum ds_status remove_keys(struct ds_session *session, const struct ds_import_step *step)
{
    for (size_t i = 0; i < step->removes.count && !ds_session_interrupted(); i++) {
        const char *key = step->removes.names[i];
        int err =
            ds_client_remove(session->client, ds_session_call(session), step->dataset, key, NULL);

        if (err != 0 && ds_status_of(err, &session->call) != DS_STATUS_NOT_THERE)
            return ds_session_fail(session, err, step->dataset, key);
    }
    return DS_STATUS_OK;
}

/* The entries, a part at a time. */
static enum ds_status set_entries(struct ds_session *session, const struct ds_import_step *step,
                                  size_t all, struct done *done)
{
    enum ds_status status = ds_set_many(session, step->dataset, step->sets, &done->sets);

    ds_progress_show(done->sets, all);
    return status;
}

static enum ds_status carry_out(struct ds_session *session, const struct ds_import_plan *plan,
                                struct done *done)
{
    enum ds_status status = DS_STATUS_OK;

    for (size_t i = 0; i < plan->count && status == DS_STATUS_OK && !ds_session_interrupted();
         i++) {
        const struct ds_import_step *step = &plan->steps[i];

        status = set_attributes(session, step, &step->begin, step->creates);
        if (status == DS_STATUS_OK)
            status = set_entries(session, step, plan->sets, done);
        if (status == DS_STATUS_OK)
            status = remove_keys(session, step);
        if (status == DS_STATUS_OK && !ds_session_interrupted())
            status = set_attributes(session, step, &step->end, false);
        done->datasets += status == DS_STATUS_OK;
    }
    ds_progress_clear();
    return status;
}

static enum ds_status run(struct ds_session *session, const struct ds_import_plan *plan)
{
    struct done done = {0};
    enum ds_status status;

    if (session->arguments->dry_run) {
        for (size_t i = 0; i < plan->count; i++)
            describe_step(&plan->steps[i]);
        return DS_STATUS_OK;
    }
    status = carry_out(session, plan, &done);
    if (status != DS_STATUS_OK || ds_session_interrupted())
        ds_log(DS_LOG_ERROR,
               "import: done are %zu of %zu DataSets and %zu of %zu entries to set; running it "
               "again completes it",
               done.datasets, plan->count, done.sets, plan->sets);
    return status;
}

enum ds_status ds_import_run(struct ds_session *session)
{
    const struct ds_arguments *arguments = session->arguments;
    const char *file =
        arguments->count > 0 && strcmp(arguments->words[0], "-") != 0 ? arguments->words[0] : NULL;
    const char *where = file != NULL ? file : "standard input";
    struct ds_import_plan plan = {0};
    json_t *document = NULL;
    enum ds_status status = ds_input_object(file, &document);

    if (status == DS_STATUS_OK)
        status = ds_document_check(where, document);
    if (status == DS_STATUS_OK)
        status = ds_import_plan_make(session, document, &plan);
    if (status == DS_STATUS_OK)
        status = run(session, &plan);
    ds_import_plan_clear(&plan);
    json_decref(document);
    return status;
}
