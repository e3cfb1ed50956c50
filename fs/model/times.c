/* The modification times and numbers of keys without an inode, in a table of small marks. */
#include "times.h"

#include "node.h"
#include "value.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NS_PER_S INT64_C(1000000000)

enum { FIRST_CAPACITY = 256, FIRST_NUMBER = 16 };

/* What was last known of a key or, if it was missing or removed then, of a DataSet. */
struct mark {
    uint64_t path;         /* the hash of the DataSet's name and the key */
    uint64_t digest;       /* of the value; 0: it was missing, or the value is not known */
    int64_t mtime_ns;      /* since 1970, of that value */
    uint64_t moment;       /* when that was so, among the numbers of fs->last_question */
    uint64_t brought;      /* what makes the number that its inode had before a rename, or 0 */
    uint32_t next;         /* in the chain of the same slot: index + 1, or 0 */
    uint32_t used : 1;     /* found again since the hand came by */
    uint32_t removed : 31; /* how often this mount has removed or replaced it */
};

struct fs_times {
    struct mark *marks;
    uint32_t *slots; /* as many as there is room for marks: the first one's index + 1, or 0 */
    size_t count;
    size_t capacity; /* 0 or a power of two */
    size_t hand;     /* where the next mark to give up is looked for */
    bool lost;       /* one was given up: what has no mark may have been seen before */
};

struct fs_times *fs_times_new(void)
{
    return calloc(1, sizeof(struct fs_times));
}

void fs_times_free(struct fs_times *times)
{
    if (times == NULL)
        return;
    free(times->marks);
    free(times->slots);
    free(times);
}

static uint64_t rotate(uint64_t word, unsigned bits)
{
    return word << bits | word >> (64 - bits);
}

static uint64_t mix_word(uint64_t hash, uint64_t word)
{
    word *= UINT64_C(0x87c37b91114253d5);
    word = rotate(word, 31) * UINT64_C(0x4cf5ad432745937f);
    return rotate(hash ^ word, 27) * 5 + 0x52dce729;
}

