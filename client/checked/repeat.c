/* The one policy of repeating requests. */
#include "repeat.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* Back-off between requests that the store was too busy for. */
enum { BACKOFF_FIRST_MS = 4, BACKOFF_MAX_MS = 500 };

/* What to do about a change of which nobody knows whether the store has made it. */
enum verdict { VERDICT_DONE, VERDICT_REPEAT, VERDICT_LOST };

static int dispatch(struct ds_client *client, struct ds_call *call, const struct ds_request *r)
{
    const struct ds_client_ops *ops = client->ops;
    ds_call_set_sent(call, DS_SENT_NO);
    call->retry_after_ms = 0;
    switch (r->op) {
    case DS_OP_LIST:
        return ops->list(client, call, r->names_out);
    case DS_OP_QUERY:
        return ops->query(client, call, r->dataset, r->attributes_out);
    case DS_OP_CREATE:
        return ops->create(client, call, r->dataset, r->attributes);
    case DS_OP_UPDATE:
        return ops->update(client, call, r->dataset, r->attributes);
    case DS_OP_DESTROY:
        return ops->destroy(client, call, r->dataset, r->force);
    case DS_OP_LIST_KEYS:
        return ops->list_keys(client, call, r->dataset, r->names_out);
    case DS_OP_GET:
        return ops->get(client, call, r->dataset, r->entries, r->count);
    case DS_OP_SET:
        if (r->pairs)
            return ops->set_some(client, call, r->dataset, r->pairs, r->count, r->done);
        return ops->set(client, call, r->dataset, r->key, r->data, r->len, r->previous);
    case DS_OP_APPEND:
        return ops->append(client, call, r->dataset, r->key, r->data, r->len);
    case DS_OP_REMOVE:
        return ops->remove(client, call, r->dataset, r->key);
    case DS_OP_COUNT:
        break;
    }
    return -EINVAL;
}

/* Between half of `ms` and `ms`, so that clients that were refused together come back apart. */
static int jitter(int ms)
{
    unsigned random = 0;
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) < 0)
        random = (unsigned)ds_call_now_ms();
    return ms / 2 + (int)(random % (unsigned)(ms - ms / 2 + 1));
}

/* Waits before another try. 0; -EAGAIN when the deadline comes first, though it be because the wait
 * took longer than it should: the store's own words are worth more than "too late"; -EINTR. */
static int back_off(struct ds_call *call, int wait_ms)
{
    char words[DS_CALL_TEXT_BYTES];
    int ms = jitter(wait_ms);
    if (ms < call->retry_after_ms)
        ms = call->retry_after_ms;
    if (ds_call_left_ms(call) <= ms)
        return -EAGAIN;
    memcpy(words, call->text, sizeof words);
    int err = ds_call_sleep(call, ms);
    return err == -ETIMEDOUT ? ds_call_fail(call, -EAGAIN, "%s", words) : err;
}

/* The same for who ends with what the store has said if there is no time. */
static bool may_wait(struct ds_call *call, int wait_ms)
{
    char words[DS_CALL_TEXT_BYTES];
    memcpy(words, call->text, sizeof words);
    int err = back_off(call, wait_ms);
    if (err)
        memcpy(call->text, words, sizeof words);
    return !err;
}

static int longer(int wait_ms)
{
    return wait_ms < BACKOFF_MAX_MS / 2 ? wait_ms * 2 : BACKOFF_MAX_MS;
}

/* True if a busy store was certainly not moved by the request, so that it can just be sent again.
 * An append that is a set cannot: its sum is only right for what stood there before. */
static bool may_insist(const struct ds_call *call, const struct ds_request *r)
{
    return !r->as_append && ds_call_sent(call) != DS_SENT_MAYBE;
}

