/* Fetching ahead. */
#include "read_ahead.h"

#include "ask.h"
#include "await.h"
#include "cleanup.h"
#include "column_table.h"
#include "model/value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    BATCHES = 16, /* are kept, */
    KEPT = 8192   /* with so many nodes together, but always the latest two */
};

/* Nodes that came together, pinned. */
struct kept {
    struct fs_node **nodes;
    size_t count;
};

struct fs_ahead {
    struct kept batches[BATCHES]; /* the oldest first; */
    size_t count;
    size_t nodes;       /* in all of them */
    unsigned under_way; /* more of them */
};

static struct fs_ahead *ahead_of(struct fs_dataset *dataset)
{
    if (dataset->ahead == NULL)
        dataset->ahead = calloc(1, sizeof(*dataset->ahead));
    return dataset->ahead;
}

static void drop_oldest(struct fs *fs, struct fs_ahead *ahead)
{
    struct kept oldest = ahead->batches[0];

    ahead->count--;
    ahead->nodes -= oldest.count;
    memmove(&ahead->batches[0], &ahead->batches[1], ahead->count * sizeof(ahead->batches[0]));
    for (size_t i = 0; i < oldest.count; i++)
        fs_node_unpin_ahead(fs, oldest.nodes[i]);
    free(oldest.nodes);
}

void fs_ahead_drop(struct fs *fs, struct fs_dataset *dataset)
{
    struct fs_ahead *ahead = dataset->ahead;

    fs_walk_end(dataset);
    while (ahead != NULL && ahead->count > 0)
        drop_oldest(fs, ahead);
    if (ahead != NULL && ahead->under_way == 0) {
        free(ahead);
        dataset->ahead = NULL;
    }
}

size_t fs_ahead_most(const struct fs_dataset *dataset)
{
    size_t most = dataset->vm->caps->batch_keys;
    size_t allowed = dataset->vm->fs->options->readahead;

    return most < allowed ? most : allowed;
}

/* With fs->lock: how many names to look at. Their values, and those that other batches bring at
 * the same time, should leave room for others in the cache. */
static size_t batch_size(const struct fs *fs, const struct fs_dataset *dataset,
                         const struct fs_step *step, size_t size)
{
    const struct fs_listing *listing = step->listing;
    size_t wanted = listing->names.count - step->index;

    if (dataset->attributes.used_known && listing->names.count > 0) {
        uint64_t average = dataset->attributes.used_bytes / listing->names.count + 1;
        uint64_t fitting = fs->options->cache_bytes / 2 / average + 1;

        if (fitting < size)
            size = dataset->ahead->under_way == 1 ? (size_t)fitting : 1;
    }
    return wanted < size ? wanted : size;
}

/* A batch under way; `nodes` are pinned, with what was known of each when it was asked for. */
struct batch {
    struct ds_entry *entries;
    struct fs_node **nodes;
    uint64_t *changes;
    size_t count;
    uint64_t question;
    int64_t asked_ms;
};

static void free_batch(struct batch *batch)
{
    for (size_t i = 0; batch->entries != NULL && i < batch->count; i++)
        ds_buf_free(&batch->entries[i].value);
    free(batch->entries);
    free(batch->nodes);
    free(batch->changes);
}

/* With fs->lock: true if somebody fetches its value, or has just done so and nobody has used it. */
static bool comes_anyway(const struct fs_node *node, int64_t since_ms)
{
    return fs_ticket_is_expected(node) || (fs_ticket_waits(node, FS_TICKET_OPEN, since_ms) &&
                                           fs_value_younger(node, FS_TICKET_AHEAD_MS / 2));
}

