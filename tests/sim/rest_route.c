#include "rest_route.h"

#include "cleanup.h"
#include "out.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* RFC 3986: what alone may stand in a segment as it is. */
static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                 "-._~";

static const char *const names[SIM_REST_OP_COUNT] = {
    [SIM_REST_UNKNOWN] = "rest-unknown", [SIM_REST_LOGIN] = "rest-login",
    [SIM_REST_LOGOUT] = "rest-logout",   [SIM_REST_VMS] = "rest-vms",
    [SIM_REST_LIST] = "rest-list",       [SIM_REST_CREATE] = "rest-create",
    [SIM_REST_QUERY] = "rest-query",     [SIM_REST_UPDATE] = "rest-update",
    [SIM_REST_DESTROY] = "rest-destroy", [SIM_REST_LIST_KEYS] = "rest-list-keys",
    [SIM_REST_GET] = "rest-get",         [SIM_REST_SET] = "rest-set",
    [SIM_REST_REMOVE] = "rest-remove",   [SIM_REST_VM] = "rest-vm",
    [SIM_REST_HOSTS] = "rest-hosts",     [SIM_REST_CLUSTERS] = "rest-clusters",
    [SIM_REST_FOLDERS] = "rest-folders", [SIM_REST_DATACENTERS] = "rest-datacenters",
};

/* Segments of a path; "*" is a name. */
static const struct {
    const char *method;
    const char *path[SIM_REST_SEGMENTS_MAX];
    enum sim_rest_op op;
} routes[] = {
    {"POST", {"api", "session"}, SIM_REST_LOGIN},
    {"DELETE", {"api", "session"}, SIM_REST_LOGOUT},
    {"POST", {"rest", "com", "vmware", "cis", "session"}, SIM_REST_LOGIN},
    {"DELETE", {"rest", "com", "vmware", "cis", "session"}, SIM_REST_LOGOUT},
    {"GET", {"api", "vcenter", "vm"}, SIM_REST_VMS},
    {"GET", {"api", "vcenter", "datacenter"}, SIM_REST_DATACENTERS},
    {"GET", {"api", "vcenter", "cluster"}, SIM_REST_CLUSTERS},
    {"GET", {"api", "vcenter", "host"}, SIM_REST_HOSTS},
    {"GET", {"api", "vcenter", "folder"}, SIM_REST_FOLDERS},
    {"GET", {"api", "vcenter", "vm", "*"}, SIM_REST_VM},
    {"GET", {"api", "vcenter", "vm", "*", "data-sets"}, SIM_REST_LIST},
    {"POST", {"api", "vcenter", "vm", "*", "data-sets"}, SIM_REST_CREATE},
    {"GET", {"api", "vcenter", "vm", "*", "data-sets", "*"}, SIM_REST_QUERY},
    {"PATCH", {"api", "vcenter", "vm", "*", "data-sets", "*"}, SIM_REST_UPDATE},
    {"DELETE", {"api", "vcenter", "vm", "*", "data-sets", "*"}, SIM_REST_DESTROY},
    {"GET", {"api", "vcenter", "vm", "*", "data-sets", "*", "entries"}, SIM_REST_LIST_KEYS},
    {"GET", {"api", "vcenter", "vm", "*", "data-sets", "*", "entries", "*"}, SIM_REST_GET},
    {"PUT", {"api", "vcenter", "vm", "*", "data-sets", "*", "entries", "*"}, SIM_REST_SET},
    {"DELETE", {"api", "vcenter", "vm", "*", "data-sets", "*", "entries", "*"}, SIM_REST_REMOVE},
};

