/* The checked calls: what is refused without a request, batches, failures counted. */
#include "client.h"

#include "listed.h"
#include "log.h"
#include "repeat.h"
#include "utf8.h"

#include <errno.h>
#include <string.h>

/* What is set together has one deadline, which must do over a slow line too. */
enum { TOGETHER_MOST = 256, TOGETHER_MOST_BYTES = 4 * DS_VALUE_MAX_BYTES };

/* Counts and logs how a call ended, and sees to its words: a success has none, even if what it took
 * were several tries; nor has a plain "no such thing", however the store says it; all else has
 * some. `key` is NULL where there is none. */
static int finish(struct ds_client *client, struct ds_call *call, enum ds_op op,
                  const char *dataset, const char *key, int err)
{
    bool plain = err == -ENOENT && (op == DS_OP_GET || op == DS_OP_REMOVE);
    call->error = err;
    if (!err || (err == -ENOENT && (plain || op == DS_OP_QUERY || op == DS_OP_LIST_KEYS)))
        call->text[0] = '\0';
    else if (!call->text[0] && err != -ENOENT)
        ds_call_fail(call, err, "%s",
                     err == -EPROTO ? "what the store answers is not understood" : strerror(-err));
    if (!err)
        return 0;
    if (!plain)
        atomic_fetch_add_explicit(&client->errors[op], 1, memory_order_relaxed);
    ds_log(DS_LOG_DEBUG, "%s %s%s%s: %s%s%s", ds_op_name(op), dataset ? dataset : "",
           key ? "/" : "", key ? key : "", strerror(-err), call->text[0] ? ": " : "", call->text);
    return err;
}

static void begin(struct ds_call *call)
{
    call->text[0] = '\0';
    ds_call_set_sent(call, DS_SENT_NO);
}

static int check_dataset(const struct ds_client *client, struct ds_call *call, const char *dataset)
{
    size_t len = strlen(dataset);
    if (!len)
        return ds_call_fail(call, -EINVAL, "a DataSet's name cannot be empty");
    if (len > DS_NAME_MAX_BYTES)
        return ds_call_fail(call, -ENAMETOOLONG, "the DataSet's name is longer than %d bytes",
                            DS_NAME_MAX_BYTES);
    if (!ds_utf8_valid(dataset, len))
        return ds_call_fail(call, -EILSEQ, "the DataSet's name is not UTF-8");
    if (client->ops->addressable && !client->ops->addressable(client, dataset))
        return ds_call_fail(call, -EINVAL, "this store cannot be asked for such a DataSet");
    return 0;
}

static int check_key(const struct ds_client *client, struct ds_call *call, const char *key)
{
    size_t len = strlen(key);
    if (len > DS_KEY_MAX_BYTES)
        return ds_call_fail(call, -ENAMETOOLONG, "the key is longer than %d bytes",
                            DS_KEY_MAX_BYTES);
    if (!ds_utf8_valid(key, len))
        return ds_call_fail(call, -EILSEQ, "the key is not UTF-8");
    if (client->ops->addressable && !client->ops->addressable(client, key))
        return ds_call_fail(call, -EINVAL, "this store cannot be asked for such a key");
    return 0;
}

static int check_value(struct ds_call *call, const char *data, size_t len)
{
    if (len > DS_VALUE_MAX_BYTES)
        return ds_call_fail(call, -EFBIG, "the value is longer than %d bytes", DS_VALUE_MAX_BYTES);
    if (!ds_utf8_valid(data, len))
        return ds_call_fail(call, -EILSEQ, "the value is not UTF-8 text without NUL");
    return 0;
}

static int check_entry(const struct ds_client *client, struct ds_call *call, const char *dataset,
                       const char *key)
{
    int err = check_dataset(client, call, dataset);
    return err ? err : check_key(client, call, key);
}

