/* A store in memory. */
#include "memory_store.h"

#include "client/command/document.h"
#include "fuzz.h"

#include <errno.h>

enum { BATCH_KEYS = 4 };

static struct memory_store *store_of(struct ds_client *client)
{
    return (struct memory_store *)client;
}

/* What a number in place of a DataSet or a value stands for. */
static int failure_of(const json_t *number)
{
    static const int errors[] = {-EIO, -EACCES, -EPROTO, -ENOENT, -EBADMSG, -ETIMEDOUT};
    enum { ERRORS = sizeof errors / sizeof *errors };
    return json_is_integer(number) ? errors[(uint64_t)json_integer_value(number) % ERRORS]
                                   : -EBADMSG;
}

static int find(struct ds_client *client, struct ds_call *call, const char *dataset, json_t **out)
{
    json_t *found = json_object_get(store_of(client)->datasets, dataset);
    ds_call_set_sent(call, DS_SENT_ANSWERED);
    if (!found)
        return -ENOENT;
    if (!json_is_object(found))
        return failure_of(found);
    *out = found;
    return 0;
}

static int add_names(json_t *object, struct ds_names *out)
{
    const char *name;
    json_t *value;
    int err = 0;
    json_object_foreach(object, name, value)
    {
        if (!err)
            err = ds_names_add(out, name);
    }
    return err;
}

static int list(struct ds_client *client, struct ds_call *call, struct ds_names *out)
{
    ds_call_set_sent(call, DS_SENT_ANSWERED);
    return add_names(store_of(client)->datasets, out);
}

static int query(struct ds_client *client, struct ds_call *call, const char *dataset,
                 struct ds_attributes *out)
{
    json_t *found = NULL;
    int err = find(client, call, dataset, &found);
    if (!err)
        err = ds_document_attributes(found, out);
    return err == -EINVAL ? -EPROTO : err;
}

/* What of the fault comes before the change; `*later` is what comes after it. */
static int begin_change(struct memory_store *store, struct ds_call *call, int *later)
{
    *later = 0;
    ds_call_set_sent(call, DS_SENT_ANSWERED);
    if (!store->faults)
        return 0;
    store->faults--;
    switch (store->fault) {
    case MEMORY_FORBIDDEN:
        return ds_call_fail(call, -EACCES, "forbidden");
    case MEMORY_FULL:
        return ds_call_fail(call, -ENOSPC, "full");
    case MEMORY_LOST_BEFORE:
        ds_call_set_sent(call, DS_SENT_NO);
        return ds_call_fail(call, -EIO, "lost");
    case MEMORY_LOST_BETWEEN:
        ds_call_set_sent(call, DS_SENT_MAYBE);
        return ds_call_fail(call, -EIO, "lost");
    case MEMORY_LOST_AFTER:
    default:
        *later = -EIO;
        return 0;
    }
}

/* What the change has come to. */
static int end_change(struct ds_call *call, int err, int later)
{
    if (err || !later)
        return err;
    ds_call_set_sent(call, DS_SENT_MAYBE);
    return ds_call_fail(call, later, "lost");
}

/* Puts what is given into the DataSet's object. */
static void put_attributes(json_t *dataset, const struct ds_attributes *attributes)
{
    struct ds_attributes given = *attributes;
    struct ds_buf text = {0};
    given.used_known = false;
    require(!ds_attributes_to_json(NULL, &given, &text));
    json_t *json = json_loadb(text.data, text.len, 0, NULL);
    require(json && !json_object_update(dataset, json));
    json_decref(json);
    ds_buf_free(&text);
}

static int create(struct ds_client *client, struct ds_call *call, const char *dataset,
                  const struct ds_attributes *attributes)
{
    struct memory_store *store = store_of(client);
    int later;
    int err = begin_change(store, call, &later);
    if (!err && json_object_get(store->datasets, dataset))
        err = -EEXIST;
    if (err)
        return err;
    json_t *made = json_pack("{s:s, s:s, s:s, s:b, s:{}}", "description", "", "host", "READ_WRITE",
                             "guest", "READ_WRITE", "omit_from_snapshot_and_clone", 0, "entries");
    put_attributes(made, attributes);
    require(!json_object_set_new(store->datasets, dataset, made));
    return end_change(call, 0, later);
}

static int update(struct ds_client *client, struct ds_call *call, const char *dataset,
                  const struct ds_attributes *attributes)
{
    json_t *found = NULL;
    int later;
    int err = begin_change(store_of(client), call, &later);
    if (!err)
        err = find(client, call, dataset, &found);
    if (!err)
        put_attributes(found, attributes);
    return end_change(call, err, later);
}

