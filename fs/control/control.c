/* The directory .datasetfs and the files in it. */
#include "control.h"

#include "cleanup.h"
#include "file_name.h"
#include "kernel/error_log.h"
#include "scratch/leftover.h"
#include "snapshot.h"
#include "store/ask.h"
#include "tree/lookup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    fuse_ino_t ino;
    mode_t type;
} names[] = {
    {"stats", FS_INO_STATS, S_IFREG},
    {"errors", FS_INO_ERRORS, S_IFREG},
    {"scratch", FS_INO_SCRATCH, S_IFREG},
    {"info", FS_INO_INFO, S_IFDIR},
};
enum { NAME_COUNT = sizeof(names) / sizeof(names[0]) };

void fs_control_show(const struct fs *fs, const struct fs_node *node,
                     struct fuse_entry_param *entry)
{
    (void)fs, (void)node;
    entry->attr.st_mode = S_IFDIR | 0700;
    entry->attr_timeout = entry->entry_timeout = FS_DIR_TIMEOUT_S;
}

/* Replies with the node of that number, which is always there. */
static int found(struct fs_request *request, fuse_ino_t ino)
{
    struct fs_node *node = fs_node_acquire(request->fs, ino);
    fs_node_handler *know;
    int err;

    if (node == NULL)
        return -ENOENT;
    know = request->fs->kinds[node->kind].know;
    err = know != NULL ? know(request, node) : 0;
    if (err == 0)
        fs_lookup_reply(request, node);
    fs_node_release(request->fs, node);
    return err;
}

int fs_control_lookup_itself(struct fs_request *request, struct fs_node *root)
{
    int err = fs_snapshot_allow(request, root);

    return err != 0 ? err : found(request, FS_INO_CONTROL);
}

int fs_control_lookup(struct fs_request *request, struct fs_node *parent)
{
    int err = fs_snapshot_allow(request, parent);

    if (err != 0)
        return err;
    for (size_t i = 0; i < NAME_COUNT; i++)
        if (strcmp(request->name, names[i].name) == 0)
            return found(request, names[i].ino);
    return -ENOENT;
}

int fs_control_list(struct fs_request *request, struct fs_node *node, struct fs_listing **listing,
                    struct ds_names *more)
{
    int err = 0;

    (void)request, (void)node, (void)listing;
    for (size_t i = 0; i < NAME_COUNT && err == 0; i++)
        err = ds_names_add(more, names[i].name);
    return err;
}

void fs_control_item(struct fs *fs, const struct fs_node *node, const char *name,
                     struct fs_item *item)
{
    (void)node;
    for (size_t i = 0; i < NAME_COUNT; i++) {
        if (strcmp(name, names[i].name) != 0)
            continue;
        snprintf(item->name, sizeof(item->name), "%s", name);
        item->node = fs_node_find(fs, names[i].ino);
        fs_node_unpin(fs, item->node); /* it is always there */
        item->number = item->node->number;
        item->type = names[i].type;
    }
}

enum { STATS_BLOCK_BYTES = 512 };

/* Lets the size stay what it is while the counters grow. */
static int pad(struct ds_buf *out)
{
    int err = ds_buf_puts(out, "# ");

    while (err == 0 && (out->len + 1) % STATS_BLOCK_BYTES != 0)
        err = ds_buf_puts(out, ".");
    return err == 0 ? ds_buf_puts(out, "\n") : err;
}

/* Prometheus' text format. */
static int print_stats(struct fs_request *request, struct fs_node *node, int64_t max_age_ms,
                       struct ds_buf *out)
{
    struct fs *fs = request->fs;
    int err = ds_buf_puts(out, "# HELP datasetfs_store_requests_total Requests sent to the store.\n"
                               "# TYPE datasetfs_store_requests_total counter\n");

    (void)node, (void)max_age_ms;
    for (int op = 0; op < DS_OP_COUNT && err == 0; op++)
        err = ds_buf_printf(out, "datasetfs_store_requests_total{operation=\"%s\"} %llu\n",
                            ds_op_name(op),
                            (unsigned long long)ds_client_requests(fs->vm->client, op));
    if (err == 0)
        err =
            ds_buf_puts(out, "# HELP datasetfs_store_errors_total Calls of the store that failed.\n"
                             "# TYPE datasetfs_store_errors_total counter\n");
    for (int op = 0; op < DS_OP_COUNT && err == 0; op++)
        err =
            ds_buf_printf(out, "datasetfs_store_errors_total{operation=\"%s\"} %llu\n",
                          ds_op_name(op), (unsigned long long)ds_client_errors(fs->vm->client, op));
    if (err == 0)
        err = ds_buf_puts(out, "# HELP datasetfs_fuse_requests_total Requests of the kernel.\n"
                               "# TYPE datasetfs_fuse_requests_total counter\n");
    for (int opcode = 0; opcode < FS_OPCODE_COUNT && err == 0; opcode++)
        err = ds_buf_printf(out, "datasetfs_fuse_requests_total{opcode=\"%s\"} %llu\n",
                            fs_opcode_name(opcode),
                            (unsigned long long)atomic_load(&fs->kernel.requests[opcode]));
    return err == 0 ? pad(out) : err;
}

static int print_errors(struct fs_request *request, struct fs_node *node, int64_t max_age_ms,
                        struct ds_buf *out)
{
    (void)node, (void)max_age_ms;
    return fs_error_log_print(request->kernel->errors, out);
}

static int print_scratch(struct fs_request *request, struct fs_node *node, int64_t max_age_ms,
                         struct ds_buf *out)
{
    (void)node, (void)max_age_ms;
    return fs_leftover_print(request->fs, out);
}

/* These are only read. */
static int open_file(struct fs_request *request, struct fs_node *node, fs_snapshot_print *print)
{
    if ((request->fi.flags & O_ACCMODE) != O_RDONLY)
        return -EACCES;
    return fs_snapshot_open(request, node, print);
}

int fs_control_know_stats(struct fs_request *request, struct fs_node *node)
{
    return fs_snapshot_know(request, node, print_stats);
}

int fs_control_open_stats(struct fs_request *request, struct fs_node *node)
{
    return open_file(request, node, print_stats);
}

int fs_control_know_errors(struct fs_request *request, struct fs_node *node)
{
    return fs_snapshot_know(request, node, print_errors);
}

int fs_control_open_errors(struct fs_request *request, struct fs_node *node)
{
    return open_file(request, node, print_errors);
}

int fs_control_know_scratch(struct fs_request *request, struct fs_node *node)
{
    return fs_snapshot_know(request, node, print_scratch);
}

int fs_control_open_scratch(struct fs_request *request, struct fs_node *node)
{
    return open_file(request, node, print_scratch);
}
