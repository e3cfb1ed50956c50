/* A DataSet's attributes as a JSON object, both ways. */
#include "dataset.h"

#include "json_load.h"
#include "text.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Begins a member: a comma unless it is the first, and its name. */
static int member(struct ds_buf *out, size_t start, const char *name)
{
    bool first = out->len == start + 1;
    return ds_buf_printf(out, "%s\"%s\":", first ? "" : ",", name);
}

static int string_member(struct ds_buf *out, size_t start, const char *name, const char *value)
{
    if (!value)
        return 0;
    int err = member(out, start, name);
    return err ? err : ds_buf_json_string(out, value);
}

static int access_member(struct ds_buf *out, size_t start, const char *name, enum ds_access access)
{
    return string_member(out, start, name,
                         access == DS_ACCESS_UNKNOWN ? NULL : ds_access_name(access));
}

static int used_member(struct ds_buf *out, size_t start, const struct ds_attributes *attributes)
{
    if (!attributes->used_known)
        return 0;
    int err = member(out, start, "used");
    return err ? err : ds_buf_printf(out, "%" PRIu64, attributes->used_bytes);
}

static int omit_member(struct ds_buf *out, size_t start, enum ds_flag omit)
{
    if (omit == DS_FLAG_UNKNOWN)
        return 0;
    int err = member(out, start, "omit_from_snapshot_and_clone");
    return err ? err : ds_buf_puts(out, omit == DS_FLAG_ON ? "true" : "false");
}

int ds_attributes_to_json(const char *name, const struct ds_attributes *attributes,
                          struct ds_buf *out)
{
    size_t start = out->len;
    int err = ds_buf_puts(out, "{");
    if (!err)
        err = string_member(out, start, "name", name);
    if (!err)
        err = string_member(out, start, "description", attributes->description);
    if (!err)
        err = access_member(out, start, "host", attributes->host);
    if (!err)
        err = access_member(out, start, "guest", attributes->guest);
    if (!err)
        err = used_member(out, start, attributes);
    if (!err)
        err = omit_member(out, start, attributes->omit_from_snapshot_and_clone);
    if (!err)
        err = ds_buf_puts(out, "}");
    if (err && out->data) {
        out->len = start;
        out->data[start] = '\0';
    }
    return err;
}

/* Writes one line to `why`, whatever the input had in it. */
__attribute__((format(printf, 2, 3))) static int refuse(char *why, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(why, DS_WHY_BYTES, format, list);
    va_end(list);
    ds_text_clean(why);
    return -EINVAL;
}

static int read_description(const json_t *value, struct ds_attributes *out, char *why)
{
    if (!json_is_string(value))
        return refuse(why, "description must be a string");
    if (json_string_length(value) > DS_DESCRIPTION_MAX_BYTES)
        return refuse(why, "description is longer than %d bytes", DS_DESCRIPTION_MAX_BYTES);
    out->description = strdup(json_string_value(value));
    return out->description ? 0 : -ENOMEM;
}

static int read_access(const char *name, const json_t *value, enum ds_access *out, char *why)
{
    enum ds_access access = DS_ACCESS_UNKNOWN;
    if (json_is_string(value))
        access = ds_access_parse(json_string_value(value));
    if (access == DS_ACCESS_UNKNOWN)
        return refuse(why, "%s must be \"NONE\", \"READ_ONLY\" or \"READ_WRITE\"", name);
    *out = access;
    return 0;
}

static int read_member(const char *name, const json_t *value, struct ds_attributes *out, char *why)
{
    if (!strcmp(name, "description"))
        return read_description(value, out, why);
    if (!strcmp(name, "host"))
        return read_access(name, value, &out->host, why);
    if (!strcmp(name, "guest"))
        return read_access(name, value, &out->guest, why);
    if (!strcmp(name, "omit_from_snapshot_and_clone")) {
        if (!json_is_boolean(value))
            return refuse(why, "%s must be true or false", name);
        out->omit_from_snapshot_and_clone = json_is_true(value) ? DS_FLAG_ON : DS_FLAG_OFF;
        return 0;
    }
    if (!strcmp(name, "name") || !strcmp(name, "used"))
        return refuse(why, "%s cannot be changed", name);
    return refuse(why,
                  "unknown member '%.40s': expected description, host, guest or "
                  "omit_from_snapshot_and_clone",
                  name);
}

int ds_attributes_from_json(const char *json, size_t len, struct ds_attributes *out, char *why)
{
    json_error_t fault;
    json_t *root = NULL;
    int err = ds_json_parse(json, len, JSON_REJECT_DUPLICATES, &fault, &root);
    if (err == -EPROTO)
        return refuse(why, "not one JSON object: %.90s (line %d)", fault.text, fault.line);
    if (err)
        return err;

    struct ds_attributes read = {0};
    if (!json_is_object(root))
        err = refuse(why, "not one JSON object, such as {\"description\":\"…\"}");
    else
        for (void *i = json_object_iter(root); i && !err; i = json_object_iter_next(root, i))
            err = read_member(json_object_iter_key(i), json_object_iter_value(i), &read, why);
    json_decref(root);

    if (err) {
        ds_attributes_clear(&read);
        return err;
    }
    *out = read;
    return 0;
}
