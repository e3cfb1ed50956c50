/* Asking the store for values. */
#include "fetch_value.h"

#include "ask.h"
#include "cleanup.h"
#include "key_lock.h"
#include "model/value.h"
#include "query_dataset.h"

#include <errno.h>

/* One question. `*believed` is false if one of our changes may have overtaken the answer. An answer
 * that a later question's has overtaken is dropped: what is in memory is newer. */
static int ask(struct fs_request *request, struct fs_node *node, bool *believed)
{
    struct fs *fs = request->fs;
    struct fs_vm *vm;
    struct ds_buf data = {0};
    struct fs_value *value = NULL;
    uint64_t changes, question;
    int err;

    *believed = true;
    pthread_mutex_lock(&fs->lock);
    fs_request_about(request, node->dataset->name, node->key);
    vm = node->dataset->vm;
    changes = node->seen.changes;
    question = fs_clock_moment(&fs->clock);
    pthread_mutex_unlock(&fs->lock);
    if (request->dataset == NULL || request->key == NULL)
        return -ENOMEM;

    err = fs_ask_begin(request, vm, false);
    if (err != 0)
        return err;
    err = ds_client_get_one(vm->client, &request->call, request->dataset, request->key, &data);
    fs_ask_end(request, vm);
    if (err == 0) {
        value = fs_value_new(data.data, data.len, NULL, 0);
        ds_buf_free(&data);
        if (value == NULL)
            return -ENOMEM;
    }

    DS_LOCK_SCOPE(&fs->lock);
    if (err == -EACCES)
        fs_dataset_distrust(node->dataset);
    if (!fs_value_unchanged(node, changes)) {
        fs_value_unref(value);
        *believed = false;
    } else if (question < node->seen.learned && (err == 0 || err == -ENOENT)) {
        fs_value_unref(value);
        err = fs_value_exists(node) ? 0 : -ENOENT;
    } else if (err == 0) {
        fs_value_answered(node, question);
        fs_value_learn(fs, node, value, true);
    } else if (err == -ENOENT) {
        fs_value_answered(node, question);
        fs_value_absent(fs, node);
    } else if (err == -EBADMSG) {
        fs_value_answered(node, question);
        fs_value_unreadable(fs, node);
    }
    if (err == -EBADMSG)
        err = request->opcode == FS_LOOKUP || request->opcode == FS_GETATTR ? 0 : -EPROTO;
    return err;
}

int fs_fetch_value(struct fs_request *request, struct fs_node *node, bool strict,
                   bool have_key_lock)
{
    struct fs *fs = request->fs;
    bool believed, known;
    int err;

    pthread_mutex_lock(&fs->lock);
    known = node->seen.presence == FS_PRESENT;
    pthread_mutex_unlock(&fs->lock);
    err = ask(request, node, &believed);
    /* Perhaps not only the key is gone. What is known of the DataSet then is for others to use.
     */
    if (believed && known && err == -ENOENT) {
        int gone = fs_query_refresh(request, node->dataset, 0);

        if (gone == FS_REQUEUE || gone == -ENODEV)
            return gone;
    }
    if (believed || err == FS_REQUEUE)
        return err;
    pthread_mutex_lock(&fs->lock);
    if (!strict && node->seen.presence != FS_PRESENCE_UNKNOWN) {
        err = fs_value_exists(node) ? 0 : -ENOENT;
        pthread_mutex_unlock(&fs->lock);
        return err;
    }
    err = have_key_lock ? 0 : fs_key_lock(request, node);
    pthread_mutex_unlock(&fs->lock);
    if (err != 0)
        return err;
    err = ask(request, node, &believed);
    if (!have_key_lock) {
        DS_LOCK_SCOPE(&fs->lock);
        fs_key_unlock(node);
    }
    return err;
}
