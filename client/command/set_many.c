/* Many keys at once. */
#include "set_many.h"

#include "cleanup.h"
#include "log.h"
#include "shown.h"
#include "utf8.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Why it can be no entry; NULL if it can. */
static const char *fault_of(const char *key, const json_t *value)
{
    if (strlen(key) > DS_KEY_MAX_BYTES)
        return "the key is longer than 4096 bytes";
    if (!json_is_string(value))
        return "the value is no string";
    if (json_string_length(value) > DS_VALUE_MAX_BYTES)
        return "the value is longer than 1048576 bytes";
    return ds_utf8_valid(json_string_value(value), json_string_length(value))
               ? NULL
               : "the value is not UTF-8 text without NUL";
}

enum ds_status ds_set_many_check(const char *where, const char *dataset, const json_t *object)
{
    char shown[DS_SHOWN_BYTES];
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)object, key, value)
    {
        const char *fault = fault_of(key, value);

        if (fault == NULL)
            continue;
        ds_log(DS_LOG_ERROR, "%s: %s: %s", where, ds_shown(dataset, key, shown), fault);
        return DS_STATUS_USAGE;
    }
    return DS_STATUS_OK;
}

static struct ds_pair *pairs_of(const json_t *object)
{
    struct ds_pair *pairs = calloc(json_object_size(object) + 1, sizeof(*pairs));
    size_t count = 0;
    const char *key;
    json_t *value;

    if (pairs == NULL)
        return NULL;
    json_object_foreach((json_t *)object, key, value) pairs[count++] = (struct ds_pair){
        .key = key, .data = json_string_value(value), .len = json_string_length(value)};
    return pairs;
}

enum ds_status ds_set_many(struct ds_session *session, const char *dataset, const json_t *object,
                           size_t *done)
{
    size_t count = json_object_size(object), at = 0;
    struct ds_pair *pairs DS_AUTO_FREE = pairs_of(object);
    int err = pairs != NULL ? 0 : -ENOMEM;

    while (at < count && err == 0 && !ds_session_interrupted()) {
        size_t set = 0;

        err = ds_client_set_some(session->client, ds_session_call(session), dataset, pairs + at,
                                 count - at, &set);
        at += set;
        if (done != NULL)
            *done += set;
    }
    return err == 0 ? DS_STATUS_OK
                    : ds_session_fail(session, err, dataset, pairs != NULL ? pairs[at].key : NULL);
}
