/* What vCenter tells of the virtual machine itself. */
#include "machine_info.h"

#include "cleanup.h"
#include "json.h"
#include "machine.h"
#include "reply.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Under the id, that is: a machine that is looked for by its name has told it. */
static int find_out(struct ds_rest *rest, struct ds_call *call, const char *id,
                    const struct ds_http_request *request, struct ds_machine_info *out)
{
    int err = ds_reply_check(request, call);
    if (err == -ENOENT && ds_reply_is_typed(request))
        return ds_call_fail(call, -ENODEV,
                            "%.60s has no virtual machine %.60s, or this user may not see it",
                            rest->vcenter->base, id);
    if (err == -ENOENT || (err == -EPROTO && !request->error))
        return ds_call_fail(call, -EOPNOTSUPP, "%.60s tells nothing of a machine",
                            rest->vcenter->base);
    if (err)
        return err;
    err = ds_rest_json_read_machine(request->reply.data, request->reply.len, out->power,
                                    sizeof out->power, &out->version);
    return err == -EPROTO ? ds_reply_not_understood(request, call) : err;
}

int ds_machine_info_ask(struct ds_rest *rest, struct ds_call *call, const char **id,
                        struct ds_machine_info *out)
{
    struct ds_buf url DS_CLEANUP(ds_buf_free) = {0};
    struct ds_http_request request = {.method = "GET", .group = rest->shared ? rest : NULL};
    struct ds_http_request *const requests[] = {&request};
    struct ds_machine_info info = {0};
    *id = NULL;
    int err = ds_machine_need(rest, call, id);
    if (!err)
        err = ds_buf_printf(&url, "%s/api/vcenter/vm/", rest->vcenter->base);
    if (!err)
        err = ds_url_encode(&url, *id);
    if (err)
        return err;
    request.url = url.data;
    ds_session_run(rest->vcenter->session, call, requests, 1);
    err = find_out(rest, call, *id, &request, &info);
    ds_buf_free(&request.reply);
    if (!err)
        *out = info;
    return err;
}

void ds_machine_info_supported(struct ds_rest *rest)
{
    if (atomic_exchange(&rest->client.support, DS_SUPPORT_YES) == DS_SUPPORT_NO)
        atomic_store(&rest->client.hardware, 0);
}

/* The version of the hardware; 0: it cannot be had. */
static unsigned learn_hardware(struct ds_rest *rest, struct ds_call *call)
{
    char words[DS_CALL_TEXT_BYTES];
    struct ds_machine_info info = {0};
    const char *id;
    unsigned known = ds_client_hardware(&rest->client);
    if (known)
        return known;
    snprintf(words, sizeof words, "%s", call->text);
    if (ds_machine_info_ask(rest, call, &id, &info) == 0)
        atomic_store(&rest->client.hardware, info.version);
    /* What had been answered before is what the caller hears of. */
    snprintf(call->text, sizeof call->text, "%s", words);
    ds_call_set_sent(call, DS_SENT_ANSWERED);
    return info.version;
}

void ds_machine_info_explain(struct ds_rest *rest, struct ds_call *call)
{
    unsigned version = learn_hardware(rest, call);
    atomic_store(&rest->client.support, DS_SUPPORT_NO);
    if (version && version < DS_HARDWARE_MIN)
        ds_call_fail(call, -EOPNOTSUPP,
                     "the virtual machine's hardware is vmx-%u, and DataSets need vmx-%d: upgrade "
                     "its compatibility to \"ESXi 8.0\" while it is off",
                     version, DS_HARDWARE_MIN);
}
