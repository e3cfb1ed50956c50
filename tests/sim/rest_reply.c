#include "rest_reply.h"

#include "out.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char json_type[] = "application/json";

/* The error types of the published interface that these routes can give, and their statuses. */
static const struct {
    const char *type;
    int status;
} statuses[] = {
    {"ALREADY_EXISTS", 400},
    {"CONCURRENT_CHANGE", 409},
    {"ERROR", 500},
    {"INTERNAL_SERVER_ERROR", 500},
    {"INVALID_ARGUMENT", 400},
    {"NOT_ALLOWED_IN_CURRENT_STATE", 400},
    {"NOT_FOUND", 404},
    {"RESOURCE_BUSY", 500},
    {"RESOURCE_IN_USE", 400},
    {"SERVICE_UNAVAILABLE", 503},
    {"TIMED_OUT", 504},
    {"UNABLE_TO_ALLOCATE_RESOURCE", 500},
    {"UNAUTHENTICATED", 401},
    {"UNAUTHORIZED", 403},
    {"UNSUPPORTED", 400},
};

const char *sim_rest_error_type(int err)
{
    static const struct {
        int err;
        const char *type;
    } types[] = {
        {-ENOENT, "NOT_FOUND"},
        {-EEXIST, "ALREADY_EXISTS"},
        {-EACCES, "UNAUTHORIZED"},
        {-EINVAL, "INVALID_ARGUMENT"},
        {-EILSEQ, "INVALID_ARGUMENT"},
        {-EFBIG, "INVALID_ARGUMENT"},
        {-ENAMETOOLONG, "INVALID_ARGUMENT"},
        {-ENOTEMPTY, "RESOURCE_IN_USE"},
        {-ENOSPC, "UNABLE_TO_ALLOCATE_RESOURCE"},
        {-EBUSY, "NOT_ALLOWED_IN_CURRENT_STATE"},
        {-EAGAIN, "RESOURCE_BUSY"},
        {-ETIMEDOUT, "TIMED_OUT"},
        {-EOPNOTSUPP, "UNSUPPORTED"},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (types[i].err == err)
            return types[i].type;
    }
    return "ERROR";
}

static int status_of(const struct sim_rest_shape *shape, const char *type)
{
    if (shape->refuses_by_400 &&
        (!strcmp(type, "UNAUTHORIZED") || !strcmp(type, "UNABLE_TO_ALLOCATE_RESOURCE")))
        return 400;
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        if (!strcmp(statuses[i].type, type))
            return statuses[i].status;
    }
    return 500;
}

void sim_rest_reply_clear(struct sim_rest_reply *reply)
{
    ds_buf_free(&reply->body);
    *reply = (struct sim_rest_reply){0};
}

static void begin(struct sim_rest_reply *reply, int status, const char *type, const char *outcome)
{
    sim_rest_reply_clear(reply);
    reply->status = status;
    reply->type = type;
    snprintf(reply->outcome, sizeof reply->outcome, "%s", outcome);
}

void sim_rest_reply_plain(struct sim_rest_reply *reply, int status, const char *type,
                          const char *body, const char *outcome)
{
    begin(reply, status, type, outcome);
    sim_out_text(&reply->body, body ? body : "");
}

void sim_rest_reply_json(struct sim_rest_reply *reply, int status)
{
    reply->status = status;
    reply->type = json_type;
    snprintf(reply->outcome, sizeof reply->outcome, "ok");
}

/* "messages":[{"id","default_message","args"}] */
static void write_messages(struct ds_buf *out, const char *error_type, const char *message)
{
    sim_out_format(out, "\"messages\":[{\"id\":\"com.vmware.vapi.datasets.%s\",", error_type);
    sim_out_text(out, "\"default_message\":");
    sim_out_json(out, message, strlen(message), false);
    sim_out_text(out, ",\"args\":[]}]");
}

static void write_error(struct ds_buf *out, enum sim_rest_errors errors, const char *error_type,
                        const char *message)
{
    if (errors == SIM_REST_ERRORS_EMPTY)
        return;
    sim_out_text(out, "{");
    if (errors == SIM_REST_ERRORS_VAPI) {
        sim_out_text(out, "\"error_type\":");
        sim_out_json(out, error_type, strlen(error_type), false);
        sim_out_text(out, ",");
    }
    if (errors == SIM_REST_ERRORS_LEGACY) {
        sim_out_text(out, "\"type\":\"com.vmware.vapi.std.errors.");
        for (const char *c = error_type; *c; c++)
            sim_out_format(out, "%c", tolower((unsigned char)*c));
        sim_out_text(out, "\",\"value\":{");
    }
    write_messages(out, error_type, message);
    sim_out_text(out, errors == SIM_REST_ERRORS_LEGACY ? "}}" : "}");
}

void sim_rest_reply_refusal(const struct sim_rest_shape *shape, struct sim_rest_reply *reply,
                            int status, const char *error_type, const char *message)
{
    begin(reply, status, shape->errors == SIM_REST_ERRORS_EMPTY ? NULL : json_type, error_type);
    write_error(&reply->body, shape->errors, error_type, message);
}

void sim_rest_reply_error(const struct sim_rest_shape *shape, struct sim_rest_reply *reply,
                          const char *error_type, const char *message)
{
    sim_rest_reply_refusal(shape, reply, status_of(shape, error_type), error_type, message);
}

void sim_rest_reply_file(struct sim_rest_reply *reply, const char *path)
{
    struct ds_buf text = {0};
    int body = 0;
    sim_out_file(&text, path);
    if (!text.data || sscanf(text.data, "%d %63s%n", &reply->status, reply->type_words, &body) != 2)
        reply->status = 500;
    reply->type = reply->type_words;
    if (body && text.data[body] == '\n')
        sim_out_bytes(&reply->body, text.data + body + 1, text.len - (size_t)body - 1);
    ds_buf_free(&text);
}
