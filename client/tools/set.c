/* Setting and appending, also what is too long for one message. */
#include "set.h"

#include "../base/wait.h"
#include "get.h"
#include "json.h"

#include <errno.h>
#include <stdint.h>
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

/* How long to wait before asking again a host that is too busy for the rest of a change. */
enum { BUSY_WAIT_MS = 20 };

/* True when it is time to ask again. Half a change cannot be given up, nor begun anew from outside.
 */
static bool wait_while_busy(const struct set *set, int err)
{
    return err == -EAGAIN && ds_call_left_ms(set->call) > BUSY_WAIT_MS &&
           !ds_wait_ms(set->call, false, BUSY_WAIT_MS);
}

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
        do
            err = send_part(set, mode, data + *done, fit, append);
        while (mode == DS_EXCHANGE_REST && wait_while_busy(set, err));
        if (err)
            return err;
        *done += fit;
        append = true;
        mode = DS_EXCHANGE_REST;
    } while (*done < len);
    return 0;
}

/* The value as it stands there, asked for once more if the answer does not come. */
static int get_rest(const struct set *set, struct ds_buf *value)
{
    bool repeated = false;
    for (;;) {
        int err =
            ds_get_one(set->tools, set->call, DS_EXCHANGE_REST, set->dataset, set->key, value);
        bool broke = err == -EIO && ds_call_sent(set->call) == DS_SENT_MAYBE;
        if (!(broke && !repeated) && !wait_while_busy(set, err))
            return err;
        repeated = repeated || broke;
    }
}

/* 0; -EIO if something else stands there. */
static int read_back(const struct set *set, const char *data, size_t len)
{
    struct ds_buf value = {0};
    int err = get_rest(set, &value);
    bool differs = !err && (value.len != len || memcmp(value.data, data, len) != 0);
    if (differs || err == -ENOENT)
        err = ds_call_fail(set->call, -EIO, "what is read back is not what was written");
    ds_buf_free(&value);
    return err;
}

/* Makes the key what it was before. -ENOENT: the DataSet itself is gone. */
static int put_back(const struct set *set, const struct ds_previous *previous)
{
    size_t done;
    size_t room;
    int err;
    if (previous->exists) {
        err = send_parts(set, DS_EXCHANGE_REST, previous->data, previous->len, false, &done);
        if (!err)
            err = room_for(set, false, &room);
        if (!err && ds_tools_json_size(previous->data, previous->len) > room)
            err = read_back(set, previous->data, previous->len);
    } else {
        do
            err =
                ds_commands_remove(set->tools, set->call, DS_EXCHANGE_REST, set->dataset, set->key);
        while (wait_while_busy(set, err));
    }
    return err == -ENOENT && !previous->exists ? 0 : err;
}

/* What stands there after an attempt to put `previous` back (NULL: none), in words. */
static const char *words_for(const struct ds_previous *previous, int undone)
{
    if (!previous)
        return "a part of it may stand there now";
    if (undone == -ENOENT)
        return "the DataSet is gone now";
    if (undone)
        return "what stood there could not be put back";
    return previous->exists ? "the previous value stands there again" : "the key is gone again";
}

/* A part of the value may stand there, and no more of it will: `err` says why. Returns what to
 * return, with what stands there in the words. */
static int end_broken(const struct set *set, const struct ds_previous *previous, int err)
{
    char why[DS_CALL_TEXT_BYTES];
    memcpy(why, set->call->text, sizeof why);
    int undone = previous ? put_back(set, previous) : 0;
    const char *now = words_for(previous, undone);
    bool known = previous && (!undone || undone == -ENOENT);
    if (previous && !known && err != -ETIMEDOUT)
        err = -EIO;
    /* The policy of repeat.h must not take what stands there now for somebody else's value. */
    ds_call_set_sent(set->call, known || err == -EIO ? DS_SENT_ANSWERED : DS_SENT_MAYBE);
    return ds_call_fail(set->call, err, "the value was sent in parts, %s: %s", now, why);
}

/* True if the store has certainly changed nothing: it was not asked, or said that it refuses. */
static bool is_unchanged(const struct ds_call *call, int err)
{
    enum ds_sent sent = ds_call_sent(call);
    bool understood = err != -EPROTO && err != -ENOMEM;
    return sent == DS_SENT_NO || (sent == DS_SENT_ANSWERED && understood);
}

/* How much of the data has arrived behind `before`, in `*done`. -ESTALE: something else stands
 * there; for a set, which is not bound to what was there, that is none of it. Or why it cannot be
 * told. */
