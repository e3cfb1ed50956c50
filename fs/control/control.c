/* The files of .datasetfs. */
#include "control.h"

#include "cleanup.h"
#include "file/close.h"
#include "file/content.h"
#include "kernel/errors.h"
#include "kernel/reply.h"
#include "model/record.h"
#include "model/told.h"
#include "scratch/leftover.h"
#include "store/query.h"
#include "text/name.h"
#include "tree/entry.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <utlist.h>

enum { STATS_BLOCK_BYTES = 512 };

int fs_control_allow(const struct fs_request *request, const struct fs_node *node)
{
    bool control = node->kind != FS_NODE_ROOT && node->kind != FS_NODE_DATASET &&
                   node->kind != FS_NODE_ENTRY && node->kind != FS_NODE_LOCK;

    return control && request->uid != request->fs->mounting_uid ? -EACCES : 0;
}

struct fs_node *fs_control_info_node(struct fs *fs, struct fs_dataset *dataset)
{
    if (dataset->info_node != NULL)
        fs_node_pin(dataset->info_node);
    else
        dataset->info_node = fs_node_new(fs, FS_NODE_INFO, dataset, NULL);
    return dataset->info_node;
}

/* info/NAME: there if the DataSet is. */
static int find_info(struct fs_request *request, struct fs_node **out)
{
    struct fs *fs = request->fs;
    char *name DS_AUTO_FREE = NULL;
    struct fs_dataset *dataset;
    int err;

    request->about_info = true;
    err = fs_entry_key_of_name(request, NULL, request->name, &name);
    if (err != 0)
        return err;
    dataset = fs_record_acquire(fs, name);
    if (dataset == NULL)
        return -ENOMEM;
    err = fs_query_seek(request, dataset);

    DS_LOCK_SCOPE(&fs->lock);
    if (err == 0) {
        *out = fs_control_info_node(fs, dataset);
        err = *out != NULL ? 0 : -ENOMEM;
    }
    fs_record_unref(fs, dataset);
    return err;
}

int fs_control_find(struct fs_request *request, struct fs_node *parent, struct fs_node **out)
{
    static const struct {
        enum fs_node_kind parent;
        const char *name;
        fuse_ino_t ino;
    } fixed[] = {
        {FS_NODE_ROOT, FS_NAME_CONTROL, FS_INO_CONTROL},
        {FS_NODE_CONTROL, "stats", FS_INO_STATS},
        {FS_NODE_CONTROL, "errors", FS_INO_ERRORS},
        {FS_NODE_CONTROL, "scratch", FS_INO_SCRATCH},
        {FS_NODE_CONTROL, "info", FS_INO_INFO},
    };

    if (request->uid != request->fs->mounting_uid)
        return -EACCES;
    if (parent->kind == FS_NODE_INFO_DIR)
        return find_info(request, out);
    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
        if (parent->kind == fixed[i].parent && strcmp(request->name, fixed[i].name) == 0) {
            *out = fs_node_acquire(request->fs, fixed[i].ino);
            return *out != NULL ? 0 : -ENOENT;
        }
    }
    return -ENOENT;
}

/* Lets the size stay what it is while the counters grow. */
static int pad(struct ds_buf *out)
{
    int err = ds_buf_puts(out, "# ");

    while (err == 0 && (out->len + 1) % STATS_BLOCK_BYTES != 0)
        err = ds_buf_puts(out, ".");
    return err == 0 ? ds_buf_puts(out, "\n") : err;
}

/* Prometheus' text format. */
static int print_stats(struct fs *fs, struct ds_buf *out)
{
    int err = ds_buf_puts(out, "# HELP datasetfs_store_requests_total Requests sent to the store.\n"
                               "# TYPE datasetfs_store_requests_total counter\n");

    for (int op = 0; op < DS_OP_COUNT && err == 0; op++)
        err = ds_buf_printf(out, "datasetfs_store_requests_total{operation=\"%s\"} %llu\n",
                            ds_op_name(op), (unsigned long long)ds_client_requests(fs->client, op));
    if (err == 0)
        err =
            ds_buf_puts(out, "# HELP datasetfs_store_errors_total Calls of the store that failed.\n"
                             "# TYPE datasetfs_store_errors_total counter\n");
    for (int op = 0; op < DS_OP_COUNT && err == 0; op++)
        err = ds_buf_printf(out, "datasetfs_store_errors_total{operation=\"%s\"} %llu\n",
                            ds_op_name(op), (unsigned long long)ds_client_errors(fs->client, op));
    if (err == 0)
        err = ds_buf_puts(out, "# HELP datasetfs_fuse_requests_total Requests of the kernel.\n"
                               "# TYPE datasetfs_fuse_requests_total counter\n");
    for (int opcode = 0; opcode < FS_OPCODE_COUNT && err == 0; opcode++)
        err = ds_buf_printf(out, "datasetfs_fuse_requests_total{opcode=\"%s\"} %llu\n",
                            fs_opcode_name(opcode),
                            (unsigned long long)atomic_load(&fs->kernel.requests[opcode]));
    return err == 0 ? pad(out) : err;
}