/* One request, sent again as long as the store is too busy for it. */
static int attempt(struct ds_client *client, struct ds_call *call, const struct ds_request *r)
{
    char words[DS_CALL_TEXT_BYTES] = "";
    int err = ds_call_check(call);
    for (int wait_ms = BACKOFF_FIRST_MS; !err; wait_ms = longer(wait_ms)) {
        err = dispatch(client, call, r);
        /* The last try had no time left to be one: what the store said before is the reason. */
        if (err == -ETIMEDOUT && *words && ds_call_sent(call) == DS_SENT_NO)
            return ds_call_fail(call, -EAGAIN, "%s", words);
        if (err != -EAGAIN || !may_insist(call, r))
            return err;
        memcpy(words, call->text, sizeof words);
        err = back_off(call, wait_ms);
    }
    return err;
}

/* One value, which can be read back. */
static bool changes_value(const struct ds_request *r)
{
    return (r->op == DS_OP_SET && !r->pairs) || r->op == DS_OP_APPEND || r->op == DS_OP_REMOVE;
}

static bool appends(const struct ds_request *r)
{
    return r->op == DS_OP_APPEND || r->as_append;
}

static bool is_previous(const struct ds_previous *previous, bool exists, const struct ds_buf *value)
{
    if (!exists || !previous->exists)
        return exists == previous->exists;
    return value->len == previous->len &&
           (!value->len || !memcmp(value->data, previous->data, value->len));
}

/* Whether what stands there is what the request wanted to stand there. */
static bool is_wanted(const struct ds_request *r, bool exists, const struct ds_buf *value)
{
    if (r->op == DS_OP_REMOVE || !exists)
        return r->op == DS_OP_REMOVE && !exists;

    size_t before = 0;
    if (r->op == DS_OP_APPEND) {
        before = r->previous->exists ? r->previous->len : 0;
        if (value->len < before || (before && memcmp(value->data, r->previous->data, before) != 0))
            return false;
    }
    return value->len - before == r->len &&
           (!r->len || !memcmp(value->data + before, r->data, r->len));
}

static enum verdict judge(const struct ds_request *r, bool exists, const struct ds_buf *value)
{
    if (is_wanted(r, exists, value))
        return VERDICT_DONE;
    if (!r->previous || is_previous(r->previous, exists, value))
        return VERDICT_REPEAT;
    /* Somebody wrote after us: a set or remove of ours would be gone by now in any case. */
    return appends(r) ? VERDICT_LOST : VERDICT_DONE;
}

/* Finds out by reading what became of a change whose connection broke. 0 with a verdict, or the
 * negative errno to end with. */
static int settle(struct ds_client *client, struct ds_call *call, const struct ds_request *r,
                  enum verdict *verdict)
{
    if (appends(r) && !r->previous)
        return ds_call_fail(call, -EIO, "append in doubt: the connection broke before the answer");

    struct ds_entry entry = {.key = r->key};
    struct ds_request get = {.op = DS_OP_GET, .dataset = r->dataset, .entries = &entry, .count = 1};
    int err = ds_repeat_run(client, call, &get);
    if (!err)
        err = entry.error;
    bool exists = !err;
    if (!err || err == -ENOENT) {
        *verdict = judge(r, exists, &entry.value);
        err = 0;
    } else if (err != -EINTR && err != -ETIMEDOUT) {
        err = ds_call_fail(call, -EIO, "%s in doubt: the connection broke before the answer",
                           ds_op_name(r->op));
    }
    ds_buf_free(&entry.value);
    /* The read was answered; the change, which is what the caller asks about, was not. */
    if (err)
        ds_call_set_sent(call, DS_SENT_MAYBE);
    return err;
}

/* True if the DataSet is as the create or update asked for. What the store does not tell cannot
 * speak against it, nor can what an update does not name. */
