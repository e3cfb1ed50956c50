/* One request about a DataSet or its entries. */
#include "ask.h"

#include "cleanup.h"
#include "json.h"
#include "machine.h"
#include "reply.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Appends a segment; -EPROTO for an id of the server's own that can be none (names are checked). */
static int put_segment(struct ds_buf *out, const char *text)
{
    if (!ds_url_is_segment(text))
        return -EPROTO;
    int err = ds_buf_puts(out, "/");
    return err ? err : ds_url_encode(out, text);
}

static int put_url(const struct ds_rest *rest, const char *vm, const struct ds_question *question,
                   const char *id, struct ds_buf *out)
{
    int err = ds_buf_printf(out, "%s/api/vcenter/vm", rest->url.base);
    if (!err)
        err = put_segment(out, vm);
    if (!err)
        err = ds_buf_puts(out, "/data-sets");
    if (!err && id)
        err = put_segment(out, id);
    if (!err && question->entries)
        err = ds_buf_puts(out, "/entries");
    if (!err && question->key)
        err = put_segment(out, question->key);
    if (!err && question->query)
        err = ds_buf_puts(out, question->query);
    return err;
}

/* What the reply means for this question. */
static int check(const struct ds_question *question, const struct ds_http_request *request,
                 struct ds_call *call)
{
    bool tells = question->op == DS_OP_CREATE; /* the id */
    int err = question->change ? ds_reply_check_change(request, call, tells)
                               : ds_reply_check(request, call);
    bool unlikely = err == -EPROTO || (err == -ENOENT && !ds_reply_is_typed(request));
    if (unlikely && !request->error && question->key && strchr(question->key, '/'))
        err = ds_call_fail(call, -EOPNOTSUPP,
                           "the server, or a proxy before it, takes no keys with '/'");
    return err;
}

/* One request with this id. */
static int ask_once(struct ds_rest *rest, struct ds_call *call, const struct ds_question *question,
                    const char *id, struct ds_buf *reply)
{
    struct ds_buf url DS_CLEANUP(ds_buf_free) = {0};
    const char *vm;
    int err = ds_machine_need(rest, call, &vm);
    if (!err)
        err = put_url(rest, vm, question, id, &url);
    if (err)
        return err;
    struct ds_http_request request = {.method = question->method,
                                      .url = url.data,
                                      .body = question->body ? question->body->data : NULL,
                                      .body_len = question->body ? question->body->len : 0,
                                      .change = question->change,
                                      .fresh = question->fresh};
    struct ds_http_request *const requests[] = {&request};
    ds_client_count(&rest->client, question->op);
    ds_session_run(rest->session, call, requests, 1);
    err = check(question, &request, call);
    if (!err)
        ds_machine_seen(rest);
    if (!err && reply) {
        *reply = request.reply;
        request.reply = (struct ds_buf){0};
    }
    ds_buf_free(&request.reply);
    return err;
}

/* A machine without a list of DataSets is none. */
static int ask_for_list(struct ds_rest *rest, struct ds_call *call, struct ds_buf *reply)
{
    static const struct ds_question question = {.op = DS_OP_LIST, .method = "GET"};
    const char *vm;
    int err = ds_machine_need(rest, call, &vm);
    if (!err)
        err = ask_once(rest, call, &question, NULL, reply);
    if (err != -ENOENT)
        return err;
    err = ds_machine_lost(rest, call, vm);
    if (!err)
        err = ask_once(rest, call, &question, NULL, reply);
    return err == -ENOENT
               ? ds_call_fail(call, -ENODEV, "the virtual machine '%.80s' is gone", rest->url.vm)
               : err;
}

int ds_ask_list(struct ds_rest *rest, struct ds_call *call, struct ds_names *out)
{
    struct ds_buf reply DS_CLEANUP(ds_buf_free) = {0};
    struct ds_names names DS_CLEANUP(ds_names_clear) = {0};
    struct ds_names ids DS_CLEANUP(ds_names_clear) = {0};
    struct ds_names copy = {0};
    int err = ask_for_list(rest, call, &reply);
    if (!err)
        err = ds_rest_json_read_ids(reply.data, reply.len, "data_set", &names, &ids);
    if (err == -EPROTO && ds_call_sent(call) == DS_SENT_ANSWERED && !call->text[0])
        err = ds_call_fail(call, err, "the list of DataSets is not understood");
    for (size_t i = 0; !err && out && i < names.count; i++)
        err = ds_names_add(&copy, names.names[i]);
    if (err) {
        ds_names_clear(&copy);
        return err;
    }
    copy.left_out = names.left_out;
    ds_ids_replace_take(&rest->ids, &names, &ids);
    if (out)
        *out = copy;
    return 0;
}

static int find_id(struct ds_rest *rest, struct ds_call *call, const char *dataset, char **id)
{
    int err = ds_ids_find(&rest->ids, dataset, id);
    if (err != -ENOENT)
        return err;
    err = ds_ask_list(rest, call, NULL);
    if (err) /* what was asked has not been sent */
        ds_call_set_sent(call, DS_SENT_NO);
    return err ? err : ds_ids_find(&rest->ids, dataset, id);
}

/* True if "no such thing" in the answer to this question needs no other look, since anybody may ask
 * for what is not there: it is a key, or a DataSet that is in no list, and the machine has just
 * been.
 */