static int destroy(struct ds_client *client, struct ds_call *call, const char *dataset, bool force)
{
    json_t *found = NULL;
    int later;
    int err = begin_change(store_of(client), call, &later);
    if (!err)
        err = find(client, call, dataset, &found);
    if (!err && !force && json_object_size(ds_document_entries(found)))
        err = -ENOTEMPTY;
    if (!err)
        json_object_del(store_of(client)->datasets, dataset);
    return end_change(call, err, later);
}

static int list_keys(struct ds_client *client, struct ds_call *call, const char *dataset,
                     struct ds_names *out)
{
    json_t *found = NULL;
    int err = find(client, call, dataset, &found);
    return err ? err : add_names(ds_document_entries(found), out);
}

static int get(struct ds_client *client, struct ds_call *call, const char *dataset,
               struct ds_entry *entries, size_t count)
{
    json_t *found = NULL;
    int err = find(client, call, dataset, &found);
    for (size_t i = 0; i < count && !err; i++) {
        const json_t *value = json_object_get(ds_document_entries(found), entries[i].key);
        entries[i].value = (struct ds_buf){0};
        entries[i].error = !value ? -ENOENT : json_is_string(value) ? 0 : failure_of(value);
        if (!entries[i].error)
            err = ds_buf_append(&entries[i].value, json_string_value(value),
                                json_string_length(value));
    }
    return err;
}

/* Puts the value there, behind what is there already if `append`. */
static int put(struct ds_client *client, struct ds_call *call, const char *dataset, const char *key,
               const struct ds_buf *value, bool append)
{
    struct ds_buf sum = {0};
    json_t *found = NULL;
    int later;
    int err = begin_change(store_of(client), call, &later);
    if (!err)
        err = find(client, call, dataset, &found);
    if (err)
        return err;
    json_t *entries = ds_document_entries(found);
    const json_t *there = json_object_get(entries, key);
    if (append && json_is_string(there))
        require(!ds_buf_append(&sum, json_string_value(there), json_string_length(there)));
    require(!ds_buf_append(&sum, value->data, value->len));
    json_t *text =
        sum.len <= DS_VALUE_MAX_BYTES ? json_stringn(sum.len ? sum.data : "", sum.len) : NULL;
    /* The checked calls let nothing else through. */
    require(text || sum.len > DS_VALUE_MAX_BYTES);
    if (text)
        require(!json_object_set_new(entries, key, text));
    ds_buf_free(&sum);
    return end_change(call, text ? 0 : -EFBIG, later);
}

static int set(struct ds_client *client, struct ds_call *call, const char *dataset, const char *key,
               const char *data, size_t len, const struct ds_previous *previous)
{
    const struct ds_buf value = {.data = (char *)(uintptr_t)data, .len = len};
    (void)previous;
    return put(client, call, dataset, key, &value, false);
}

static int append(struct ds_client *client, struct ds_call *call, const char *dataset,
                  const char *key, const char *data, size_t len)
{
    const struct ds_buf value = {.data = (char *)(uintptr_t)data, .len = len};
    return put(client, call, dataset, key, &value, true);
}

static int remove_key(struct ds_client *client, struct ds_call *call, const char *dataset,
                      const char *key)
{
    json_t *found = NULL;
    int later;
    int err = begin_change(store_of(client), call, &later);
    if (!err)
        err = find(client, call, dataset, &found);
    if (!err && json_object_del(ds_document_entries(found), key))
        err = -ENOENT;
    return end_change(call, err, later);
}

static void free_store(struct ds_client *client, struct ds_call *call)
{
    (void)call;
    json_decref(store_of(client)->datasets);
}

void memory_store_begin(struct memory_store *store, enum ds_side side, bool can_append,
                        json_t *datasets_take)
{
    static const struct ds_client_ops ops = {.name = "memory",
                                             .list = list,
                                             .query = query,
                                             .create = create,
                                             .update = update,
                                             .destroy = destroy,
                                             .list_keys = list_keys,
                                             .get = get,
                                             .set = set,
                                             .append = append,
                                             .remove = remove_key,
                                             .free = free_store};
    memset(store, 0, sizeof *store);
    store->client.ops = &ops;
    store->client.caps = (struct ds_caps){.side = side,
                                          .can_create = side == DS_SIDE_HOST,
                                          .can_append = can_append,
                                          .batch_keys = BATCH_KEYS,
                                          .parallel = 1};
    store->datasets = datasets_take;
}

const json_t *memory_store_value(const struct memory_store *store, const char *dataset,
                                 const char *key)
{
    return json_object_get(ds_document_entries(json_object_get(store->datasets, dataset)), key);
}
