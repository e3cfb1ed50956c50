/* One request about a DataSet or its entries. */
#include "ask.h"

#include "cleanup.h"
#include "json.h"
#include "log.h"
#include "reply.h"
#include "vm.h"

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

static int put_url(const struct ds_rest *rest, const struct ds_question *question, const char *id,
                   struct ds_buf *out)
{
    int err = ds_buf_printf(out, "%s/api/vcenter/vm", rest->url.base);
    if (!err)
        err = put_segment(out, rest->vm);
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
    int err =
        question->change ? ds_reply_check_change(request, call) : ds_reply_check(request, call);
    if (err == -EPROTO && !request->error && question->key && strchr(question->key, '/'))
        err = ds_call_fail(call, -EOPNOTSUPP,
                           "the server, or a proxy before it, takes no keys with '/'");
    return err;
}

/* What is learned while the client is opened is the mount's to log; later it is ours. */
static int tell_machine(struct ds_rest *rest, const char *vm)
{
    static const char format[] = "the virtual machine '%s' is %s";
    if (rest->opened) {
        ds_log(DS_LOG_INFO, format, rest->url.vm, vm);
        return 0;
    }
    if (asprintf(&rest->client.about, format, rest->url.vm, vm) >= 0)
        return 0;
    rest->client.about = NULL;
    return -ENOMEM;
}

/* With the turn. */
static int find_machine(struct ds_rest *rest, struct ds_call *call)
{
    char *vm = NULL;
    int err = 0;
    if (rest->url.by_name)
        err = ds_vm_find(rest->session, rest->url.base, rest->url.vm, call, &vm);
    else if (!(vm = strdup(rest->url.vm)))
        err = -ENOMEM;
    if (!err && rest->url.by_name)
        err = tell_machine(rest, vm);
    if (!err)
        rest->vm = vm;
    else
        free(vm);
    return err;
}

/* Makes sure that the machine's id is known. */
static int need_machine(struct ds_rest *rest, struct ds_call *call)
{
    if (rest->vm)
        return 0;
    int err = ds_turns_take(&rest->turn, call, true);
    if (err)
        return err;
    if (!rest->vm)
        err = find_machine(rest, call);
    ds_turns_give(&rest->turn);
    if (err) /* what was asked has not been sent */
        ds_call_set_sent(call, DS_SENT_NO);
    return err;
}

/* One request with this id. */
static int ask_once(struct ds_rest *rest, struct ds_call *call, const struct ds_question *question,
                    const char *id, struct ds_buf *reply)
{
    struct ds_buf url DS_CLEANUP(ds_buf_free) = {0};
    int err = need_machine(rest, call);
    if (!err)
        err = put_url(rest, question, id, &url);
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
    if (!err && reply) {
        *reply = request.reply;
        request.reply = (struct ds_buf){0};
    }
    ds_buf_free(&request.reply);
    return err;
}

int ds_ask_list(struct ds_rest *rest, struct ds_call *call, struct ds_names *out)
{
    static const struct ds_question question = {.op = DS_OP_LIST, .method = "GET"};
    struct ds_buf reply DS_CLEANUP(ds_buf_free) = {0};
    struct ds_names names DS_CLEANUP(ds_names_clear) = {0};
    struct ds_names ids DS_CLEANUP(ds_names_clear) = {0};
    struct ds_names copy = {0};
    int err = ask_once(rest, call, &question, NULL, &reply);
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

/* After "no such thing": true if the DataSet has another id now, which `*id` then is. Where id and
 * name are the same nobody needs to ask. */
static bool has_moved(struct ds_rest *rest, struct ds_call *call, const char *dataset, char **id)
{
    char *now = NULL;
    if (!*id || !strcmp(dataset, *id) || ds_ask_list(rest, call, NULL) != 0 ||
        ds_ids_find(&rest->ids, dataset, &now) != 0)
        return false;
    bool moved = now && strcmp(now, *id) != 0;
    free(*id);
    *id = now;
    return moved;
}

int ds_ask(struct ds_rest *rest, struct ds_call *call, const struct ds_question *question,
           struct ds_buf *reply)
{
    char *id DS_AUTO_FREE = NULL;
    if (!question->dataset)
        return ask_once(rest, call, question, NULL, reply);
    int err = find_id(rest, call, question->dataset, &id);
    if (err)
        return err;
    err = ask_once(rest, call, question, id, reply);
    if (err != -ENOENT)
        return err;
    if (has_moved(rest, call, question->dataset, &id))
        return ask_once(rest, call, question, id, reply);
    ds_call_set_sent(call, DS_SENT_ANSWERED);
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

static int prepare(const struct ds_rest *rest, const char *id, const struct ds_entry *entries,
                   struct batch *batch)
{
    batch->requests = calloc(batch->count, sizeof *batch->requests);
    batch->list = calloc(batch->count, sizeof *batch->list);
    batch->urls = calloc(batch->count, sizeof *batch->urls);
    if (!batch->requests || !batch->list || !batch->urls)
        return -ENOMEM;
    for (size_t i = 0; i < batch->count; i++) {
        struct ds_question question = {.entries = true, .key = entries[i].key};
        int err = put_url(rest, &question, id, &batch->urls[i]);
        if (err)
            return err;
        batch->requests[i].method = "GET";
        batch->requests[i].url = batch->urls[i].data;
        batch->list[i] = &batch->requests[i];
    }
    return 0;
}

static int read_value(const struct ds_http_request *request, struct ds_call *call,
                      struct ds_buf *value)
{
    int err = ds_rest_json_read_string(request->reply.data, request->reply.len, value);
    if (!err && value->len > DS_VALUE_MAX_BYTES) {
        ds_buf_free(value);
        return ds_call_fail(call, -EPROTO, "the value is longer than %d bytes", DS_VALUE_MAX_BYTES);
    }
    return err == -EPROTO ? ds_reply_not_understood(request, call) : err;
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
    int err = need_machine(rest, call);
    if (!err)
        err = prepare(rest, id, entries, &batch);
    if (err)
        return err;
    for (size_t i = 0; i < count; i++)
        ds_client_count(&rest->client, DS_OP_GET);
    ds_session_run(rest->session, call, batch.list, count);
    return read_values(&batch, call, entries);
}

int ds_ask_values(struct ds_rest *rest, struct ds_call *call, const char *dataset,
                  struct ds_entry *entries, size_t count)
{
    char *id DS_AUTO_FREE = NULL;
    /* The caller's entries are not touched when all fails. */
    struct ds_entry *found DS_AUTO_FREE = calloc(count, sizeof *found);
    if (!found)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        found[i].key = entries[i].key;
    int err = find_id(rest, call, dataset, &id);
    if (!err)
        err = ask_batch(rest, call, id, found, count);
    size_t missing = 0;
    while (!err && missing < count && found[missing].error == -ENOENT)
        missing++;
    if (!err && missing == count && has_moved(rest, call, dataset, &id))
        err = ask_batch(rest, call, id, found, count);
    if (!err)
        memcpy(entries, found, count * sizeof *found);
    return err;
}