/* For create, update and destroy; `attributes` is NULL for the last. */
static int check_admin(const struct ds_client *client, struct ds_call *call, const char *dataset,
                       const struct ds_attributes *attributes)
{
    if (!client->caps.can_create)
        return ds_call_fail(call, -EPERM,
                            "DataSets are made, changed and deleted on the host side only");
    int err = check_dataset(client, call, dataset);
    if (err || !attributes || !attributes->description)
        return err;
    size_t len = strlen(attributes->description);
    if (len > DS_DESCRIPTION_MAX_BYTES)
        return ds_call_fail(call, -EINVAL, "the description is longer than %d bytes",
                            DS_DESCRIPTION_MAX_BYTES);
    if (!ds_utf8_valid(attributes->description, len))
        return ds_call_fail(call, -EINVAL, "the description is not UTF-8");
    return 0;
}

/* A list, without what can be no name in it. */
static int run_list(struct ds_client *client, struct ds_call *call, enum ds_op op,
                    const char *dataset, struct ds_names *out)
{
    struct ds_names names = {0};
    struct ds_request list = {.op = op, .dataset = dataset, .names_out = &names};
    int err = ds_repeat_run(client, call, &list);
    if (!err)
        err = ds_listed_check(&names, op == DS_OP_LIST_KEYS);
    if (err)
        ds_names_clear(&names);
    else
        *out = names;
    return err;
}

int ds_client_list(struct ds_client *client, struct ds_call *call, struct ds_names *out)
{
    begin(call);
    int err = run_list(client, call, DS_OP_LIST, NULL, out);
    return finish(client, call, DS_OP_LIST, NULL, NULL, err);
}

int ds_client_query(struct ds_client *client, struct ds_call *call, const char *dataset,
                    struct ds_attributes *out)
{
    begin(call);
    int err = check_dataset(client, call, dataset);
    if (!err)
        err = ds_repeat_run(
            client, call,
            &(struct ds_request){.op = DS_OP_QUERY, .dataset = dataset, .attributes_out = out});
    return finish(client, call, DS_OP_QUERY, dataset, NULL, err);
}

static int administer(struct ds_client *client, struct ds_call *call, const struct ds_request *r)
{
    begin(call);
    int err = check_admin(client, call, r->dataset, r->attributes);
    if (!err)
        err = ds_repeat_run(client, call, r);
    return finish(client, call, r->op, r->dataset, NULL, err);
}

int ds_client_create(struct ds_client *client, struct ds_call *call, const char *dataset,
                     const struct ds_attributes *attributes)
{
    return administer(
        client, call,
        &(struct ds_request){.op = DS_OP_CREATE, .dataset = dataset, .attributes = attributes});
}

int ds_client_update(struct ds_client *client, struct ds_call *call, const char *dataset,
                     const struct ds_attributes *attributes)
{
    return administer(
        client, call,
        &(struct ds_request){.op = DS_OP_UPDATE, .dataset = dataset, .attributes = attributes});
}

int ds_client_destroy(struct ds_client *client, struct ds_call *call, const char *dataset,
                      bool force)
{
    return administer(
        client, call,
        &(struct ds_request){.op = DS_OP_DESTROY, .dataset = dataset, .force = force});
}

int ds_client_list_keys(struct ds_client *client, struct ds_call *call, const char *dataset,
                        struct ds_names *out)
{
    begin(call);
    int err = check_dataset(client, call, dataset);
    if (!err)
        err = run_list(client, call, DS_OP_LIST_KEYS, dataset, out);
    return finish(client, call, DS_OP_LIST_KEYS, dataset, NULL, err);
}

/* The number of entries from `entries` on that pass the checks and fit into one batch; the one
 * behind them, if it is the first, has its error set. */
static size_t next_batch(const struct ds_client *client, struct ds_call *call,
                         struct ds_entry *entries, size_t count)
{
    size_t batch = 0;
    while (batch < count && batch < client->caps.batch_keys) {
        int err = check_key(client, call, entries[batch].key);
        if (err && !batch)
            entries[0].error = err;
        if (err)
            break;
        batch++;
    }
    return batch;
}

