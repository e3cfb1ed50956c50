/* The JSON of vCenter's REST interface. */
#include "json.h"

#include "../base/json_load.h"
#include "cleanup.h"
#include "machine_name.h"
#include "vm_name.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static void cleanup_json(json_t **json)
{
    json_decref(*json);
}
#define AUTO_JSON DS_CLEANUP(cleanup_json)

static int copy_string(const json_t *string, struct ds_buf *out)
{
    struct ds_buf copy = {0};
    if (!ds_json_is_text(string))
        return -EPROTO;
    int err = ds_buf_append(&copy, json_string_value(string), json_string_length(string));
    if (!err)
        *out = copy;
    return err;
}

int ds_rest_json_read_string(const char *text, size_t len, struct ds_buf *out)
{
    json_t *root AUTO_JSON = NULL;
    int err = ds_json_load(text, len, JSON_DECODE_ANY, &root);
    return err ? err : copy_string(root, out);
}

int ds_rest_json_read_wrapped(const char *text, size_t len, struct ds_buf *out)
{
    json_t *root AUTO_JSON = NULL;
    int err = ds_json_load(text, len, JSON_DECODE_ANY, &root);
    return err ? err : copy_string(json_object_get(root, "value"), out);
}

int ds_rest_json_read_keys(const char *text, size_t len, struct ds_names *out)
{
    struct ds_names keys = {0};
    json_t *root AUTO_JSON = NULL;
    bool strings = true;
    size_t at;
    json_t *key;
    int err = ds_json_load(text, len, JSON_DECODE_ANY, &root);
    if (!err && !json_is_array(root))
        err = -EPROTO;
    json_array_foreach(root, at, key)
    {
        if (!err && ds_json_is_text(key))
            err = ds_names_add(&keys, json_string_value(key));
        else
            keys.left_out++;
        strings = strings && json_is_string(key);
    }
    /* A list of nothing but other things is another kind of list. */
    if (!err && !keys.count && !strings)
        err = -EPROTO;
    if (err)
        ds_names_clear(&keys);
    else
        *out = keys;
    return err;
}

static int add_pair(json_t *object, const char *id_member, struct ds_names *names,
                    struct ds_names *ids)
{
    const json_t *name = json_object_get(object, "name");
    const json_t *id = json_object_get(object, id_member);
    if (!json_is_string(name))
        name = id;
    if (!json_is_string(id))
        id = name;
    if (!ds_json_is_text(name) || !ds_json_is_text(id)) {
        names->left_out++;
        return 0;
    }
    int err = ds_names_add(names, json_string_value(name));
    return err ? err : ds_names_add(ids, json_string_value(id));
}

/* True if each is an object with a name or an id, whatever that is worth. */
static bool is_list_of_pairs(const json_t *array, const char *id_member)
{
    size_t at;
    json_t *object;
    json_array_foreach(array, at, object)
    {
        if (!json_is_string(json_object_get(object, "name")) &&
            !json_is_string(json_object_get(object, id_member)))
            return false;
    }
    return true;
}

int ds_rest_json_read_ids(const char *text, size_t len, const char *id_member,
                          struct ds_names *names, struct ds_names *ids)
{
    struct ds_names read_names = {0};
    struct ds_names read_ids = {0};
    json_t *root AUTO_JSON = NULL;
    size_t at;
    json_t *object;
    int err = ds_json_load(text, len, JSON_DECODE_ANY, &root);
    if (!err && !json_is_array(root))
        err = -EPROTO;
    json_array_foreach(root, at, object)
    {
        if (!err)
            err = add_pair(object, id_member, &read_names, &read_ids);
    }
    if (!err && !read_names.count && !is_list_of_pairs(root, id_member))
        err = -EPROTO;
    if (err) {
        ds_names_clear(&read_names);
        ds_names_clear(&read_ids);
        return err;
    }
    *names = read_names;
    *ids = read_ids;
    return 0;
}

static enum ds_power power_of(const json_t *value)
{
    static const struct {
        const char *word;
        enum ds_power power;
    } words[] = {{"POWERED_ON", DS_POWER_ON},
                 {"POWERED_OFF", DS_POWER_OFF},
                 {"SUSPENDED", DS_POWER_SUSPENDED}};
    for (size_t i = 0; json_is_string(value) && i < sizeof words / sizeof *words; i++)
        if (!strcmp(words[i].word, json_string_value(value)))
            return words[i].power;
    return DS_POWER_UNKNOWN;
}

