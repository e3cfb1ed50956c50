/* Replies of the tools channel. */
#include "reply.h"

#include "../base/json_text.h"
#include "error.h"
#include "json.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

struct ds_tools_reply {
    json_t *root; /* an object */
};

int ds_tools_reply_parse(const char *text, size_t len, struct ds_tools_reply **out)
{
    struct ds_buf clean = {0};
    int err = ds_json_text_clean(text, len, &clean);
    if (err)
        return err;
    json_error_t fault = {0};
    json_t *root = clean.data ? json_loadb(clean.data, clean.len, 0, &fault)
                              : json_loadb(text, len, 0, &fault);
    ds_buf_free(&clean);
    if (!root)
        return json_error_code(&fault) == json_error_out_of_memory ? -ENOMEM : -EPROTO;
    struct ds_tools_reply *reply = json_is_object(root) ? malloc(sizeof *reply) : NULL;
    if (!reply) {
        err = json_is_object(root) ? -ENOMEM : -EPROTO;
        json_decref(root);
        return err;
    }
    reply->root = root;
    *out = reply;
    return 0;
}

void ds_tools_reply_free(struct ds_tools_reply *reply)
{
    if (!reply)
        return;
    json_decref(reply->root);
    free(reply);
}

int ds_tools_reply_result(const struct ds_tools_reply *reply, struct ds_call *call, bool whole_rpc)
{
    const json_t *result = json_object_get(reply->root, "result");
    if (json_is_true(result) && !whole_rpc)
        return 0;
    if (!json_is_boolean(result) && !whole_rpc)
        return ds_call_fail(call, -EPROTO, "the host's reply does not say if it succeeded");
    return ds_tools_fail(call, json_string_value(json_object_get(reply->root, "error-id")),
                         json_string_value(json_object_get(reply->root, "error-message")),
                         whole_rpc);
}

int ds_tools_reply_datasets(const struct ds_tools_reply *reply, struct ds_names *out)
{
    const json_t *datasets = json_object_get(reply->root, "datasets");
    size_t at;
    json_t *dataset;
    if (!json_is_array(datasets))
        return -EPROTO;
    json_array_foreach(datasets, at, dataset)
    {
        const char *name = json_string_value(json_object_get(dataset, "name"));
        int err = name ? ds_names_add(out, name) : -EPROTO;
        if (err)
            return err;
    }
    return 0;
}

int ds_tools_reply_keys(const struct ds_tools_reply *reply, struct ds_names *out)
{
    const json_t *keys = json_object_get(reply->root, "keys");
    size_t at;
    json_t *key;
    if (!json_is_array(keys))
        return -EPROTO;
    json_array_foreach(keys, at, key)
    {
        int err = json_is_string(key) ? ds_names_add(out, json_string_value(key)) : -EPROTO;
        if (err)
            return err;
    }
    return 0;
}

enum { WORD_BYTES = 64 };

/* The letters of `text` in lower case, so that all spellings are one; empty if there are too many.
 */
static void letters_of(const char *text, char word[WORD_BYTES])
{
    size_t len = 0;
    word[0] = '\0';
    for (const char *p = text; *p; p++) {
        if ((unsigned char)*p >= 0x80 || !isalpha((unsigned char)*p))
            continue;
        if (len == WORD_BYTES - 1) {
            word[0] = '\0';
            return;
        }
        word[len++] = (char)tolower((unsigned char)*p);
        word[len] = '\0';
    }
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text);
    size_t end_len = strlen(end);
    return len >= end_len && !strcmp(text + len - end_len, end);
}

static enum ds_access access_of(const json_t *value)
{
    char word[WORD_BYTES];
    if (!json_is_string(value))
        return DS_ACCESS_UNKNOWN;
    letters_of(json_string_value(value), word);
    if (ends_with(word, "readwrite") || !strcmp(word, "rw"))
        return DS_ACCESS_READ_WRITE;
    if (ends_with(word, "readonly") || !strcmp(word, "ro") || !strcmp(word, "r"))
        return DS_ACCESS_READ_ONLY;
    if (ends_with(word, "none") || ends_with(word, "noaccess"))
        return DS_ACCESS_NONE;
    return DS_ACCESS_UNKNOWN;
}

