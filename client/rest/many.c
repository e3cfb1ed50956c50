/* Many keys at once. */
#include "many.h"

#include "ask.h"
#include "cleanup.h"
#include "json.h"
#include "machine.h"
#include "reply.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Requests that go out together. */
struct batch {
    struct ds_http_request *requests;
    struct ds_http_request **list;
    struct ds_buf *urls;
    struct ds_buf *bodies;
    size_t count; /* of those that were added */
};

static void free_batch(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        ds_buf_free(&batch->requests[i].reply);
        ds_buf_free(&batch->urls[i]);
        ds_buf_free(&batch->bodies[i]);
    }
    free(batch->requests);
    free(batch->list);
    free(batch->urls);
    free(batch->bodies);
}

static int make_batch(size_t room, struct batch *batch)
{
    batch->requests = calloc(room, sizeof *batch->requests);
    batch->list = calloc(room, sizeof *batch->list);
    batch->urls = calloc(room, sizeof *batch->urls);
    batch->bodies = calloc(room, sizeof *batch->bodies);
    return batch->requests && batch->list && batch->urls && batch->bodies ? 0 : -ENOMEM;
}

/* Puts the question to the others; its body is taken over. */
static int add_take(const struct ds_rest *rest, const char *vm, const char *id,
                    const struct ds_question *question, struct ds_buf *body, struct batch *batch)
{
    size_t at = batch->count++;
    struct ds_http_request *request = &batch->requests[at];
    batch->bodies[at] = *body;
    *body = (struct ds_buf){0};
    int err = ds_ask_url(rest, vm, question, id, &batch->urls[at]);
    request->method = question->method;
    request->url = batch->urls[at].data;
    request->body = batch->bodies[at].data;
    request->body_len = batch->bodies[at].len;
    request->change = question->change;
    request->group = rest->shared ? rest : NULL;
    batch->list[at] = request;
    return err;
}

static void run(struct ds_rest *rest, struct ds_call *call, enum ds_op op,
                const struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        ds_client_count(&rest->client, op);
    ds_session_run(rest->vcenter->session, call, batch->list, batch->count);
}

/* Frees the reply. */
static int read_value(struct ds_http_request *request, struct ds_call *call, struct ds_buf *value)
{
    int err = ds_rest_json_read_string(request->reply.data, request->reply.len, value);
    if (!err && value->len > DS_VALUE_MAX_BYTES) {
        ds_buf_free(value);
        err = ds_call_fail(call, -EPROTO, "the value is longer than %d bytes", DS_VALUE_MAX_BYTES);
    } else if (err == -EPROTO) {
        err = ds_reply_not_understood(request, call);
    }
    ds_buf_free(&request->reply);
    return err;
}

static struct ds_question question_of_value(const char *key)
{
    return (struct ds_question){.op = DS_OP_GET, .method = "GET", .entries = true, .key = key};
}

/* Gives each entry its result. The first failure, if not one of them has an answer. */
static int read_values(const struct batch *batch, struct ds_call *call, struct ds_entry *entries)
{
    int failure = 0;
    bool answered = false;
    for (size_t i = 0; i < batch->count; i++) {
        struct ds_question question = question_of_value(entries[i].key);
        int err = ds_ask_check(&question, &batch->requests[i], call);
        if (!err)
            err = read_value(&batch->requests[i], call, &entries[i].value);
        entries[i].error = err;
        answered = answered || !err || err == -ENOENT || err == -EPROTO;
        if (!failure && err != -ENOENT)
            failure = err;
    }
    return answered ? 0 : failure;
}

/* One round with this id. */
static int get_once(struct ds_rest *rest, struct ds_call *call, const char *id,
                    struct ds_entry *entries, size_t count)
{
    struct batch batch DS_CLEANUP(free_batch) = {0};
    struct ds_buf no_body = {0};
    const char *vm = NULL;
    int err = ds_machine_need(rest, call, &vm);
    if (!err)
        err = make_batch(count, &batch);
    for (size_t i = 0; i < count && !err; i++) {
        struct ds_question question = question_of_value(entries[i].key);
        err = add_take(rest, vm, id, &question, &no_body, &batch);
    }
    if (err)
        return err;
    run(rest, call, DS_OP_GET, &batch);
    err = read_values(&batch, call, entries);
    for (size_t i = 0; i < count && !err; i++)
        if (!entries[i].error)
            ds_machine_seen(rest);
    return err;
}

