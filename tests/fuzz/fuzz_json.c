/* Replies from a hostile host, and values on their way to it. */
#include "fuzz.h"

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
    if (ds_utf8_valid(text, size))
        cut(text, size);
    return 0;
}
