/* What a store lets this side do. */
#include "doctor_store.h"

#include "cleanup.h"
#include "log.h"
#include "shown.h"
#include "spelling.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

enum {
    DATASETS_MAX = 8, /* so many are read from */
    REMOVE_MAX_MS = 5000
};

/* What may keep this side from it; NULL: nothing that is known here. `privilege` is vSphere's. */
static const char *advice_for(const struct ds_session *session, int err, const char *privilege,
                              char advice[160])
{
    bool host = ds_client_caps(session->client)->side == DS_SIDE_HOST;

    if (err == -EBUSY)
        return "resume the machine: a suspended one can only be read";
    if (err == -EOPNOTSUPP)
        return "DataSets need vSphere 8 and hardware version 20 (vmx-20)";
    if (err == -ETIMEDOUT)
        return "try a longer -o timeout=";
    if (err != -EACCES)
        return NULL;
    if (!host)
        return "the host's side must give guest_access=: datasetfs update, or its owner";
    snprintf(advice, 160,
             "give the DataSet host_access=, or over https: the user the privilege "
             "VirtualMachine.DataSets.%s",
             privilege);
    return advice;
}

static void fail(const struct ds_session *session, struct ds_report *report, const char *dataset,
                 int err, const char *privilege)
{
    const char *words = ds_report_words(&session->call, err);
    char shown[DS_SHOWN_BYTES], advice[160];

    ds_report_fail(report, "get", advice_for(session, err, privilege, advice), "%s: %s",
                   ds_shown(dataset, NULL, shown), words);
}

/* What is read so far. */
struct reading {
    size_t datasets, keys;
};

/* Keys of a DataSet, and one of its values. */
static void read_dataset(struct ds_session *session, struct ds_report *report, const char *dataset,
                         struct reading *reading)
{
    struct ds_names keys DS_CLEANUP(ds_names_clear) = {0};
    struct ds_buf value DS_CLEANUP(ds_buf_free) = {0};
    int err = ds_client_list_keys(session->client, ds_session_call(session), dataset, &keys);

    if (err == -ENOENT) /* gone meanwhile */
        return;
    if (err != 0) {
        fail(session, report, dataset, err, "DataSetEntryList");
        return;
    }
    if (keys.count > 0)
        err = ds_client_get_one(session->client, ds_session_call(session), dataset, keys.names[0],
                                &value);
    if (err != 0 && err != -ENOENT) {
        fail(session, report, dataset, err, "DataSetEntryGet");
        return;
    }
    reading->datasets++;
    reading->keys += keys.count;
}

/* One DataSet, unless this side is shut out of it on purpose. */
static void look_at(struct ds_session *session, struct ds_report *report, const char *dataset,
                    struct reading *reading)
{
    struct ds_attributes attributes DS_CLEANUP(ds_attributes_clear) = {0};
    enum ds_side side = ds_client_caps(session->client)->side;
    int err = ds_client_query(session->client, ds_session_call(session), dataset, &attributes);
    char shown[DS_SHOWN_BYTES];

    if (err == -ENOENT)
        return;
    if (err != 0)
        fail(session, report, dataset, err, "DataSetGet");
    else if (ds_attributes_access(&attributes, side) == DS_ACCESS_NONE)
        ds_report_warn(report, "get",
                       side == DS_SIDE_HOST
                           ? "if it should be open: datasetfs update -o host_access="
                           : "if it should be open, the host's side must say "
                             "guest_access=",
                       "%s: access is NONE for the %s", ds_shown(dataset, NULL, shown),
                       side == DS_SIDE_HOST ? "host" : "guest");
    else
        read_dataset(session, report, dataset, reading);
}

void ds_doctor_store(struct ds_session *session, struct ds_report *report)
{
    struct ds_names names DS_CLEANUP(ds_names_clear) = {0};
    struct reading reading = {0};
    unsigned before = report->failures;
    char advice[160];
    int err = ds_client_list(session->client, ds_session_call(session), &names);

    if (err != 0) {
        ds_report_fail(report, "list", advice_for(session, err, "DataSetList", advice), "%s",
                       ds_report_words(&session->call, err));
        ds_report_skip(report, "get", "there is no list");
        return;
    }
    if (names.left_out > 0)
        ds_report_warn(report, "list", "let their owner name them anew, in UTF-8",
                       "%zu DataSets have names that no mount can show", names.left_out);
    ds_report_ok(report, "list", "DataSets: %zu", names.count);
    for (size_t i = 0; i < names.count && i < DATASETS_MAX && !ds_session_interrupted(); i++)
        look_at(session, report, names.names[i], &reading);
    if (reading.datasets > 0)
        ds_report_ok(report, "get", "read from %zu of them; keys there: %zu", reading.datasets,
                     reading.keys);
    else if (report->failures == before)
        ds_report_skip(report, "get", "there is no DataSet that can be read");
}

