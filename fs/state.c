/* The state of one mount: made and taken down. */
#include "state.h"

#include "file/handle.h"
#include "model/datasets.h"
#include "model/due_work.h"
#include "model/kept_attributes.h"
#include "model/key_history.h"
#include "model/listing.h"
#include "model/machines.h"
#include "model/node.h"
#include "owners.h"
#include "store/column.h"
#include "store/end_machine.h"
#include "store/read_ahead.h"
#include "tree/read_directory.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { FIXED_NODES = 6 };

/* The nodes that are always there, in the order of their numbers: of a mount of one machine, and of
 * an inventory. */
static int add_fixed_nodes(struct fs *fs)
{
    static const enum fs_node_kind kinds[2][FIXED_NODES] = {
        {FS_NODE_ROOT, FS_NODE_CONTROL, FS_NODE_STATS, FS_NODE_ERRORS, FS_NODE_SCRATCH,
         FS_NODE_INFO_DIR},
        {FS_NODE_MACHINES, FS_NODE_CONTROL, FS_NODE_STATS, FS_NODE_ERRORS, FS_NODE_SCRATCH,
         FS_NODE_MACHINE_TABLE}};

    for (size_t i = 0; i < FIXED_NODES; i++)
        if (fs_node_new(fs, kinds[fs_machines_any(fs)][i], NULL, NULL) == NULL)
            return -ENOMEM;
    return 0;
}

int fs_state_new(const struct fs_options *options, const struct fs_kind *kinds,
                 const struct fs_store *store, struct fs **out)
{
    struct fs *fs = calloc(1, sizeof(*fs));
    const struct ds_caps *caps = store->inventory != NULL ? ds_inventory_caps(store->inventory)
                                                          : ds_client_caps(store->client);

    if (fs == NULL)
        return -ENOMEM;
    fs->options = options;
    fs->owners = &fs_owners;
    fs->end_dataset = fs_ahead_drop;
    fs->kinds = kinds;
    fs->kernel.fs = fs;
    fs->kernel.lock = &fs->lock;
    fs->kernel.timeout_ms = options->store.timeout_ms;
    fs->mounting_uid = geteuid();
    clock_gettime(CLOCK_REALTIME, &fs->start);
    pthread_mutex_init(&fs->lock, NULL);
    fs_due_init(fs);
    fs->kernel.errors = fs_error_log_new(FS_ERROR_LOG_REPEAT_MS);
    fs->marks = fs_history_new();
    fs->machines.inventory = store->inventory;
    fs->vm = fs_vm_new(fs, FS_INO_ROOT, caps, &fs->start);
    if (fs->vm != NULL) {
        fs->vm->ino = FS_INO_ROOT;
        fs->vm->client = store->client;
    }
    if (fs->vm == NULL || fs->kernel.errors == NULL || fs->marks == NULL ||
        add_fixed_nodes(fs) != 0) {
        fs_state_free(fs, NULL);
        return -ENOMEM;
    }
    *out = fs;
    return 0;
}

static void drop_ahead(struct fs *fs, const struct fs_vm *vm)
{
    struct fs_dataset *dataset = vm != NULL ? vm->datasets : NULL;

    for (; dataset != NULL; dataset = dataset->hh.next)
        fs_ahead_drop(fs, dataset);
}

void fs_state_free(struct fs *fs, struct ds_call *call)
{
    struct fs_node *node;
    struct fs_vm *vm;

    while (fs->dirs != NULL)
        fs_dir_free(fs, fs->dirs);
    fs_column_end(fs);
    drop_ahead(fs, fs->vm);
    for (vm = fs->machines.by_id; vm != NULL; vm = vm->machine.by_id.next)
        drop_ahead(fs, vm);
    while ((node = fs_node_any(fs)) != NULL) {
        fs_node_pin(node);
        while (node->busy->open.handles != NULL)
            fs_handle_free(fs, node->busy->open.handles);
        fs_node_detach(fs, node);
        fs_node_drop(fs, node);
    }
    while ((vm = fs_machines_take(fs)) != NULL)
        fs_end_machine(vm, call);
    if (fs->vm != NULL)
        fs_end_machine(fs->vm, call);
    fs_listing_unref(fs->machines.listing);
    fs_attr_clear(fs);
    fs_history_free(fs->marks);
    fs_error_log_free(fs->kernel.errors);
    pthread_mutex_destroy(&fs->lock);
    free(fs);
}