/* With fs->lock: the long names of the DataSet's last listing with their whole keys. */
static int print_long_names(const struct fs_dataset *dataset, struct ds_buf *out)
{
    const char *before = ",\"long_names\":{";
    char name[FS_NAME_MAX_BYTES + 1];
    int err = 0;

    if (dataset->listing == NULL)
        return 0;
    for (size_t i = 0; i < dataset->listing->names.count && err == 0; i++) {
        const char *key = dataset->listing->names.names[i];

        if (!fs_name_needs_shortening(FS_NAME_IN_DATASET, key))
            continue;
        fs_name_encode(FS_NAME_IN_DATASET, key, name);
        err = ds_buf_puts(out, before);
        before = ",";
        if (err == 0)
            err = ds_buf_json_string(out, name);
        if (err == 0)
            err = ds_buf_puts(out, ":");
        if (err == 0)
            err = ds_buf_json_string(out, key);
    }
    if (err == 0 && before[1] == '\0')
        err = ds_buf_puts(out, "}");
    return err;
}

static int print_info(struct fs_request *request, struct fs_node *node, int64_t max_age_ms,
                      struct ds_buf *out)
{
    struct fs *fs = request->fs;
    int err;

    request->about_info = true;
    err = fs_query_refresh(request, node->dataset, max_age_ms);
    if (err != 0)
        return err;
    DS_LOCK_SCOPE(&fs->lock);
    err = ds_attributes_to_json(node->dataset->name, &node->dataset->attributes, out);
    if (err != 0)
        return err;
    out->len--; /* reopens the object: its last byte is the closing brace */
    err = print_long_names(node->dataset, out);
    return err != 0 ? err : ds_buf_puts(out, "}\n");
}

/* The snapshot that a reader gets; of a DataSet, what was so `max_age_ms` ago at most. */
static int print(struct fs_request *request, struct fs_node *node, int64_t max_age_ms,
                 struct ds_buf *out)
{
    switch (node->kind) {
    case FS_NODE_STATS:
        return print_stats(request->fs, out);
    case FS_NODE_ERRORS:
        return fs_errors_print(request->fs->kernel.errors, out);
    case FS_NODE_SCRATCH:
        return fs_leftover_print(request->fs, out);
    case FS_NODE_INFO:
        return print_info(request, node, max_age_ms, out);
    default:
        return -EISDIR;
    }
}

int fs_control_measure(struct fs_request *request, struct fs_node *node)
{
    struct fs *fs = request->fs;
    struct ds_buf text DS_CLEANUP(ds_buf_free) = {0};
    const struct fs_handle *handle;
    bool open = false;
    int err;

    if (node->kind != FS_NODE_STATS && node->kind != FS_NODE_ERRORS &&
        node->kind != FS_NODE_SCRATCH && node->kind != FS_NODE_INFO)
        return 0;
    pthread_mutex_lock(&fs->lock);
    DL_FOREACH (node->open.handles, handle) {
        node->seen.size_bytes = handle->text.len;
        open = true;
    }
    pthread_mutex_unlock(&fs->lock);
    if (open)
        return 0;
    err = print(request, node, FS_QUERY_SHOWN_MS, &text);
    if (err != 0)
        return err;
    DS_LOCK_SCOPE(&fs->lock);
    node->seen.size_bytes = text.len;
    return 0;
}

static int may_open(struct fs_request *request, const struct fs_node *node)
{
    bool writes = (request->fi.flags & O_ACCMODE) != O_RDONLY;
    int err = fs_control_allow(request, node);

    if (err != 0 || !writes)
        return err;
    if (node->kind != FS_NODE_INFO)
        return -EACCES;
    return ds_client_caps(request->fs->client)->can_create ? 0 : -EPERM;
}

int fs_control_open(struct fs_request *request, struct fs_node *node)
{
    struct fs *fs = request->fs;
    struct ds_buf text DS_CLEANUP(ds_buf_free) = {0};
    struct fs_handle *handle;
    int err = may_open(request, node);

    if (err == 0 && (request->fi.flags & O_ACCMODE) != O_WRONLY)
        err = print(request, node, 0, &text);
    if (err != 0)
        return err;
    pthread_mutex_lock(&fs->lock);
    handle = fs_handle_new(node, request->fi.flags);
    if (handle != NULL) {
        handle->text = text;
        memset(&text, 0, sizeof(text));
    }
    pthread_mutex_unlock(&fs->lock);
    if (handle == NULL)
        return -ENOMEM;
    request->fi.fh = (uintptr_t)handle;
    request->fi.direct_io = 1;
    if (fs_reply_open(request) != 0)
        fs_close_abandon(fs, handle);
    return 0;
}

