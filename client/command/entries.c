/* ls, get, set, append and rm. */
#include "cleanup.h"
#include "input.h"
#include "list_machines.h"
#include "log.h"
#include "print.h"
#include "set_many.h"
#include "spelling.h"
#include "verbs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The DataSet that the first word means, and its keys that the others do. */
struct subject {
    char *dataset;
    struct ds_names keys;
};

static void clear(struct subject *subject)
{
    free(subject->dataset);
    ds_names_clear(&subject->keys);
}

static enum ds_status read_dataset(struct ds_session *session, struct subject *subject)
{
    return ds_spelling_dataset(session, session->arguments->words[0], &subject->dataset);
}

enum ds_status ds_ls_run(struct ds_session *session)
{
    struct subject subject DS_CLEANUP(clear) = {0};
    bool keys = session->arguments->count > 0;
    enum ds_status status = keys ? read_dataset(session, &subject) : DS_STATUS_OK;
    struct ds_call *call;
    int err;

    if (session->inventory != NULL)
        return ds_list_machines_names(session);
    if (status != DS_STATUS_OK)
        return status;
    call = ds_session_call(session);
    err = keys ? ds_client_list_keys(session->client, call, subject.dataset, &subject.keys)
               : ds_client_list(session->client, call, &subject.keys);
    if (err == 0 && subject.keys.left_out > 0)
        ds_log(DS_LOG_WARNING, "%zu names can be none and are left out", subject.keys.left_out);
    if (err == 0)
        err = ds_print_names(session, &subject.keys, keys);
    return err == 0 ? DS_STATUS_OK : ds_session_fail(session, err, subject.dataset, NULL);
}

static enum ds_status get_one(struct ds_session *session, const struct subject *subject)
{
    struct ds_buf value DS_CLEANUP(ds_buf_free) = {0};
    const char *key = subject->keys.names[0];
    int err =
        ds_client_get_one(session->client, ds_session_call(session), subject->dataset, key, &value);

    if (err != 0)
        return ds_session_fail(session, err, subject->dataset, key);
    ds_print_bytes(value.data, value.len);
    return DS_STATUS_OK;
}

/* Prints an entry, or tells why there is none; into `object` if that is not NULL. */
static enum ds_status show(struct ds_session *session, const struct subject *subject,
                           const struct ds_entry *entry, json_t *object)
{
    if (entry->error != 0) {
        if (entry->error == -ENOENT || session->call.error == 0)
            session->call.text[0] = '\0'; /* the words are not about this one */
        return ds_session_fail(session, entry->error, subject->dataset, entry->key);
    }
    if (object != NULL)
        return ds_print_add(object, entry) == 0
                   ? DS_STATUS_OK
                   : ds_session_fail(session, -ENOMEM, subject->dataset, entry->key);
    ds_print_nul(entry->key, strlen(entry->key));
    ds_print_nul(entry->value.data, entry->value.len);
    return DS_STATUS_OK;
}

/* All that is there, also if some is not. The gravest status. */
static enum ds_status show_all(struct ds_session *session, const struct subject *subject,
                               const struct ds_entry *entries)
{
    json_t *object = session->arguments->json ? json_object() : NULL;
    enum ds_status status = DS_STATUS_OK, one;

    if (session->arguments->json && object == NULL)
        return ds_session_fail(session, -ENOMEM, subject->dataset, NULL);
    for (size_t i = 0; i < subject->keys.count; i++) {
        one = show(session, subject, &entries[i], object);
        status = one > status ? one : status;
    }
    if (object != NULL && ds_print_json(object) != 0)
        status = ds_session_fail(session, -ENOMEM, subject->dataset, NULL);
    json_decref(object);
    return status;
}

static enum ds_status get_many(struct ds_session *session, const struct subject *subject)
{
    size_t count = subject->keys.count;
    struct ds_entry *entries DS_AUTO_FREE = calloc(count + 1, sizeof(*entries));
    enum ds_status status;
    int err = 0;

    if (entries == NULL)
        return ds_session_fail(session, -ENOMEM, subject->dataset, NULL);
    for (size_t i = 0; i < count; i++)
        entries[i].key = subject->keys.names[i];
    if (count > 0)
        err = ds_client_get(session->client, ds_session_call(session), subject->dataset, entries,
                            count);
    status = err == 0 ? show_all(session, subject, entries)
                      : ds_session_fail(session, err, subject->dataset, NULL);
    for (size_t i = 0; i < count; i++)
        ds_buf_free(&entries[i].value);
    return status;
}