static void read_used(const json_t *value, struct ds_attributes *out)
{
    double used = json_number_value(value);
    if (json_is_string(value)) {
        char *end = NULL;
        const char *digits = json_string_value(value);
        used = isdigit((unsigned char)*digits) ? strtod(digits, &end) : -1;
        if (end && *end)
            return;
    } else if (!json_is_number(value)) {
        return;
    }
    /* Far above what a virtual machine can hold, far below what a double cannot. */
    if (!(used >= 0 && used <= (double)(UINT64_C(1) << 52)))
        return;
    out->used_known = true;
    out->used_bytes = (uint64_t)used;
}

static int read_attribute(const char *name, const json_t *value, struct ds_attributes *out)
{
    char word[WORD_BYTES];
    letters_of(name, word);
    if (!strcmp(word, "host") || !strcmp(word, "hostaccess")) {
        if (!out->host)
            out->host = access_of(value);
    } else if (!strcmp(word, "guest") || !strcmp(word, "guestaccess")) {
        if (!out->guest)
            out->guest = access_of(value);
    } else if (!strcmp(word, "used")) {
        if (!out->used_known)
            read_used(value, out);
    } else if (!strcmp(word, "omitfromsnapshotandclone")) {
        if (!out->omit_from_snapshot_and_clone && json_is_boolean(value))
            out->omit_from_snapshot_and_clone = json_is_true(value) ? DS_FLAG_ON : DS_FLAG_OFF;
    } else if (!strcmp(word, "description")) {
        if (!out->description && json_is_string(value)) {
            out->description = strdup(json_string_value(value));
            return out->description ? 0 : -ENOMEM;
        }
    }
    return 0;
}

static int read_attributes(json_t *object, struct ds_attributes *out)
{
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        int err = read_attribute(name, value, out);
        if (err)
            return err;
    }
    return 0;
}

int ds_tools_reply_attributes(const struct ds_tools_reply *reply, struct ds_attributes *out)
{
    struct ds_attributes read = {0};
    const char *name;
    json_t *value;
    int err = read_attributes(reply->root, &read);
    json_object_foreach(reply->root, name, value)
    {
        if (!err && json_is_object(value))
            err = read_attributes(value, &read);
    }
    if (err)
        ds_attributes_clear(&read);
    else
        *out = read;
    return err;
}

/* Adds what one element of "entries" says to `map`, key -> value. */
static int map_entry(json_t *map, json_t *entry)
{
    if (!json_is_object(entry))
        return -EPROTO;
    json_t *key = json_object_get(entry, "key");
    json_t *value = json_object_get(entry, "value");
    if (json_object_size(entry) == 2 && json_is_string(key) && value)
        return json_object_set(map, json_string_value(key), value) ? -ENOMEM : 0;

    const char *name;
    json_object_foreach(entry, name, value)
    {
        if (json_object_set(map, name, value))
            return -ENOMEM;
    }
    return 0;
}

static int take_value(const json_t *value, struct ds_entry *entry)
{
    size_t len = json_string_length(value);
    if (!json_is_string(value) || len > DS_VALUE_MAX_BYTES) {
        entry->error = -EPROTO;
        return 0;
    }
    int err = ds_buf_append(&entry->value, json_string_value(value), len);
    if (!err)
        entry->error = 0;
    return err;
}

int ds_tools_reply_entries(const struct ds_tools_reply *reply, struct ds_entry *entries,
                           size_t count)
{
    const json_t *array = json_object_get(reply->root, "entries");
    if (!json_is_array(array))
        return -EPROTO;
    json_t *map = json_object();
    int err = map ? 0 : -ENOMEM;
    for (size_t i = 0; i < json_array_size(array) && !err; i++)
        err = map_entry(map, json_array_get(array, i));
    for (size_t i = 0; i < count && !err; i++) {
        const json_t *value = json_object_get(map, entries[i].key);
        /* A null is a way to say that there is no value. */
        if (value && !json_is_null(value) && entries[i].error == -ENOENT)
            err = take_value(value, &entries[i]);
    }
    json_decref(map);
    return err;
}

int ds_tools_reply_context(const struct ds_tools_reply *reply, char **out)
{
    const json_t *context = json_object_get(reply->root, "context");
    char *copy = NULL;
    size_t len = json_string_length(context);
    if (context && !json_is_null(context) && !json_is_string(context))
        return -EPROTO;
    if (ds_tools_json_size(json_string_value(context), len) > DS_TOOLS_CONTEXT_MAX_BYTES)
        return -EPROTO;
    if (len) {
        copy = strdup(json_string_value(context));
        if (!copy)
            return -ENOMEM;
    }
    *out = copy;
    return 0;
}
