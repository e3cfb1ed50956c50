/* The vtable of the REST protocol, and its opening. */
#include "rest.h"

#include "../base/path.h"
#include "ask.h"
#include "cleanup.h"
#include "credentials.h"
#include "json.h"
#include "machine.h"
#include "many.h"
#include "secret.h"
#include "store.h"

#include <errno.h>
#include <stdlib.h>

static struct ds_rest *rest_of(struct ds_client *client)
{
    return (struct ds_rest *)client;
}

/* An answer of the wrong kind, with words. */
static int not_understood(struct ds_call *call, const char *what)
{
    return ds_call_fail(call, -EPROTO, "%s in vCenter's answer is not understood", what);
}

static int list(struct ds_client *client, struct ds_call *call, struct ds_names *out)
{
    return ds_ask_list(rest_of(client), call, out);
}

static int query(struct ds_client *client, struct ds_call *call, const char *dataset,
                 struct ds_attributes *out)
{
    struct ds_question question = {.op = DS_OP_QUERY, .method = "GET", .dataset = dataset};
    struct ds_buf reply DS_CLEANUP(ds_buf_free) = {0};
    int err = ds_ask(rest_of(client), call, &question, &reply);
    if (err)
        return err;
    err = ds_rest_json_read_attributes(reply.data, reply.len, out);
    return err == -EPROTO ? not_understood(call, "the DataSet's description") : err;
}

static int create(struct ds_client *client, struct ds_call *call, const char *dataset,
                  const struct ds_attributes *attributes)
{
    struct ds_rest *rest = rest_of(client);
    struct ds_buf body DS_CLEANUP(ds_buf_free) = {0};
    struct ds_buf reply DS_CLEANUP(ds_buf_free) = {0};
    struct ds_buf id DS_CLEANUP(ds_buf_free) = {0};
    struct ds_question question = {
        .op = DS_OP_CREATE, .method = "POST", .body = &body, .change = true, .fresh = true};
    int err = ds_rest_json_put_create(&body, dataset, attributes);
    if (!err)
        err = ds_ask(rest, call, &question, &reply);
    if (err)
        return err;
    /* Without an id in the answer the next list will tell it. */
    if (ds_rest_json_read_string(reply.data, reply.len, &id) == 0 && id.len)
        return ds_ids_put(&rest->ids, dataset, id.data);
    return 0;
}

static int update(struct ds_client *client, struct ds_call *call, const char *dataset,
                  const struct ds_attributes *attributes)
{
    struct ds_buf body DS_CLEANUP(ds_buf_free) = {0};
    struct ds_question question = {
        .op = DS_OP_UPDATE, .method = "PATCH", .dataset = dataset, .body = &body, .change = true};
    int err = ds_rest_json_put_update(&body, attributes);
    return err ? err : ds_ask(rest_of(client), call, &question, NULL);
}

static int destroy(struct ds_client *client, struct ds_call *call, const char *dataset, bool force)
{
    struct ds_question question = {.op = DS_OP_DESTROY,
                                   .method = "DELETE",
                                   .dataset = dataset,
                                   .query = force ? "?force=true" : NULL,
                                   .change = true};
    return ds_ask(rest_of(client), call, &question, NULL);
}

static int list_keys(struct ds_client *client, struct ds_call *call, const char *dataset,
                     struct ds_names *out)
{
    struct ds_question question = {
        .op = DS_OP_LIST_KEYS, .method = "GET", .dataset = dataset, .entries = true};
    struct ds_buf reply DS_CLEANUP(ds_buf_free) = {0};
    int err = ds_ask(rest_of(client), call, &question, &reply);
    if (err)
        return err;
    err = ds_rest_json_read_keys(reply.data, reply.len, out);
    return err == -EPROTO ? not_understood(call, "the list of keys") : err;
}

static int get(struct ds_client *client, struct ds_call *call, const char *dataset,
               struct ds_entry *entries, size_t count)
{
    return ds_many_get(rest_of(client), call, dataset, entries, count);
}

/* One request replaces the whole value, so there never is half of one to put back. */
static int set(struct ds_client *client, struct ds_call *call, const char *dataset, const char *key,
               const char *data, size_t len, const struct ds_previous *previous)
{
    (void)previous;
    struct ds_buf body DS_CLEANUP(ds_buf_free) = {0};
    struct ds_question question = {.op = DS_OP_SET,
                                   .method = "PUT",
                                   .dataset = dataset,
                                   .entries = true,
                                   .key = key,
                                   .body = &body,
                                   .change = true};
    int err = ds_rest_json_put_string(&body, data, len);
    return err ? err : ds_ask(rest_of(client), call, &question, NULL);
}