static int get_batches(struct ds_client *client, struct ds_call *call, const char *dataset,
                       struct ds_entry *entries, size_t count)
{
    int first = 0;
    size_t at = 0;
    while (at < count) {
        size_t batch = next_batch(client, call, entries + at, count - at);
        if (!batch) {
            at++;
            continue;
        }
        struct ds_request get = {
            .op = DS_OP_GET, .dataset = dataset, .entries = entries + at, .count = batch};
        int err = ds_repeat_run(client, call, &get);
        if (err && !first)
            first = err;
        /* A reply that is not understood says nothing about the next one; all else would only fail
         * again. */
        size_t failed = err == -EPROTO ? batch : count - at;
        for (size_t i = at; err && i < at + failed; i++)
            entries[i].error = err;
        at += err ? failed : batch;
    }
    return first;
}

int ds_client_get(struct ds_client *client, struct ds_call *call, const char *dataset,
                  struct ds_entry *entries, size_t count)
{
    begin(call);
    for (size_t i = 0; i < count; i++) {
        entries[i].error = 0;
        entries[i].value = (struct ds_buf){0};
    }
    int err = check_dataset(client, call, dataset);
    for (size_t i = 0; err && i < count; i++)
        entries[i].error = err;
    if (!err)
        err = get_batches(client, call, dataset, entries, count);
    return finish(client, call, DS_OP_GET, dataset, count == 1 ? entries[0].key : NULL, err);
}

/* As ds_client_get_one(), without the book-keeping. */
static int get_one(struct ds_client *client, struct ds_call *call, const char *dataset,
                   const char *key, struct ds_buf *out)
{
    struct ds_entry entry = {.key = key};
    struct ds_request get = {.op = DS_OP_GET, .dataset = dataset, .entries = &entry, .count = 1};
    int err = ds_repeat_run(client, call, &get);
    if (!err)
        err = entry.error;
    if (!err)
        *out = entry.value;
    return err;
}

int ds_client_get_one(struct ds_client *client, struct ds_call *call, const char *dataset,
                      const char *key, struct ds_buf *out)
{
    begin(call);
    int err = check_entry(client, call, dataset, key);
    if (!err)
        err = get_one(client, call, dataset, key, out);
    return finish(client, call, DS_OP_GET, dataset, key, err);
}

int ds_client_set(struct ds_client *client, struct ds_call *call, const char *dataset,
                  const char *key, const char *data, size_t len, const struct ds_previous *previous)
{
    begin(call);
    struct ds_request set = {.op = DS_OP_SET,
                             .dataset = dataset,
                             .key = key,
                             .data = data,
                             .len = len,
                             .previous = previous};
    int err = check_entry(client, call, dataset, key);
    if (!err)
        err = check_value(call, data, len);
    if (!err)
        err = ds_repeat_run(client, call, &set);
    return finish(client, call, DS_OP_SET, dataset, key, err);
}

/* How many of the pairs, from the first on, pass the checks and may be set together. The first
 * one's error otherwise. Gives none an error. */
static int check_pairs(const struct ds_client *client, struct ds_call *call, struct ds_pair *pairs,
                       size_t count, size_t *good)
{
    size_t bytes = 0;
    int err = 0;
    for (*good = 0; *good < count && *good < TOGETHER_MOST && bytes < TOGETHER_MOST_BYTES && !err;
         *good += !err) {
        struct ds_pair *pair = &pairs[*good];
        err = check_key(client, call, pair->key);
        if (!err)
            err = check_value(call, pair->data, pair->len);
        pair->error = 0;
        bytes += pair->len;
    }
    return *good ? 0 : err;
}

/* A refusal that is about the DataSet, the machine or the store, and so about each key. */
static bool concerns_all(int err)
{
    return err == -EACCES || err == -ENOENT || err == -ENODEV || err == -EBUSY ||
           err == -EOPNOTSUPP || err == -EAGAIN;
}

/* How many of the pairs, from the first on, stand there. */
static size_t count_set(const struct ds_pair *pairs, size_t count)
{
    size_t set = 0;
    while (set < count && !pairs[set].error)
        set++;
    return set;
}