int ds_many_get(struct ds_rest *rest, struct ds_call *call, const char *dataset,
                struct ds_entry *entries, size_t count)
{
    char *id DS_AUTO_FREE = NULL;
    const char *vm = NULL;
    /* The caller's entries are not touched when all fails. */
    struct ds_entry *found DS_AUTO_FREE = calloc(count, sizeof *found);
    if (!found)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        found[i].key = entries[i].key;
    int err = ds_machine_need(rest, call, &vm);
    if (!err)
        err = ds_ask_id(rest, call, dataset, &id);
    if (!err)
        err = get_once(rest, call, id, found, count);
    size_t missing = 0;
    while (!err && missing < count && found[missing].error == -ENOENT)
        missing++;
    if (!err && missing == count) {
        int placed = ds_ask_place(rest, call, DS_OP_GET, dataset, vm, &id);
        if (placed == -EAGAIN)
            err = get_once(rest, call, id, found, count);
        else if (placed != -ENOENT)
            err = placed;
        else
            ds_call_set_sent(call, DS_SENT_ANSWERED);
    }
    if (!err)
        memcpy(entries, found, count * sizeof *found);
    return err;
}

static struct ds_question question_of_pair(const struct ds_pair *pair)
{
    return (struct ds_question){
        .op = DS_OP_SET, .method = "PUT", .entries = true, .key = pair->key, .change = true};
}

static int prepare_sets(const struct ds_rest *rest, const char *vm, const char *id,
                        const struct ds_pair *pairs, size_t count, struct batch *batch)
{
    int err = make_batch(count, batch);
    for (size_t i = 0; i < count && !err; i++) {
        struct ds_question question = question_of_pair(&pairs[i]);
        struct ds_buf body DS_CLEANUP(ds_buf_free) = {0};
        err = ds_rest_json_put_string(&body, pairs[i].data, pairs[i].len);
        if (!err)
            err = add_take(rest, vm, id, &question, &body, batch);
    }
    return err;
}

/* Gives each pair its result. The first one's, if not one could be set. */
static int read_results(const struct batch *batch, struct ds_call *call, struct ds_pair *pairs)
{
    bool any = false;
    /* The words that stay are those about the first. */
    for (size_t i = batch->count; i-- > 0;) {
        struct ds_question question = question_of_pair(&pairs[i]);
        pairs[i].error = ds_ask_check(&question, &batch->requests[i], call);
        any = any || !pairs[i].error;
    }
    return any ? 0 : pairs[0].error;
}

/* One round with this id. */
static int set_once(struct ds_rest *rest, struct ds_call *call, const char *id,
                    struct ds_pair *pairs, size_t count)
{
    struct batch batch DS_CLEANUP(free_batch) = {0};
    const char *vm = NULL;
    int err = ds_machine_need(rest, call, &vm);
    if (!err)
        err = prepare_sets(rest, vm, id, pairs, count, &batch);
    if (err)
        return err;
    run(rest, call, DS_OP_SET, &batch);
    err = read_results(&batch, call, pairs);
    if (!err)
        ds_machine_seen(rest);
    return err;
}

int ds_many_set(struct ds_rest *rest, struct ds_call *call, const char *dataset,
                struct ds_pair *pairs, size_t count)
{
    char *id DS_AUTO_FREE = NULL;
    const char *vm = NULL;
    int err = ds_machine_need(rest, call, &vm);
    if (!err)
        err = ds_ask_id(rest, call, dataset, &id);
    if (err)
        return err;
    err = set_once(rest, call, id, pairs, count);
    if (err != -ENOENT)
        return err;
    err = ds_ask_place(rest, call, DS_OP_SET, dataset, vm, &id);
    if (err == -EAGAIN)
        return set_once(rest, call, id, pairs, count);
    ds_call_set_sent(call, DS_SENT_ANSWERED);
    if (err == -ENOENT)
        call->text[0] = '\0';
    return err;
}
