/* Getting many values. */
#include "get.h"

#include "cleanup.h"
#include "doubt.h"
#include "json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* One operation under way. */
struct get {
    struct ds_tools *tools;
    struct ds_call *call;
    enum ds_exchange mode;
    const char *dataset;
    bool dataset_exists; /* the host has told so during this operation */
    /* The keys that there are, if "invalid argument" has made us ask. */
    bool listed;
    struct ds_names keys;
};

static const char command[] = "datasets-get-entry ";

/* Keys that are not found keep this. */
static void begin_entries(struct ds_entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        ds_buf_free(&entries[i].value);
        entries[i].error = -ENOENT;
    }
}

static int build(const struct get *get, const struct ds_entry *entries, size_t count,
                 const char *context, struct ds_buf *out)
{
    const char **keys DS_AUTO_FREE = malloc(count * sizeof *keys);
    if (!keys)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        keys[i] = entries[i].key;
    int err = ds_buf_puts(out, command);
    return err ? err : ds_tools_json_keys(out, get->dataset, keys, count, context);
}

static int not_understood(struct ds_call *call)
{
    return ds_call_fail(call, -EPROTO, "the host's reply is not understood");
}

/* One part of the values. `*context` goes in and out. */
static int get_part(struct get *get, struct ds_entry *entries, size_t count, char **context)
{
    struct ds_buf text = {0};
    struct ds_tools_reply *reply = NULL;
    int err = build(get, entries, count, *context, &text);
    if (!err)
        err = ds_commands_ask(get->tools, get->call, DS_OP_GET, get->mode, &text, &reply);
    ds_buf_free(&text);
    if (!err)
        err = ds_tools_reply_entries(reply, entries, count);
    free(*context);
    *context = NULL;
    if (!err)
        err = ds_tools_reply_context(reply, context);
    ds_tools_reply_free(reply);
    return err == -EPROTO ? not_understood(get->call) : err;
}

static int get_parts(struct get *get, struct ds_entry *entries, size_t count)
{
    char *context DS_AUTO_FREE = NULL;
    int err;
    begin_entries(entries, count);
    do {
        err = get_part(get, entries, count, &context);
        uint64_t bytes = 0;
        for (size_t i = 0; i < count; i++)
            bytes += entries[i].value.len;
        if (!err && bytes > DS_TOTAL_MAX_BYTES)
            err = not_understood(get->call);
    } while (!err && context);
    return err;
}

/* After "invalid argument", of which the words do not say what it means: -ENOENT if there is no
 * such key, else -EINVAL. */
static int look_for_key(struct get *get, const char *key)
{
    char words[DS_CALL_TEXT_BYTES];
    memcpy(words, get->call->text, sizeof words);
    int err =
        get->listed ? 0 : ds_commands_list_keys(get->tools, get->call, get->dataset, &get->keys);
    get->listed = !err;
    ds_call_set_sent(get->call, DS_SENT_ANSWERED);
    if (err == -ENOENT || (!err && !ds_doubt_has(&get->keys, key)))
        return -ENOENT;
    err = ds_call_fail(get->call, -EINVAL, "%s", words);
    return get->listed ? err : ds_doubt_settle(get->tools, get->call, get->dataset, NULL, err);
}

/* What a failure says about one key alone stays with that key. */
static int get_single(struct get *get, struct ds_entry *entry)
{
    if (get->listed && !ds_doubt_has(&get->keys, entry->key)) {
        entry->error = -ENOENT;
        return 0;
    }
    int err = get_parts(get, entry, 1);
    if (err == -EINVAL)
        err = look_for_key(get, entry->key);
    bool answered = ds_call_sent(get->call) == DS_SENT_ANSWERED;
    if (!err && entry->error == -EPROTO)
        ds_call_fail(get->call, -EPROTO, "the value is no text, or longer than %d bytes",
                     DS_VALUE_MAX_BYTES);
    if (err != -ENOENT && (err != -EPROTO || !answered))
        return err;
    ds_buf_free(&entry->value);
    entry->error = err;
    return 0;
}

/* After "no such thing" for several keys: -ENOENT if it was the DataSet. */
static int look_for_dataset(struct get *get)
{
    struct ds_attributes attributes = {0};
    if (get->dataset_exists)
        return 0;
    int err = ds_commands_query(get->tools, get->call, get->dataset, &attributes);
    err = ds_doubt_settle(get->tools, get->call, get->dataset, NULL, err);
    ds_attributes_clear(&attributes);
    get->dataset_exists = !err;
    return err;
}

/* Keys of one message. What fails for several of them, in an answer that was received as a whole,
 * is asked for in halves. */
static int get_several(struct get *get, struct ds_entry *entries, size_t count)
{
    if (count == 1)
        return get_single(get, entries);
    int err = get_parts(get, entries, count);
    bool answered = ds_call_sent(get->call) == DS_SENT_ANSWERED;
    if (err == -ENOENT || err == -EINVAL)
        err = look_for_dataset(get);
    else if (!err || err != -EPROTO || !answered)
        return err;
    else
        err = 0;
    size_t half = count / 2;
    if (!err)
        err = get_several(get, entries, half);
    if (!err)
        err = get_several(get, entries + half, count - half);
    return err;
}

/* How many keys from the first on fit into one message. */
static size_t fitting(const struct get *get, const struct ds_entry *entries, size_t count)
{
    static const char syntax[] = "{\"dataset\":\"\",\"keys\":[],\"context\":\"\"}";
    size_t size = sizeof command + sizeof syntax + DS_TOOLS_CONTEXT_MAX_BYTES +
                  ds_tools_json_size(get->dataset, strlen(get->dataset));
    size_t fit = 0;
    for (; fit < count; fit++) {
        size += ds_tools_json_size(entries[fit].key, strlen(entries[fit].key)) + strlen("\"\",");
        if (size > DS_TOOLS_MESSAGE_MAX_BYTES)
            break;
    }
    return fit;
}

static int get_all(struct get *get, struct ds_entry *entries, size_t count)
{
    for (size_t at = 0; at < count;) {
        size_t fit = fitting(get, entries + at, count - at);
        int err = get_several(get, entries + at, fit);
        if (err)
            return err;
        at += fit;
    }
    return 0;
}

int ds_get_entries(struct ds_client *client, struct ds_call *call, const char *dataset,
                   struct ds_entry *entries, size_t count)
{
    struct get get = {.tools = (struct ds_tools *)client,
                      .call = call,
                      .mode = DS_EXCHANGE_READ,
                      .dataset = dataset};
    /* The caller's entries are not touched when all fails. */
    struct ds_entry *found DS_AUTO_FREE = calloc(count, sizeof *found);
    if (!found)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        found[i].key = entries[i].key;
    int err = get_all(&get, found, count);
    ds_names_clear(&get.keys);
    for (size_t i = 0; i < count; i++) {
        if (err || found[i].error)
            ds_buf_free(&found[i].value);
        if (!err)
            entries[i] = found[i];
    }
    return err;
}

int ds_get_one(struct ds_tools *tools, struct ds_call *call, enum ds_exchange mode,
               const char *dataset, const char *key, struct ds_buf *out)
{
    struct get get = {.tools = tools, .call = call, .mode = mode, .dataset = dataset};
    struct ds_entry entry = {.key = key};
    int err = get_single(&get, &entry);
    ds_names_clear(&get.keys);
    if (!err)
        err = entry.error;
    if (err)
        ds_buf_free(&entry.value);
    else
        *out = entry.value;
    return err;
}
