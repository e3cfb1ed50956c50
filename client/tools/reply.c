/* Replies of the tools channel. */
#include "reply.h"

#include "../base/json_load.h"
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
    json_t *root = NULL;
    int err = ds_json_load(text, len, 0, &root);
    if (err)
        return err;
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
    char id[DS_CALL_TEXT_BYTES];
    char message[DS_CALL_TEXT_BYTES];
    ds_json_copy_words(json_object_get(reply->root, "error-id"), id, sizeof id);
    ds_json_copy_words(json_object_get(reply->root, "error-message"), message, sizeof message);
    return ds_tools_fail(call, id, message, whole_rpc);
}

static int add_name(const json_t *name, struct ds_names *out)
{
    if (ds_json_is_text(name))
        return ds_names_add(out, json_string_value(name));
    out->left_out++;
    return 0;
}

int ds_tools_reply_datasets(const struct ds_tools_reply *reply, struct ds_names *out)
{
    const json_t *datasets = json_object_get(reply->root, "datasets");
    size_t at;
    json_t *dataset;
    if (!json_is_array(datasets))
        return -EPROTO;
    size_t before = out->count;
    bool strings = true;
    json_array_foreach(datasets, at, dataset)
    {
        const json_t *name = json_is_string(dataset) ? dataset : json_object_get(dataset, "name");
        int err = add_name(name, out);
        if (err)
            return err;
        strings = strings && json_is_string(name);
    }
    /* A list of nothing but other things is another kind of list. */
    return out->count > before || strings ? 0 : -EPROTO;
}

int ds_tools_reply_keys(const struct ds_tools_reply *reply, struct ds_names *out)
{
    const json_t *keys = json_object_get(reply->root, "keys");
    size_t at;
    json_t *key;
    if (!json_is_array(keys))
        return -EPROTO;
    size_t before = out->count;
    bool strings = true;
    json_array_foreach(keys, at, key)
    {
        int err = add_name(key, out);
        if (err)
            return err;
        strings = strings && json_is_string(key);
    }
    return out->count > before || strings ? 0 : -EPROTO;
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
            ds_json_read_used(value, out);
    } else if (!strcmp(word, "omitfromsnapshotandclone")) {
        if (!out->omit_from_snapshot_and_clone && json_is_boolean(value))
            out->omit_from_snapshot_and_clone = json_is_true(value) ? DS_FLAG_ON : DS_FLAG_OFF;
    } else if (!strcmp(word, "description")) {
        if (!out->description && json_is_string(value))
            return ds_json_copy_description(value, &out->description);
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
    const char *name;
    json_t *value;
    int err = read_attributes(reply->root, out);
    json_object_foreach(reply->root, name, value)
    {
        if (!err && json_is_object(value))
            err = read_attributes(value, out);
    }
    return err;
}

static bool is_asked(const struct ds_entry *entries, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(entries[i].key, key))
            return true;
    return false;
}

/* True for {"key":K,"value":V}, perhaps with more members, as opposed to {KEY:VALUE}: a host that
 * names members after keys names them after those that it was asked for. */
static bool is_pair(json_t *entry, const struct ds_entry *entries, size_t count)
{
    const json_t *key = json_object_get(entry, "key");
    if (!ds_json_is_text(key) || !json_object_get(entry, "value"))
        return false;
    if (json_object_size(entry) == 2)
        return true;
    const char *name;
    json_t *value;
    bool all_asked = true;
    json_object_foreach(entry, name, value)
    {
        all_asked = all_asked && json_is_string(value) && is_asked(entries, count, name);
    }
    return !all_asked && is_asked(entries, count, json_string_value(key));
}

/* Adds what one element of "entries" says to `map`, key -> value. */
static int map_entry(json_t *map, json_t *entry, const struct ds_entry *entries, size_t count)
{
    if (!json_is_object(entry))
        return -EPROTO;
    const char *name;
    json_t *value = json_object_get(entry, "value");
    bool any_asked = json_object_size(entry) == 0;
    if (is_pair(entry, entries, count)) {
        name = json_string_value(json_object_get(entry, "key"));
        return !is_asked(entries, count, name)     ? -EPROTO
               : json_object_set(map, name, value) ? -ENOMEM
                                                   : 0;
    }
    json_object_foreach(entry, name, value)
    {
        any_asked = any_asked || is_asked(entries, count, name);
        if (json_object_set(map, name, value))
            return -ENOMEM;
    }
    return any_asked ? 0 : -EPROTO;
}

static int take_value(const json_t *value, struct ds_entry *entry)
{
    size_t len = json_string_length(value);
    if (!ds_json_is_text(value) || len > DS_VALUE_MAX_BYTES) {
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
        err = map_entry(map, json_array_get(array, i), entries, count);
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
    if (context && !json_is_null(context) && !ds_json_is_text(context))
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
