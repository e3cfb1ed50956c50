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

int ds_commands_list(struct ds_client *client, struct ds_call *call, struct ds_names *out)
{
    static const char command[] = "datasets-list";
    struct ds_buf text = {0};
    struct ds_tools_reply *reply AUTO_REPLY = NULL;
    struct ds_names names = {0};
    int err = ds_buf_puts(&text, command);
    if (!err)
        err = ds_commands_ask((struct ds_tools *)client, call, DS_OP_LIST, DS_EXCHANGE_READ, &text,
                              &reply);
    ds_buf_free(&text);
    if (!err)
        err = not_understood(call, ds_tools_reply_datasets(reply, &names));
    if (err)
        ds_names_clear(&names);
    else
        *out = names;
    return err;
}

int ds_commands_query(struct ds_client *client, struct ds_call *call, const char *dataset,
                      struct ds_attributes *out)
{
    struct ds_buf text = {0};
    struct ds_tools_reply *reply AUTO_REPLY = NULL;
    int err = ds_buf_puts(&text, "datasets-query ");
    if (!err)
        err = ds_tools_json_dataset(&text, dataset, NULL);
    if (!err)
        err = ds_commands_ask((struct ds_tools *)client, call, DS_OP_QUERY, DS_EXCHANGE_READ, &text,
                              &reply);
    ds_buf_free(&text);
    return err ? err : ds_tools_reply_attributes(reply, out);
}

/* One part of a list of keys. `*context` goes in and out. */
static int list_part(struct ds_tools *tools, struct ds_call *call, const char *dataset,
                     char **context, struct ds_names *names)
{
    struct ds_buf text = {0};
    struct ds_tools_reply *reply AUTO_REPLY = NULL;
    int err = ds_buf_puts(&text, "datasets-list-keys ");
    if (!err)
        err = ds_tools_json_dataset(&text, dataset, *context);
    if (!err)
        err = ds_commands_ask(tools, call, DS_OP_LIST_KEYS, DS_EXCHANGE_READ, &text, &reply);
    ds_buf_free(&text);
    if (!err)
        err = not_understood(call, ds_tools_reply_keys(reply, names));
    free(*context);
    *context = NULL;
    return err ? err : not_understood(call, ds_tools_reply_context(reply, context));
}

int ds_commands_list_keys(struct ds_client *client, struct ds_call *call, const char *dataset,
                          struct ds_names *out)
{
    char *context DS_AUTO_FREE = NULL;
    struct ds_names names = {0};
    uint64_t bytes = 0;
    int err;
    do {
        size_t before = names.count;
        err = list_part((struct ds_tools *)client, call, dataset, &context, &names);
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

int ds_commands_remove_with(struct ds_tools *tools, struct ds_call *call, enum ds_exchange mode,
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

int ds_commands_remove(struct ds_client *client, struct ds_call *call, const char *dataset,
                       const char *key)
{
    return ds_commands_remove_with((struct ds_tools *)client, call, DS_EXCHANGE_CHANGE, dataset,
                                   key);
}
