/* doctor: what a SOURCE needs, looked at step by step. */
#include "../source.h"
#include "doctor_machines.h"
#include "doctor_mount.h"
#include "doctor_store.h"
#include "log.h"
#include "verbs.h"

#include <jansson.h>

static struct ds_call *next_call(void *session)
{
    return ds_session_call(session);
}

static void examine_one(struct ds_session *session, const struct ds_source_options *options,
                        struct ds_report *report)
{
    const struct ds_arguments *arguments = session->arguments;

    ds_source_examine(arguments->source, options, report, &session->client);
    if (session->client == NULL) {
        ds_report_skip(report, "list", "the store cannot be asked");
        ds_report_skip(report, "get", "the store cannot be asked");
    } else if (!ds_session_interrupted()) {
        ds_doctor_store(session, report);
    }
    if (arguments->write != NULL && session->client == NULL)
        ds_report_skip(report, "write", "the store cannot be asked");
    else if (arguments->write != NULL && !ds_session_interrupted())
        ds_doctor_write(session, arguments->write, report);
}

static void examine_all(struct ds_session *session, const struct ds_source_options *options,
                        struct ds_report *report)
{
    ds_inventory_examine(session->arguments->source, options, report, &session->inventory);
    if (session->inventory == NULL)
        ds_report_skip(report, "list", "no machine can be asked");
    else if (!ds_session_interrupted())
        ds_doctor_machines(session, report);
}

enum ds_status ds_doctor_run(struct ds_session *session)
{
    const struct ds_arguments *arguments = session->arguments;
    struct ds_report report = {
        .call = next_call, .interrupted = ds_session_interrupted, .context = session};
    struct ds_source_options options = arguments->store.source;

    ds_log_set_level(DS_LOG_ERROR); /* the report tells it all */
    options.read_only = arguments->write == NULL;
    ds_report_ok(&report, "program", "datasetfs " DS_VERSION ", libfuse %s, jansson %s",
                 session->libfuse, jansson_version_str());
    ds_doctor_mount(arguments->source, &report);
    if (!ds_session_interrupted() && arguments->inventory)
        examine_all(session, &options, &report);
    else if (!ds_session_interrupted())
        examine_one(session, &options, &report);
    return report.failures > 0 ? DS_STATUS_NOT_THERE : DS_STATUS_OK;
}
