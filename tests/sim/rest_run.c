#include "rest_run.h"

#include "cleanup.h"
#include "out.h"
#include "rest_list.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* One request on its way. */
struct run {
    const struct sim_rest_service *service;
    struct sim_rest_request *request;
    const struct sim_rest_route *route;
    struct sim_vm *vm;
    struct ds_client *store; /* the machine's; NULL: not needed */
    const char *dataset;     /* by its name */
    struct ds_call *call;
    struct sim_rest_reply *reply;
};

static void put_string(struct ds_buf *out, const char *text)
{
    sim_out_json(out, text, strlen(text), false);
}

static int changed(struct run *run, int err, bool null)
{
    if (err)
        return err;
    bool old = run->service->shape.success_is_200;
    sim_rest_reply_json(run->reply, old ? 200 : 204);
    if (old && null)
        sim_out_text(&run->reply->body, "null");
    else
        run->reply->type = NULL;
    return 0;
}

/* The id of a DataSet, as JSON. */
static void write_id(const struct run *run, const char *name, struct ds_buf *out)
{
    struct ds_buf id DS_CLEANUP(ds_buf_free) = {0};
    sim_out_text(&id, run->service->shape.id_prefix);
    sim_out_text(&id, name);
    put_string(out, id.data);
}

static int list(struct run *run)
{
    struct ds_names names DS_CLEANUP(ds_names_clear) = {0};
    struct ds_buf *out = &run->reply->body;
    int err = ds_client_list(run->store, run->call, &names);
    if (err)
        return err;
    sim_out_text(out, "[");
    for (size_t i = 0; i < names.count; i++) {
        struct ds_attributes attributes DS_CLEANUP(ds_attributes_clear) = {0};
        err = ds_client_query(run->store, run->call, names.names[i], &attributes);
        if (err && err != -ENOENT)
            return err;
        sim_out_text(out, i ? ",{\"data_set\":" : "{\"data_set\":");
        write_id(run, names.names[i], out);
        sim_out_text(out, ",\"name\":");
        put_string(out, names.names[i]);
        sim_out_text(out, ",\"description\":");
        put_string(out, attributes.description ? attributes.description : "");
        sim_out_text(out, "}");
    }
    sim_out_text(out, "]");
    sim_rest_reply_json(run->reply, 200);
    return 0;
}