static int set_some(struct ds_client *client, struct ds_call *call, const char *dataset,
                    struct ds_pair *pairs, size_t count, size_t *done)
{
    int err = ds_many_set(rest_of(client), call, dataset, pairs, count);
    if (!err)
        *done = count;
    return err;
}

static int remove_key(struct ds_client *client, struct ds_call *call, const char *dataset,
                      const char *key)
{
    struct ds_question question = {.op = DS_OP_REMOVE,
                                   .method = "DELETE",
                                   .dataset = dataset,
                                   .entries = true,
                                   .key = key,
                                   .change = true};
    return ds_ask(rest_of(client), call, &question, NULL);
}

static bool addressable(const struct ds_client *client, const char *name)
{
    (void)client;
    return ds_url_is_segment(name);
}

/* All but the vCenter. */
static void free_machine(struct ds_rest *rest)
{
    ds_ids_end(&rest->ids);
    ds_machine_end(rest);
    free(rest->client.about);
    free(rest);
}

static void rest_free(struct ds_client *client, struct ds_call *call)
{
    struct ds_rest *rest = rest_of(client);
    if (!rest->shared)
        ds_vcenter_free(rest->vcenter, call);
    free_machine(rest);
}

static const struct ds_client_ops rest_ops = {
    .name = "rest",
    .list = list,
    .query = query,
    .create = create,
    .update = update,
    .destroy = destroy,
    .list_keys = list_keys,
    .get = get,
    .set = set,
    .set_some = set_some,
    .remove = remove_key,
    .addressable = addressable,
    .free = rest_free,
};

/* The client is as good as its first answer. */
static int try_store(struct ds_rest *rest, struct ds_call *call)
{
    struct ds_names names DS_CLEANUP(ds_names_clear) = {0};
    int err = ds_client_list(&rest->client, call, &names);
    if (err == -ENODEV && !rest->by_name)
        err = ds_call_fail(call, err,
                           "%.60s has no virtual machine %.60s, or this user may not see it",
                           rest->vcenter->base, rest->named);
    return err;
}

/* A client of the vCenter, without a request. */
static int new_client(struct ds_vcenter *vcenter, const char *machine, bool by_name,
                      struct ds_rest **out)
{
    struct ds_rest *rest = calloc(1, sizeof *rest);
    if (!rest)
        return -ENOMEM;
    rest->client.ops = &rest_ops;
    rest->client.caps = ds_vcenter_caps(vcenter);
    rest->vcenter = vcenter;
    rest->turn.fd = -1;
    ds_ids_init(&rest->ids);
    int err = ds_machine_begin(rest, machine, by_name);
    if (err)
        free_machine(rest);
    else
        *out = rest;
    return err;
}

static int open_url(const struct ds_url *url, const struct ds_source_options *options,
                    struct ds_call *call, struct ds_client **out)
{
    struct ds_vcenter *vcenter;
    struct ds_rest *rest = NULL;
    int err = ds_vcenter_new(url, options, call, &vcenter);
    if (err)
        return err;
    err = new_client(vcenter, url->vm, url->by_name, &rest);
    if (!err && !options->delay_connect)
        err = try_store(rest, call);
    if (err) {
        ds_vcenter_abandon(vcenter, call);
        if (rest)
            free_machine(rest);
        return err;
    }
    vcenter->opened = true;
    rest->opened = true;
    *out = &rest->client;
    return 0;
}

int ds_rest_prepare(const struct ds_source_options *options, struct ds_confine *confine)
{
    int err = ds_secret_protect_process(); /* writes to a file of /proc */
    char *cacert DS_AUTO_FREE = options->cacert ? ds_path_absolute(options->cacert) : NULL;
    if (!err && cacert)
        err = ds_confine_file(confine, cacert, false);
    return err ? err : ds_credentials_prepare(options->credentials, confine);
}

int ds_rest_open(const char *source, const struct ds_source_options *options, struct ds_call *call,
                 struct ds_client **out)
{
    char why[DS_WHY_BYTES];
    struct ds_url url;
    int err = ds_url_parse(source, &url, why);
    if (err)
        return err == -EINVAL ? ds_call_fail(call, err, "%s", why) : err;
    err = open_url(&url, options, call, out);
    ds_url_clear(&url);
    return err;
}

int ds_rest_open_shared(struct ds_vcenter *vcenter, const char *id, struct ds_call *call,
                        struct ds_client **out)
{
    struct ds_rest *rest;
    if (!ds_url_is_segment(id))
        return ds_call_fail(call, -ENODEV, "'%.80s' can be no virtual machine's id", id);
    int err = new_client(vcenter, id, false, &rest);
    if (err)
        return err;
    rest->shared = true;
    rest->opened = true;
    *out = &rest->client;
    return 0;
}
