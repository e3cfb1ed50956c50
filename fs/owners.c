/* The owners of an inode's parts. */
#include "owners.h"

#include "file/working.h"
#include "kernel/forget.h"
#include "model/datasets.h"
#include "model/due_work.h"
#include "model/kept_attributes.h"
#include "model/key_history.h"
#include "model/times.h"
#include "model/value.h"
#include "scratch/leftover.h"
#include "scratch/scratch.h"
#include "store/send.h"

static bool keep(const struct fs_node *node)
{
    return node->attached &&
           (node->busy->scratch != NULL || node->busy->withheld != NULL ||
            node->kind == FS_NODE_LOCK || node->busy->due.at_ms != 0 || fs_working_waits(node));
}

static bool idle(const struct fs_node *node)
{
    const struct fs_busy *busy = node->busy;

    return node->kind == FS_NODE_ENTRY && !busy->key_lock.locked &&
           busy->key_lock.waiters == NULL && busy->open.handles == NULL &&
           fs_working_is_empty(node) && fs_send_is_over(node) && fs_value_is_shown(node) &&
           busy->scratch == NULL && busy->withheld == NULL && busy->due.at_ms == 0 &&
           !busy->stale.waits && busy->carried == NULL;
}

static void lose_key(struct fs *fs, struct fs_node *node, bool moves)
{
    fs_attr_take(fs, node);
    if (node->kind == FS_NODE_ENTRY && !fs_node_is_local(node) && node->dataset->exists) {
        fs_history_gone(fs, node->dataset, node->key);
        fs_history_removed(fs, node->dataset, node->key);
    }
    fs_working_lose_key(node, moves);
    if (!moves)
        fs_scratch_untie(fs, node);
}

static void get_key(struct fs *fs, struct fs_node *node)
{
    fs_value_sighted(fs, node);
    fs_history_bring(fs, node->dataset, node->key, node->number);
    fs_attr_put(fs, node);
}

/* Of a node that has busy parts. */
static void end_busy(struct fs *fs, struct fs_node *node)
{
    fs_scratch_free(fs, node);
    if (node->kind == FS_NODE_LOCK)
        fs_scratch_uncount_name(fs);
    fs_due_clear(fs, node);
    fs_forget_drop(&fs->kernel, &node->busy->stale);
    if (node->busy->carried != NULL) /* what was set on an attached one stays with the key */
        fs_attr_forget(fs, node);
    fs_value_drop_had(node);
    fs_working_drop_image(node);
    fs_working_drop_tail(node);
}

static void end(struct fs *fs, struct fs_node *node)
{
    fs_times_keep(fs, node);
    fs_attr_keep(fs, node);
    if (fs_node_is_busy(node))
        end_busy(fs, node);
    fs_value_drop(fs, node);
}

const struct fs_owners fs_owners = {
    .keep = keep,
    .idle = idle,
    .lose_key = lose_key,
    .get_key = get_key,
    .end = end,
    .left = fs_leftover_due,
};
