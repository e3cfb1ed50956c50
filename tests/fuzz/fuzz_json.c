/* Replies from a hostile host, and values on their way to it. */
#include "fuzz.h"

#include "client/base/json_load.h"
#include "client/tools/error.h"
#include "client/tools/json.h"
#include "client/tools/reply.h"
#include "utf8.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void read_names(const struct ds_tools_reply *reply)
{
    struct ds_names names = {0};
    int err = ds_tools_reply_datasets(reply, &names);
    require(!err || err == -EPROTO);
    err = ds_tools_reply_keys(reply, &names);
    require(!err || err == -EPROTO);
    for (size_t i = 0; i < names.count; i++)
        require(ds_utf8_valid(names.names[i], strlen(names.names[i])));
    ds_names_clear(&names);
}

static void read_entries(const struct ds_tools_reply *reply)
{
    static const char *const keys[] = {"", "k", "key", "value", "a"};
    struct ds_entry entries[sizeof keys / sizeof *keys] = {0};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        entries[i] = (struct ds_entry){.key = keys[i], .error = -ENOENT};
    int err = ds_tools_reply_entries(reply, entries, sizeof keys / sizeof *keys);
    require(!err || err == -EPROTO);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (!entries[i].error)
            require(ds_utf8_valid(entries[i].value.data, entries[i].value.len));
        ds_buf_free(&entries[i].value);
    }
}

static void read_reply(const struct ds_tools_reply *reply)
{
    struct ds_call call;
    struct ds_attributes attributes = {0};
    char *context = NULL;
    ds_call_init(&call, 1000);
    require(ds_tools_reply_result(reply, &call, false) <= 0);
    require(ds_tools_reply_result(reply, &call, true) < 0);
    require(!ds_tools_reply_attributes(reply, &attributes));
    ds_attributes_clear(&attributes);
    int err = ds_tools_reply_context(reply, &context);
    require(!err || err == -EPROTO);
    free(context);
    read_names(reply);
    read_entries(reply);
}

/* A value is cut where it can be, and is as long in a message as was foretold. */
static void cut(const char *text, size_t len)
{
    size_t room = len ? (unsigned char)text[0] : 0;
    size_t fit = ds_tools_json_fit(text, len, room);
    require(fit <= len && ds_utf8_valid(text, fit));
    require(ds_tools_json_size(text, fit) <= room);
    struct ds_buf argument = {0};
    struct ds_buf empty = {0};
    require(!ds_tools_json_entry(&argument, "d", "k", text, len, true));
    require(!ds_tools_json_entry(&empty, "d", "k", NULL, 0, true));
    require(argument.len == empty.len + ds_tools_json_size(text, len));
    ds_buf_free(&argument);
    ds_buf_free(&empty);
}

static void require_json(struct ds_buf *argument)
{
    json_t *json = NULL;
    require(!ds_json_load(argument->data, argument->len, JSON_REJECT_DUPLICATES, &json));
    require(!strcmp(json_string_value(json_object_get(json, "dataset")), "d"));
    json_decref(json);
    ds_buf_free(argument);
}

/* Arguments of commands hold the text, and not more pairs than there is room for. */
static void write_arguments(const char *text)
{
    const char *const keys[] = {text, "k"};
    const struct ds_pair pairs[] = {{.key = "k", .data = text, .len = strlen(text)},
                                    {.key = text, .data = "v", .len = 1}};
    struct ds_buf argument = {0};
    size_t most = strlen(text) * 2 + 64;
    size_t taken = 0;
    require(!ds_tools_json_dataset(&argument, "d", text));
    require_json(&argument);
    require(!ds_tools_json_keys(&argument, "d", keys, 2, *text ? text : NULL));
    require_json(&argument);
    require(!ds_tools_json_pairs(&argument, "d", pairs, 2, most, &taken));
    require(taken <= 2 && argument.len <= most);
    require(!taken == !argument.len);
    if (taken)
        require_json(&argument);
    ds_buf_free(&argument);
    require(!ds_tools_json_dataset(&argument, NULL, text));
    ds_buf_free(&argument);
}

static void fail(const char *text)
{
    struct ds_call call;
    ds_call_init(&call, 1000);
    require(ds_tools_fail(&call, NULL, text, true) < 0 && *call.text);
    require(ds_tools_fail(&call, text, NULL, false) < 0 && *call.text);
    require(ds_tools_errno(text, text) < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct ds_tools_reply *reply = NULL;
    int err = ds_tools_reply_parse(text, size, &reply);
    require(!err || err == -EPROTO);
    if (!err)
        read_reply(reply);
    ds_tools_reply_free(reply);

    struct ds_buf words = {0};
    require(!ds_buf_append(&words, data, size));
    require(ds_tools_errno(NULL, words.data) < 0);
    ds_buf_free(&words);
    char *words_only = copy_text(data, size);
    fail(words_only);
    if (ds_utf8_valid(text, size)) {
        cut(text, size);
        write_arguments(words_only);
    }
    free(words_only);
    return 0;
}