/* What the lists take as parameters, each any number of times. */
static const char *const filters[SIM_REST_OP_COUNT][9] = {
    [SIM_REST_VMS] = {"vms", "names", "hosts", "clusters", "folders", "datacenters",
                      "power_states"},
    [SIM_REST_DATACENTERS] = {"datacenters", "names", "folders"},
    [SIM_REST_CLUSTERS] = {"clusters", "names", "folders", "datacenters"},
    [SIM_REST_HOSTS] = {"hosts", "names", "folders", "datacenters", "standalone", "clusters"},
    [SIM_REST_FOLDERS] = {"folders", "names", "type", "parent_folders", "datacenters"},
};

const char *sim_rest_op_name(enum sim_rest_op op)
{
    return names[op];
}

bool sim_rest_is_op(const char *name)
{
    for (size_t i = SIM_REST_UNKNOWN + 1; i < SIM_REST_OP_COUNT; i++) {
        if (!strcmp(names[i], name))
            return true;
    }
    return false;
}

bool sim_rest_has_body(enum sim_rest_op op)
{
    return op == SIM_REST_CREATE || op == SIM_REST_UPDATE || op == SIM_REST_SET;
}

static void refuse(struct sim_rest_route *route, enum sim_rest_refusal refusal)
{
    if (!route->refusal)
        route->refusal = refusal;
}

/* Reads two hexadecimal digits. False if they are none, and for NUL, which no name holds. */
static bool from_hex(const char *digits, char *out)
{
    char text[3] = {digits[0], digits[1], '\0'};
    if (!isxdigit((unsigned char)text[0]) || !isxdigit((unsigned char)text[1]))
        return false;
    *out = (char)strtoul(text, NULL, 16);
    return *out != '\0';
}

/* Decodes once. NULL if the text is wrong. */
static char *decode(const char *text, size_t len)
{
    struct ds_buf out DS_CLEANUP(ds_buf_free) = {0};
    sim_out_text(&out, "");
    for (size_t i = 0; i < len; i++) {
        char byte = text[i];
        if (byte == '%') {
            if (i + 2 >= len || !from_hex(text + i + 1, &byte))
                return NULL;
            i += 2;
        } else if (!strchr(unreserved, byte)) {
            return NULL;
        }
        sim_out_bytes(&out, &byte, 1);
    }
    char *decoded = out.data;
    out = (struct ds_buf){0};
    return decoded;
}

static bool has_encoded_slash(const char *text, size_t len)
{
    return memmem(text, len, "%2F", 3) || memmem(text, len, "%2f", 3);
}

/* One segment of the path. */
static void take_segment(struct sim_rest_route *route, const char *text, size_t len)
{
    char *decoded = decode(text, len);
    if (!decoded) {
        refuse(route, SIM_REST_BAD_PATH);
        return;
    }
    if (!strcmp(decoded, ".") || !strcmp(decoded, ".."))
        refuse(route, SIM_REST_DOT_SEGMENT);
    if (!*decoded || route->count == SIM_REST_SEGMENTS_MAX) {
        refuse(route, SIM_REST_NO_ROUTE);
        free(decoded);
        return;
    }
    route->encoded = has_encoded_slash(text, len);
    route->segments[route->count++] = decoded;
}

static void split_path(struct sim_rest_route *route, const char *path, size_t len)
{
    const char *end = path + len;
    if (len == 0 || *path != '/') {
        refuse(route, SIM_REST_BAD_PATH);
        return;
    }
    while (path < end) {
        const char *begin = path + 1;
        const char *slash = memchr(begin, '/', (size_t)(end - begin));
        path = slash ? slash : end;
        take_segment(route, begin, (size_t)(path - begin));
    }
}

static bool matches(const struct sim_rest_route *route, const char *const *path)
{
    for (size_t i = 0; i < SIM_REST_SEGMENTS_MAX; i++) {
        if (!path[i] || i >= route->count)
            return !path[i] && i == route->count;
        if (strcmp(path[i], "*") != 0 && strcmp(path[i], route->segments[i]) != 0)
            return false;
    }
    return route->count == SIM_REST_SEGMENTS_MAX;
}

