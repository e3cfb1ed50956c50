/* Walks over listings. */
#include "read_ahead.h"

#include "ask.h"
#include "cleanup.h"
#include "model/key_history.h"
#include "model/open_ticket.h"
#include "model/value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* So many names a walker may skip: the kernel does not look up what a listing gave it whole. More
 * than two batches. */
enum { SKIPPED_MAX = 2048 };

static void drop_batch(struct fs *fs, struct fs_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        batch->nodes[i]->walkers--;
        fs_node_unpin(fs, batch->nodes[i]);
    }
    free(batch->nodes);
}

void fs_ahead_drop(struct fs *fs, struct fs_dataset *dataset)
{
    struct fs_walk walk = dataset->walk;

    memset(&dataset->walk, 0, sizeof(dataset->walk));
    fs_listing_unref(walk.by_number);
    drop_batch(fs, &walk.last);
    drop_batch(fs, &walk.before);
}

void fs_ahead_listed(struct fs *fs, struct fs_dataset *dataset, pid_t tid)
{
    fs_ahead_drop(fs, dataset);
    dataset->walk.tid = tid;
}

/* A name and its place in the order of the walk. */
struct numbered {
    uint64_t number;
    const char *name;
};

static int compare_numbers(const void *a, const void *b)
{
    const struct numbered *left = a, *right = b;

    return (left->number > right->number) - (left->number < right->number);
}

static uint64_t number_of(const struct fs_dataset *dataset, const char *key)
{
    return fs_history_number(dataset->vm, dataset->name, key, FS_NUMBER_NAME);
}

/* True if no listed key has a smaller number. */
static bool is_smallest(const struct fs_dataset *dataset, const char *key)
{
    const struct ds_names *names = &dataset->listing->names;
    uint64_t number = number_of(dataset, key);

    for (size_t i = 0; i < names->count; i++)
        if (number_of(dataset, names->names[i]) < number)
            return false;
    return true;
}

/* The listing in the order of numbers; NULL when there is no memory. */
static struct fs_listing *sort_by_number(const struct fs_dataset *dataset)
{
    const struct ds_names *names = &dataset->listing->names;
    struct numbered *numbered DS_AUTO_FREE = calloc(names->count, sizeof(*numbered));
    struct ds_names sorted = {0};
    int err = numbered != NULL ? 0 : -ENOMEM;

    for (size_t i = 0; i < names->count && err == 0; i++)
        numbered[i] = (struct numbered){.number = number_of(dataset, names->names[i]),
                                        .name = names->names[i]};
    if (err == 0)
        qsort(numbered, names->count, sizeof(*numbered), compare_numbers);
    for (size_t i = 0; i < names->count && err == 0; i++)
        err = ds_names_add(&sorted, numbered[i].name);
    if (err != 0) {
        ds_names_clear(&sorted);
        return NULL;
    }
    return fs_listing_in_order(&sorted, dataset->listing->asked);
}

static bool find_next(struct fs_walk *walk, const struct fs_listing *listing, const char *key,
                      size_t *index)
{
    const struct ds_names *names = &listing->names;

    for (size_t i = walk->next; i < names->count && i - walk->next < SKIPPED_MAX; i++) {
        if (strcmp(names->names[i], key) == 0) {
            walk->next = i + 1;
            *index = i;
            return true;
        }
    }
    return false;
}

bool fs_ahead_follows(struct fs_dataset *dataset, pid_t tid, const char *key,
                      struct fs_listing **listing, size_t *index)
{
    struct fs_walk *walk = &dataset->walk;
    const struct fs_listing *listed = dataset->listing;

    if (listed == NULL || listed->names.count == 0 || tid == 0 || walk->tid != tid)
        return false;
    /* The first name that is looked up tells the order. */
    if (!walk->begun && strcmp(listed->names.names[0], key) != 0 && is_smallest(dataset, key))
        walk->by_number = sort_by_number(dataset);
    walk->begun = true;
    *listing = walk->by_number != NULL ? walk->by_number : dataset->listing;
    return find_next(walk, *listing, key, index);
}

/* With fs->lock: how many values to ask for at once. They should leave room for others in the
 * cache. */
static size_t batch_size(const struct fs *fs, const struct fs_dataset *dataset,
                         const struct fs_listing *listing, size_t index)
{
    size_t wanted = listing->names.count - index;
    size_t batch = dataset->vm->caps->batch_keys;

    if (dataset->attributes.used_known && listing->names.count > 0) {
        uint64_t average = dataset->attributes.used_bytes / listing->names.count + 1;
        uint64_t fitting = fs->options->cache_bytes / 2 / average + 1;

        if (fitting < batch)
            batch = (size_t)fitting;
    }
    return wanted < batch ? wanted : batch;
}

