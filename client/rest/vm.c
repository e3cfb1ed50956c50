/* Finding a virtual machine by its name. */
#include "vm.h"

#include "cleanup.h"
#include "json.h"
#include "reply.h"
#include "vm_name.h"

#include <errno.h>
#include <string.h>

/* Of machines with the same name, so many ids are told. */
enum { TOLD_IDS = 8 };

static int choose(const char *name, const struct ds_names *ids, struct ds_call *call, char **out)
{
    struct ds_buf told DS_CLEANUP(ds_buf_free) = {0};
    if (ids->count == 1) {
        char *copy = strdup(ids->names[0]);
        if (!copy)
            return -ENOMEM;
        *out = copy;
        return 0;
    }
    if (!ids->count)
        return ds_call_fail(
            call, -ENODEV, "there is no virtual machine named '%.80s', or this user may not see it",
            name);
    for (size_t i = 0; i < ids->count && i < TOLD_IDS; i++)
        if (ds_buf_printf(&told, "%s%.32s", i ? ", " : "", ids->names[i]) != 0)
            return -ENOMEM;
    return ds_call_fail(call, -ENODEV,
                        "%zu virtual machines are named '%.60s': use one of their ids as VM: %s%s",
                        ids->count, name, told.data, ids->count > TOLD_IDS ? ", ..." : "");
}

static int put_url(struct ds_buf *url, const char *base, const char *name)
{
    int err = ds_buf_printf(url, "%s/api/vcenter/vm", base);
    return err ? err : ds_vm_name_add(url, name);
}

int ds_vm_find(struct ds_session *session, const char *base, const char *name, struct ds_call *call,
               char **out)
{
    struct ds_buf url DS_CLEANUP(ds_buf_free) = {0};
    struct ds_names names DS_CLEANUP(ds_names_clear) = {0};
    struct ds_names ids DS_CLEANUP(ds_names_clear) = {0};
    struct ds_http_request request = {.method = "GET"};
    struct ds_http_request *const requests[] = {&request};
    int err = put_url(&url, base, name);
    if (err)
        return err;
    request.url = url.data;
    ds_session_run(session, call, requests, 1);
    err = ds_reply_check(&request, call);
    /* A redirect or a page is how servers answer that have other routes. */
    if (err == -ENOENT || (err == -EPROTO && !request.error))
        err = ds_call_fail(call, -EOPNOTSUPP,
                           "%.60s does not list virtual machines: use the machine's id as VM, such "
                           "as vm-42",
                           base);
    if (!err)
        err = ds_rest_json_read_ids(request.reply.data, request.reply.len, "vm", &names, &ids);
    if (err == -EPROTO && !request.error)
        err = ds_reply_not_understood(&request, call);
    ds_buf_free(&request.reply);
    return err ? err : choose(name, &ids, call, out);
}