static bool is_as_asked(struct ds_client *client, struct ds_call *call, const struct ds_request *r)
{
    struct ds_attributes there = {0};
    struct ds_request query = {.op = DS_OP_QUERY, .dataset = r->dataset, .attributes_out = &there};
    char words[DS_CALL_TEXT_BYTES]; /* of the request that this is about */
    memcpy(words, call->text, sizeof words);
    int err = ds_repeat_run(client, call, &query);
    memcpy(call->text, words, sizeof words);
    if (err)
        return false;

    const struct ds_attributes *asked = r->attributes;
    bool create = r->op == DS_OP_CREATE;
    const char *description = asked->description || !create ? asked->description : "";
    enum ds_access host = asked->host || !create ? asked->host : DS_ACCESS_READ_WRITE;
    enum ds_access guest = asked->guest || !create ? asked->guest : DS_ACCESS_READ_WRITE;
    enum ds_flag omit = asked->omit_from_snapshot_and_clone || !create
                            ? asked->omit_from_snapshot_and_clone
                            : DS_FLAG_OFF;
    bool same = (!there.description || !description || !strcmp(there.description, description)) &&
                (!there.host || !host || there.host == host) &&
                (!there.guest || !guest || there.guest == guest) &&
                (!there.omit_from_snapshot_and_clone || !omit ||
                 there.omit_from_snapshot_and_clone == omit);
    ds_attributes_clear(&there);
    return same;
}

/* What the answer to a repeated request means if the first one may have been carried out. */
static int lenient(struct ds_client *client, struct ds_call *call, const struct ds_request *r,
                   int err)
{
    if (err == -ENOENT && (r->op == DS_OP_DESTROY || r->op == DS_OP_REMOVE))
        return 0;
    if (err == -EEXIST && r->op == DS_OP_CREATE && is_as_asked(client, call, r))
        return 0;
    return err;
}

/* Some keys failed although the others have an answer, for a reason that passes. */
static bool may_pass(int error, bool lost_too)
{
    return error == -EAGAIN || (lost_too && error == -EIO);
}

/* Asks again for those keys alone: as long as the store is too busy, and once after a lost
 * connection. What still fails keeps its error. */
static void repeat_entries(struct ds_client *client, struct ds_call *call,
                           const struct ds_request *r)
{
    struct ds_entry *again = malloc(r->count * sizeof *again);
    size_t *places = malloc(r->count * sizeof *places);
    int wait_ms = BACKOFF_FIRST_MS;
    for (bool first = true; again && places; first = false, wait_ms = longer(wait_ms)) {
        struct ds_request rest = *r;
        rest.entries = again;
        rest.count = 0;
        for (size_t i = 0; i < r->count; i++) {
            if (!may_pass(r->entries[i].error, first))
                continue;
            places[rest.count] = i;
            again[rest.count++] = (struct ds_entry){.key = r->entries[i].key};
        }
        if (!rest.count || back_off(call, wait_ms) != 0 || attempt(client, call, &rest) != 0)
            break;
        for (size_t i = 0; i < rest.count; i++)
            r->entries[places[i]] = again[i];
    }
    free(again);
    free(places);
}

/* The same for pairs of a set of many, which say nothing of an answer but whether it was good. */
static void repeat_pairs(struct ds_client *client, struct ds_call *call, const struct ds_request *r)
{
    struct ds_pair *again = malloc(*r->done * sizeof *again);
    size_t *places = malloc(*r->done * sizeof *places);
    int wait_ms = BACKOFF_FIRST_MS;
    for (bool first = true; again && places; first = false, wait_ms = longer(wait_ms)) {
        size_t set = 0;
        struct ds_request rest = *r;
        rest.pairs = again;
        rest.count = 0;
        rest.done = &set;
        for (size_t i = 0; i < *r->done; i++) {
            if (!may_pass(r->pairs[i].error, first))
                continue;
            places[rest.count] = i;
            again[rest.count] = r->pairs[i];
            again[rest.count++].error = 0;
        }
        if (!rest.count || back_off(call, wait_ms) != 0 || attempt(client, call, &rest) != 0)
            break;
        for (size_t i = 0; i < rest.count && i < set; i++)
            r->pairs[places[i]].error = again[i].error;
    }
    free(again);
    free(places);
}

