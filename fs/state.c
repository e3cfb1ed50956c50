/* The state of one mount: made and taken down. */
#include "state.h"

#include "file/handle.h"
#include "model/datasets.h"
#include "model/due_work.h"
#include "model/kept_attributes.h"
#include "model/key_history.h"
#include "model/node.h"
#include "owners.h"
#include "store/query_dataset.h"
#include "store/read_ahead.h"
#include "tree/read_directory.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* The nodes that are always there, in the order of their numbers. */
static int add_fixed_nodes(struct fs *fs)
{
    static const enum fs_node_kind kinds[] = {FS_NODE_ROOT,   FS_NODE_CONTROL, FS_NODE_STATS,
                                              FS_NODE_ERRORS, FS_NODE_SCRATCH, FS_NODE_INFO_DIR};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (fs_node_new(fs, kinds[i], NULL, NULL) == NULL)
            return -ENOMEM;
    return 0;
}

int fs_state_new(const struct fs_options *options, const struct fs_kind *kinds,
                 struct ds_client *client, struct fs **out)
{
    struct fs *fs = calloc(1, sizeof(*fs));

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
    fs->vm = fs_vm_new(fs, FS_INO_ROOT, client, &fs->start);
    if (fs->vm == NULL || fs->kernel.errors == NULL || fs->marks == NULL ||
        add_fixed_nodes(fs) != 0) {
        fs_state_free(fs);
        return -ENOMEM;
    }
    *out = fs;
    return 0;
}

static void free_vm(struct fs_vm *vm)
{
    struct fs_dataset *dataset, *next;

    if (vm == NULL)
        return;
    HASH_ITER (hh, vm->datasets, dataset, next) {
        fs_dataset_ref(dataset);
        fs_query_gone(vm->fs, dataset);
        fs_dataset_unref(dataset);
    }
    fs_vm_free(vm);
}

void fs_state_free(struct fs *fs)
{
    struct fs_dataset *dataset = fs->vm != NULL ? fs->vm->datasets : NULL;
    struct fs_node *node;

    while (fs->dirs != NULL)
        fs_dir_free(fs, fs->dirs);
    for (; dataset != NULL; dataset = dataset->hh.next)
        fs_ahead_drop(fs, dataset);
    while ((node = fs_node_any(fs)) != NULL) {
        fs_node_pin(node);
        while (node->busy->open.handles != NULL)
            fs_handle_free(fs, node->busy->open.handles);
        fs_node_detach(fs, node);
        fs_node_drop(fs, node);
    }
    free_vm(fs->vm);
    fs_attr_clear(fs);
    fs_history_free(fs->marks);
    fs_error_log_free(fs->kernel.errors);
    pthread_mutex_destroy(&fs->lock);
    free(fs);
}