/* With fs->lock: a handle for a DataSet that the first write makes. */
static int create_locked(struct fs_request *request, struct fs_node *node,
                         struct fs_handle **handle, struct fuse_entry_param *entry)
{
    if (node->dataset->exists && (request->fi.flags & O_EXCL))
        return -EEXIST;
    *handle = fs_handle_new(node, request->fi.flags);
    if (*handle == NULL)
        return -ENOMEM;
    (*handle)->creates = !node->dataset->exists;
    fs_told_entry(request->fs, node, fs_content_size(node), entry);
    fs_node_looked_up(node);
    return 0;
}

int fs_control_create(struct fs_request *request)
{
    struct fs *fs = request->fs;
    char *name DS_AUTO_FREE = NULL;
    struct fuse_entry_param entry;
    struct fs_handle *handle = NULL;
    struct fs_dataset *dataset;
    struct fs_node *node = NULL;
    int err;

    if (request->uid != fs->mounting_uid)
        return -EACCES;
    if (!ds_client_caps(fs->client)->can_create)
        return -EPERM;
    err = fs_name_decode(FS_NAME_IN_ROOT, request->name, &name);
    if (err != 0)
        return err;
    pthread_mutex_lock(&fs->lock);
    dataset = fs_record_get(fs, name);
    if (dataset != NULL) {
        node = fs_control_info_node(fs, dataset);
        fs_record_unref(fs, dataset);
    }
    err = node != NULL ? create_locked(request, node, &handle, &entry) : -ENOMEM;
    pthread_mutex_unlock(&fs->lock);
    if (err == 0) {
        request->fi.fh = (uintptr_t)handle;
        request->fi.direct_io = 1;
        if (fs_reply_create(request, &entry) != 0) {
            fs_close_abandon(fs, handle);
            fs_node_forget(fs, entry.ino, 1);
        }
    }
    if (node != NULL)
        fs_node_release(fs, node);
    return err;
}

int fs_control_read(struct fs_request *request, struct fs_handle *handle)
{
    const struct ds_buf *text = &handle->text;
    size_t start = (size_t)request->offset < text->len ? (size_t)request->offset : text->len;
    size_t len = text->len - start < request->size ? text->len - start : request->size;

    fs_reply_buf(request, text->data != NULL ? text->data + start : NULL, len);
    return 0;
}

/* What the object does not name, the mount's options do. */
static int complete(struct ds_attributes *attributes, const struct ds_attributes *defaults)
{
    if (attributes->host == DS_ACCESS_UNKNOWN)
        attributes->host = defaults->host;
    if (attributes->guest == DS_ACCESS_UNKNOWN)
        attributes->guest = defaults->guest;
    if (attributes->omit_from_snapshot_and_clone == DS_FLAG_UNKNOWN)
        attributes->omit_from_snapshot_and_clone = defaults->omit_from_snapshot_and_clone;
    if (attributes->description == NULL && defaults->description != NULL) {
        attributes->description = strdup(defaults->description);
        if (attributes->description == NULL)
            return -ENOMEM;
    }
    return 0;
}

int fs_control_write(struct fs_request *request, struct fs_handle *handle)
{
    struct fs *fs = request->fs;
    struct fs_dataset *dataset = handle->node->dataset;
    struct ds_attributes attributes DS_CLEANUP(ds_attributes_clear) = {0};
    char why[DS_WHY_BYTES];
    bool creates;
    int err;

    request->about_info = true;
    fs_request_about(request, dataset->name, NULL);
    err = ds_attributes_from_json(request->data, request->size, &attributes, why);
    if (err != 0)
        return err == -EINVAL ? ds_call_fail(&request->call, err, "%s", why) : err;
    pthread_mutex_lock(&fs->lock);
    creates = handle->creates;
    pthread_mutex_unlock(&fs->lock);
    err = creates ? complete(&attributes, &fs->options->defaults) : 0;
    if (err == 0)
        err = creates ? fs_query_create(request, dataset, &attributes)
                      : fs_query_update(request, dataset, &attributes);
    if (err != 0)
        return err;
    pthread_mutex_lock(&fs->lock);
    handle->creates = false;
    pthread_mutex_unlock(&fs->lock);
    fs_reply_write(request, request->size);
    return 0;
}
