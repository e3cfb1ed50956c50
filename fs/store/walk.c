/* Who follows a listing. */
#include "walk.h"

#include "call.h"
#include "cleanup.h"
#include "model/key_history.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* So many names a thread that lists may skip: the kernel does not look up what a listing gave
     * it whole. More than two batches. */
    SKIPPED_BY_LISTER = 2048,

    FIRST_PART = 16, /* of what a request can ask for goes to who is not known to list */
    BATCH_MIN = 16,
    GROW_MS = 400, /* a batch that was used up in less is followed by a larger one, */
    LATE_MS = 800, /* in more: by one that takes */
    USED_MS = 500  /* that time */
};

struct fs_walk {
    struct fs_readers readers;
    struct fs_reader_sessions sessions;
};

static struct fs_reader *find(struct fs_walk *walk, pid_t id, bool children)
{
    return walk != NULL ? fs_readers_find(&walk->readers, id, children) : NULL;
}

void fs_walk_listed(struct fs_dataset *dataset, pid_t tid)
{
    if (dataset->walk == NULL)
        dataset->walk = calloc(1, sizeof(*dataset->walk));
    if (dataset->walk == NULL || tid == 0)
        return; /* then nothing comes ahead */
    fs_reader_session_lists(&dataset->walk->sessions, tid);
    fs_readers_begin(&dataset->walk->readers, tid, false)->lists = true;
}

int64_t fs_walk_listed_ms(const struct fs_dataset *dataset, pid_t tid)
{
    const struct fs_reader *reader = find(dataset->walk, tid, false);

    return reader != NULL && reader->lists ? reader->since_ms : 0;
}

void fs_walk_end(struct fs_dataset *dataset)
{
    if (dataset->walk != NULL)
        fs_readers_clear(&dataset->walk->readers);
    free(dataset->walk);
    dataset->walk = NULL;
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

/* The key's place if that is `from` or one of the next `most`. */
static bool find_from(const struct fs_listing *listing, size_t from, size_t most, const char *key,
                      size_t *index)
{
    const struct ds_names *names = &listing->names;

    for (size_t i = from; i < names->count && i - from < most; i++) {
        if (strcmp(names->names[i], key) == 0) {
            *index = i;
            return true;
        }
    }
    return false;
}

static bool lister_comes(const struct fs_dataset *dataset, struct fs_reader *reader,
                         const char *key, struct fs_step *step)
{
    struct fs_listing *listing = dataset->listing;
    size_t from = reader->next > 0 ? reader->next - 1 : 0; /* it may come to one several times */
    bool found;

    /* The first name that is looked up tells the order. */
    if (!reader->begun && strcmp(listing->names.names[0], key) != 0 && is_smallest(dataset, key))
        reader->own = sort_by_number(dataset);
    reader->begun = true;
    step->listing = reader->own != NULL ? reader->own : listing;
    /* From the start again: rsync reads what it has looked at before. */
    if (reader->own != NULL)
        found = find_from(reader->own, from, SKIPPED_BY_LISTER, key, &step->index) ||
                find_from(reader->own, 0, 1, key, &step->index);
    else
        found =
            fs_reader_place(listing, reader->next, key, &step->index) &&
            (step->index == 0 || (step->index >= from && step->index - from < SKIPPED_BY_LISTER));
    return found && fs_reader_goes_on(reader, step->index);
}

bool fs_walk_comes(struct fs_dataset *dataset, pid_t tid, const char *key, struct fs_step *step)
{
    struct fs_walk *walk = dataset->walk;
    struct fs_reader *own;

    if (walk == NULL || tid == 0 || dataset->listing == NULL || dataset->listing->names.count == 0)
        return false;
    own = fs_readers_enter(&walk->readers, &walk->sessions, tid);
    if (own == NULL)
        return false;
    if (!own->lists) {
        step->listing = dataset->listing;
        return fs_reader_place(dataset->listing, own->next, key, &step->index) &&
               fs_readers_follow(&walk->readers, own, step);
    }
    if (!lister_comes(dataset, own, key, step))
        return false;
    own->at_ms = ds_call_now_ms();
    step->since_ms = own->since_ms;
    step->reader = own->id;
    step->children = false;
    return true;
}

size_t fs_walk_batch(const struct fs_dataset *dataset, const struct fs_step *step, size_t most)
{
    const struct fs_reader *reader = find(dataset->walk, step->reader, step->children);
    size_t batch;
    int64_t took_ms;

    if (reader == NULL)
        return 1;
    if (reader->batch == 0) {
        batch = reader->lists ? most : most / FIRST_PART;
    } else {
        took_ms = ds_call_now_ms() - reader->batch_ms;
        batch = took_ms < GROW_MS   ? 2 * reader->batch
                : took_ms > LATE_MS ? (size_t)((int64_t)reader->batch * USED_MS / took_ms)
                                    : reader->batch;
    }
    if (batch < BATCH_MIN)
        batch = BATCH_MIN;
    return batch < most ? batch : most;
}

void fs_walk_given(struct fs_dataset *dataset, const struct fs_step *step, size_t count,
                   int64_t asked_ms)
{
    struct fs_reader *reader = find(dataset->walk, step->reader, step->children);

    if (reader == NULL)
        return;
    reader->batch = count;
    reader->batch_ms = asked_ms;
    reader->at_ms = ds_call_now_ms(); /* it has waited, which is no pause of its own */
}
