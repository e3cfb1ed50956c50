#include "shape.h"

#include "out.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Opaque for the guest, so it holds what must survive a round trip through JSON. */
static const char context_prefix[] = "\"ctx\\\t\xc3\xa9/";

const struct sim_shape sim_shape_default = {.access_infix = "", .page_bytes = (size_t)1 << 20};

void sim_shape_failure(const struct sim_shape *shape, const char *id, const char *message,
                       struct ds_buf *reply)
{
    char own_id[96];
    if (shape->not_found && !strcmp(id, "not-found")) {
        const char *comma = strchr(shape->not_found, ',');
        int len = comma ? (int)(comma - shape->not_found) : (int)strlen(shape->not_found);
        snprintf(own_id, sizeof own_id, "%.*s", len, shape->not_found);
        id = own_id;
        message = comma ? comma + 1 : "";
    }
    sim_out_cut(reply, 0);
    sim_out_text(reply, shape->failure == SIM_FAILURE_JSON ? "1 " : "0 ");
    if (shape->failure == SIM_FAILURE_RPC) {
        sim_out_format(reply, "%s: %s", id, message);
        return;
    }
    sim_out_text(reply, "{\"result\":false,\"error-id\":");
    sim_shape_string(shape, id, reply);
    sim_out_text(reply, ",\"error-message\":");
    sim_shape_string(shape, message, reply);
    sim_out_text(reply, "}");
}

const char *sim_shape_error_id(int err)
{
    static const struct {
        int err;
        const char *id;
    } ids[] = {
        {-ENOENT, "not-found"},
        {-EACCES, "permission-denied"},
        {-EINVAL, "invalid-argument"},
        {-EILSEQ, "invalid-argument"},
        {-EFBIG, "invalid-argument"},
        {-ENAMETOOLONG, "invalid-argument"},
        {-ENOSPC, "unable-to-allocate-resource"},
        {-EAGAIN, "resource-busy"},
        {-EBUSY, "not-allowed-in-current-state"},
    };
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        if (ids[i].err == err)
            return ids[i].id;
    }
    return "internal-error";
}

void sim_shape_begin(struct ds_buf *reply)
{
    sim_out_cut(reply, 0);
    sim_out_text(reply, "1 {\"result\":true");
}

void sim_shape_end(struct ds_buf *reply)
{
    sim_out_text(reply, "}");
}

void sim_shape_string(const struct sim_shape *shape, const char *text, struct ds_buf *reply)
{
    sim_out_json(reply, text, strlen(text), shape->raw_control);
}

void sim_shape_attributes(const struct sim_shape *shape, const struct ds_attributes *attributes,
                          struct ds_buf *reply)
{
    sim_out_text(reply, ",\"description\":");
    sim_shape_string(shape, attributes->description ? attributes->description : "", reply);
    sim_out_format(reply, ",\"used\":%llu", (unsigned long long)attributes->used_bytes);
    if (shape->access_none)
        return;
    sim_out_format(reply, "%s\"host%s\":\"%s\",\"guest%s\":\"%s\"%s",
                   shape->access_nested ? ",\"access\":{" : ",", shape->access_infix,
                   ds_access_name(attributes->host), shape->access_infix,
                   ds_access_name(attributes->guest), shape->access_nested ? "}" : "");
}

void sim_shape_entry(const struct sim_shape *shape, const struct ds_entry *entry,
                     struct ds_buf *reply)
{
    sim_out_text(reply, shape->entries_key_value ? "{\"key\":" : "{");
    sim_shape_string(shape, entry->key, reply);
    sim_out_text(reply, shape->entries_key_value ? ",\"value\":" : ":");
    sim_out_json(reply, entry->value.data, entry->value.len, shape->raw_control);
    sim_out_text(reply, "}");
}

void sim_shape_context(const struct sim_shape *shape, const char *command, size_t next,
                       struct ds_buf *reply)
{
    char context[96];
    snprintf(context, sizeof context, "%s%s/%zu", context_prefix, command, next);
    sim_out_text(reply, ",\"context\":");
    sim_shape_string(shape, context, reply);
}

bool sim_shape_parse_context(const char *command, const char *context, size_t *next)
{
    char begin[96];
    int len = snprintf(begin, sizeof begin, "%s%s/", context_prefix, command);
    if (strncmp(context, begin, (size_t)len) != 0 || !context[len] ||
        strspn(context + len, "0123456789") != strlen(context + len))
        return false;
    errno = 0;
    *next = strtoull(context + len, NULL, 10);
    return errno == 0;
}
