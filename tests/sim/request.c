#include "request.h"

#include "out.h"

#include <stdio.h>
#include <string.h>

#define LOGGED_KEYS 8

static const char *const names[] = {
    [SIM_COMMAND_UNKNOWN] = "unknown",
    [SIM_COMMAND_LIST] = "datasets-list",
    [SIM_COMMAND_QUERY] = "datasets-query",
    [SIM_COMMAND_LIST_KEYS] = "datasets-list-keys",
    [SIM_COMMAND_GET] = "datasets-get-entry",
    [SIM_COMMAND_SET] = "datasets-set-entry",
    [SIM_COMMAND_DELETE] = "datasets-delete-entry",
};

static void refuse(struct sim_request *request, const char *why)
{
    if (!request->refused[0])
        snprintf(request->refused, sizeof request->refused, "%s", why);
}

static enum sim_command find_command(const char *word, size_t len)
{
    for (size_t i = SIM_COMMAND_LIST; i < sizeof names / sizeof *names; i++) {
        if (strlen(names[i]) == len && !memcmp(names[i], word, len))
            return (enum sim_command)i;
    }
    return SIM_COMMAND_UNKNOWN;
}

bool sim_request_is_command(const char *name)
{
    return find_command(name, strlen(name)) != SIM_COMMAND_UNKNOWN;
}

/* The members that the command takes, and no other. */
static void unpack(struct sim_request *request)
{
    json_error_t error = {0};
    json_t *json = request->arguments;
    json_t *keys = NULL;
    int err = 0;
    switch (request->command) {
    case SIM_COMMAND_LIST:
        err = json_unpack_ex(json, &error, JSON_STRICT, "{s:s}", "context", &request->context);
        break;
    case SIM_COMMAND_QUERY:
        err = json_unpack_ex(json, &error, JSON_STRICT, "{s:s}", "dataset", &request->dataset);
        break;
    case SIM_COMMAND_LIST_KEYS:
        err = json_unpack_ex(json, &error, JSON_STRICT, "{s:s, s?s}", "dataset", &request->dataset,
                             "context", &request->context);
        break;
    case SIM_COMMAND_GET:
        err = json_unpack_ex(json, &error, JSON_STRICT, "{s:s, s:o, s?s}", "dataset",
                             &request->dataset, "keys", &keys, "context", &request->context);
        break;
    case SIM_COMMAND_SET:
        err = json_unpack_ex(json, &error, JSON_STRICT, "{s:s, s:o}", "dataset", &request->dataset,
                             "entries", &request->entries);
        break;
    case SIM_COMMAND_DELETE:
        err = json_unpack_ex(json, &error, JSON_STRICT, "{s:s, s:o}", "dataset", &request->dataset,
                             "keys", &keys);
        break;
    default:
        break;
    }
    request->keys = keys;
    if (err)
        refuse(request, error.text);
}

static void check_keys(struct sim_request *request)
{
    if (json_array_size(request->keys) == 0)
        refuse(request, "\"keys\" is no array of keys");
    for (size_t i = 0; i < json_array_size(request->keys); i++) {
        if (!json_is_string(json_array_get(request->keys, i)))
            refuse(request, "a key is no string");
    }
}

static int unpack_change(json_t *entry, struct sim_change *out, json_error_t *error)
{
    int append = 0;
    *out = (struct sim_change){0};
    int err = json_unpack_ex(entry, error, JSON_STRICT, "{s:s, s:s%, s?b}", "key", &out->key,
                             "value", &out->value, &out->value_len, "append", &append);
    out->append = append;
    return err;
}

static void check_entries(struct sim_request *request)
{
    if (json_array_size(request->entries) == 0)
        refuse(request, "\"entries\" is no array of entries");
    for (size_t i = 0; i < json_array_size(request->entries); i++) {
        struct sim_change change;
        json_error_t error = {0};
        if (unpack_change(json_array_get(request->entries, i), &change, &error))
            refuse(request, error.text);
    }
}

void sim_request_parse(const char *text, size_t len, struct sim_request *out)
{
    *out = (struct sim_request){0};
    const char *space = memchr(text, ' ', len);
    size_t word = space ? (size_t)(space - text) : len;
    out->command = find_command(text, word);
    if (out->command == SIM_COMMAND_UNKNOWN)
        return;
    if (out->command == SIM_COMMAND_LIST && !space)
        return;
    json_error_t error = {0};
    size_t begin = space ? word + 1 : len;
    out->arguments = json_loadb(text + begin, len - begin, JSON_REJECT_DUPLICATES, &error);
    if (!out->arguments) {
        refuse(out, error.text);
        return;
    }
    unpack(out);
    if (!out->refused[0] && (out->command == SIM_COMMAND_GET || out->command == SIM_COMMAND_DELETE))
        check_keys(out);
    if (!out->refused[0] && out->command == SIM_COMMAND_SET)
        check_entries(out);
}

void sim_request_clear(struct sim_request *request)
{
    json_decref(request->arguments);
    *request = (struct sim_request){0};
}

const char *sim_request_name(const struct sim_request *request)
{
    return names[request->command];
}

size_t sim_request_keys(const struct sim_request *request)
{
    return json_array_size(request->entries ? request->entries : request->keys);
}

const char *sim_request_key(const struct sim_request *request, size_t at)
{
    const json_t *key = request->entries
                            ? json_object_get(json_array_get(request->entries, at), "key")
                            : json_array_get(request->keys, at);
    return json_string_value(key);
}

struct sim_change sim_request_change(const struct sim_request *request, size_t at)
{
    struct sim_change change;
    json_error_t error;
    unpack_change(json_array_get(request->entries, at), &change, &error);
    return change;
}

void sim_request_describe(const struct sim_request *request, struct ds_buf *out)
{
    if (request->refused[0] || !request->dataset)
        return;
    sim_out_text(out, " dataset=");
    sim_out_json(out, request->dataset, strlen(request->dataset), false);
    size_t count = sim_request_keys(request);
    if (!count)
        return;
    sim_out_format(out, " keys=%zu [", count);
    for (size_t i = 0; i < count && i < LOGGED_KEYS; i++) {
        const char *key = sim_request_key(request, i);
        sim_out_text(out, i ? "," : "");
        sim_out_json(out, key, strlen(key), false);
    }
    sim_out_text(out, count > LOGGED_KEYS ? ",...]" : "]");
    if (!request->entries)
        return;
    size_t appends = 0;
    for (size_t i = 0; i < count; i++)
        appends += sim_request_change(request, i).append;
    sim_out_format(out, " append=%zu", appends);
}
