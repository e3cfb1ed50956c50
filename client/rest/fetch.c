/* Asking a vCenter for lists. */
#include "fetch.h"

#include "cleanup.h"
#include "json.h"
#include "reply.h"

#include <errno.h>
#include <stdlib.h>

/* So many replies, of up to 4000 machines each, are held at once. */
enum { AT_ONCE_MAX = 16 };

int ds_fetch_begin(struct ds_fetch *fetch, const struct ds_vcenter *vcenter, const char *kind)
{
    return ds_buf_printf(&fetch->url, "%s/api/vcenter/%s", vcenter->base, kind);
}

int ds_fetch_add(struct ds_fetch *fetch, const char *name, const struct ds_names *values,
                 size_t from, size_t count)
{
    int err = 0;
    for (size_t i = from; i < values->count && i - from < count && !err; i++)
        err = ds_url_add(&fetch->url, name, values->names[i]);
    return err;
}

/* What the answer is, apart from what it says. */
static int take_answer(const struct ds_fetcher *fetcher, struct ds_http_request *request,
                       struct ds_fetch *fetch)
{
    struct ds_call *call = fetcher->call;
    int err = ds_reply_check(request, call);
    /* A redirect or a page is how servers answer that have other routes. */
    if (err == -ENOENT || (err == -EPROTO && !request->error))
        return ds_call_fail(call, -EOPNOTSUPP,
                            "%.60s does not list virtual machines and what they are in: name one "
                            "machine by its id, https://HOST/vm-42",
                            fetcher->vcenter->base);
    fetch->too_many = err == -ENOSPC;
    if (fetch->too_many)
        call->text[0] = '\0';
    if (err)
        return fetch->too_many ? 0 : err;
    fetch->reply = request->reply;
    request->reply = (struct ds_buf){0};
    return 0;
}

static int run_some(const struct ds_fetcher *fetcher, struct ds_fetch *fetches, size_t count)
{
    struct ds_http_request requests[AT_ONCE_MAX];
    struct ds_http_request *list[AT_ONCE_MAX] = {0};
    int err = 0;
    for (size_t i = 0; i < count; i++) {
        requests[i] = (struct ds_http_request){.method = "GET", .url = fetches[i].url.data};
        list[i] = &requests[i];
        ds_inventory_count(fetcher->inventory, fetcher->op);
    }
    ds_session_run(fetcher->vcenter->session, fetcher->call, list, count);
    for (size_t i = 0; i < count; i++) {
        if (!err)
            err = take_answer(fetcher, &requests[i], &fetches[i]);
        ds_buf_free(&requests[i].reply);
    }
    return err;
}

int ds_fetch_run(const struct ds_fetcher *fetcher, struct ds_fetch *fetches, size_t count)
{
    int err = 0;
    for (size_t at = 0; at < count && !err; at += AT_ONCE_MAX)
        err = run_some(fetcher, fetches + at, count - at < AT_ONCE_MAX ? count - at : AT_ONCE_MAX);
    return err;
}

static int not_understood(const struct ds_fetcher *fetcher, int err, const char *what)
{
    return err == -EPROTO
               ? ds_call_fail(fetcher->call, err,
                              "the list of %s in vCenter's answer is not understood", what)
               : err;
}

int ds_fetch_machines(const struct ds_fetcher *fetcher, struct ds_fetch *fetch,
                      struct ds_machines *out)
{
    int err = ds_rest_json_read_machines(fetch->reply.data, fetch->reply.len, out);
    ds_buf_free(&fetch->reply);
    return not_understood(fetcher, err, "virtual machines");
}

int ds_fetch_ids(const struct ds_fetcher *fetcher, struct ds_fetch *fetch, const char *kind,
                 struct ds_names *names, struct ds_names *ids)
{
    int err = ds_rest_json_read_ids(fetch->reply.data, fetch->reply.len, kind, names, ids);
    ds_buf_free(&fetch->reply);
    return not_understood(fetcher, err, kind);
}

void ds_fetch_clear(struct ds_fetch *fetch)
{
    ds_buf_free(&fetch->url);
    ds_buf_free(&fetch->reply);
}