/* A batch under way; `nodes` are pinned, with what was known of each when it was asked for. */
struct batch {
    struct ds_entry *entries;
    struct fs_node **nodes;
    uint64_t *changes;
    size_t count;
    uint64_t question;
};

static void free_batch(struct batch *batch)
{
    for (size_t i = 0; batch->entries != NULL && i < batch->count; i++)
        ds_buf_free(&batch->entries[i].value);
    free(batch->entries);
    free(batch->nodes);
    free(batch->changes);
}

/* With fs->lock: pins the nodes of the names from `index` on that need to be asked for. */
static int prepare(struct fs *fs, struct fs_dataset *dataset, const struct fs_listing *listing,
                   size_t index, struct batch *batch)
{
    size_t size = batch_size(fs, dataset, listing, index);

    batch->entries = calloc(size, sizeof(*batch->entries));
    batch->nodes = calloc(size, sizeof(struct fs_node *));
    batch->changes = calloc(size, sizeof(*batch->changes));
    if (batch->entries == NULL || batch->nodes == NULL || batch->changes == NULL)
        return -ENOMEM;
    batch->question = fs_clock_moment(&fs->clock);
    for (size_t i = 0; i < size; i++) {
        const char *key = listing->names.names[index + i];
        struct fs_node *node = fs_node_get_key(fs, dataset, key);

        if (node == NULL)
            return -ENOMEM;
        batch->entries[batch->count].key = key;
        batch->changes[batch->count] = node->seen.changes;
        batch->nodes[batch->count++] = node;
    }
    return 0;
}

/* With fs->lock: what the store said of one key to the thread that walks. */
static void learn(struct fs *fs, struct fs_node *node, pid_t tid, const struct batch *batch,
                  size_t i)
{
    struct ds_entry *entry = &batch->entries[i];
    struct fs_value *value;

    if (!fs_value_believes(node, batch->changes[i], batch->question))
        return;
    if (entry->error == -ENOENT) {
        fs_value_answered(node, batch->question);
        fs_value_absent(fs, node);
        return;
    }
    if (entry->error != 0)
        return;
    value = fs_value_new(entry->value.data, entry->value.len, NULL, 0);
    ds_buf_free(&entry->value); /* before the next one is copied */
    if (value == NULL)
        return; /* it will be asked for again */
    fs_value_answered(node, batch->question);
    fs_value_learn(fs, node, value, true);
    fs_ticket_give_ahead(node, tid);
}

/* With fs->lock: the walk holds the nodes from now on. */
static void keep(struct fs *fs, struct fs_dataset *dataset, struct batch *batch)
{
    struct fs_batch oldest = dataset->walk.before;

    dataset->walk.before = dataset->walk.last;
    dataset->walk.last = (struct fs_batch){.nodes = batch->nodes, .count = batch->count};
    for (size_t i = 0; i < batch->count; i++)
        batch->nodes[i]->walkers++;
    batch->nodes = NULL;
    drop_batch(fs, &oldest);
}

int fs_ahead_fetch(struct fs_request *request, struct fs_dataset *dataset,
                   struct fs_listing *listing, size_t index)
{
    struct fs *fs = request->fs;
    struct batch batch DS_CLEANUP(free_batch) = {0};
    int err;

    fs_request_about(request, dataset->name, NULL);
    pthread_mutex_lock(&fs->lock);
    err = prepare(fs, dataset, listing, index, &batch);
    pthread_mutex_unlock(&fs->lock);
    if (err == 0)
        err = fs_ask_begin(request, dataset->vm, false);
    if (err == 0) {
        err = ds_client_get(dataset->vm->client, &request->call, dataset->name, batch.entries,
                            batch.count);
        fs_ask_end(request, dataset->vm);
    }
    DS_LOCK_SCOPE(&fs->lock);
    for (size_t i = 0; err == 0 && i < batch.count; i++)
        learn(fs, batch.nodes[i], request->tid, &batch, i);
    if (err == 0) {
        keep(fs, dataset, &batch);
    } else {
        for (size_t i = 0; i < batch.count; i++)
            fs_node_unpin(fs, batch.nodes[i]);
    }
    if (err == -EACCES)
        fs_dataset_distrust(dataset);
    return err;
}
