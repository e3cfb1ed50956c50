/* The directory .datasetfs and the files in it. */
#include "control.h"

#include "cleanup.h"
#include "file_name.h"
#include "kernel/error_log.h"
#include "model/key_history.h"
#include "model/machines.h"
#include "scratch/leftover.h"
#include "snapshot.h"
#include "store/ask.h"
#include "tree/lookup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

struct name {
    const char *name;
    fuse_ino_t ino; /* 0: an inode that each machine has for itself */
    mode_t type;
};

enum { NAME_COUNT = 4 };

/* Of a mount of one machine; of an inventory; and of each machine of one, which has but its info
 * for itself. */
static const struct name names[3][NAME_COUNT] = {{
                                                     {"stats", FS_INO_STATS, S_IFREG},
                                                     {"errors", FS_INO_ERRORS, S_IFREG},
                                                     {"scratch", FS_INO_SCRATCH, S_IFREG},
                                                     {"info", FS_INO_INFO, S_IFDIR},
                                                 },
                                                 {
                                                     {"stats", FS_INO_STATS, S_IFREG},
                                                     {"errors", FS_INO_ERRORS, S_IFREG},
                                                     {"scratch", FS_INO_SCRATCH, S_IFREG},
                                                     {"machines", FS_INO_TABLE, S_IFREG},
                                                 },
                                                 {
                                                     {"stats", FS_INO_STATS, S_IFREG},
                                                     {"errors", FS_INO_ERRORS, S_IFREG},
                                                     {"scratch", FS_INO_SCRATCH, S_IFREG},
                                                     {"info", 0, S_IFDIR},
                                                 }};

static const struct name *names_in(const struct fs *fs, const struct fs_node *control)
{
    return names[!fs_machines_any(fs) ? 0 : control->busy->vm == NULL ? 1 : 2];
}

/* With fs->lock: the node of that name, pinned. NULL without memory. */
static struct fs_node *node_of(struct fs *fs, const struct fs_node *control,
                               const struct name *name)
{
    return name->ino != 0 ? fs_node_find(fs, name->ino)
                          : fs_node_of_vm(control->busy->vm, FS_VM_INFO);
}

void fs_control_show(const struct fs *fs, const struct fs_node *node,
                     struct fuse_entry_param *entry)
{
    (void)fs, (void)node;
    entry->attr.st_mode = S_IFDIR | 0700;
    entry->attr_timeout = entry->entry_timeout = FS_DIR_TIMEOUT_S;
}

/* Replies with the node, which is released. */
static int found(struct fs_request *request, struct fs_node *node)
{
    fs_node_handler *know;
    int err;

    if (node == NULL)
        return -ENOMEM;
    know = request->fs->kinds[node->kind].know;
    err = know != NULL ? know(request, node) : 0;
    if (err == 0)
        fs_lookup_reply(request, node);
    fs_node_release(request->fs, node);
    return err;
}

int fs_control_lookup_itself(struct fs_request *request, struct fs_node *parent)
{
    struct fs *fs = request->fs;
    struct fs_vm *vm = parent->busy->vm;
    struct fs_node *node;
    int err = fs_snapshot_allow(request, parent);

    if (err != 0)
        return err;
    pthread_mutex_lock(&fs->lock);
    node = vm != NULL ? fs_node_of_vm(vm, FS_VM_CONTROL) : fs_node_find(fs, FS_INO_CONTROL);
    pthread_mutex_unlock(&fs->lock);
    return found(request, node);
}

int fs_control_lookup(struct fs_request *request, struct fs_node *parent)
{
    struct fs *fs = request->fs;
    const struct name *name = names_in(fs, parent);
    struct fs_node *node;
    int err = fs_snapshot_allow(request, parent);

    if (err != 0)
        return err;
    for (size_t i = 0; i < NAME_COUNT; i++) {
        if (strcmp(request->name, name[i].name) != 0)
            continue;
        pthread_mutex_lock(&fs->lock);
        node = node_of(fs, parent, &name[i]);
        pthread_mutex_unlock(&fs->lock);
        return found(request, node);
    }
    return -ENOENT;
}