/* MurmurHash3's mixing, 64 bits wide. */
static uint64_t mix(uint64_t hash, const char *data, size_t len)
{
    uint64_t word = 0;
    size_t at;

    hash = mix_word(hash, len);
    for (at = 0; len - at >= sizeof(word); at += sizeof(word)) {
        memcpy(&word, data + at, sizeof(word));
        hash = mix_word(hash, word);
    }
    word = 0;
    if (len > at)
        memcpy(&word, data + at, len - at);
    hash = mix_word(hash, word);
    hash = (hash ^ hash >> 33) * UINT64_C(0xff51afd7ed558ccd);
    hash = (hash ^ hash >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return hash ^ hash >> 33;
}

/* Another one in each mount, so that nobody can prepare keys that all fall into one slot. */
static uint64_t seed(const struct fs *fs)
{
    return (uint64_t)fs->start.tv_sec << 30 ^ (uint64_t)fs->start.tv_nsec;
}

uint64_t fs_times_digest(const struct fs *fs, const char *data, size_t len)
{
    uint64_t digest = mix(seed(fs), data, len);

    return digest != 0 ? digest : 1;
}

static uint64_t path_of(const struct fs *fs, const char *dataset, const char *key)
{
    uint64_t path = mix(seed(fs), dataset, strlen(dataset));

    return key != NULL ? mix(path, key, strlen(key)) : path;
}

static uint32_t *slot_of(const struct fs_times *times, uint64_t path)
{
    return &times->slots[path & (times->capacity - 1)];
}

static struct mark *find(const struct fs_times *times, uint64_t path)
{
    uint32_t index = times->capacity != 0 ? *slot_of(times, path) : 0;

    while (index != 0 && times->marks[index - 1].path != path)
        index = times->marks[index - 1].next;
    return index != 0 ? &times->marks[index - 1] : NULL;
}

static void link_mark(struct fs_times *times, struct mark *mark)
{
    uint32_t *slot = slot_of(times, mark->path);

    mark->next = *slot;
    *slot = (uint32_t)(mark - times->marks) + 1;
}

static void unlink_mark(struct fs_times *times, struct mark *mark)
{
    uint32_t *link = slot_of(times, mark->path);

    while (&times->marks[*link - 1] != mark)
        link = &times->marks[*link - 1].next;
    *link = mark->next;
}

static bool grow(struct fs_times *times)
{
    size_t capacity = times->capacity != 0 ? times->capacity * 2 : FIRST_CAPACITY;
    uint32_t *slots = calloc(capacity, sizeof(*slots));
    struct mark *marks =
        slots != NULL ? reallocarray(times->marks, capacity, sizeof(*marks)) : NULL;

    if (marks == NULL) {
        free(slots);
        return false;
    }
    free(times->slots);
    times->slots = slots;
    times->marks = marks;
    times->capacity = capacity;
    for (size_t i = 0; i < times->count; i++)
        link_mark(times, &marks[i]);
    return true;
}

/* Room for a mark, if need be that of one that was not used for long; NULL when there is none. */
static struct mark *make_room(struct fs_times *times)
{
    struct mark *mark;

    if (times->count < times->capacity || (times->capacity < FS_TIMES_KEPT_MAX && grow(times)))
        return &times->marks[times->count++];
    times->lost = true;
    if (times->capacity == 0)
        return NULL;
    while (times->marks[times->hand].used) {
        times->marks[times->hand].used = false;
        times->hand = (times->hand + 1) % times->capacity;
    }
    mark = &times->marks[times->hand];
    times->hand = (times->hand + 1) % times->capacity;
    unlink_mark(times, mark);
    return mark;
}

static void put(struct fs_times *times, const struct mark *what)
{
    struct mark *mark = find(times, what->path);
    bool again = mark != NULL;
    uint64_t brought;
    uint32_t next, removed;

    if (!again) {
        mark = make_room(times);
        if (mark == NULL)
            return;
        mark->path = what->path;
        mark->removed = 0;
        mark->brought = 0;
        link_mark(times, mark);
    }
    next = mark->next;
    removed = mark->removed;
    brought = mark->brought;
    *mark = *what;
    mark->next = next;
    mark->removed = removed;
    mark->brought = brought;
    mark->used = again;
}

static bool is_unlisted(const struct fs_listing *listing, const char *name)
{
    return listing != NULL && !fs_listing_has(listing, name);
}

static int64_t ns_of(const struct timespec *time)
{
    return time->tv_sec * NS_PER_S + time->tv_nsec;
}

static struct timespec time_of(int64_t ns)
{
    return (struct timespec){.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S};
}

void fs_times_keep(struct fs *fs, const struct fs_node *node)
{
    struct mark mark = {.moment = node->seen.sighted, .mtime_ns = ns_of(&node->seen.mtime)};

    if (node->kind != FS_NODE_ENTRY || !node->attached || fs_value_is_local(node) ||
        node->seen.presence == FS_PRESENCE_UNKNOWN)
        return;
    mark.path = path_of(fs, node->dataset->name, node->key);
    /* Names that are looked for in vain would fill the table, and the listing says as much. */
    if (node->seen.presence == FS_ABSENT && is_unlisted(node->dataset->listing, node->key) &&
        find(fs->times, mark.path) == NULL)
        return;
    if (node->seen.presence == FS_PRESENT)
        mark.digest = node->seen.value != NULL
                          ? fs_times_digest(fs, node->seen.value->data, node->seen.value->len)
                          : node->seen.digest;
    put(fs->times, &mark);
    fs_times_bring(fs, node);
}

void fs_times_gone(struct fs *fs, const struct fs_dataset *dataset, const char *key)
{
    struct mark mark = {.path = path_of(fs, dataset->name, key), .moment = ++fs->last_question};

    /* As in fs_times_keep(): a name that is looked for in vain. */
    if (key == NULL && !dataset->exists && is_unlisted(fs->listing, dataset->name) &&
        find(fs->times, mark.path) == NULL)
        return;
    put(fs->times, &mark);
}

void fs_times_removed(struct fs *fs, const struct fs_dataset *dataset, const char *key)
{
    struct mark mark = {.path = path_of(fs, dataset->name, key), .moment = ++fs->last_question};
    struct mark *known = find(fs->times, mark.path);

    if (known == NULL) {
        put(fs->times, &mark);
        known = find(fs->times, mark.path);
    }
    if (known != NULL) {
        known->removed++;
        known->brought = 0;
    }
}

static uint64_t removals(const struct fs *fs, uint64_t path)
{
    const struct mark *mark = find(fs->times, path);

    return mark != NULL ? mark->removed : 0;
}

/* The first ones are those of inodes that are always there; 0 and -1 mean something else. */
static uint64_t usable(uint64_t number)
{
    return number < FIRST_NUMBER || number == UINT64_MAX ? number ^ UINT64_C(1) << 63 : number;
}

/* `path`: of a key of the DataSet `whole`, or that of the DataSet. */
static uint64_t number_by_name(const struct fs *fs, uint64_t whole, uint64_t path,
                               enum fs_times_numbered what)
{
    uint64_t words[] = {path, removals(fs, whole), path != whole ? removals(fs, path) : 0, what};

    return usable(mix(seed(fs), (const char *)words, sizeof(words)));
}

/* What a number that was brought is kept with, so that it is over when the DataSet is. */
static uint64_t cover(const struct fs *fs, uint64_t whole)
{
    uint64_t removed = removals(fs, whole);

    return mix(seed(fs) ^ whole, (const char *)&removed, sizeof(removed));
}

uint64_t fs_times_number(const struct fs *fs, const char *dataset, const char *key,
                         enum fs_times_numbered what)
{
    uint64_t whole = path_of(fs, dataset, NULL);
    uint64_t path = key != NULL ? path_of(fs, dataset, key) : whole;
    const struct mark *mark = key != NULL ? find(fs->times, path) : NULL;

    if (mark != NULL && mark->brought != 0)
        return usable(mark->brought ^ cover(fs, whole));
    return number_by_name(fs, whole, path, what);
}

uint64_t fs_times_number_unnamed(const struct fs *fs, fuse_ino_t ino)
{
    uint64_t word = ino;

    return usable(mix(~seed(fs), (const char *)&word, sizeof(word)));
}

void fs_times_bring(struct fs *fs, const struct fs_node *node)
{
    uint64_t whole = path_of(fs, node->dataset->name, NULL);
    uint64_t path = path_of(fs, node->dataset->name, node->key);
    struct mark *mark = find(fs->times, path);

    if (mark != NULL)
        mark->brought = node->number != number_by_name(fs, whole, path, FS_NUMBER_NAME)
                            ? node->number ^ cover(fs, whole)
                            : 0;
}

/* The name is listed, and was not so before. */
static void appear(struct fs *fs, const struct fs_dataset *dataset, const char *name,
                   uint64_t before)
{
    uint64_t path = dataset != NULL ? path_of(fs, dataset->name, name) : path_of(fs, name, NULL);
    const struct mark *known = find(fs->times, path);
    struct mark mark = {.path = path, .moment = before};

    if (known == NULL || known->moment < before)
        put(fs->times, &mark);
}

void fs_times_listed(struct fs *fs, struct fs_dataset *dataset, const struct fs_listing *listing)
{
    const struct fs_listing *last = dataset != NULL ? dataset->listing : fs->listing;
    size_t at = 0;

    if (dataset != NULL)
        dataset->looked = ++fs->last_question;
    if (last == NULL)
        return;
    for (size_t i = 0; i < listing->names.count; i++) {
        int order = -1;

        while (at < last->names.count &&
               (order = strcmp(last->names.names[at], listing->names.names[i])) < 0)
            at++;
        if (order != 0)
            appear(fs, dataset, listing->names.names[i], last->asked);
    }
}

/* True if the node's key, of which `moment` was the last sight (0: none), was missing after it. */
static bool was_missing(const struct fs *fs, const struct fs_node *node, const struct mark *mark,
                        uint64_t moment)
{
    const struct fs_dataset *dataset = node->dataset;
    const struct mark *whole = find(fs->times, path_of(fs, dataset->name, NULL));

    return (mark != NULL && mark->digest == 0 && mark->moment > moment) ||
           (whole != NULL && whole->moment > moment) ||
           (dataset->listing != NULL && dataset->listing->asked > moment &&
            !fs_listing_has(dataset->listing, node->key));
}

bool fs_times_recognise(struct fs *fs, struct fs_node *node)
{
    struct mark *mark = find(fs->times, path_of(fs, node->dataset->name, node->key));
    bool seen = mark != NULL && mark->digest != 0;
    bool modified = was_missing(fs, node, mark, seen ? mark->moment : 0);

    if (mark != NULL) {
        mark->used = true;
        modified = modified || mark->digest != fs_times_digest(fs, node->seen.value->data,
                                                               node->seen.value->len);
    } else if (is_unlisted(fs->listing, node->dataset->name)) {
        modified = true; /* the DataSet is new, with all that is in it */
    }
    if (modified || (mark == NULL && fs->times->lost))
        clock_gettime(CLOCK_REALTIME, &node->seen.mtime);
    else if (mark != NULL && mark->mtime_ns > ns_of(&node->seen.mtime))
        node->seen.mtime = time_of(mark->mtime_ns);
    return !modified;
}

bool fs_times_dataset_missed(const struct fs *fs, const struct fs_dataset *dataset)
{
    return find(fs->times, path_of(fs, dataset->name, NULL)) != NULL ||
           is_unlisted(fs->listing, dataset->name);
}

bool fs_times_missed(const struct fs *fs, const struct fs_node *node)
{
    if (node->dataset->looked <= node->seen.sighted)
        return false; /* the usual case, in which nothing is to be searched */
    return was_missing(fs, node, find(fs->times, path_of(fs, node->dataset->name, node->key)),
                       node->seen.sighted);
}
