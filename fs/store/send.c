/* Sets and appends of working values. */
#include "send.h"

#include "ask.h"
#include "fetch_value.h"
#include "model/datasets.h"
#include "model/machines.h"
#include "model/value.h"

#include <errno.h>
#include <string.h>

/* One change of a key's value. */
struct change {
    bool append;
    const char *data;
    size_t len;
};

static int ask_store(struct fs_request *request, struct fs_vm *vm, const struct change *change,
                     const struct ds_previous *known)
{
    int err = request->dataset == NULL || request->key == NULL ? -ENOMEM
                                                               : fs_ask_begin(request, vm, true);

    if (err != 0)
        return err;
    err = change->append ? ds_client_append(vm->client, &request->call, request->dataset,
                                            request->key, change->data, change->len, known)
                         : ds_client_set(vm->client, &request->call, request->dataset, request->key,
                                         change->data, change->len, known);
    fs_ask_end(request, vm);
    return err;
}

static int ask_to_remove(struct fs_request *request, struct fs_vm *vm,
                         const struct ds_previous *known)
{
    int err = request->dataset == NULL || request->key == NULL ? -ENOMEM
                                                               : fs_ask_begin(request, vm, true);

    if (err != 0)
        return err;
    err = ds_client_remove(vm->client, &request->call, request->dataset, request->key, known);
    fs_ask_end(request, vm);
    return err;
}

void fs_send_failed(struct fs_request *request, struct fs_node *node, int err)
{
    /* A value that goes in parts may have arrived in part although the last word was an answer. */
    if (ds_call_sent(&request->call) == DS_SENT_MAYBE || err == -EIO || err == -EPROTO ||
        err == -ENOMEM)
        fs_value_unknown(request->fs, node, node->seen.size_bytes);
    if (err == -EACCES || err == -ENOENT)
        fs_dataset_distrust(node->dataset); /* perhaps it is gone: the next decision will query */
}

static int send(struct fs_request *request, struct fs_node *node, const struct change *change)
{
    struct fs *fs = request->fs;
    struct fs_vm *vm = node->dataset->vm;
    struct fs_value *before = node->seen.value != NULL ? fs_value_ref(node->seen.value) : NULL;
    struct ds_previous previous;
    const struct ds_previous *known = fs_value_previous(node, &previous);
    int err;

    fs_request_about(request, node->dataset->name, node->key);
    fs_value_change_begin(node);
    pthread_mutex_unlock(&fs->lock);
    err = ask_store(request, vm, change, known);
    pthread_mutex_lock(&fs->lock);
    fs_value_change_end(node);
    fs_value_unref(before);
    if (err != 0) {
        fs_send_failed(request, node, err);
        return err;
    }
    fs_dataset_key_changed(fs, node->dataset, node->key, true);
    node->busy->sent.at_ms = ds_call_now_ms();
    return 0;
}

int fs_send_value(struct fs_request *request, struct fs_node *node, const char *data, size_t len)
{
    struct change change = {.data = data, .len = len};

    return send(request, node, &change);
}

/* How many bytes of the store's value the image goes on from; 0 if it is to be set as a whole. */
static size_t grows_from(const struct fs_node *node, size_t len)
{
    const struct fs_value *value = node->seen.value;

    if (node->seen.presence != FS_PRESENT || value == NULL || value->len <= FS_SEND_GROWTH_BYTES ||
        len <= value->len || !node->dataset->vm->caps->can_append ||
        node->busy->working.commit.pending != FS_PENDING_NONE ||
        ds_call_now_ms() - node->busy->sent.at_ms >= FS_SEND_GROWTH_MS ||
        memcmp(value->data, node->busy->working.image->bytes.data, value->len) != 0)
        return 0;
    return value->len;
}

int fs_send_image(struct fs_request *request, struct fs_node *node)
{
    struct fs *fs = request->fs;
    size_t len = node->busy->working.image->bytes.len;
    /* A creation without data must not empty what the other side has created meanwhile: to append
     * nothing makes the key and leaves what is there. */
    bool only_create = node->busy->working.commit.pending == FS_PENDING_CREATE && len == 0;
    size_t grown_from = grows_from(node, len);
    struct fs_value *value;
    int err;

    ds_call_set_sent(&request->call, DS_SENT_NO);
    value = fs_value_new(node->busy->working.image->bytes.data, len, NULL, 0);
    if (value == NULL)
        return -ENOMEM;
    struct change change = {.append = only_create || grown_from > 0,
                            .data = value->data + grown_from,
                            .len = len - grown_from};

    err = send(request, node, &change);
    if (err != 0) {
        fs_value_unref(value);
        return err;
    }
    node->busy->sent.grown = grown_from > 0;
    fs_value_learn(fs, node, value, !only_create);
    return 0;
}

int fs_send_tail(struct fs_request *request, struct fs_node *node)
{
    struct fs *fs = request->fs;
    struct fs_value *before = node->seen.value != NULL ? fs_value_ref(node->seen.value) : NULL;
    bool known = before != NULL || node->seen.presence == FS_ABSENT;
    size_t len = node->busy->working.tail.len;
    struct fs_value *after = NULL;
    struct change change = {.append = true, .data = node->busy->working.tail.data, .len = len};
    int err;

    ds_call_set_sent(&request->call, DS_SENT_NO);
    if (known)
        after = fs_value_new(before != NULL ? before->data : "", before != NULL ? before->len : 0,
                             node->busy->working.tail.data, len);
    err = known && after == NULL ? -ENOMEM : send(request, node, &change);
    fs_value_unref(before);
    if (err != 0) {
        fs_value_unref(after);
        return err;
    }
    /* The other side may have appended before us: the next question goes to the store. */
    if (after != NULL)
        fs_value_learn(fs, node, after, false);
    else
        fs_value_unknown(fs, node, node->seen.size_bytes + len);
    return 0;
}

