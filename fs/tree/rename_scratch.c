/* Renaming from and to temporary names. */
#include "rename_scratch.h"

#include "file/working.h"
#include "model/key_history.h"
#include "model/value.h"
#include "rename_check.h"
#include "scratch/publish.h"
#include "scratch/scratch.h"
#include "scratch/withheld.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* True if what is renamed to `to` stays in memory. The kernel has looked the name up for this very
 * call: what memory does not know then, the store does not have. */
static bool takes_scratch(const struct fs *fs, const struct fs_node *to, const char *name)
{
    if (to->busy->scratch != NULL)
        return true;
    return !fs_value_exists(to) && to->busy->withheld == NULL &&
           fs_scratch_name_kind(fs->options->scratch, name, FS_MADE_BY_RENAME) ==
               FS_SCRATCH_CONTENT;
}

bool fs_rename_is_scratch(const struct fs *fs, const struct fs_node *from, const struct fs_node *to,
                          const char *name)
{
    if (from->busy->scratch != NULL)
        return true;
    return takes_scratch(fs, to, name) && fs_scratch_can_hold(fs);
}

static int check_attached(const struct fs_node *node, const struct fs_node *to)
{
    /* Else their DataSet was destroyed while we asked. */
    return node->attached && to->attached ? 0 : -ESTALE;
}

static int take_place(struct fs *fs, struct fs_node *node, struct fs_node *to)
{
    int err = check_attached(node, to);

    return err != 0 ? err : fs_node_move(fs, node, to->dataset, to->key);
}

/* From one temporary name to another. */
static int move_in_memory(struct fs_request *request, struct fs_node *from, struct fs_node *to)
{
    const struct fs_scratch *old = to->busy->scratch;
    int err = 0;

    if (old != NULL && old->origin != NULL && from->busy->scratch->origin == NULL)
        fs_scratch_tie_instead(request->fs, from, to);
    else
        err = fs_withheld_remove(request, to);
    if (err == 0)
        err = take_place(request->fs, from, to);
    if (err == 0)
        fs_scratch_delay(request->fs, from);
    return err;
}

/* The new key has the content, and the one that `from` was remains. */
static int half_done(struct fs_request *request, const struct fs_node *from, struct fs_node *to,
                     int err)
{
    struct fs *fs = request->fs;
    char reason[DS_CALL_TEXT_BYTES];

    /* Whatever waited in the new key was before that. */
    fs_scratch_untie(fs, to);
    fs_working_supersede(fs, to);
    fs_value_unknown(fs, to, from->busy->scratch->bytes.len);
    if (err == -EINTR)
        err = -EIO; /* half of it is done: to be reported, and not to be repeated blindly */
    snprintf(reason, sizeof(reason), "%s", request->call.text);
    return ds_call_fail(&request->call, err, "renamed, but the old key remains: %s", reason);
}

/* To a key. */
static int publish_as(struct fs_request *request, struct fs_node *from, struct fs_node *to,
                      bool noreplace)
{
    struct fs *fs = request->fs;
    int err = noreplace ? fs_rename_check_absent(request, to) : 0;

    if (err == 0)
        err = fs_publish_send(request, from, to);
    if (err != 0)
        return err;
    if (from->busy->scratch->origin == to) {
        fs_scratch_untie(fs, from);
    } else {
        err = fs_withheld_remove(request, from);
        if (err != 0)
            return half_done(request, from, to, err);
    }
    err = take_place(fs, from, to);
    if (err == 0)
        fs_publish_done(fs, from, true);
    return err;
}

/* A key that was renamed to a temporary name gets its own back: the store has it still, unless the
 * other side has removed or changed it. */
static int move_back(struct fs_request *request, struct fs_node *from, struct fs_node *to,
                     bool noreplace)
{
    int err = fs_withheld_check(request, from);

    if (err == -ENOENT || (err == -EEXIST && !noreplace))
        return publish_as(request, from, to, false);
    if (err == 0)
        err = take_place(request->fs, from, to);
    if (err == 0)
        fs_publish_done(request->fs, from, false);
    return err;
}

/* The node goes on under the temporary name with the value it had, and another one stands for the
 * key, which the store still holds. All memory is allocated first: a failure leaves the node where
 * the kernel knows it. */
static int leave_origin(struct fs *fs, struct fs_node *node, struct fs_node *to,
                        struct fs_value *value)
{
    struct fs_dataset *dataset = node->dataset;
    struct fs_node *origin = fs_node_new(fs, FS_NODE_ENTRY, dataset, NULL);
    char *key = strdup(node->key), *name = strdup(to->key);

    if (origin == NULL || fs_node_make_busy(fs, origin) != 0 || key == NULL || name == NULL ||
        fs_scratch_hold(fs, node, value) != 0) {
        if (origin != NULL)
            fs_node_unpin(fs, origin);
        free(key);
        free(name);
        return -ENOMEM;
    }
    fs_node_take_key(fs, node, to->dataset, name);
    fs_history_removed(fs, dataset, key); /* another file will have its name */
    fs_node_take_key(fs, origin, dataset, key);
    fs_value_learn(fs, origin, fs_value_ref(value), true);
    fs_scratch_tie(fs, node, origin, value);
    fs_node_unpin(fs, origin);
    return 0;
}

/* From a key to a temporary name. */
static int hold_back(struct fs_request *request, struct fs_node *from, struct fs_node *to)
{
    struct fs *fs = request->fs;
    struct fs_value *value;
    int err = fs_rename_check_source(request, from);

    if (err == 0)
        err = fs_withheld_remove(request, to);
    if (err == 0)
        err = check_attached(from, to);
    if (err == 0 && from->seen.value == NULL)
        err = -ENOENT; /* somebody saw meanwhile that the other side has removed it */
    if (err != 0)
        return err;
    value = fs_value_ref(from->seen.value);
    err = leave_origin(fs, from, to, value);
    if (err == 0)
        fs_scratch_delay(fs, from);
    fs_value_unref(value);
    return err;
}

int fs_rename_scratch(struct fs_request *request, struct fs_node *from, struct fs_node *to,
                      bool noreplace)
{
    if (!to->attached || to->kind != FS_NODE_ENTRY)
        return -EBUSY;
    if (noreplace && fs_value_exists(to))
        return -EEXIST;
    if (from->busy->scratch == NULL)
        return hold_back(request, from, to);
    if (takes_scratch(request->fs, to, request->new_name))
        return move_in_memory(request, from, to);
    if (from->busy->scratch->origin == to && !from->busy->scratch->changed)
        return move_back(request, from, to, noreplace);
    return publish_as(request, from, to, noreplace);
}