int ds_client_set_some(struct ds_client *client, struct ds_call *call, const char *dataset,
                       struct ds_pair *pairs, size_t count, size_t *done)
{
    size_t good = 1;
    size_t taken = 0;
    *done = 0;
    begin(call);
    int err = check_dataset(client, call, dataset);
    if (!err && client->ops->set_some)
        err = check_pairs(client, call, pairs, count, &good);
    if (!err && good > 1) {
        struct ds_request some = {
            .op = DS_OP_SET, .dataset = dataset, .pairs = pairs, .count = good, .done = &taken};
        err = ds_repeat_run(client, call, &some);
        taken = count_set(pairs, taken);
        if (err && ds_call_sent(call) == DS_SENT_ANSWERED && !concerns_all(err))
            taken = err = 0; /* any of them may be what the store refuses */
    }
    if (err || taken) {
        *done = err ? 0 : taken;
        return finish(client, call, DS_OP_SET, dataset, NULL, err);
    }
    err = ds_client_set(client, call, dataset, pairs->key, pairs->data, pairs->len, NULL);
    *done = !err;
    return err;
}

/* One round of the below. */
static int get_and_set_once(struct ds_client *client, struct ds_call *call,
                            const struct ds_request *r)
{
    struct ds_buf before = {0};
    struct ds_buf sum = {0};
    int err = get_one(client, call, r->dataset, r->key, &before);
    bool exists = !err;
    if (err == -ENOENT)
        err = 0;
    if (!err && before.len > DS_VALUE_MAX_BYTES - r->len)
        err = ds_call_fail(call, -EFBIG, "the value would be longer than %d bytes",
                           DS_VALUE_MAX_BYTES);
    if (!err)
        err = ds_buf_append(&sum, before.data, before.len);
    if (!err)
        err = ds_buf_append(&sum, r->data, r->len);
    if (!err) {
        struct ds_previous previous = {.exists = exists, .data = before.data, .len = before.len};
        struct ds_request set = {.op = DS_OP_SET,
                                 .dataset = r->dataset,
                                 .key = r->key,
                                 .data = sum.data,
                                 .len = sum.len,
                                 .as_append = true,
                                 .previous = &previous};
        err = ds_repeat_run(client, call, &set);
    }
    ds_buf_free(&before);
    ds_buf_free(&sum);
    return err;
}

/* An append for stores that have none. What somebody else wrote while the store was too busy for us
 * is not overwritten: the sum is made anew. */
static int get_and_set(struct ds_client *client, struct ds_call *call, const struct ds_request *r)
{
    int err;
    do
        err = get_and_set_once(client, call, r);
    while (err == -ESTALE);
    return err;
}

int ds_client_append(struct ds_client *client, struct ds_call *call, const char *dataset,
                     const char *key, const char *data, size_t len,
                     const struct ds_previous *previous)
{
    begin(call);
    struct ds_request append = {.op = DS_OP_APPEND,
                                .dataset = dataset,
                                .key = key,
                                .data = data,
                                .len = len,
                                .previous = previous};
    int err = check_entry(client, call, dataset, key);
    if (!err)
        err = check_value(call, data, len);
    if (!err && client->caps.can_append)
        err = ds_repeat_run(client, call, &append);
    else if (!err)
        err = get_and_set(client, call, &append);
    return finish(client, call, DS_OP_APPEND, dataset, key, err);
}

int ds_client_remove(struct ds_client *client, struct ds_call *call, const char *dataset,
                     const char *key, const struct ds_previous *previous)
{
    begin(call);
    struct ds_request remove = {
        .op = DS_OP_REMOVE, .dataset = dataset, .key = key, .previous = previous};
    int err = check_entry(client, call, dataset, key);
    if (!err)
        err = ds_repeat_run(client, call, &remove);
    return finish(client, call, DS_OP_REMOVE, dataset, key, err);
}

void ds_client_free(struct ds_client *client, struct ds_call *call)
{
    if (client)
        client->ops->free(client, call);
}