/* With fs->lock: pins the nodes of the names that need to be asked for. */
static int prepare(struct fs *fs, struct fs_dataset *dataset, const struct fs_step *step,
                   size_t size, struct batch *batch)
{
    if (size == 0) /* the step is behind the listing's end, which nothing leads to */
        return -ENOENT;
    batch->entries = calloc(size, sizeof(*batch->entries));
    batch->nodes = calloc(size, sizeof(struct fs_node *));
    batch->changes = calloc(size, sizeof(*batch->changes));
    if (batch->entries == NULL || batch->nodes == NULL || batch->changes == NULL)
        return -ENOMEM;
    batch->question = fs_clock_moment(&fs->clock);
    batch->asked_ms = ds_call_now_ms();
    for (size_t i = 0; i < size; i++) {
        const char *key = step->listing->names.names[step->index + i];
        struct fs_node *node = fs_node_get_key(fs, dataset, key);

        if (node == NULL)
            return -ENOMEM;
        if (i > 0 && comes_anyway(node, step->since_ms)) {
            fs_node_unpin(fs, node);
            continue;
        }
        fs_ticket_expect(node);
        batch->entries[batch->count].key = key;
        batch->changes[batch->count] = node->seen.changes;
        batch->nodes[batch->count++] = node;
    }
    return 0;
}

/* With fs->lock: what the store said of one key. True if its value may serve who comes to it. */
static bool learn(struct fs *fs, struct fs_node *node, const struct batch *batch, size_t i)
{
    struct ds_entry *entry = &batch->entries[i];
    struct fs_value *value;

    if (!fs_value_believes(node, batch->changes[i], batch->question))
        return false;
    if (entry->error == -ENOENT) {
        fs_value_answered(node, batch->question);
        fs_value_absent(fs, node);
        return false;
    }
    if (entry->error != 0)
        return false;
    value = fs_value_new(entry->value.data, entry->value.len, NULL, 0);
    ds_buf_free(&entry->value); /* before the next one is copied */
    if (value == NULL)
        return false; /* it will be asked for again */
    fs_value_answered(node, batch->question);
    fs_value_learn(fs, node, value, true);
    return true;
}

/* With fs->lock: the nodes are kept from now on. */
static void keep(struct fs *fs, struct fs_ahead *ahead, struct batch *batch)
{
    while (ahead->count == BATCHES || (ahead->count >= 2 && ahead->nodes > KEPT))
        drop_oldest(fs, ahead);
    ahead->batches[ahead->count++] = (struct kept){.nodes = batch->nodes, .count = batch->count};
    ahead->nodes += batch->count;
    for (size_t i = 0; i < batch->count; i++) {
        fs_node_pin_ahead(batch->nodes[i]);
        fs_node_unpin(fs, batch->nodes[i]);
    }
    batch->nodes = NULL;
}

/* With fs->lock: what was asked for has come, or not. */
static void settle(struct fs_request *request, struct fs_dataset *dataset, struct batch *batch,
                   int err)
{
    struct fs *fs = request->fs;
    struct fs_ahead *ahead = dataset->ahead;

    ahead->under_way--;
    for (size_t i = 0; i < batch->count; i++)
        fs_ticket_expected(batch->nodes[i], batch->asked_ms,
                           err == 0 && learn(fs, batch->nodes[i], batch, i));
    fs_await_tell(fs);
    if (err == 0) {
        keep(fs, ahead, batch);
        return;
    }
    for (size_t i = 0; i < batch->count; i++)
        fs_node_unpin(fs, batch->nodes[i]);
}

int fs_ahead_fetch(struct fs_request *request, struct fs_dataset *dataset,
                   const struct fs_step *step, size_t size)
{
    struct fs *fs = request->fs;
    struct batch batch DS_CLEANUP(free_batch) = {0};
    int err;

    fs_request_about(request, dataset->name, NULL);
    err = fs_request_may_block(request);
    if (err != 0)
        return err;
    pthread_mutex_lock(&fs->lock);
    if (ahead_of(dataset) == NULL) {
        pthread_mutex_unlock(&fs->lock);
        return -ENOMEM;
    }
    dataset->ahead->under_way++;
    err = prepare(fs, dataset, step, batch_size(fs, dataset, step, size), &batch);
    pthread_mutex_unlock(&fs->lock);
    if (err == 0)
        err = fs_ask_begin(request, dataset->vm, false);
    if (err == 0) {
        err = ds_client_get(dataset->vm->client, &request->call, dataset->name, batch.entries,
                            batch.count);
        fs_ask_end(request, dataset->vm);
    }
    DS_LOCK_SCOPE(&fs->lock);
    settle(request, dataset, &batch, err);
    if (err == -EACCES)
        fs_dataset_distrust(dataset);
    return err;
}