/* A name that nobody has. 0 or a negative errno. */
static int make_key(char *key, size_t size)
{
    uint64_t number;

    if (getrandom(&number, sizeof number, 0) != sizeof number)
        return -errno;
    snprintf(key, size, "datasetfs-doctor-%016" PRIx64, number);
    return 0;
}

/* Sets, appends and compares. 0 or a negative errno; `*step` is the one that was done last. */
static int change(struct ds_session *session, const char *dataset, const char *key,
                  const char **step)
{
    static const char first[] = "set", more[] = ", appended";
    const struct ds_previous none = {.exists = false};
    const struct ds_previous previous = {.exists = true, .data = first, .len = strlen(first)};
    struct ds_buf value DS_CLEANUP(ds_buf_free) = {0};
    int err = ds_client_set(session->client, ds_session_call(session), dataset, key, first,
                            strlen(first), &none);

    *step = "set";
    if (err != 0)
        return err;
    *step = "append";
    err = ds_client_append(session->client, ds_session_call(session), dataset, key, more,
                           strlen(more), &previous);
    if (err != 0)
        return err;
    *step = "read back";
    err = ds_client_get_one(session->client, ds_session_call(session), dataset, key, &value);
    if (err == 0 && strcmp(value.data, "set, appended") != 0)
        err = ds_call_fail(&session->call, -EIO, "it holds something else than was written");
    return err;
}

/* Also after a signal, and within a time of its own. */
static int remove_key(struct ds_session *session, const char *dataset, const char *key,
                      struct ds_call *call)
{
    int64_t timeout_ms = session->arguments->store.timeout_ms;

    ds_call_init(call, timeout_ms > REMOVE_MAX_MS ? timeout_ms : REMOVE_MAX_MS);
    return ds_client_remove(session->client, call, dataset, key, NULL);
}

/* What could not be cleaned up; told also after a signal. */
static void tell_left(struct ds_report *report, const char *word, const char *key,
                      const char *words)
{
    ds_report_fail(report, "write", "remove it with datasetfs rm", "%s/%s may be left there: %s",
                   word, key, words);
    if (ds_session_interrupted())
        ds_log(DS_LOG_ERROR, "%s/%s may be left there: remove it with datasetfs rm: %s", word, key,
               words);
}

static void write_key(struct ds_session *session, const char *word, const char *dataset,
                      const char *key, struct ds_report *report)
{
    const char *step;
    int err = change(session, dataset, key, &step), removed;
    bool doubtful = err != 0 && ds_call_sent(&session->call) == DS_SENT_MAYBE;
    bool was_set = err == 0 || strcmp(step, "set") != 0;
    char words[DS_CALL_TEXT_BYTES], advice[160];
    struct ds_call call;

    snprintf(words, sizeof words, "%s",
             err == -ENOENT ? "there is no such DataSet" : ds_report_words(&session->call, err));
    removed = remove_key(session, dataset, key, &call);
    if (err != 0)
        ds_report_fail(report, "write", advice_for(session, err, "DataSetEntrySet", advice),
                       "%s: %s: %s", word, step, words);
    else if (removed == 0)
        ds_report_ok(report, "write", "%s: a key was set, appended to, read and removed", word);
    if (removed == -ENOENT && doubtful && !was_set)
        tell_left(report, word, key, "it was sent, and nobody knows when it arrives");
    else if (removed != 0 && removed != -ENOENT && (was_set || doubtful))
        tell_left(report, word, key, ds_report_words(&call, removed));
    else if (removed == -ENOENT && err == 0)
        ds_report_fail(report, "write", NULL, "%s: somebody else has removed the key %s", word,
                       key);
}

void ds_doctor_write(struct ds_session *session, const char *word, struct ds_report *report)
{
    char *dataset DS_AUTO_FREE = NULL;
    char key[64];
    int err = make_key(key, sizeof key);

    if (err != 0)
        ds_report_fail(report, "write", NULL, "%s", strerror(-err));
    else if (ds_spelling_dataset(session, word, &dataset) != DS_STATUS_OK)
        ds_report_fail(report, "write", NULL, "%s is no DataSet", word);
    else
        write_key(session, word, dataset, key, report);
}
