#include "command.h"

#include "cleanup.h"
#include "out.h"

#include <errno.h>
#include <string.h>

#define GET_TOGETHER 32 /* values read from the store at a time, so that a page wastes few */

/* One request on its way. */
struct run {
    struct ds_client *store;
    const struct sim_shape *shape;
    struct ds_call *call;
    const struct sim_request *request;
    struct ds_buf *reply;
};

/* Where the reply's page ends. */
struct page {
    size_t mark;  /* bytes of the reply before the last element */
    size_t count; /* elements so far */
    bool full;    /* the last element did not fit and is not there */
};

/* Before and after writing an element. An element that is alone always fits. */
static void page_begin(struct page *page, struct run *run)
{
    page->mark = run->reply->len;
    if (page->count)
        sim_out_text(run->reply, ",");
}

static void page_end(struct page *page, struct run *run)
{
    page->full = page->count && run->reply->len > run->shape->page_bytes;
    if (page->full)
        sim_out_cut(run->reply, page->mark);
    else
        page->count++;
}

/* The element that the request's context continues at. */
static int first_element(struct run *run, size_t *first)
{
    *first = 0;
    if (!run->request->context ||
        sim_shape_parse_context(sim_request_name(run->request), run->request->context, first))
        return 0;
    return ds_call_fail(run->call, -EINVAL, "unknown context");
}

static void end_page(struct run *run, const struct page *page, size_t next)
{
    sim_out_text(run->reply, "]");
    if (page->full)
        sim_shape_context(run->shape, sim_request_name(run->request), next, run->reply);
}

static int list(struct run *run)
{
    struct ds_names names DS_CLEANUP(ds_names_clear) = {0};
    struct page page = {0};
    size_t at = 0;
    int err = first_element(run, &at);
    if (!err)
        err = ds_client_list(run->store, run->call, &names);
    if (err)
        return err;
    sim_out_text(run->reply, ",\"datasets\":[");
    for (; at < names.count && !page.full; at += !page.full) {
        struct ds_attributes attributes DS_CLEANUP(ds_attributes_clear) = {0};
        err = ds_client_query(run->store, run->call, names.names[at], &attributes);
        if (err && err != -ENOENT)
            return err;
        page_begin(&page, run);
        sim_out_text(run->reply, "{\"name\":");
        sim_shape_string(run->shape, names.names[at], run->reply);
        sim_out_text(run->reply, ",\"description\":");
        sim_shape_string(run->shape, attributes.description ? attributes.description : "",
                         run->reply);
        sim_out_text(run->reply, "}");
        page_end(&page, run);
    }
    end_page(run, &page, at);
    return 0;
}

static int query(struct run *run)
{
    struct ds_attributes attributes DS_CLEANUP(ds_attributes_clear) = {0};
    int err = ds_client_query(run->store, run->call, run->request->dataset, &attributes);
    if (!err)
        sim_shape_attributes(run->shape, &attributes, run->reply);
    return err;
}

static int list_keys(struct run *run)
{
    struct ds_names keys DS_CLEANUP(ds_names_clear) = {0};
    struct page page = {0};
    size_t at = 0;
    int err = first_element(run, &at);
    if (!err)
        err = ds_client_list_keys(run->store, run->call, run->request->dataset, &keys);
    if (err)
        return err;
    sim_out_text(run->reply, ",\"keys\":[");
    for (; at < keys.count && !page.full; at += !page.full) {
        page_begin(&page, run);
        sim_shape_string(run->shape, keys.names[at], run->reply);
        page_end(&page, run);
    }
    end_page(run, &page, at);
    return 0;
}

/* One entry's place in the reply. */
static int put_entry(struct run *run, struct page *page, const struct ds_entry *entry)
{
    if (entry->error == -ENOENT && !run->shape->missing_is_error)
        return 0;
    if (entry->error)
        return ds_call_fail(run->call, entry->error, "no such key or no such access to it");
    page_begin(page, run);
    sim_shape_entry(run->shape, entry, run->reply);
    page_end(page, run);
    return 0;
}

/* Writes up to GET_TOGETHER entries from `*at` on, which it moves behind those written. */
static int get_some(struct run *run, struct page *page, size_t *at)
{
    struct ds_entry entries[GET_TOGETHER] = {0};
    size_t left = sim_request_keys(run->request) - *at;
    size_t count = left < GET_TOGETHER ? left : GET_TOGETHER;
    for (size_t i = 0; i < count; i++)
        entries[i].key = sim_request_key(run->request, *at + i);
    int err = ds_client_get(run->store, run->call, run->request->dataset, entries, count);
    for (size_t i = 0; i < count; i++) {
        if (!err && !page->full)
            err = put_entry(run, page, &entries[i]);
        if (!err && !page->full)
            (*at)++;
        ds_buf_free(&entries[i].value);
    }
    return err;
}

static int get(struct run *run)
{
    struct page page = {0};
    size_t at = 0;
    int err = first_element(run, &at);
    if (!err && at > sim_request_keys(run->request))
        err = ds_call_fail(run->call, -EINVAL, "unknown context");
    sim_out_text(run->reply, ",\"entries\":[");
    while (!err && !page.full && at < sim_request_keys(run->request))
        err = get_some(run, &page, &at);
    end_page(run, &page, at);
    return err;
}

static int set(struct run *run)
{
    int err = 0;
    for (size_t i = 0; i < sim_request_keys(run->request) && !err; i++) {
        struct sim_change change = sim_request_change(run->request, i);
        const char *dataset = run->request->dataset;
        if (change.append)
            err = ds_client_append(run->store, run->call, dataset, change.key, change.value,
                                   change.value_len, NULL);
        else
            err = ds_client_set(run->store, run->call, dataset, change.key, change.value,
                                change.value_len, NULL);
    }
    return err;
}

static int delete (struct run *run)
{
    int err = 0;
    for (size_t i = 0; i < sim_request_keys(run->request) && !err; i++)
        err = ds_client_remove(run->store, run->call, run->request->dataset,
                               sim_request_key(run->request, i), NULL);
    return err;
}

const char *sim_command_run(struct ds_client *store, const struct sim_shape *shape,
                            struct ds_call *call, const struct sim_request *request,
                            struct ds_buf *reply)
{
    static int (*const operations[])(struct run *) = {
        [SIM_COMMAND_LIST] = list, [SIM_COMMAND_QUERY] = query, [SIM_COMMAND_LIST_KEYS] = list_keys,
        [SIM_COMMAND_GET] = get,   [SIM_COMMAND_SET] = set,     [SIM_COMMAND_DELETE] = delete,
    };
    if (request->command == SIM_COMMAND_UNKNOWN) {
        sim_out_text(reply, "0 Unknown command");
        return "unknown-command";
    }
    struct run run = {store, shape, call, request, reply};
    call->text[0] = '\0';
    sim_shape_begin(reply);
    int err = request->refused[0] ? ds_call_fail(call, -EINVAL, "%s", request->refused)
                                  : operations[request->command](&run);
    if (err) {
        const char *id = sim_shape_error_id(err);
        sim_shape_failure(shape, id, call->text[0] ? call->text : strerror(-err), reply);
        return id;
    }
    sim_shape_end(reply);
    return "ok";
}