/* Reads the body; NULL, with the reason in the call's text, if it is no JSON. */
static json_t *load(struct run *run)
{
    json_error_t error = {0};
    const struct ds_buf *body = &run->request->body;
    json_t *json = json_loadb(body->data ? body->data : "", body->len,
                              JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (!json)
        ds_call_fail(run->call, -EINVAL, "%s", error.text);
    return json;
}

/* NULL is "not given"; what is given must be one of the three words as they are published. */
static bool read_access(const char *word, enum ds_access *out)
{
    *out = word ? ds_access_parse(word) : DS_ACCESS_UNKNOWN;
    return !word || (*out != DS_ACCESS_UNKNOWN && !strcmp(word, ds_access_name(*out)));
}

/* The attributes that the body gives; the description is inside `json`. */
static int read_attributes(struct run *run, json_t *json, const char **name,
                           struct ds_attributes *out)
{
    static const char create[] = "{s:s, s:s, s:s, s:s, s?b}";
    static const char update[] = "{s?s, s?s, s?s, s?b}";
    json_error_t error = {0};
    const char *description = NULL;
    const char *host = NULL;
    const char *guest = NULL;
    int omit = -1;
    int err = name ? json_unpack_ex(json, &error, JSON_STRICT, create, "name", name, "description",
                                    &description, "host", &host, "guest", &guest,
                                    "omit_from_snapshot_and_clone", &omit)
                   : json_unpack_ex(json, &error, JSON_STRICT, update, "description", &description,
                                    "host", &host, "guest", &guest, "omit_from_snapshot_and_clone",
                                    &omit);
    if (err)
        return ds_call_fail(run->call, -EINVAL, "%s", error.text);
    if (!read_access(host, &out->host) || !read_access(guest, &out->guest))
        return ds_call_fail(run->call, -EINVAL, "unknown access");
    out->description = (char *)(uintptr_t)description; /* borrowed; read only */
    if (omit >= 0)
        out->omit_from_snapshot_and_clone = omit ? DS_FLAG_ON : DS_FLAG_OFF;
    return 0;
}

static void release(json_t **json)
{
    json_decref(*json);
}

static int create(struct run *run)
{
    struct ds_attributes attributes = {0};
    const char *name = NULL;
    json_t *json DS_CLEANUP(release) = load(run);
    int err = json ? read_attributes(run, json, &name, &attributes) : -EINVAL;
    if (!err)
        err = ds_client_create(run->store, run->call, name, &attributes);
    if (err)
        return err;
    write_id(run, name, &run->reply->body);
    sim_rest_reply_json(run->reply, run->service->shape.success_is_200 ? 200 : 201);
    return 0;
}

static int query(struct run *run)
{
    struct ds_attributes attributes DS_CLEANUP(ds_attributes_clear) = {0};
    int err = ds_client_query(run->store, run->call, run->dataset, &attributes);
    if (!err)
        err = ds_attributes_to_json(run->dataset, &attributes, &run->reply->body);
    if (!err)
        sim_rest_reply_json(run->reply, 200);
    return err;
}

static int update(struct run *run)
{
    struct ds_attributes attributes = {0};
    json_t *json DS_CLEANUP(release) = load(run);
    int err = json ? read_attributes(run, json, NULL, &attributes) : -EINVAL;
    if (!err)
        err = ds_client_update(run->store, run->call, run->dataset, &attributes);
    return changed(run, err, false);
}

static int destroy(struct run *run)
{
    int err = ds_client_destroy(run->store, run->call, run->dataset, run->route->forced);
    return changed(run, err, true);
}

static int list_keys(struct run *run)
{
    struct ds_names keys DS_CLEANUP(ds_names_clear) = {0};
    struct ds_buf *out = &run->reply->body;
    int err = ds_client_list_keys(run->store, run->call, run->dataset, &keys);
    if (err)
        return err;
    sim_out_text(out, "[");
    for (size_t i = 0; i < keys.count; i++) {
        sim_out_text(out, i ? "," : "");
        put_string(out, keys.names[i]);
    }
    sim_out_text(out, "]");
    sim_rest_reply_json(run->reply, 200);
    return 0;
}

static int get(struct run *run)
{
    struct ds_buf value DS_CLEANUP(ds_buf_free) = {0};
    int err = ds_client_get_one(run->store, run->call, run->dataset, run->route->key, &value);
    if (err)
        return err;
    sim_out_json(&run->reply->body, value.data, value.len, false);
    sim_rest_reply_json(run->reply, 200);
    return 0;
}

static int set(struct run *run)
{
    json_t *json DS_CLEANUP(release) = load(run);
    int err = json ? 0 : -EINVAL;
    if (!err && !json_is_string(json))
        err = ds_call_fail(run->call, -EINVAL, "the value is no string");
    if (!err)
        err = ds_client_set(run->store, run->call, run->dataset, run->route->key,
                            json_string_value(json), json_string_length(json), NULL);
    return changed(run, err, false);
}

static int remove_key(struct run *run)
{
    int err = ds_client_remove(run->store, run->call, run->dataset, run->route->key, NULL);
    return changed(run, err, true);
}

static int list_vms(struct run *run)
{
    return sim_rest_list_vms(run->service->vms, run->service->shape.list_max, run->route,
                             run->reply);
}

static int list_places(struct run *run)
{
    return sim_rest_list_places(run->service->vms, run->route, run->reply);
}

static int tell_vm(struct run *run)
{
    return sim_rest_tell_vm(run->service->vms, run->vm, run->reply);
}

static int login(struct run *run)
{
    const struct sim_rest_service *service = run->service;
    char token[SIM_REST_TOKEN_BYTES];
    if (!run->request->user || !run->request->password ||
        strcmp(run->request->user, service->user) != 0 ||
        strcmp(run->request->password, service->password) != 0) {
        sim_rest_reply_error(&service->shape, run->reply, "UNAUTHENTICATED",
                             "the user name or password is wrong");
        return 0;
    }
    run->request->session = sim_rest_sessions_begin(service->sessions, token);
    if (!run->request->session) {
        sim_rest_reply_error(&service->shape, run->reply, "SERVICE_UNAVAILABLE",
                             "too many sessions");
        return 0;
    }
    sim_out_format(&run->reply->body, run->route->legacy ? "{\"value\":\"%s\"}" : "\"%s\"", token);
    sim_rest_reply_json(run->reply, run->route->legacy ? 200 : 201);
    return 0;
}

static int logout(struct run *run)
{
    sim_rest_sessions_end(run->service->sessions, run->request->token);
    sim_rest_reply_json(run->reply, run->route->legacy ? 200 : 204);
    run->reply->type = NULL;
    return 0;
}

/* The name of the DataSet with the id that the path gives; NULL if no DataSet can have it. */
static const char *name_of(const struct sim_rest_service *service, const char *id)
{
    size_t prefix = strlen(service->shape.id_prefix);
    return strncmp(id, service->shape.id_prefix, prefix) ? NULL : id + prefix;
}

static bool is_change(enum sim_rest_op op)
{
    return sim_rest_has_body(op) || op == SIM_REST_DESTROY || op == SIM_REST_REMOVE;
}

/* What the machine lets happen. */
static int check_vm(struct run *run)
{
    const struct sim_rest_route *route = run->route;
    run->vm = sim_vms_find(run->service->vms, route->vm);
    int state = run->vm ? atomic_load(&run->vm->state) : SIM_VM_GONE;
    if (state == SIM_VM_GONE)
        return ds_call_fail(run->call, -ENOENT, "there is no such virtual machine");
    if (state == SIM_VM_UNSUPPORTED && route->op != SIM_REST_VM)
        return ds_call_fail(run->call, -EOPNOTSUPP, "the virtual hardware is too old");
    if (state == SIM_VM_SUSPENDED && is_change(route->op))
        return ds_call_fail(run->call, -EBUSY, "the virtual machine is suspended");
    run->dataset = route->id ? name_of(run->service, route->id) : NULL;
    if (route->id && !run->dataset)
        return ds_call_fail(run->call, -ENOENT, "there is no DataSet with this id");
    return 0;
}

static bool is_json(const char *content_type)
{
    static const char word[] = "application/json";
    size_t len = sizeof word - 1;
    return content_type && !strncasecmp(content_type, word, len) &&
           (!content_type[len] || content_type[len] == ';' || content_type[len] == ' ');
}

static int run_operation(struct run *run)
{
    static int (*const operations[SIM_REST_OP_COUNT])(struct run *) = {
        [SIM_REST_LOGIN] = login,
        [SIM_REST_LOGOUT] = logout,
        [SIM_REST_VMS] = list_vms,
        [SIM_REST_DATACENTERS] = list_places,
        [SIM_REST_CLUSTERS] = list_places,
        [SIM_REST_HOSTS] = list_places,
        [SIM_REST_FOLDERS] = list_places,
        [SIM_REST_LIST] = list,
        [SIM_REST_CREATE] = create,
        [SIM_REST_QUERY] = query,
        [SIM_REST_UPDATE] = update,
        [SIM_REST_DESTROY] = destroy,
        [SIM_REST_LIST_KEYS] = list_keys,
        [SIM_REST_GET] = get,
        [SIM_REST_SET] = set,
        [SIM_REST_REMOVE] = remove_key,
        [SIM_REST_VM] = tell_vm,
    };
    struct sim_vms *vms = run->service->vms;
    int err = run->route->vm ? check_vm(run) : 0;
    bool stored = !err && run->vm && run->route->op != SIM_REST_VM;
    if (stored)
        err = sim_vms_take(vms, run->vm, &run->store);
    if (err)
        return err;
    int (*operation)(struct run *) = operations[run->route->op];
    err = operation ? operation(run) : -EOPNOTSUPP;
    if (stored)
        sim_vms_give(vms, run->vm);
    return err;
}

void sim_rest_run_refusal(const struct sim_rest_service *service, enum sim_rest_refusal refusal,
                          struct sim_rest_reply *reply)
{
    static const struct {
        int status;
        const char *outcome;
        const char *message;
    } refusals[] = {
        [SIM_REST_BAD_PATH] = {400, "bad-path", "the path is not percent-encoded as it must be"},
        [SIM_REST_DOT_SEGMENT] = {400, "dot-segment", "the path holds a dot segment"},
        [SIM_REST_BAD_QUERY] = {400, "bad-query", "the query is not understood"},
        [SIM_REST_NO_ROUTE] = {404, "no-route", "no such route\n"},
        [SIM_REST_NO_METHOD] = {405, "no-method", "no such method\n"},
    };
    int status = refusals[refusal].status;
    const char *message = refusals[refusal].message;
    if (status == 400)
        sim_rest_reply_refusal(&service->shape, reply, status, "INVALID_ARGUMENT", message);
    else
        sim_rest_reply_plain(reply, status, "text/plain", message, "");
    snprintf(reply->outcome, sizeof reply->outcome, "%s", refusals[refusal].outcome);
}

/* Routes that this server does not have. False if the request is answered. */
static bool has_route(const struct sim_rest_service *service, const struct sim_rest_route *route,
                      struct sim_rest_reply *reply)
{
    bool session = route->op == SIM_REST_LOGIN || route->op == SIM_REST_LOGOUT;
    bool lists =
        (route->op >= SIM_REST_VMS && route->op < SIM_REST_LIST) || route->op == SIM_REST_VM;
    if ((service->shape.no_api_session && session && !route->legacy) ||
        (service->shape.no_vm_list && lists)) {
        sim_rest_run_refusal(service, SIM_REST_NO_ROUTE, reply);
        return false;
    }
    if (service->shape.no_slash_keys && route->key && route->encoded) {
        sim_rest_reply_plain(reply, 404, "text/html", "<html><body>Not Found</body></html>\n",
                             "no-slash-keys");
        return false;
    }
    return true;
}

void sim_rest_run(const struct sim_rest_service *service, struct sim_rest_request *request,
                  struct ds_call *call, struct sim_rest_reply *reply)
{
    struct run run = {.service = service,
                      .request = request,
                      .route = &request->route,
                      .call = call,
                      .reply = reply};
    if (!has_route(service, &request->route, reply))
        return;
    request->session = sim_rest_sessions_find(service->sessions, request->token);
    if (request->route.op != SIM_REST_LOGIN && !request->session) {
        sim_rest_reply_error(&service->shape, reply, "UNAUTHENTICATED", "there is no such session");
        return;
    }
    if (sim_rest_has_body(request->route.op) && !is_json(request->content_type)) {
        sim_rest_reply_refusal(&service->shape, reply, 415, "INVALID_ARGUMENT",
                               "the body is not application/json");
        return;
    }
    int err = run_operation(&run);
    if (err)
        sim_rest_reply_error(&service->shape, reply, sim_rest_error_type(err),
                             call->text[0] ? call->text : strerror(-err));
}
