/* The vtable of the REST protocol, and its opening. */
#include "rest.h"

#include "../base/path.h"
#include "ask.h"
#include "cleanup.h"
#include "json.h"
#include "log.h"
#include "machine.h"
#include "many.h"
#include "secret.h"
#include "store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A get of that many keys takes about ten times the store's latency: long enough to keep the
 * connections busy, short enough for a deadline. */
enum { BATCH_KEYS = 256 };
/* What a logout may take at least when opening has failed. */
enum { LOGOUT_MIN_MS = 2000 };

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

static void rest_free(struct ds_client *client, struct ds_call *call)
{
    struct ds_rest *rest = rest_of(client);
    int err = ds_session_free(rest->session, call);
    if (err && rest->opened)
        ds_log(DS_LOG_WARNING, "the session could not be ended: %s", call->text);
    ds_http_free(rest->http);
    ds_ids_end(&rest->ids);
    ds_turns_end(&rest->turn);
    ds_url_clear(&rest->url);
    free(rest->cacert);
    free(rest->pin);
    ds_machine_end(rest);
    free(rest->client.about);
    free(rest);
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

static int set_up_http(struct ds_rest *rest, const struct ds_source_options *options,
                       struct ds_call *call)
{
    struct ds_http_options *http = &rest->http_options;
    if (options->cacert) {
        rest->cacert = ds_path_absolute(options->cacert);
        if (!rest->cacert || access(rest->cacert, R_OK) != 0)
            return ds_call_fail(call, -errno, "cacert %.150s: %s", options->cacert,
                                strerror(errno));
    }
    if (options->pin && !(rest->pin = strdup(options->pin)))
        return -ENOMEM;
    http->cacert = rest->cacert;
    http->pin = rest->pin;
    http->insecure = options->insecure;
    http->transfers = options->transfers ? options->transfers : DS_REST_TRANSFERS;
    if (http->transfers > DS_REST_MAX_TRANSFERS)
        http->transfers = DS_REST_MAX_TRANSFERS;
    if (http->insecure)
        ds_log(DS_LOG_WARNING,
               "insecure: the certificate of %s is not verified, so anybody on the way can read "
               "the password and change what is stored",
               rest->url.host);
    return ds_http_new(http, &rest->http);
}

/* The client is as good as its first answer. */
static int try_store(struct ds_rest *rest, struct ds_call *call)
{
    struct ds_names names DS_CLEANUP(ds_names_clear) = {0};
    int err = ds_client_list(&rest->client, call, &names);
    if (err == -ENODEV && !rest->url.by_name)
        err = ds_call_fail(call, err,
                           "%.60s has no virtual machine %.60s, or this user may not see it",
                           rest->url.base, rest->url.vm);
    return err;
}

static int connect_store(struct ds_rest *rest, const struct ds_source_options *options,
                         struct ds_call *call)
{
    int err = set_up_http(rest, options, call);
    if (!err)
        err = ds_session_new(rest->http, rest->url.base, rest->url.host, options->credentials, call,
                             &rest->session);
    if (!err)
        err = ds_turns_init(&rest->turn, 1);
    return err || options->delay_connect ? err : try_store(rest, call);
}

int ds_rest_open(const char *source, const struct ds_source_options *options, struct ds_call *call,
                 struct ds_client **out)
{
    char why[DS_WHY_BYTES];
    struct ds_rest *rest = calloc(1, sizeof *rest);
    if (!rest)
        return -ENOMEM;
    rest->client.ops = &rest_ops;
    rest->turn.fd = -1;
    ds_ids_init(&rest->ids);
    int err = ds_url_parse(source, &rest->url, why);
    if (err == -EINVAL)
        ds_call_fail(call, err, "%s", why);
    if (!err)
        err = ds_secret_protect_process();
    if (!err)
        err = connect_store(rest, options, call);
    if (err) {
        /* The caller's time may be over, but a session that has been made must not stay. */
        struct ds_call end;
        int left_ms = ds_call_left_ms(call);
        ds_call_init(&end, left_ms > LOGOUT_MIN_MS ? left_ms : LOGOUT_MIN_MS);
        rest_free(&rest->client, &end);
        return err;
    }
    rest->client.caps = (struct ds_caps){.side = DS_SIDE_HOST,
                                         .can_create = true,
                                         .batch_keys = BATCH_KEYS,
                                         .parallel = rest->http_options.transfers};
    rest->opened = true;
    *out = &rest->client;
    return 0;
}
