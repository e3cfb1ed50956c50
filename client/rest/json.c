/* The JSON of vCenter's REST interface. */
#include "json.h"

#include "../base/json_text.h"
#include "cleanup.h"
#include "utf8.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static void cleanup_json(json_t **json)
{
    json_decref(*json);
}
#define AUTO_JSON DS_CLEANUP(cleanup_json)

static int parse(const char *text, size_t len, json_t **out)
{
    struct ds_buf clean DS_CLEANUP(ds_buf_free) = {0};
    json_error_t fault = {0};
    int err = ds_json_text_clean(text, len, &clean);
    if (err)
        return err;
    *out = json_loadb(clean.data ? clean.data : text, clean.data ? clean.len : len, JSON_DECODE_ANY,
                      &fault);
    if (*out)
        return 0;
    return json_error_code(&fault) == json_error_out_of_memory ? -ENOMEM : -EPROTO;
}

static int copy_string(const json_t *string, struct ds_buf *out)
{
    struct ds_buf copy = {0};
    if (!json_is_string(string))
        return -EPROTO;
    int err = ds_buf_append(&copy, json_string_value(string), json_string_length(string));
    if (!err)
        *out = copy;
    return err;
}

int ds_rest_json_read_string(const char *text, size_t len, struct ds_buf *out)
{
    json_t *root AUTO_JSON = NULL;
    int err = parse(text, len, &root);
    return err ? err : copy_string(root, out);
}

int ds_rest_json_read_wrapped(const char *text, size_t len, struct ds_buf *out)
{
    json_t *root AUTO_JSON = NULL;
    int err = parse(text, len, &root);
    return err ? err : copy_string(json_object_get(root, "value"), out);
}

int ds_rest_json_read_keys(const char *text, size_t len, struct ds_names *out)
{
    struct ds_names keys = {0};
    json_t *root AUTO_JSON = NULL;
    size_t at;
    json_t *key;
    int err = parse(text, len, &root);
    if (!err && !json_is_array(root))
        err = -EPROTO;
    json_array_foreach(root, at, key)
    {
        if (!err)
            err = json_is_string(key) ? ds_names_add(&keys, json_string_value(key)) : -EPROTO;
    }
    if (err)
        ds_names_clear(&keys);
    else
        *out = keys;
    return err;
}

static int add_pair(json_t *object, const char *id_member, struct ds_names *names,
                    struct ds_names *ids)
{
    const char *name = json_string_value(json_object_get(object, "name"));
    const char *id = json_string_value(json_object_get(object, id_member));
    if (!name && !id)
        return -EPROTO;
    int err = ds_names_add(names, name ? name : id);
    return err ? err : ds_names_add(ids, id ? id : name);
}

int ds_rest_json_read_ids(const char *text, size_t len, const char *id_member,
                          struct ds_names *names, struct ds_names *ids)
{
    struct ds_names read_names = {0};
    struct ds_names read_ids = {0};
    json_t *root AUTO_JSON = NULL;
    size_t at;
    json_t *object;
    int err = parse(text, len, &root);
    if (!err && !json_is_array(root))
        err = -EPROTO;
    json_array_foreach(root, at, object)
    {
        if (!err)
            err = add_pair(object, id_member, &read_names, &read_ids);
    }
    if (err) {
        ds_names_clear(&read_names);
        ds_names_clear(&read_ids);
        return err;
    }
    *names = read_names;
    *ids = read_ids;
    return 0;
}

static enum ds_access access_of(const json_t *value)
{
    return json_is_string(value) ? ds_access_parse(json_string_value(value)) : DS_ACCESS_UNKNOWN;
}

int ds_rest_json_read_attributes(const char *text, size_t len, struct ds_attributes *out)
{
    json_t *root AUTO_JSON = NULL;
    struct ds_attributes read = {0};
    int err = parse(text, len, &root);
    if (err)
        return err;
    if (!json_is_object(root))
        return -EPROTO;
    const json_t *description = json_object_get(root, "description");
    const json_t *used = json_object_get(root, "used");
    const json_t *omit = json_object_get(root, "omit_from_snapshot_and_clone");
    read.host = access_of(json_object_get(root, "host"));
    read.guest = access_of(json_object_get(root, "guest"));
    if (json_is_boolean(omit))
        read.omit_from_snapshot_and_clone = json_is_true(omit) ? DS_FLAG_ON : DS_FLAG_OFF;
    read.used_known = json_is_integer(used) && json_integer_value(used) >= 0;
    if (read.used_known)
        read.used_bytes = (uint64_t)json_integer_value(used);
    if (json_is_string(description)) {
        read.description = strdup(json_string_value(description));
        if (!read.description)
            return -ENOMEM;
    }
    *out = read;
    return 0;
}

/* Copies as much as fits, cut between code points; control characters, which terminals obey, as
 * '?'.
 */
static void copy_words(char *to, size_t size, const char *from)
{
    size_t len = from ? strnlen(from, size - 1) : 0;
    if (len)
        memcpy(to, from, len);
    to[len] = '\0';
    to[ds_utf8_prefix(to, len, NULL)] = '\0';
    for (char *p = to; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7F)
            *p = '?';
}

void ds_rest_json_read_fault(const char *text, size_t len, struct ds_rest_fault *out)
{
    json_t *root AUTO_JSON = NULL;
    *out = (struct ds_rest_fault){0};
    if (!len || parse(text, len, &root) != 0)
        return;
    const json_t *type = json_object_get(root, "error_type");
    const json_t *holder = root;
    if (!json_is_string(type)) {
        type = json_object_get(root, "type");
        if (json_is_object(json_object_get(root, "value")))
            holder = json_object_get(root, "value");
    }
    const json_t *first = json_array_get(json_object_get(holder, "messages"), 0);
    copy_words(out->type, sizeof out->type, json_string_value(type));
    copy_words(out->message, sizeof out->message,
               json_string_value(json_object_get(first, "default_message")));
}

bool ds_rest_json_is_answer(const char *text, size_t len)
{
    json_t *root AUTO_JSON = NULL;
    size_t blank = 0;
    while (blank < len && strchr(" \t\r\n", text[blank]) && text[blank])
        blank++;
    return blank == len || parse(text, len, &root) == 0;
}

int ds_rest_json_put_string(struct ds_buf *out, const char *data, size_t len)
{
    char *text DS_AUTO_FREE = malloc(len + 1);
    if (!text)
        return -ENOMEM;
    if (len)
        memcpy(text, data, len);
    text[len] = '\0';
    int err = ds_buf_reserve(out, len);
    return err ? err : ds_buf_json_string(out, text);
}

int ds_rest_json_put_create(struct ds_buf *out, const char *name,
                            const struct ds_attributes *attributes)
{
    /* Documents disagree on the default of omit_from_snapshot_and_clone, so all is always sent. */
    struct ds_attributes complete = *attributes;
    char empty[] = "";
    if (!complete.description)
        complete.description = empty;
    if (!complete.host)
        complete.host = DS_ACCESS_READ_WRITE;
    if (!complete.guest)
        complete.guest = DS_ACCESS_READ_WRITE;
    if (!complete.omit_from_snapshot_and_clone)
        complete.omit_from_snapshot_and_clone = DS_FLAG_OFF;
    complete.used_known = false;
    return ds_attributes_to_json(name, &complete, out);
}

int ds_rest_json_put_update(struct ds_buf *out, const struct ds_attributes *attributes)
{
    struct ds_attributes given = *attributes;
    given.used_known = false;
    return ds_attributes_to_json(NULL, &given, out);
}
