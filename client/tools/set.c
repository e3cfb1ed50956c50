/* Setting and appending, also what is too long for one message. */
#include "set.h"

#include "get.h"
#include "json.h"

#include <errno.h>
#include <string.h>

/* One operation under way. */
struct set {
    struct ds_tools *tools;
    struct ds_call *call;
    enum ds_op op;
    const char *dataset;
    const char *key;
};

static const char command[] = "datasets-set-entry ";

/* Bytes that a value may take inside a message. There always are some: the longest names, escaped,
 * leave a quarter of it. */
static int room_for(const struct set *set, bool append, size_t *room)
{
    struct ds_buf text = {0};
    int err = ds_buf_puts(&text, command);
    if (!err)
        err = ds_tools_json_entry(&text, set->dataset, set->key, NULL, 0, append);
    if (!err)
        *room = DS_TOOLS_MESSAGE_MAX_BYTES - text.len;
    ds_buf_free(&text);
    return err;
}

static int send_part(const struct set *set, enum ds_exchange mode, const char *data, size_t len,
                     bool append)
{
    struct ds_buf text = {0};
    int err = ds_buf_puts(&text, command);
    if (!err)
        err = ds_tools_json_entry(&text, set->dataset, set->key, data, len, append);
    if (!err)
        err = ds_commands_ask(set->tools, set->call, set->op, mode, &text, NULL);
    ds_buf_free(&text);
    return err;
}

/* Sends all parts; the first with `append` and `mode`. `*done` counts the bytes of those that were
 * answered. */
static int send_parts(const struct set *set, enum ds_exchange mode, const char *data, size_t len,
                      bool append, size_t *done)
{
    *done = 0;
    do {
        size_t room;
        int err = room_for(set, append, &room);
        if (err)
            return err;
        size_t fit = ds_tools_json_fit(data + *done, len - *done, room);
        err = send_part(set, mode, data + *done, fit, append);
        if (err)
            return err;
        *done += fit;
        append = true;
        mode = DS_EXCHANGE_REST;
    } while (*done < len);
    return 0;
}

/* 0; -EIO if something else stands there. */
static int read_back(const struct set *set, const char *data, size_t len)
{
    struct ds_buf value = {0};
    int err = ds_get_one(set->tools, set->call, DS_EXCHANGE_REST, set->dataset, set->key, &value);
    if (!err && (value.len != len || memcmp(value.data, data, len) != 0))
        err = -EIO;
    if (err == -EIO || err == -ENOENT)
        err = ds_call_fail(set->call, -EIO,
                           "the value was sent in parts and is not what was written");
    ds_buf_free(&value);
    return err;
}

static int set_in_parts(const struct set *set, const char *data, size_t len)
{
    size_t done;
    int err = send_parts(set, DS_EXCHANGE_CHANGE, data, len, false, &done);
    if (err == -EIO && ds_call_sent(set->call) == DS_SENT_MAYBE)
        err = send_parts(set, DS_EXCHANGE_REST, data, len, false, &done);
    else if (err && !done)
        return err;
    if (!err)
        err = read_back(set, data, len);
    /* The policy of repeat.h must not take what stands there now for somebody else's value; all
     * other errors say that nobody knows. */
    if (err == -EIO)
        ds_call_set_sent(set->call, DS_SENT_ANSWERED);
    else if (err)
        ds_call_set_sent(set->call, DS_SENT_MAYBE);
    return err;
}

int ds_set_entry(struct ds_client *client, struct ds_call *call, const char *dataset,
                 const char *key, const char *data, size_t len)
{
    struct set set = {.tools = (struct ds_tools *)client,
                      .call = call,
                      .op = DS_OP_SET,
                      .dataset = dataset,
                      .key = key};
    size_t room;
    int err = room_for(&set, false, &room);
    if (err)
        return err;
    if (ds_tools_json_size(data, len) > room)
        return set_in_parts(&set, data, len);
    return send_part(&set, DS_EXCHANGE_CHANGE, data, len, false);
}

/* True if the host has answered and so certainly not carried out what it refuses. */
static bool is_refusal(const struct ds_call *call, int err)
{
    return ds_call_sent(call) == DS_SENT_ANSWERED && err != -EPROTO && err != -EIO;
}

/* Puts back what stood there before an append that was refused half-way. `err` is the refusal. */
static int take_back(const struct set *set, bool existed, const struct ds_buf *before, int err)
{
    char words[DS_CALL_TEXT_BYTES];
    memcpy(words, set->call->text, sizeof words);
    size_t done;
    int undone = existed
                     ? send_parts(set, DS_EXCHANGE_REST, before->data, before->len, false, &done)
                     : ds_commands_remove_with(set->tools, set->call, DS_EXCHANGE_REST,
                                               set->dataset, set->key);
    if (!undone)
        return ds_call_fail(set->call, err, "%s", words);
    ds_call_set_sent(set->call, DS_SENT_MAYBE);
    return ds_call_fail(set->call, -EIO, "append in doubt: only a part of it was accepted: %s",
                        words);
}

static int append_in_parts(const struct set *set, const char *data, size_t len)
{
    struct ds_buf before = {0};
    size_t done = 0;
    int err = ds_get_one(set->tools, set->call, DS_EXCHANGE_READ, set->dataset, set->key, &before);
    bool existed = !err;
    if (err == -ENOENT)
        err = 0;
    /* Nothing of the append itself has been sent. */
    ds_call_set_sent(set->call, DS_SENT_NO);
    if (!err && before.len + len > DS_VALUE_MAX_BYTES)
        err = ds_call_fail(set->call, -EFBIG, "the value would be longer than %d bytes",
                           DS_VALUE_MAX_BYTES);
    if (!err)
        err = send_parts(set, DS_EXCHANGE_CHANGE, data, len, true, &done);
    if (err && done && is_refusal(set->call, err)) {
        err = take_back(set, existed, &before, err);
    } else if (err && done) {
        ds_call_set_sent(set->call, DS_SENT_MAYBE);
        if (err != -ETIMEDOUT)
            err = ds_call_fail(set->call, -EIO, "append in doubt: %s", set->call->text);
    }
    ds_buf_free(&before);
    return err;
}

int ds_set_append(struct ds_client *client, struct ds_call *call, const char *dataset,
                  const char *key, const char *data, size_t len)
{
    struct set set = {.tools = (struct ds_tools *)client,
                      .call = call,
                      .op = DS_OP_APPEND,
                      .dataset = dataset,
                      .key = key};
    size_t room;
    int err = room_for(&set, true, &room);
    if (err)
        return err;
    if (ds_tools_json_size(data, len) > room)
        return append_in_parts(&set, data, len);
    return send_part(&set, DS_EXCHANGE_CHANGE, data, len, true);
}
