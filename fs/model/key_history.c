/* A table of small marks, found by a hash of what they are of. */
#include "key_history.h"

#include "text/digest.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 256, FIRST_NUMBER = 16 };

struct fs_history {
    struct fs_mark *all;
    uint32_t *slots; /* as many as there is room for marks: the first one's index + 1, or 0 */
    size_t count;
    size_t capacity; /* 0 or a power of two */
    size_t hand;     /* where the next mark to give up is looked for */
    bool lost;       /* one was given up: what has no mark may have been seen before */
};

struct fs_history *fs_history_new(void)
{
    return calloc(1, sizeof(struct fs_history));
}

void fs_history_free(struct fs_history *marks)
{
    if (marks == NULL)
        return;
    free(marks->all);
    free(marks->slots);
    free(marks);
}

/* Another one in each mount, so that nobody can prepare keys that all fall into one slot. */
static uint64_t seed(const struct fs *fs)
{
    return (uint64_t)fs->start.tv_sec << 30 ^ (uint64_t)fs->start.tv_nsec;
}

uint64_t fs_history_digest(const struct fs *fs, const char *data, size_t len)
{
    uint64_t digest = fs_digest(seed(fs), data, len);

    return digest != 0 ? digest : 1;
}

uint64_t fs_history_path(const struct fs_vm *vm, const char *dataset, const char *key)
{
    uint64_t path = fs_digest(seed(vm->fs) + vm->seed, dataset, strlen(dataset));

    return key != NULL ? fs_digest(path, key, strlen(key)) : path;
}

static uint32_t *slot_of(const struct fs_history *marks, uint64_t path)
{
    return &marks->slots[path & (marks->capacity - 1)];
}

struct fs_mark *fs_history_find(const struct fs *fs, uint64_t path)
{
    const struct fs_history *marks = fs->marks;
    uint32_t index = marks->capacity != 0 ? *slot_of(marks, path) : 0;

    while (index != 0 && marks->all[index - 1].path != path)
        index = marks->all[index - 1].next;
    return index != 0 ? &marks->all[index - 1] : NULL;
}

static void link_mark(struct fs_history *marks, struct fs_mark *mark)
{
    uint32_t *slot = slot_of(marks, mark->path);

    mark->next = *slot;
    *slot = (uint32_t)(mark - marks->all) + 1;
}

static void unlink_mark(struct fs_history *marks, struct fs_mark *mark)
{
    uint32_t *link = slot_of(marks, mark->path);

    while (&marks->all[*link - 1] != mark)
        link = &marks->all[*link - 1].next;
    *link = mark->next;
}

static bool grow(struct fs_history *marks)
{
    size_t capacity = marks->capacity != 0 ? marks->capacity * 2 : FIRST_CAPACITY;
    uint32_t *slots = calloc(capacity, sizeof(*slots));
    struct fs_mark *all = slots != NULL ? reallocarray(marks->all, capacity, sizeof(*all)) : NULL;

    if (all == NULL) {
        free(slots);
        return false;
    }
    free(marks->slots);
    marks->slots = slots;
    marks->all = all;
    marks->capacity = capacity;
    for (size_t i = 0; i < marks->count; i++)
        link_mark(marks, &all[i]);
    return true;
}

/* Room for a mark, if need be that of one that was not used for long; NULL when there is none. */
static struct fs_mark *make_room(struct fs_history *marks)
{
    struct fs_mark *mark;

    if (marks->count < marks->capacity || (marks->capacity < FS_HISTORY_KEPT_MAX && grow(marks)))
        return &marks->all[marks->count++];
    marks->lost = true;
    if (marks->capacity == 0)
        return NULL;
    while (marks->all[marks->hand].used) {
        marks->all[marks->hand].used = false;
        marks->hand = (marks->hand + 1) % marks->capacity;
    }
    mark = &marks->all[marks->hand];
    marks->hand = (marks->hand + 1) % marks->capacity;
    unlink_mark(marks, mark);
    return mark;
}

