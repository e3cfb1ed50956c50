/* One request about a DataSet or its entries. */
#include "ask.h"

#include "cleanup.h"
#include "json.h"
#include "machine.h"
#include "machine_info.h"
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

int ds_ask_url(const struct ds_rest *rest, const char *vm, const struct ds_question *question,
               const char *id, struct ds_buf *out)
{
    int err = ds_buf_printf(out, "%s/api/vcenter/vm", rest->vcenter->base);
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

int ds_ask_check(const struct ds_question *question, const struct ds_http_request *request,
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
        err = ds_ask_url(rest, vm, question, id, &url);
    if (err)
        return err;
    struct ds_http_request request = {.method = question->method,
                                      .url = url.data,
                                      .body = question->body ? question->body->data : NULL,
                                      .body_len = question->body ? question->body->len : 0,
                                      .change = question->change,
                                      .fresh = question->fresh,
                                      .group = rest->shared ? rest : NULL};
    struct ds_http_request *const requests[] = {&request};
    ds_client_count(&rest->client, question->op);
    ds_session_run(rest->vcenter->session, call, requests, 1);
    err = ds_ask_check(question, &request, call);
    if (!err)
        ds_machine_seen(rest);
    if (!err && reply) {
        *reply = request.reply;
        request.reply = (struct ds_buf){0};
    }
    ds_buf_free(&request.reply);
    return err;
}

static int ask_for_list_once(struct ds_rest *rest, struct ds_call *call, struct ds_buf *reply)
{
    static const struct ds_question question = {.op = DS_OP_LIST, .method = "GET"};
    int err = ask_once(rest, call, &question, NULL, reply);
    if (!err)
        ds_machine_info_supported(rest);
    else if (err == -EOPNOTSUPP)
        ds_machine_info_explain(rest, call);
    return err;
}

/* A machine without a list of DataSets is none. */
static int ask_for_list(struct ds_rest *rest, struct ds_call *call, struct ds_buf *reply)
{
    const char *vm;
    int err = ds_machine_need(rest, call, &vm);
    if (!err)
        err = ask_for_list_once(rest, call, reply);
    if (err != -ENOENT)
        return err;
    err = ds_machine_lost(rest, call, vm);
    if (!err)
        err = ask_for_list_once(rest, call, reply);
    return err == -ENOENT
               ? ds_call_fail(call, -ENODEV, "the virtual machine '%.80s' is gone", rest->named)
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

int ds_ask_id(struct ds_rest *rest, struct ds_call *call, const char *dataset, char **id)
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

int ds_ask_place(struct ds_rest *rest, struct ds_call *call, enum ds_op op, const char *dataset,
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
        err = ds_ask_id(rest, call, question->dataset, &id);
    if (err)
        return err;
    err = ask_once(rest, call, question, id, reply);
    if (err != -ENOENT)
        return err;
    err = ds_ask_place(rest, call, question->op, question->dataset, vm, &id);
    if (err == -EAGAIN)
        return ask_once(rest, call, question, id, reply);
    ds_call_set_sent(call, DS_SENT_ANSWERED);
    if (err == -ENOENT)
        call->text[0] = '\0';
    return err;
}