static bool is_placed(struct ds_rest *rest, enum ds_op op, const char *dataset, const char *id)
{
    bool of_key = op == DS_OP_GET || op == DS_OP_REMOVE;
    if (!of_key && (op != DS_OP_QUERY || ds_ids_has(&rest->ids, dataset)))
        return false;
    return ds_machine_seen_lately(rest) && (!id || !strcmp(dataset, id));
}

/* After "no such thing", which may be said of the machine, of the DataSet or of a key: looks at the
 * list. -EAGAIN: the machine `vm` or the DataSet has another id now, which `*id` then is; -ENOENT:
 * that is what it was about; -ENODEV. Where the list cannot be had the answer stands. */
static int place(struct ds_rest *rest, struct ds_call *call, enum ds_op op, const char *dataset,
                 const char *vm, char **id)
{
    char *now = NULL;
    if (is_placed(rest, op, dataset, *id))
        return -ENOENT;
    int err = ds_ask_list(rest, call, NULL);
    if (err == -ENODEV)
        return err;
    if (err)
        return -ENOENT;
    bool moved = strcmp(rest->vm, vm) != 0;
    if (dataset && ds_ids_find(&rest->ids, dataset, &now) == 0) {
        moved = moved || (*id && strcmp(now, *id) != 0);
        free(*id);
        *id = now;
    }
    return moved ? -EAGAIN : -ENOENT;
}

int ds_ask(struct ds_rest *rest, struct ds_call *call, const struct ds_question *question,
           struct ds_buf *reply)
{
    char *id DS_AUTO_FREE = NULL;
    const char *vm;
    int err = ds_machine_need(rest, call, &vm);
    if (!err && question->dataset)
        err = find_id(rest, call, question->dataset, &id);
    if (err)
        return err;
    err = ask_once(rest, call, question, id, reply);
    if (err != -ENOENT)
        return err;
    err = place(rest, call, question->op, question->dataset, vm, &id);
    if (err == -EAGAIN)
        return ask_once(rest, call, question, id, reply);
    ds_call_set_sent(call, DS_SENT_ANSWERED);
    if (err == -ENOENT)
        call->text[0] = '\0';
    return err;
}

/* The requests of one get. */
struct batch {
    struct ds_http_request *requests;
    struct ds_http_request **list;
    struct ds_buf *urls;
    size_t count;
};

static void free_batch(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        if (batch->requests)
            ds_buf_free(&batch->requests[i].reply);
        if (batch->urls)
            ds_buf_free(&batch->urls[i]);
    }
    free(batch->requests);
    free(batch->list);
    free(batch->urls);
}

static int prepare(const struct ds_rest *rest, const char *vm, const char *id,
                   const struct ds_entry *entries, struct batch *batch)
{
    batch->requests = calloc(batch->count, sizeof *batch->requests);
    batch->list = calloc(batch->count, sizeof *batch->list);
    batch->urls = calloc(batch->count, sizeof *batch->urls);
    if (!batch->requests || !batch->list || !batch->urls)
        return -ENOMEM;
    for (size_t i = 0; i < batch->count; i++) {
        struct ds_question question = {.entries = true, .key = entries[i].key};
        int err = put_url(rest, vm, &question, id, &batch->urls[i]);
        if (err)
            return err;
        batch->requests[i].method = "GET";
        batch->requests[i].url = batch->urls[i].data;
        batch->list[i] = &batch->requests[i];
    }
    return 0;
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

/* Gives each entry its result. The first failure, if not one of them has an answer. */
static int read_values(const struct batch *batch, struct ds_call *call, struct ds_entry *entries)
{
    int failure = 0;
    bool answered = false;
    for (size_t i = 0; i < batch->count; i++) {
        struct ds_question question = {.key = entries[i].key};
        int err = check(&question, &batch->requests[i], call);
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
static int ask_batch(struct ds_rest *rest, struct ds_call *call, const char *id,
                     struct ds_entry *entries, size_t count)
{
    struct batch batch DS_CLEANUP(free_batch) = {.count = count};
    const char *vm;
    int err = ds_machine_need(rest, call, &vm);
    if (!err)
        err = prepare(rest, vm, id, entries, &batch);
    if (err)
        return err;
    for (size_t i = 0; i < count; i++)
        ds_client_count(&rest->client, DS_OP_GET);
    ds_session_run(rest->session, call, batch.list, count);
    err = read_values(&batch, call, entries);
    for (size_t i = 0; i < count && !err; i++)
        if (!entries[i].error)
            ds_machine_seen(rest);
    return err;
}

int ds_ask_values(struct ds_rest *rest, struct ds_call *call, const char *dataset,
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
        err = find_id(rest, call, dataset, &id);
    if (!err)
        err = ask_batch(rest, call, id, found, count);
    size_t missing = 0;
    while (!err && missing < count && found[missing].error == -ENOENT)
        missing++;
    if (!err && missing == count) {
        int placed = place(rest, call, DS_OP_GET, dataset, vm, &id);
        if (placed == -EAGAIN)
            err = ask_batch(rest, call, id, found, count);
        else if (placed != -ENOENT)
            err = placed;
        else
            ds_call_set_sent(call, DS_SENT_ANSWERED);
    }
    if (!err)
        memcpy(entries, found, count * sizeof *found);
    return err;
}