static int find_place(const struct set *set, const struct ds_buf *before, const char *data,
                      size_t len, size_t *done)
{
    struct ds_buf value = {0};
    int err = get_rest(set, &value);
    bool missing = err == -ENOENT;
    size_t more = value.len - before->len;
    if (missing)
        err = before->len ? -ESTALE : 0;
    else if (!err && (value.len < before->len || more > len ||
                      (before->len && memcmp(value.data, before->data, before->len) != 0) ||
                      (more && memcmp(value.data + before->len, data, more) != 0)))
        err = -ESTALE;
    if (!err)
        *done = missing ? 0 : more;
    if (err == -ESTALE && set->op == DS_OP_SET) {
        *done = 0;
        err = 0;
    }
    ds_buf_free(&value);
    return err;
}

/* Sends all parts, behind `before`. A channel that breaks leaves open whether its part has arrived;
 * what stands there tells, and the rest goes on from there, up to BREAKS_MAX times from one place.
 * `*done` is what has arrived as far as is known, and `*known` says whether it is. */
static int send_all(const struct set *set, const struct ds_buf *before, const char *data,
                    size_t len, size_t *done, bool *known)
{
    enum { BREAKS_MAX = 3 };
    size_t place = SIZE_MAX;
    int breaks = 0;
    *done = 0;
    *known = true;
    for (;;) {
        size_t sent = 0;
        bool append = set->op == DS_OP_APPEND || *done > 0;
        enum ds_exchange mode = breaks ? DS_EXCHANGE_REST : DS_EXCHANGE_CHANGE;
        int err = send_parts(set, mode, data + *done, len - *done, append, &sent);
        *done += sent;
        if (err != -EIO || ds_call_sent(set->call) != DS_SENT_MAYBE) {
            *known = !err || is_unchanged(set->call, err);
            return err;
        }
        char words[DS_CALL_TEXT_BYTES];
        memcpy(words, set->call->text, sizeof words);
        int unknown = find_place(set, before, data, len, done);
        *known = !unknown;
        if (unknown) {
            ds_call_set_sent(set->call, DS_SENT_MAYBE);
            return ds_call_fail(set->call, -EIO, "%s",
                                unknown == -ESTALE ? "what stands there is not what was added"
                                                   : words);
        }
        if (*done == len)
            return 0;
        breaks = *done == place ? breaks + 1 : 1;
        place = *done;
        if (breaks == BREAKS_MAX)
            return ds_call_fail(set->call, -EIO, "%s", words);
    }
}

static int set_in_parts(const struct set *set, const char *data, size_t len,
                        const struct ds_previous *previous)
{
    const struct ds_buf nothing = {0};
    size_t done;
    bool known;
    int err = send_all(set, &nothing, data, len, &done, &known);
    if (err && !done && is_unchanged(set->call, err))
        return err;
    if (!err)
        err = read_back(set, data, len);
    return err ? end_broken(set, previous, err) : 0;
}

int ds_set_entry(struct ds_client *client, struct ds_call *call, const char *dataset,
                 const char *key, const char *data, size_t len, const struct ds_previous *previous)
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
        return set_in_parts(&set, data, len, previous);
    return send_part(&set, DS_EXCHANGE_CHANGE, data, len, false);
}

int ds_set_some(struct ds_client *client, struct ds_call *call, const char *dataset,
                struct ds_pair *pairs, size_t count, size_t *done)
{
    struct ds_buf text = {0};
    size_t taken = 0;
    int err = ds_buf_puts(&text, command);
    if (!err)
        err = ds_tools_json_pairs(&text, dataset, pairs, count,
                                  DS_TOOLS_MESSAGE_MAX_BYTES - text.len, &taken);
    if (!err && taken)
        err = ds_commands_ask((struct ds_tools *)client, call, DS_OP_SET, DS_EXCHANGE_CHANGE, &text,
                              NULL);
    if (!err)
        *done = taken;
    ds_buf_free(&text);
    return err;
}

/* Takes back an append that ended half-way. `err` says why. */
static int take_back(const struct set *set, const struct ds_previous *before, int err)
{
    char words[DS_CALL_TEXT_BYTES];
    enum ds_sent sent = err == -EIO ? DS_SENT_NO : ds_call_sent(set->call);
    memcpy(words, set->call->text, sizeof words);
    int undone = put_back(set, before);
    if (!undone || undone == -ENOENT) {
        ds_call_set_sent(set->call, sent); /* nothing of it is there */
        return ds_call_fail(set->call, err, "%s", words);
    }
    ds_call_set_sent(set->call, DS_SENT_ANSWERED);
    return ds_call_fail(set->call, -EIO, "append in doubt: only a part of it was accepted: %s",
                        words);
}

static int append_in_parts(const struct set *set, const char *data, size_t len)
{
    struct ds_buf before = {0};
    size_t done = 0;
    bool known = true;
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
        err = send_all(set, &before, data, len, &done, &known);
    if (err && done && known) {
        struct ds_previous previous = {.exists = existed, .data = before.data, .len = before.len};
        err = take_back(set, &previous, err);
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