static void find_route(struct sim_rest_route *route, const char *method)
{
    bool path_is_known = false;
    for (size_t i = 0; i < sizeof routes / sizeof *routes && !route->op; i++) {
        if (!matches(route, routes[i].path))
            continue;
        path_is_known = true;
        if (!strcmp(routes[i].method, method))
            route->op = routes[i].op;
    }
    if (!route->op)
        refuse(route, path_is_known ? SIM_REST_NO_METHOD : SIM_REST_NO_ROUTE);
    if (route->op < SIM_REST_LIST) {
        route->legacy = route->op && !strcmp(route->segments[0], "rest");
        return;
    }
    route->vm = route->segments[3];
    route->id = route->count > 5 ? route->segments[5] : NULL;
    route->key = route->count > 7 ? route->segments[7] : NULL;
}

/* `text` is taken. */
static void add_filter(struct sim_rest_route *route, const char *name, char *text)
{
    struct sim_rest_filter *more = reallocarray(route->filter, route->filters + 1, sizeof *more);
    if (!more) {
        free(text);
        refuse(route, SIM_REST_BAD_QUERY);
        return;
    }
    route->filter = more;
    route->filter[route->filters++] = (struct sim_rest_filter){.name = name, .text = text};
}

/* The filter of that name; NULL if the operation has none. */
static const char *find_filter(enum sim_rest_op op, const char *name, size_t len)
{
    for (const char *const *filter = filters[op]; *filter; filter++) {
        if (strlen(*filter) == len && !memcmp(*filter, name, len))
            return *filter;
    }
    return NULL;
}

/* NAME=VALUE of the query. */
static void take_parameter(struct sim_rest_route *route, const char *text, size_t len)
{
    const char *equals = memchr(text, '=', len);
    size_t name = equals ? (size_t)(equals - text) : len;
    char *value = equals ? decode(equals + 1, len - name - 1) : NULL;
    const char *filter = find_filter(route->op, text, name);
    bool force = name == 5 && !memcmp(text, "force", 5);
    if (value && filter) {
        add_filter(route, filter, value);
        return;
    }
    if (value && route->op == SIM_REST_DESTROY && force &&
        (!strcmp(value, "true") || !strcmp(value, "false")))
        route->forced = !strcmp(value, "true");
    else
        refuse(route, SIM_REST_BAD_QUERY);
    free(value);
}

static void split_query(struct sim_rest_route *route, const char *query)
{
    for (;;) {
        size_t len = strcspn(query, "&");
        take_parameter(route, query, len);
        if (!query[len])
            return;
        query += len + 1;
    }
}

void sim_rest_route_parse(const char *method, const char *target, struct sim_rest_route *out)
{
    size_t path = strcspn(target, "?");
    *out = (struct sim_rest_route){0};
    split_path(out, target, path);
    if (out->refusal)
        return;
    find_route(out, method);
    if (!out->refusal && target[path])
        split_query(out, target + path + 1);
}

void sim_rest_route_clear(struct sim_rest_route *route)
{
    for (size_t i = 0; i < route->count; i++)
        free(route->segments[i]);
    for (size_t i = 0; i < route->filters; i++)
        free(route->filter[i].text);
    free(route->filter);
    *route = (struct sim_rest_route){0};
}

static void describe(const char *word, const char *text, struct ds_buf *out)
{
    if (!text)
        return;
    sim_out_format(out, " %s=", word);
    sim_out_json(out, text, strlen(text), false);
}

void sim_rest_route_describe(const struct sim_rest_route *route, struct ds_buf *out)
{
    if (route->vm && !route->vm[strspn(route->vm, unreserved)])
        sim_out_format(out, " vm=%s", route->vm);
    else
        describe("vm", route->vm, out);
    describe("dataset", route->id, out);
    describe("key", route->key, out);
    for (size_t i = 0; i < route->filters; i++)
        describe(route->filter[i].name, route->filter[i].text, out);
}
