/* The commands of the tools channel, over any transport. */
#include "commands.h"

#include "cleanup.h"
#include "error.h"
#include "json.h"

#include <errno.h>
#include <string.h>

static void cleanup_reply(struct ds_tools_reply **reply)
{
    ds_tools_reply_free(*reply);
}
#define AUTO_REPLY DS_CLEANUP(cleanup_reply)

static int not_understood(struct ds_call *call, int err)
{
    return err == -EPROTO ? ds_call_fail(call, err, "the host's reply is not understood") : err;
}

/* A failed RPC says why in plain words or in the JSON of a failed command. */
static int rpc_failed(struct ds_call *call, const struct ds_answer *answer)
{
    struct ds_tools_reply *reply AUTO_REPLY = NULL;
    if (answer->len && answer->text[0] == '{' &&
        !ds_tools_reply_parse(answer->text, answer->len, &reply))
        return ds_tools_reply_result(reply, call, true);

    char words[DS_CALL_TEXT_BYTES];
    size_t len = answer->len < sizeof words ? answer->len : sizeof words - 1;
    memcpy(words, answer->text, len);
    words[len] = '\0';
    return ds_tools_fail(call, NULL, words, true);
}

int ds_commands_ask(struct ds_tools *tools, struct ds_call *call, enum ds_op op,
                    enum ds_exchange mode, const struct ds_buf *text, struct ds_tools_reply **out)
{
    struct ds_answer answer = {0};
    struct ds_tools_reply *reply AUTO_REPLY = NULL;
    if (text->len > DS_TOOLS_MESSAGE_MAX_BYTES)
        return ds_call_fail(call, -EMSGSIZE, "the request is longer than the channel takes");
    ds_client_count(&tools->client, op);
    int err =
        tools->transport->exchange(tools->transport, call, mode, text->data, text->len, &answer);
    if (err)
        return err;
    if (!answer.success)
        err = rpc_failed(call, &answer);
    if (!err)
        err = not_understood(call, ds_tools_reply_parse(answer.text, answer.len, &reply));
    if (!err)
        err = ds_tools_reply_result(reply, call, false);
    ds_buf_free(&answer.bytes);
    if (!err && out) {
        *out = reply;
        reply = NULL;
    }
    return err;
}

/* The commands that answer in parts. */
static const char *command_of(enum ds_op op)
{
    return op == DS_OP_LIST        ? "datasets-list"
           : op == DS_OP_LIST_KEYS ? "datasets-list-keys"
                                   : "datasets-query";
}

/* One part of what the command tells of `dataset` (NULL: of all). `*context` goes in and out. */
static int ask_part(struct ds_tools *tools, struct ds_call *call, enum ds_op op,
                    const char *dataset, char **context, struct ds_tools_reply **reply)
{
    struct ds_buf text = {0};
    int err = ds_buf_puts(&text, command_of(op));
    if (!err && (dataset || *context))
        err = ds_buf_puts(&text, " ");
    if (!err && (dataset || *context))
        err = ds_tools_json_dataset(&text, dataset, *context);
    if (!err)
        err = ds_commands_ask(tools, call, op, DS_EXCHANGE_READ, &text, reply);
    ds_buf_free(&text);
    free(*context);
    *context = NULL;
    return err ? err : not_understood(call, ds_tools_reply_context(*reply, context));
}

/* A list of names, part by part. */
static int ask_names(struct ds_tools *tools, struct ds_call *call, enum ds_op op,
                     const char *dataset, struct ds_names *out)
{
    char *context DS_AUTO_FREE = NULL;
    struct ds_names names = {0};
    uint64_t bytes = 0;
    int err;
    do {
        struct ds_tools_reply *reply AUTO_REPLY = NULL;
        size_t before = names.count;
        err = ask_part(tools, call, op, dataset, &context, &reply);
        if (!err)
            err = not_understood(call, op == DS_OP_LIST ? ds_tools_reply_datasets(reply, &names)
                                                        : ds_tools_reply_keys(reply, &names));
        for (size_t i = before; i < names.count; i++)
            bytes += strlen(names.names[i]) + 1;
        /* An empty key has no bytes, but there can be only one. */
        if (!err && bytes > 2 * DS_TOTAL_MAX_BYTES)
            err = not_understood(call, -EPROTO);
    } while (!err && context);
    if (err)
        ds_names_clear(&names);
    else
        *out = names;
    return err;
}

int ds_commands_list(struct ds_tools *tools, struct ds_call *call, struct ds_names *out)
{
    return ask_names(tools, call, DS_OP_LIST, NULL, out);
}

int ds_commands_query(struct ds_tools *tools, struct ds_call *call, const char *dataset,
                      struct ds_attributes *out)
{
    char *context DS_AUTO_FREE = NULL;
    struct ds_attributes found = {0};
    int err;
    do {
        struct ds_tools_reply *reply AUTO_REPLY = NULL;
        err = ask_part(tools, call, DS_OP_QUERY, dataset, &context, &reply);
        if (!err)
            err = ds_tools_reply_attributes(reply, &found);
    } while (!err && context);
    if (err) {
        ds_attributes_clear(&found);
        return err;
    }
    *out = found;
    return 0;
}

int ds_commands_list_keys(struct ds_tools *tools, struct ds_call *call, const char *dataset,
                          struct ds_names *out)
{
    return ask_names(tools, call, DS_OP_LIST_KEYS, dataset, out);
}

int ds_commands_remove(struct ds_tools *tools, struct ds_call *call, enum ds_exchange mode,
                       const char *dataset, const char *key)
{
    struct ds_buf text = {0};
    int err = ds_buf_puts(&text, "datasets-delete-entry ");
    if (!err)
        err = ds_tools_json_keys(&text, dataset, &key, 1, NULL);
    if (!err)
        err = ds_commands_ask(tools, call, DS_OP_REMOVE, mode, &text, NULL);
    ds_buf_free(&text);
    return err;
}
