/* Who follows a listing. */
#include "walk.h"

#include "call.h"
#include "cleanup.h"
#include "kernel/process.h"
#include "model/key_history.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    READERS = 32,
    SESSIONS = 4,

    /* So many names a thread that lists may skip: the kernel does not look up what a listing gave
     * it whole. More than two batches. */
    SKIPPED_BY_LISTER = 2048,
    SKIPPED = 16, /* and another one */

    /* How often it may come to one key: LOOKUP, GETATTR and OPEN, each begun anew by a worker. */
    LOOKS = 8,

    FIRST_PART = 16, /* of what a request can ask for goes to who is not known to list */
    BATCH_MIN = 16,
    GROW_MS = 400, /* a batch that was used up in less is followed by a larger one, */
    LATE_MS = 800, /* in more: by one that takes */
    USED_MS = 500  /* that time */
};

struct reader {
    pid_t id; /* 0: free */
    bool children;
    bool lists;             /* then also: */
    bool begun;             /* it has looked a name up, which told the order */
    struct fs_listing *own; /* the listing in the order of inode numbers; NULL: not so */
    pid_t parent;           /* of a thread's process; 0: not known, or not needed */
    int64_t since_ms;       /* when it listed or began to follow */
    int64_t at_ms;          /* when it last came to a key */
    size_t next;            /* behind that key */
    unsigned run;           /* keys in order so far; 0: it goes anywhere */
    bool led;               /* children: the last one followed by itself, since since_ms */
    unsigned looks;         /* how often it came to that key */
    size_t batch;           /* values given to it last; 0: none yet */
    int64_t batch_ms;       /* and when they were asked for */
};

struct fs_walk {
    struct reader readers[READERS];
    pid_t sessions[SESSIONS]; /* of those who listed last */
    unsigned sessions_noted;
};

static struct reader *find(struct fs_walk *walk, pid_t id, bool children)
{
    for (size_t i = 0; walk != NULL && id != 0 && i < READERS; i++)
        if (walk->readers[i].id == id && walk->readers[i].children == children)
            return &walk->readers[i];
    return NULL;
}

/* A reader that begins, in its own place or that of the one that has been away longest. */
static struct reader *begin(struct fs_walk *walk, pid_t id, bool children)
{
    struct reader *place = find(walk, id, children);

    if (place == NULL) {
        place = &walk->readers[0];
        for (size_t i = 1; i < READERS; i++)
            if (walk->readers[i].at_ms < place->at_ms)
                place = &walk->readers[i];
    }
    fs_listing_unref(place->own);
    *place = (struct reader){.id = id, .children = children};
    place->since_ms = place->at_ms = ds_call_now_ms();
    return place;
}

static bool knows_session(const struct fs_walk *walk, pid_t session)
{
    for (size_t i = 0; i < SESSIONS && i < walk->sessions_noted; i++)
        if (walk->sessions[i] == session)
            return true;
    return false;
}

void fs_walk_listed(struct fs_dataset *dataset, pid_t tid)
{
    pid_t session = tid != 0 ? fs_process_session(tid) : -1;

    if (dataset->walk == NULL)
        dataset->walk = calloc(1, sizeof(*dataset->walk));
    if (dataset->walk == NULL || tid == 0)
        return; /* then nothing comes ahead */
    if (session >= 0 && !knows_session(dataset->walk, session))
        dataset->walk->sessions[dataset->walk->sessions_noted++ % SESSIONS] = session;
    begin(dataset->walk, tid, false)->lists = true;
}

int64_t fs_walk_listed_ms(const struct fs_dataset *dataset, pid_t tid)
{
    const struct reader *reader = find(dataset->walk, tid, false);

    return reader != NULL && reader->lists ? reader->since_ms : 0;
}