int fs_control_list(struct fs_request *request, struct fs_node *node, struct fs_listing **listing,
                    struct ds_names *more)
{
    const struct name *name = names_in(request->fs, node);
    int err = 0;

    (void)listing;
    for (size_t i = 0; i < NAME_COUNT && err == 0; i++)
        err = ds_names_add(more, name[i].name);
    return err;
}

void fs_control_item(struct fs *fs, const struct fs_node *node, const char *name,
                     struct fs_item *item)
{
    const struct name *known = names_in(fs, node);
    size_t i = 0;

    while (strcmp(name, known[i].name) != 0)
        i++;
    snprintf(item->name, sizeof(item->name), "%s", name);
    item->type = known[i].type;
    if (known[i].ino == 0) {
        item->node = node->busy->vm->machine.inodes[FS_VM_INFO];
        item->number = fs_history_number_of_vm(node->busy->vm, FS_VM_INFO);
        return;
    }
    item->node = fs_node_find(fs, known[i].ino);
    fs_node_unpin(fs, item->node); /* it is always there */
    item->number = item->node->number;
}

uint64_t fs_control_parent(const struct fs *fs, const struct fs_node *node)
{
    (void)fs;
    return node->busy->vm != NULL ? fs_history_number_of_vm(node->busy->vm, FS_VM_DIRECTORY)
                                  : FS_INO_ROOT;
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

static void count(struct fs *fs, uint64_t *requests, uint64_t *errors)
{
    DS_LOCK_SCOPE(&fs->lock);
    for (int op = 0; op < DS_OP_COUNT; op++) {
        requests[op] = fs_machines_requests(fs, op);
        errors[op] = fs_machines_errors(fs, op);
    }
}

/* Prometheus' text format. */
static int print_stats(struct fs_request *request, struct fs_node *node, int64_t max_age_ms,
                       struct ds_buf *out)
{
    struct fs *fs = request->fs;
    uint64_t requests[DS_OP_COUNT], errors[DS_OP_COUNT];
    int err = ds_buf_puts(out, "# HELP datasetfs_store_requests_total Requests sent to the store.\n"
                               "# TYPE datasetfs_store_requests_total counter\n");

    (void)node, (void)max_age_ms;
    count(fs, requests, errors);
    for (int op = 0; op < DS_OP_COUNT && err == 0; op++)
        err = ds_buf_printf(out, "datasetfs_store_requests_total{operation=\"%s\"} %llu\n",
                            ds_op_name(op), (unsigned long long)requests[op]);
    if (err == 0)
        err =
            ds_buf_puts(out, "# HELP datasetfs_store_errors_total Calls of the store that failed.\n"
                             "# TYPE datasetfs_store_errors_total counter\n");
    for (int op = 0; op < DS_OP_COUNT && err == 0; op++)
        err = ds_buf_printf(out, "datasetfs_store_errors_total{operation=\"%s\"} %llu\n",
                            ds_op_name(op), (unsigned long long)errors[op]);
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

int fs_control_open(struct fs_request *request, struct fs_node *node, fs_snapshot_print *print)
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
    return fs_control_open(request, node, print_stats);
}

int fs_control_know_errors(struct fs_request *request, struct fs_node *node)
{
    return fs_snapshot_know(request, node, print_errors);
}

int fs_control_open_errors(struct fs_request *request, struct fs_node *node)
{
    return fs_control_open(request, node, print_errors);
}

int fs_control_know_scratch(struct fs_request *request, struct fs_node *node)
{
    return fs_snapshot_know(request, node, print_scratch);
}

int fs_control_open_scratch(struct fs_request *request, struct fs_node *node)
{
    return fs_control_open(request, node, print_scratch);
}
