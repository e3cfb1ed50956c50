/* Renaming an entry: the new key is set, then the old one removed. */
#include "rename.h"

#include "cleanup.h"
#include "file/working.h"
#include "file_name.h"
#include "kernel/reply.h"
#include "lookup.h"
#include "model/datasets.h"
#include "model/directory_times.h"
#include "model/value.h"
#include "rename_check.h"
#include "rename_scratch.h"
#include "scratch/scratch.h"
#include "scratch/withheld.h"
#include "store/access.h"
#include "store/send.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A rename under way. Both nodes are pinned. */
struct move {
    struct fs_node *from, *to;
};

/* With fs->lock (released meanwhile) and both key locks. */
static int prepare(struct fs_request *request, const struct move *move, bool noreplace)
{
    int err = fs_rename_check_source(request, move->from);

    if (err != 0)
        return err;
    /* The kernel has looked the new name up for this very call, and was told that it is missing. */
    if (move->to->seen.presence == FS_PRESENCE_UNKNOWN)
        fs_value_absent(request->fs, move->to);
    return noreplace ? fs_rename_check_absent(request, move->to) : 0;
}

/* With fs->lock (released meanwhile) and both key locks. */
static int move_value(struct fs_request *request, const struct move *move)
{
    struct fs *fs = request->fs;
    struct fs_value *value = fs_value_ref(move->from->seen.value);
    bool set = false;
    int err = fs_send_move(request, move->from, move->to, value, &set);
    char reason[DS_CALL_TEXT_BYTES];

    if (err == 0) {
        err = fs_node_move(fs, move->from, move->to->dataset, move->to->key);
    } else if (set) {
        /* The new key has a new value, whatever waited in it. */
        fs_scratch_untie(fs, move->to);
        fs_scratch_free(fs, move->to);
        fs_working_supersede(fs, move->to);
        fs_value_learn(fs, move->to, fs_value_ref(value), true);
        fs_send_failed(request, move->from, err);
        if (err == -EINTR)
            err = -EIO; /* half of it is done: to be reported, and not to be repeated blindly */
        snprintf(reason, sizeof(reason), "%s", request->call.text);
        ds_call_fail(&request->call, err, "renamed, but the old key remains: %s", reason);
    } else {
        fs_send_failed(request, move->to, err);
    }
    fs_value_unref(value);
    return err;
}

/* From one key to another. With fs->lock (released meanwhile) and the key locks. */
static int rename_key(struct fs_request *request, const struct move *move, bool noreplace)
{
    int err = prepare(request, move, noreplace);

    if (err == 0 && !(move->from->attached && move->to->attached))
        err = -ESTALE; /* their DataSet was destroyed while we asked */
    if (err == 0 && move->from->seen.value == NULL)
        err = -ENOENT; /* somebody saw meanwhile that the other side has removed it */
    return err != 0 ? err : move_value(request, move);
}

static int rename_to_key(struct fs_request *request, const struct move *move, bool noreplace)
{
    int err;

    if (noreplace && move->to->busy->scratch != NULL)
        return -EEXIST;
    /* The limit of temporary files lets no key take the place of one: what stands there goes, and
     * if it was a key, that is removed now. */
    err = fs_withheld_remove(request, move->to);
    return err != 0 ? err : rename_key(request, move, noreplace);
}

static int rename_nodes(struct fs_request *request, const struct move *move)
{
    struct fs_withheld_locks locks;
    bool noreplace = (request->flags & RENAME_NOREPLACE) != 0;
    struct fs_dataset *from = move->from->dataset; /* the node's will be another one */
    int err;

    if (move->from == move->to)
        return 0;
    err = fs_withheld_lock(request, move->from, move->to, &locks);
    if (err != 0)
        return err;
    if (move->from->kind != FS_NODE_ENTRY || move->to->kind != FS_NODE_ENTRY)
        err = -EPERM;
    else if (fs_rename_is_scratch(request->fs, move->from, move->to, request->new_name))
        err = fs_rename_scratch(request, move->from, move->to, noreplace);
    else
        err = rename_to_key(request, move, noreplace);
    if (err == 0) {
        fs_directory_modified(request->fs, from);
        fs_directory_modified(request->fs, move->to->dataset);
    }
    fs_withheld_unlock(request->fs, &locks);
    return err;
}

static int rename_keys(struct fs_request *request, struct fs_dataset *from, const char *key,
                       struct fs_dataset *to, const char *to_key)
{
    struct fs *fs = request->fs;
    struct move move;
    int err = fs_access_allow(request, from, key, FS_NEED_WRITE);

    if (err == 0)
        err = fs_access_allow(request, to, to_key, FS_NEED_WRITE);
    if (err == 0)
        err = fs_request_may_block(request);
    if (err != 0)
        return err;
    DS_LOCK_SCOPE(&fs->lock);
    move.from = fs_node_get_key(fs, from, key);
    move.to = fs_node_get_key(fs, to, to_key);
    err = move.from == NULL || move.to == NULL ? -ENOMEM : rename_nodes(request, &move);
    if (move.from != NULL)
        fs_node_unpin(fs, move.from);
    if (move.to != NULL)
        fs_node_unpin(fs, move.to);
    return err;
}

int fs_rename(struct fs_request *request, struct fs_node *parent, struct fs_node *new_parent)
{
    char *key DS_AUTO_FREE = NULL, *to_key DS_AUTO_FREE = NULL;
    int err;

    err = fs_lookup_key(request, parent->dataset, request->name, &key);
    if (err != 0)
        return err;
    err = ds_file_name_decode(DS_FILE_NAME_IN_DATASET, request->new_name, &to_key);
    if (err == -EINVAL && ds_file_name_is_shortened(request->new_name)) {
        /* An existing key with a long name can be replaced, a new one cannot be named so. */
        err = fs_lookup_key(request, new_parent->dataset, request->new_name, &to_key);
        if (err == -ENOENT)
            err = -EINVAL;
    }
    if (err == 0)
        err = rename_keys(request, parent->dataset, key, new_parent->dataset, to_key);
    if (err == 0)
        fs_reply_ok(request);
    return err;
}