void fs_walk_end(struct fs_dataset *dataset)
{
    for (size_t i = 0; dataset->walk != NULL && i < READERS; i++)
        fs_listing_unref(dataset->walk->readers[i].own);
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

/* The key's place in a listing that is in the order of names. */
static bool find_name(const struct fs_listing *listing, size_t expected, const char *key,
                      size_t *index)
{
    size_t low = 0, high = listing->names.count;

    if (find_from(listing, expected, 1, key, index))
        return true;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(listing->names.names[middle], key);

        *index = middle;
        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

/* True if it has not come to one key all too often. */
static bool goes_on(struct reader *reader, size_t index)
{
    reader->looks = reader->next == index + 1 ? reader->looks + 1 : 0;
    reader->next = index + 1;
    return reader->looks < LOOKS;
}

static bool lister_comes(const struct fs_dataset *dataset, struct reader *reader, const char *key,
                         struct fs_step *step)
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
            find_name(listing, reader->next, key, &step->index) &&
            (step->index == 0 || (step->index >= from && step->index - from < SKIPPED_BY_LISTER));
    return found && goes_on(reader, step->index);
}

static bool reader_comes(struct reader *reader, size_t index, int64_t now_ms)
{
    bool paused = now_ms - reader->at_ms > FS_WALK_PAUSE_MS;
    unsigned run = reader->run;

    if (index + 1 == reader->next)
        run = paused ? 1 : run; /* still there */
    else if (paused || reader->next == 0 || (index == 0 && run > 0))
        run = 1;
    else if (run > 0 && index == reader->next)
        run++;
    else if (run < 2 || index < reader->next || index - reader->next > SKIPPED)
        run = 0;
    if (run == 2 && reader->run == 1 && !reader->led)
        reader->since_ms = now_ms;
    if (run < 2)
        reader->led = false;
    reader->at_ms = now_ms;
    reader->run = run;
    return goes_on(reader, index) && run >= 2;
}

/* The children of a process come to a key by this one, which follows itself if `own_order`. True if
 * they follow; then `*since_ms` is when they began. */
static bool children_come(struct fs_walk *walk, struct reader *children, const struct reader *own,
                          size_t index, bool own_order, int64_t *since_ms)
{
    const struct reader *parent = find(walk, children->id, false);

    if (own_order && (children->run < 2 || index > children->next || index + 1 < children->next)) {
        if (children->run == 1 && index == children->next) { /* the next one goes on behind it */
            children->next = index + 1;
            children->at_ms = ds_call_now_ms();
            children->since_ms = own->since_ms;
            children->led = true;
        }
        return false;
    }
    if (!reader_comes(children, index, ds_call_now_ms()))
        return false;
    /* [ -f "$f" ] && cat "$f": the parent walks, and has just been there. */
    *since_ms = parent != NULL && parent->lists && parent->next == index + 1 ? parent->since_ms
                                                                             : children->since_ms;
    return true;
}

/* A thread that did not list, or its parent by it: the one that has followed for longer. */
static bool follower_comes(struct fs_walk *walk, struct reader *own, struct fs_step *step)
{
    bool first = own->next == 0 || (own->run == 1 && own->next == step->index + 1);
    bool follows = reader_comes(own, step->index, ds_call_now_ms());
    struct reader *children = find(walk, own->parent, true);

    if (children == NULL && first && own->parent != 0)
        children = begin(walk, own->parent, true);
    if (children != NULL && (first || follows) &&
        children_come(walk, children, own, step->index, follows, &step->since_ms)) {
        step->reader = children->id;
        step->children = true;
        return true;
    }
    step->since_ms = own->since_ms;
    step->reader = own->id;
    step->children = false;
    return follows;
}

bool fs_walk_comes(struct fs_dataset *dataset, pid_t tid, const char *key, struct fs_step *step)
{
    struct fs_walk *walk = dataset->walk;
    struct reader *own = find(walk, tid, false);

    if (walk == NULL || tid == 0 || dataset->listing == NULL || dataset->listing->names.count == 0)
        return false;
    if (own == NULL) {
        if (!knows_session(walk, fs_process_session(tid)))
            return false;
        own = begin(walk, tid, false);
        own->parent = fs_process_parent(tid);
    }
    if (!own->lists) {
        step->listing = dataset->listing;
        return find_name(dataset->listing, own->next, key, &step->index) &&
               follower_comes(walk, own, step);
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
    const struct reader *reader = find(dataset->walk, step->reader, step->children);
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
    struct reader *reader = find(dataset->walk, step->reader, step->children);

    if (reader == NULL)
        return;
    reader->batch = count;
    reader->batch_ms = asked_ms;
    reader->at_ms = ds_call_now_ms(); /* it has waited, which is no pause of its own */
}
