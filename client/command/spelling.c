/* DATASET and KEY as people write them. */
#include "spelling.h"

#include "cleanup.h"
#include "file_name.h"
#include "log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *what(enum ds_file_name_place place)
{
    return place == DS_FILE_NAME_IN_ROOT ? "DataSet" : "key";
}

/* One of the list is shown as `word`. */
static int search(const struct ds_names *names, enum ds_file_name_place place, const char *word,
                  char **out)
{
    char name[DS_FILE_NAME_MAX_BYTES + 1];

    for (size_t i = 0; i < names->count; i++) {
        ds_file_name_encode(place, names->names[i], name);
        if (strcmp(name, word) != 0)
            continue;
        *out = strdup(names->names[i]);
        return *out != NULL ? 0 : -ENOMEM;
    }
    return -ENOENT;
}

/* A shortened name. `dataset` is NULL for that of a DataSet. */
static enum ds_status look_for(struct ds_session *session, const char *dataset, const char *word,
                               char **out)
{
    enum ds_file_name_place place =
        dataset != NULL ? DS_FILE_NAME_IN_DATASET : DS_FILE_NAME_IN_ROOT;
    struct ds_call *call = ds_session_call(session);
    struct ds_names names DS_CLEANUP(ds_names_clear) = {0};
    int err = dataset != NULL ? ds_client_list_keys(session->client, call, dataset, &names)
                              : ds_client_list(session->client, call, &names);

    if (err != 0)
        return ds_session_fail(session, err, dataset, NULL);
    err = search(&names, place, word, out);
    if (err == -ENOENT) {
        ds_log(DS_LOG_ERROR, "'%s': there is no such %s", word, what(place));
        return DS_STATUS_NOT_THERE;
    }
    return err == 0 ? DS_STATUS_OK : ds_session_fail(session, err, dataset, NULL);
}

static enum ds_status read_word(struct ds_session *session, const char *dataset, const char *word,
                                char **out)
{
    enum ds_file_name_place place =
        dataset != NULL ? DS_FILE_NAME_IN_DATASET : DS_FILE_NAME_IN_ROOT;
    int err;

    if (ds_file_name_is_shortened(word))
        return look_for(session, dataset, word, out);
    err = ds_file_name_decode(place, word, out);
    if (err == 0)
        return DS_STATUS_OK;
    if (err == -ENOMEM)
        return ds_session_fail(session, err, dataset, NULL);
    ds_log(DS_LOG_ERROR,
           "'%s': no %s is spelt so: write it as a mount shows it, / as %%2F, %% as %%25", word,
           what(place));
    return DS_STATUS_USAGE;
}

enum ds_status ds_spelling_dataset(struct ds_session *session, const char *word, char **out)
{
    return read_word(session, NULL, word, out);
}

enum ds_status ds_spelling_datasets(struct ds_session *session, struct ds_names *out)
{
    const struct ds_arguments *arguments = session->arguments;
    enum ds_status status = DS_STATUS_OK;
    int err = 0;

    if (arguments->count == 0)
        err = ds_client_list(session->client, ds_session_call(session), out);
    for (size_t i = 0; i < arguments->count && status == DS_STATUS_OK && err == 0; i++) {
        char *dataset DS_AUTO_FREE = NULL;

        status = ds_spelling_dataset(session, arguments->words[i], &dataset);
        if (status == DS_STATUS_OK)
            err = ds_names_add(out, dataset);
    }
    return err == 0 ? status : ds_session_fail(session, err, NULL, NULL);
}

enum ds_status ds_spelling_key(struct ds_session *session, const char *dataset, const char *word,
                               char **out)
{
    return read_word(session, dataset, word, out);
}

enum ds_status ds_spelling_keys(struct ds_session *session, const char *dataset,
                                struct ds_names *out)
{
    const struct ds_arguments *arguments = session->arguments;
    enum ds_status status = DS_STATUS_OK;

    for (size_t i = 1; i < arguments->count && status == DS_STATUS_OK; i++) {
        char *key DS_AUTO_FREE = NULL;

        status = ds_spelling_key(session, dataset, arguments->words[i], &key);
        if (status == DS_STATUS_OK && ds_names_add(out, key) != 0)
            status = ds_session_fail(session, -ENOMEM, dataset, NULL);
    }
    return status;
}