int fs_send_check_growth(struct fs_request *request, struct fs_node *node)
{
    struct fs *fs = request->fs;
    struct fs_value *ours = node->seen.value != NULL ? fs_value_ref(node->seen.value) : NULL;
    struct change change = {0};
    int err;

    node->busy->sent.grown = false;
    if (ours == NULL)
        return 0;
    pthread_mutex_unlock(&fs->lock);
    err = fs_fetch_value(request, node, true, true);
    pthread_mutex_lock(&fs->lock);
    if (err == -ENOENT) {
        fs_value_unref(ours);
        return 0; /* somebody removed it after us */
    }
    if (err != 0 || (node->seen.value != NULL && node->seen.value->len == ours->len &&
                     memcmp(node->seen.value->data, ours->data, ours->len) == 0)) {
        node->busy->sent.grown = err == -EINTR;
        fs_value_unref(ours);
        return err;
    }
    change.data = ours->data;
    change.len = ours->len;
    err = send(request, node, &change);
    node->busy->sent.grown =
        err == -EINTR; /* to be asked about again, and it is still ours that is to stand */
    if (err == 0 || err == -EINTR)
        fs_value_learn(fs, node, ours, err == 0);
    else
        fs_value_unref(ours);
    return err;
}

int fs_send_remove(struct fs_request *request, struct fs_node *node)
{
    struct fs *fs = request->fs;
    struct fs_vm *vm = node->dataset->vm;
    struct fs_value *before = node->seen.value != NULL ? fs_value_ref(node->seen.value) : NULL;
    struct ds_previous previous = {.exists = true};
    int err;

    if (before != NULL) {
        previous.data = before->data;
        previous.len = before->len;
    }
    fs_request_about(request, node->dataset->name, node->key);
    fs_value_change_begin(node);
    pthread_mutex_unlock(&fs->lock);
    err = ask_to_remove(request, vm, before != NULL ? &previous : NULL);
    pthread_mutex_lock(&fs->lock);
    fs_value_change_end(node);
    fs_value_unref(before);
    if (err == 0 || err == -ENOENT)
        fs_dataset_key_changed(fs, node->dataset, node->key, false);
    if (err == -ENOENT)
        fs_value_absent(fs, node);
    else if (err != 0 && ds_call_sent(&request->call) == DS_SENT_MAYBE)
        fs_value_unknown(fs, node, node->seen.size_bytes);
    if (err == -EACCES)
        fs_dataset_distrust(node->dataset);
    return err;
}

/* Sets the new key. Without fs->lock. */
static int set_key(struct fs_request *request, struct fs_vm *vm, const struct fs_value *value,
                   const struct ds_previous *known)
{
    struct change change = {.data = value->data, .len = value->len};

    return ask_store(request, vm, &change, known);
}

/* Removes the old one. Without fs->lock. */
static int remove_key(struct fs_request *request, struct fs_vm *vm, const struct fs_value *value)
{
    struct ds_previous previous = {.exists = true, .data = value->data, .len = value->len};
    int err = ask_to_remove(request, vm, &previous);

    return err == -ENOENT ? 0 : err; /* the other side removed it in between */
}

int fs_send_move(struct fs_request *request, struct fs_node *from, struct fs_node *to,
                 const struct fs_value *value, bool *set)
{
    struct fs *fs = request->fs;
    struct fs_vm *from_vm = from->dataset->vm, *to_vm = to->dataset->vm;
    struct fs_value *before = to->seen.value != NULL ? fs_value_ref(to->seen.value) : NULL;
    struct ds_previous replaced;
    const struct ds_previous *known = fs_value_previous(to, &replaced);
    int err;

    fs_machines_below(request, to_vm);
    fs_request_about(request, to->dataset->name, to->key);
    fs_value_change_begin(from);
    fs_value_change_begin(to);
    pthread_mutex_unlock(&fs->lock);
    err = set_key(request, to_vm, value, known);
    pthread_mutex_lock(&fs->lock);
    *set = err == 0;
    if (err == 0) {
        fs_machines_below(request, from_vm);
        fs_request_about(request, from->dataset->name, from->key);
        pthread_mutex_unlock(&fs->lock);
        err = remove_key(request, from_vm, value);
        pthread_mutex_lock(&fs->lock);
    }
    fs_value_change_end(from);
    fs_value_change_end(to);
    if (*set)
        fs_dataset_key_changed(fs, to->dataset, to->key, true);
    if (err == 0)
        fs_dataset_key_changed(fs, from->dataset, from->key, false);
    fs_value_unref(before);
    return err;
}

void fs_send_forget(struct fs_node *node)
{
    if (node->busy->sent.grown)
        node->busy->sent.grown = false;
}

bool fs_send_is_over(const struct fs_node *node)
{
    const struct fs_value *value = node->seen.value;

    return !node->busy->sent.grown &&
           (node->busy->sent.at_ms == 0 || value == NULL || value->len <= FS_SEND_GROWTH_BYTES ||
            ds_call_now_ms() - node->busy->sent.at_ms >= FS_SEND_GROWTH_MS);
}
