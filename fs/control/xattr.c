/* Extended attributes of DataSet directories. */
#include "xattr.h"

#include "cleanup.h"
#include "kernel/reply.h"
#include "model/datasets.h"
#include "model/node.h"
#include "store/access.h"
#include "store/query_dataset.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

#define PREFIX "user.dataset."

static const char *flag_name(enum ds_flag flag)
{
    return flag == DS_FLAG_ON ? "true" : flag == DS_FLAG_OFF ? "false" : NULL;
}

/* With fs->lock: the attribute's text in `out`. -ENODATA: no such attribute, or not known. */
static int print(const struct ds_attributes *attributes, const char *name, struct ds_buf *out)
{
    const char *text = NULL;

    if (strncmp(name, PREFIX, strlen(PREFIX)) != 0)
        return -ENODATA;
    name += strlen(PREFIX);
    if (strcmp(name, "used") == 0)
        return attributes->used_known
                   ? ds_buf_printf(out, "%llu", (unsigned long long)attributes->used_bytes)
                   : -ENODATA;
    if (strcmp(name, "description") == 0)
        text = attributes->description;
    else if (strcmp(name, "host") == 0 && attributes->host != DS_ACCESS_UNKNOWN)
        text = ds_access_name(attributes->host);
    else if (strcmp(name, "guest") == 0 && attributes->guest != DS_ACCESS_UNKNOWN)
        text = ds_access_name(attributes->guest);
    else if (strcmp(name, "omit_from_snapshot_and_clone") == 0)
        text = flag_name(attributes->omit_from_snapshot_and_clone);
    return text != NULL ? ds_buf_puts(out, text) : -ENODATA;
}

/* Replies with `out`, or with its size if the caller only asks for that. */
static int reply(struct fs_request *request, const struct ds_buf *out)
{
    if (request->size == 0)
        fs_reply_xattr(request, out->len);
    else if (out->len > request->size)
        return -ERANGE;
    else
        fs_reply_buf(request, out->data, out->len);
    return 0;
}

int fs_xattr_get(struct fs_request *request, struct fs_node *node)
{
    struct ds_buf out DS_CLEANUP(ds_buf_free) = {0};
    int err;

    if (node->kind != FS_NODE_DATASET || strncmp(request->name, PREFIX, strlen(PREFIX)) != 0)
        return -ENODATA;
    err = fs_query_refresh(request, node->dataset, FS_FRESH_MS);
    if (err != 0)
        return err;
    pthread_mutex_lock(&request->fs->lock);
    err = print(&node->dataset->attributes, request->name, &out);
    pthread_mutex_unlock(&request->fs->lock);
    return err != 0 ? err : reply(request, &out);
}

int fs_xattr_list(struct fs_request *request, struct fs_node *node)
{
    static const char *const names[] = {PREFIX "description", PREFIX "host", PREFIX "guest",
                                        PREFIX "omit_from_snapshot_and_clone", PREFIX "used"};
    struct ds_buf out DS_CLEANUP(ds_buf_free) = {0};
    int err = 0;

    if (node->kind == FS_NODE_DATASET)
        err = fs_query_refresh(request, node->dataset, FS_ACCESS_TRUST_MS);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && err == 0; i++) {
        struct ds_buf value DS_CLEANUP(ds_buf_free) = {0};

        if (node->kind != FS_NODE_DATASET)
            break;
        pthread_mutex_lock(&request->fs->lock);
        err = print(&node->dataset->attributes, names[i], &value);
        pthread_mutex_unlock(&request->fs->lock);
        if (err == 0)
            err = ds_buf_append(&out, names[i], strlen(names[i]) + 1);
        else if (err == -ENODATA)
            err = 0;
    }
    return err != 0 ? err : reply(request, &out);
}

/* An attribute's text as the JSON object that ds_attributes_from_json() reads, so that the words
 * are judged in one place. */
static int to_json(const char *name, const char *text, struct ds_buf *json)
{
    const char *member = name + strlen(PREFIX);
    int err = ds_buf_puts(json, "{");

    if (err == 0)
        err = ds_buf_json_string(json, member);
    if (err == 0)
        err = ds_buf_puts(json, ":");
    if (err == 0 && strcmp(member, "omit_from_snapshot_and_clone") == 0 &&
        (strcmp(text, "true") == 0 || strcmp(text, "false") == 0))
        err = ds_buf_puts(json, text);
    else if (err == 0)
        err = ds_buf_json_string(json, text);
    return err != 0 ? err : ds_buf_puts(json, "}");
}

int fs_xattr_set(struct fs_request *request, struct fs_node *node)
{
    struct ds_attributes attributes DS_CLEANUP(ds_attributes_clear) = {0};
    struct ds_buf json DS_CLEANUP(ds_buf_free) = {0};
    struct ds_buf text DS_CLEANUP(ds_buf_free) = {0};
    char why[DS_WHY_BYTES];
    int err;

    if (node->kind != FS_NODE_DATASET || strncmp(request->name, PREFIX, strlen(PREFIX)) != 0)
        return -EOPNOTSUPP;
    if (!node->dataset->vm->caps->can_create)
        return -EPERM;
    if (request->flags & XATTR_CREATE)
        return -EEXIST; /* all of them are always there */
    err = ds_buf_append(&text, request->data, request->size);
    if (err != 0)
        return err;
    if (strlen(text.data) != request->size)
        return -EINVAL;
    fs_request_about(request, node->dataset->name, NULL);
    err = to_json(request->name, text.data, &json);
    if (err == 0)
        err = ds_attributes_from_json(json.data, json.len, &attributes, why);
    if (err == -EINVAL)
        return ds_call_fail(&request->call, err, "%s", why);
    if (err == 0)
        err = fs_query_update(request, node->dataset, &attributes);
    if (err == 0)
        fs_reply_ok(request);
    return err;
}
