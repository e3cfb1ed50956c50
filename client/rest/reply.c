/* What a reply means. */
#include "reply.h"

#include "error.h"
#include "json.h"

#include <errno.h>
#include <string.h>

static int explain(const struct ds_http_request *request, struct ds_call *call, int err,
                   const struct ds_rest_fault *fault)
{
    const char *said = *fault->message ? fault->message : fault->type;
    switch (err) {
    case -EOPNOTSUPP:
        return ds_call_fail(call, err,
                            "vCenter does not support this (HTTP %d)%s%.90s; DataSets need vSphere "
                            "8 and hardware version 20 (vmx-20)",
                            request->status, *said ? ": " : "", said);
    case -EBUSY:
        return ds_call_fail(call, err,
                            "not in the virtual machine's present state (a suspended one can only "
                            "be read)%s%.90s",
                            *said ? ": " : "", said);
    case -ENOENT: /* the plain "no such thing" needs no words */
        return err;
    default:
        return ds_call_fail(call, err, "vCenter refuses (HTTP %d)%s%.150s", request->status,
                            *said ? ": " : "", said);
    }
}

int ds_reply_not_understood(const struct ds_http_request *request, struct ds_call *call)
{
    if (request->html)
        return ds_call_fail(
            call, -EPROTO, "the answer is a page of HTML, as a proxy or portal gives, not vCenter");
    return ds_call_fail(call, -EPROTO, "the answer is not understood (HTTP %d)", request->status);
}

bool ds_reply_is_typed(const struct ds_http_request *request)
{
    struct ds_rest_fault fault;
    return ds_rest_json_read_fault(request->reply.data, request->reply.len, &fault) == 0 &&
           *fault.type;
}

int ds_reply_check(const struct ds_http_request *request, struct ds_call *call)
{
    struct ds_rest_fault fault;
    if (request->error)
        return request->text[0] ? ds_call_fail(call, request->error, "%s", request->text)
                                : request->error;
    if (ds_rest_is_success(request->status))
        return request->html ? ds_reply_not_understood(request, call) : 0;
    if (request->status < 400)
        return ds_call_fail(call, -EPROTO,
                            "the server answers with HTTP %d, which no vCenter does: redirects are "
                            "not followed",
                            request->status);
    int err = ds_rest_json_read_fault(request->reply.data, request->reply.len, &fault);
    if (err)
        return err;
    err = ds_rest_errno(fault.type, request->status, fault.message);
    if (err == -ENOENT && strstr(fault.id, "operationsForUrlNotFound"))
        return ds_call_fail(
            call, -EOPNOTSUPP,
            "this vCenter has no DataSets (HTTP %d: it knows no such URL); they need "
            "vSphere 8",
            request->status);
    /* "Not found" must be the store's own word. */
    if (err == -ENOENT && request->html && !*fault.type)
        return ds_reply_not_understood(request, call);
    if (err == -EAGAIN && request->retry_after_ms > call->retry_after_ms)
        call->retry_after_ms = request->retry_after_ms;
    bool gave_up = err == -EIO || err == -ETIMEDOUT || err == -EAGAIN;
    if (request->change && request->status >= 500 && !*fault.type && gave_up) {
        ds_call_set_sent(call, DS_SENT_MAYBE);
        if (err == -ETIMEDOUT) /* the gateway's time is over, not the caller's */
            err = -EIO;
    }
    return explain(request, call, err, &fault);
}

int ds_reply_check_change(const struct ds_http_request *request, struct ds_call *call, bool tells)
{
    int err = ds_reply_check(request, call);
    if (err)
        return err;
    err = ds_rest_json_check(request->reply.data, request->reply.len, tells);
    return err == -EPROTO ? ds_reply_not_understood(request, call) : err;
}