/* True if somebody fetches the value, and the store is not silent. */
static bool comes(const void *what)
{
    const struct fs_node *node = what;

    return fs_ticket_is_expected(node) && !fs_vm_is_silent(node->dataset->vm);
}

/* With fs->lock, which is released meanwhile: true if the caller follows, `*step` is where. Waits
 * for a value on its way. */
static bool follows(struct fs_request *request, const struct fs_node *node, struct fs_step *step,
                    int *err)
{
    struct fs_dataset *dataset = node->dataset;

    if (fs_ahead_most(dataset) == 0 || !node->attached)
        return false;
    while (fs_walk_comes(dataset, request->tid, node->key, step)) {
        if (!fs_ticket_is_expected(node))
            return true;
        if (fs_vm_is_silent(dataset->vm))
            return false; /* what is known of this one alone will do */
        *err = fs_await(request, comes, node);
        if (*err != 0)
            return true;
    }
    return false;
}

void fs_ahead_passes(struct fs_request *request, const struct fs_node *node)
{
    struct fs_step step;

    if (fs_ahead_most(node->dataset) > 0 && node->attached)
        fs_walk_comes(node->dataset, request->tid, node->key, &step);
}

/* The value and the next ones. True if that has told of this one; its uses are had thereby. */
static bool fetch(struct fs_request *request, struct fs_node *node, enum fs_ticket_use use,
                  const struct fs_step *step, size_t size, int *err)
{
    struct fs *fs = request->fs;
    struct fs_dataset *dataset = node->dataset;
    int64_t asked_ms = ds_call_now_ms();
    bool told;

    *err = fs_ahead_fetch(request, dataset, step, size);
    DS_LOCK_SCOPE(&fs->lock);
    fs_listing_unref(step->listing);
    if (*err == FS_REQUEUE || *err == -EINTR || *err == -ETIMEDOUT)
        return true;
    if (*err != 0)
        return false; /* perhaps another value's fault: ask for this one alone */
    fs_walk_given(dataset, step, size, asked_ms);
    told = fs_value_younger(node, FS_FRESH_MS) || node->busy->working.image != NULL;
    *err = fs_value_exists(node) ? 0 : -ENOENT;
    if (use == FS_TICKET_OPEN && *err == 0 && node->seen.value == NULL)
        return false;
    fs_ticket_take_ahead(node, FS_TICKET_STAT, step->since_ms);
    if (use == FS_TICKET_OPEN)
        fs_ticket_take_ahead(node, FS_TICKET_OPEN, step->since_ms);
    return told;
}

bool fs_ahead_serves(struct fs_request *request, struct fs_node *node, enum fs_ticket_use use,
                     int *err)
{
    struct fs *fs = request->fs;
    struct fs_step step;
    bool follower, has = false;
    size_t size = 0;

    *err = 0;
    pthread_mutex_lock(&fs->lock);
    follower = follows(request, node, &step, err);
    if (follower && *err == 0) {
        has = fs_ticket_take_ahead(node, use, step.since_ms);
        *err = has && !fs_value_exists(node) ? -ENOENT : 0;
    }
    if (follower && *err == 0 && !has) {
        step.listing->refs++;
        size = fs_walk_batch(node->dataset, &step, fs_ahead_most(node->dataset));
    }
    if (!follower && *err == 0 && fs_columns_serve(fs->machines.columns, request->tid, node, use)) {
        *err = fs_value_exists(node) ? 0 : -ENOENT;
        follower = true;
    }
    pthread_mutex_unlock(&fs->lock);
    return follower && (size == 0 || fetch(request, node, use, &step, size, err));
}