/* Before a change is sent once more: what became of it? -EAGAIN: send it; 0 or an error to end with
 * otherwise. `refused`: the store has said that it did nothing. */
static int settle_change(struct ds_client *client, struct ds_call *call, const struct ds_request *r,
                         bool refused)
{
    enum verdict verdict = VERDICT_LOST;
    int unsettled = settle(client, call, r, &verdict);
    if (unsettled == -EINTR && appends(r))
        return ds_call_fail(call, -EIO, "append in doubt: interrupted");
    if (unsettled)
        return unsettled;
    if (verdict == VERDICT_REPEAT)
        return -EAGAIN;
    if (refused && r->as_append)
        return -ESTALE;
    if (verdict == VERDICT_LOST)
        return ds_call_fail(call, -EIO, "append in doubt: the value changed meanwhile");
    return 0;
}

int ds_repeat_read(ds_repeat_ask *ask, void *context, struct ds_call *call)
{
    char words[DS_CALL_TEXT_BYTES] = ""; /* of a store that was too busy */
    bool repeated = false;
    int err = ds_call_check(call);
    for (int wait_ms = BACKOFF_FIRST_MS; !err; wait_ms = longer(wait_ms)) {
        ds_call_set_sent(call, DS_SENT_NO);
        call->retry_after_ms = 0;
        err = ask(context, call);
        if (err == -ETIMEDOUT && *words && ds_call_sent(call) == DS_SENT_NO)
            return ds_call_fail(call, -EAGAIN, "%s", words);
        bool broken = err == -EIO && ds_call_sent(call) != DS_SENT_ANSWERED && !repeated;
        if (err != -EAGAIN && !broken)
            return err;
        repeated = repeated || broken;
        memcpy(words, err == -EAGAIN ? call->text : "", err == -EAGAIN ? sizeof words : 1);
        err = broken ? ds_call_check(call) : back_off(call, wait_ms);
    }
    return err;
}

int ds_repeat_run(struct ds_client *client, struct ds_call *call, const struct ds_request *r)
{
    bool repeated = false; /* after a lost connection */
    bool in_doubt = false; /* an earlier request may have been carried out */

    for (int wait_ms = BACKOFF_FIRST_MS;; wait_ms = longer(wait_ms)) {
        int err = attempt(client, call, r);
        enum ds_sent sent = ds_call_sent(call);
        if (!err && r->op == DS_OP_GET && r->count > 1)
            repeat_entries(client, call, r);
        if (!err && r->pairs)
            repeat_pairs(client, call, r);
        if (in_doubt)
            err = lenient(client, call, r, err);
        if (err == -EINTR && sent == DS_SENT_MAYBE && appends(r))
            return ds_call_fail(call, -EIO, "append in doubt: interrupted before the answer");
        /* A store too busy for a set that is an append, or a gateway that says so for a store which
         * may have made the change before. */
        bool busy = err == -EAGAIN && (r->as_append || sent == DS_SENT_MAYBE);
        if (!busy && (err != -EIO || sent == DS_SENT_ANSWERED))
            return err;
        if (busy && !may_wait(call, wait_ms))
            return err;

        in_doubt = in_doubt || sent == DS_SENT_MAYBE;
        if (sent == DS_SENT_MAYBE && r->op == DS_OP_UPDATE && is_as_asked(client, call, r))
            return 0;
        if (changes_value(r) && (sent == DS_SENT_MAYBE || busy)) {
            int settled = settle_change(client, call, r, sent == DS_SENT_ANSWERED);
            if (settled != -EAGAIN)
                return settled;
        }
        if (!busy && repeated) {
            /* What stood there before still does: nothing of it was done. */
            if (changes_value(r) && r->previous)
                ds_call_set_sent(call, DS_SENT_NO);
            return err;
        }
        repeated = repeated || !busy;
    }
}