const char *ds_get_fault(const struct ds_arguments *arguments)
{
    return arguments->json || arguments->nul || arguments->count == 2
               ? NULL
               : "without --json or -0 it takes exactly one KEY";
}

enum ds_status ds_get_run(struct ds_session *session)
{
    const struct ds_arguments *arguments = session->arguments;
    bool many = arguments->json || arguments->nul;
    struct subject subject DS_CLEANUP(clear) = {0};
    enum ds_status status;

    status = read_dataset(session, &subject);
    if (status == DS_STATUS_OK)
        status = ds_spelling_keys(session, subject.dataset, &subject.keys);
    if (status == DS_STATUS_OK && arguments->count == 1) {
        int err = ds_client_list_keys(session->client, ds_session_call(session), subject.dataset,
                                      &subject.keys);

        if (err != 0)
            status = ds_session_fail(session, err, subject.dataset, NULL);
    }
    if (status != DS_STATUS_OK)
        return status;
    return many ? get_many(session, &subject) : get_one(session, &subject);
}

/* The value that the last word is, or standard input for "-". */
static enum ds_status read_value(const struct ds_session *session, struct ds_buf *value)
{
    const char *word = session->arguments->words[2];

    if (strcmp(word, "-") == 0)
        return ds_input_read(NULL, DS_VALUE_MAX_BYTES, value);
    if (ds_buf_puts(value, word) == 0)
        return DS_STATUS_OK;
    return ds_session_fail(session, -ENOMEM, NULL, NULL);
}

/* DATASET KEY VALUE, for set and append. */
static enum ds_status change_one(struct ds_session *session, bool append)
{
    struct subject subject DS_CLEANUP(clear) = {0};
    struct ds_buf value DS_CLEANUP(ds_buf_free) = {0};
    char *key DS_AUTO_FREE = NULL;
    enum ds_status status = read_dataset(session, &subject);
    struct ds_call *call;
    int err;

    if (status == DS_STATUS_OK)
        status = ds_spelling_key(session, subject.dataset, session->arguments->words[1], &key);
    if (status == DS_STATUS_OK)
        status = read_value(session, &value);
    if (status != DS_STATUS_OK)
        return status;
    call = ds_session_call(session);
    err = append ? ds_client_append(session->client, call, subject.dataset, key, value.data,
                                    value.len, NULL)
                 : ds_client_set(session->client, call, subject.dataset, key, value.data, value.len,
                                 NULL);
    return err == 0 ? DS_STATUS_OK : ds_session_fail(session, err, subject.dataset, key);
}

/* An object of keys and values. */
static enum ds_status set_object(struct ds_session *session)
{
    struct subject subject DS_CLEANUP(clear) = {0};
    enum ds_status status = read_dataset(session, &subject);
    json_t *object = NULL;

    if (status == DS_STATUS_OK)
        status = ds_input_object(NULL, &object);
    if (status == DS_STATUS_OK)
        status = ds_set_many_check("standard input", subject.dataset, object);
    if (status == DS_STATUS_OK)
        status = ds_set_many(session, subject.dataset, object, NULL);
    json_decref(object);
    return status;
}

const char *ds_set_fault(const struct ds_arguments *arguments)
{
    return arguments->count == (arguments->json ? 1 : 3) ? NULL : "too few or too many arguments";
}

enum ds_status ds_set_run(struct ds_session *session)
{
    return session->arguments->json ? set_object(session) : change_one(session, false);
}

enum ds_status ds_append_run(struct ds_session *session)
{
    return change_one(session, true);
}

enum ds_status ds_rm_run(struct ds_session *session)
{
    struct subject subject DS_CLEANUP(clear) = {0};
    enum ds_status status = read_dataset(session, &subject), one;

    if (status == DS_STATUS_OK)
        status = ds_spelling_keys(session, subject.dataset, &subject.keys);
    if (status != DS_STATUS_OK)
        return status;
    for (size_t i = 0; i < subject.keys.count && !ds_session_interrupted(); i++) {
        const char *key = subject.keys.names[i];
        int err =
            ds_client_remove(session->client, ds_session_call(session), subject.dataset, key, NULL);

        one = err == 0 ? DS_STATUS_OK : ds_session_fail(session, err, subject.dataset, key);
        status = one > status ? one : status;
        if (one > DS_STATUS_NOT_THERE)
            break; /* the next one would fare no better */
    }
    return status;
}