static int add_machine(const json_t *object, struct ds_machines *out)
{
    const json_t *id = json_object_get(object, "vm");
    const json_t *name = json_object_get(object, "name");
    /* The id becomes a part of a file's name where several machines have one name. */
    if (!ds_json_is_text(id) || !ds_json_is_text(name) ||
        !ds_machine_name_is_id(json_string_value(id))) {
        out->left_out++;
        return 0;
    }
    int err = ds_machines_add(out, json_string_value(id), json_string_value(name),
                              power_of(json_object_get(object, "power_state")));
    if (!err) /* shorter or as long, where it stands */
        ds_vm_name_read(out->text.names[out->text.count - 1]);
    return err;
}

int ds_rest_json_read_machines(const char *text, size_t len, struct ds_machines *out)
{
    json_t *root AUTO_JSON = NULL;
    size_t at;
    const json_t *object;
    int err = ds_json_load(text, len, JSON_DECODE_ANY, &root);
    if (!err && !json_is_array(root))
        err = -EPROTO;
    json_array_foreach(root, at, object)
    {
        if (!err && !json_is_object(object))
            err = -EPROTO;
        if (!err)
            err = add_machine(object, out);
    }
    return err;
}

static enum ds_access access_of(const json_t *value)
{
    return json_is_string(value) ? ds_access_parse(json_string_value(value)) : DS_ACCESS_UNKNOWN;
}

int ds_rest_json_read_attributes(const char *text, size_t len, struct ds_attributes *out)
{
    json_t *root AUTO_JSON = NULL;
    struct ds_attributes read = {0};
    int err = ds_json_load(text, len, JSON_DECODE_ANY, &root);
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
    ds_json_read_used(used, &read);
    err =
        json_is_string(description) ? ds_json_copy_description(description, &read.description) : 0;
    if (!err)
        *out = read;
    return err;
}

/* "VMX_20" */
static unsigned hardware_of(const json_t *version)
{
    static const char prefix[] = "VMX_";
    const char *text = json_string_value(version);
    unsigned long number = 0;
    if (text && !strncmp(text, prefix, sizeof prefix - 1))
        number = strtoul(text + sizeof prefix - 1, NULL, 10);
    return number <= UINT_MAX ? (unsigned)number : 0;
}

int ds_rest_json_read_machine(const char *text, size_t len, char *power, size_t size,
                              unsigned *version)
{
    json_t *root AUTO_JSON = NULL;
    int err = ds_json_load(text, len, JSON_DECODE_ANY, &root);
    if (err)
        return err;
    if (!json_is_object(root))
        return -EPROTO;
    ds_json_copy_words(json_object_get(root, "power_state"), power, size);
    *version = hardware_of(json_object_get(json_object_get(root, "hardware"), "version"));
    return 0;
}

int ds_rest_json_read_fault(const char *text, size_t len, struct ds_rest_fault *out)
{
    json_t *root AUTO_JSON = NULL;
    *out = (struct ds_rest_fault){0};
    int err = len ? ds_json_load(text, len, JSON_DECODE_ANY, &root) : 0;
    if (err || !len)
        return err == -ENOMEM ? err : 0;
    const json_t *type = json_object_get(root, "error_type");
    const json_t *holder = root;
    if (!json_is_string(type)) {
        type = json_object_get(root, "type");
        if (json_is_object(json_object_get(root, "value")))
            holder = json_object_get(root, "value");
    }
    const json_t *first = json_array_get(json_object_get(holder, "messages"), 0);
    ds_json_copy_words(type, out->type, sizeof out->type);
    ds_json_copy_words(json_object_get(first, "id"), out->id, sizeof out->id);
    ds_json_copy_words(json_object_get(first, "default_message"), out->message,
                       sizeof out->message);
    return 0;
}

int ds_rest_json_check(const char *text, size_t len, bool tells)
{
    json_t *root AUTO_JSON = NULL;
    size_t blank = 0;
    while (blank < len && strchr(" \t\r\n", text[blank]) && text[blank])
        blank++;
    if (blank == len)
        return 0;
    int err = ds_json_load(text, len, JSON_DECODE_ANY, &root);
    bool nothing = json_is_null(root) || (json_is_object(root) && !json_object_size(root));
    return err || tells || nothing ? err : -EPROTO;
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