void fs_history_put(struct fs *fs, const struct fs_mark *what)
{
    struct fs_history *marks = fs->marks;
    struct fs_mark *mark = fs_history_find(fs, what->path);
    bool again = mark != NULL;
    uint64_t brought;
    uint32_t next, removed;

    if (!again) {
        mark = make_room(marks);
        if (mark == NULL)
            return;
        mark->path = what->path;
        mark->removed = 0;
        mark->brought = 0;
        link_mark(marks, mark);
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

bool fs_history_lost(const struct fs *fs)
{
    return fs->marks->lost;
}

void fs_history_gone(struct fs *fs, const struct fs_dataset *dataset, const char *key)
{
    struct fs_mark mark = {.path = fs_history_path(dataset->vm, dataset->name, key),
                           .moment = fs_clock_moment(&fs->clock)};

    /* As in fs_times_keep(): a name that is looked for in vain. */
    if (key == NULL && !dataset->exists && fs_listing_lacks(dataset->vm->listing, dataset->name) &&
        fs_history_find(fs, mark.path) == NULL)
        return;
    fs_history_put(fs, &mark);
}

void fs_history_removed(struct fs *fs, const struct fs_dataset *dataset, const char *key)
{
    struct fs_mark mark = {.path = fs_history_path(dataset->vm, dataset->name, key),
                           .moment = fs_clock_moment(&fs->clock)};
    struct fs_mark *known = fs_history_find(fs, mark.path);

    if (known == NULL) {
        fs_history_put(fs, &mark);
        known = fs_history_find(fs, mark.path);
    }
    if (known != NULL) {
        known->removed++;
        known->brought = 0;
    }
}

static uint64_t removals(const struct fs *fs, uint64_t path)
{
    const struct fs_mark *mark = fs_history_find(fs, path);

    return mark != NULL ? mark->removed : 0;
}

/* The first ones are those of inodes that are always there; 0 and -1 mean something else. */
static uint64_t usable(uint64_t number)
{
    return number < FIRST_NUMBER || number == UINT64_MAX ? number ^ UINT64_C(1) << 63 : number;
}

/* `path`: of a key of the DataSet `whole`, or that of the DataSet. */
static uint64_t number_by_name(const struct fs *fs, uint64_t whole, uint64_t path,
                               enum fs_numbered what)
{
    uint64_t words[] = {path, removals(fs, whole), path != whole ? removals(fs, path) : 0, what};

    return usable(fs_digest(seed(fs), (const char *)words, sizeof(words)));
}

/* What a number that was brought is kept with, so that it is over when the DataSet is. */
static uint64_t cover(const struct fs *fs, uint64_t whole)
{
    uint64_t removed = removals(fs, whole);

    return fs_digest(seed(fs) ^ whole, (const char *)&removed, sizeof(removed));
}

uint64_t fs_history_number(const struct fs_vm *vm, const char *dataset, const char *key,
                           enum fs_numbered what)
{
    const struct fs *fs = vm->fs;
    uint64_t whole = fs_history_path(vm, dataset, NULL);
    uint64_t path = key != NULL ? fs_history_path(vm, dataset, key) : whole;
    const struct fs_mark *mark = key != NULL ? fs_history_find(fs, path) : NULL;

    if (mark != NULL && mark->brought != 0)
        return usable(mark->brought ^ cover(fs, whole));
    return number_by_name(fs, whole, path, what);
}

uint64_t fs_history_number_unnamed(const struct fs *fs, fuse_ino_t ino)
{
    uint64_t word = ino;

    return usable(fs_digest(~seed(fs), (const char *)&word, sizeof(word)));
}

uint64_t fs_history_number_of_vm(const struct fs_vm *vm, enum fs_vm_inode which)
{
    uint64_t word = which;

    return usable(fs_digest(seed(vm->fs) + vm->seed, (const char *)&word, sizeof(word)));
}

void fs_history_bring(struct fs *fs, const struct fs_dataset *dataset, const char *key,
                      uint64_t number)
{
    uint64_t whole = fs_history_path(dataset->vm, dataset->name, NULL);
    uint64_t path = fs_history_path(dataset->vm, dataset->name, key);
    struct fs_mark *mark = fs_history_find(fs, path);

    if (mark != NULL)
        mark->brought = number != number_by_name(fs, whole, path, FS_NUMBER_NAME)
                            ? number ^ cover(fs, whole)
                            : 0;
}

/* The name is listed, and was not so before. */
static void appear(struct fs_vm *vm, const struct fs_dataset *dataset, const char *name,
                   uint64_t before)
{
    uint64_t path = dataset != NULL ? fs_history_path(vm, dataset->name, name)
                                    : fs_history_path(vm, name, NULL);
    const struct fs_mark *known = fs_history_find(vm->fs, path);
    struct fs_mark mark = {.path = path, .moment = before};

    if (known == NULL || known->moment < before)
        fs_history_put(vm->fs, &mark);
}

void fs_history_listed(struct fs_vm *vm, struct fs_dataset *dataset, const struct fs_listing *last,
                       const struct fs_listing *listing)
{
    size_t at = 0;

    if (dataset != NULL)
        dataset->looked = fs_clock_moment(&vm->fs->clock);
    if (last == NULL)
        return;
    for (size_t i = 0; i < listing->names.count; i++) {
        int order = -1;

        while (at < last->names.count &&
               (order = strcmp(last->names.names[at], listing->names.names[i])) < 0)
            at++;
        if (order != 0)
            appear(vm, dataset, listing->names.names[i], last->asked);
    }
}
