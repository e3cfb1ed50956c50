/* Chained hashes. */
#include "index.h"

#include <stdlib.h>

enum { CAPACITY_MIN = 16 };
/* With so few elements for each slot an index gets smaller. */
enum { SLOTS_FOR_ONE = 8 };

static struct fs_link **slot_of(struct fs_index *index, uint64_t hash)
{
    return index->slots != NULL ? &index->slots[hash & (index->capacity - 1)] : &index->only;
}

static void push(struct fs_link **slot, struct fs_link *link)
{
    link->next = *slot;
    *slot = link;
}

static void move_all(struct fs_index *to, struct fs_link *link, fs_index_hash *hash_of)
{
    while (link != NULL) {
        struct fs_link *next = link->next;

        push(slot_of(to, hash_of(link)), link);
        link = next;
    }
}

/* Without memory all stays as it is. */
static void resize(struct fs_index *index, size_t capacity, fs_index_hash *hash_of)
{
    struct fs_index to = {.capacity = capacity, .count = index->count};

    to.slots = calloc(capacity, sizeof(struct fs_link *));
    if (to.slots == NULL)
        return;
    move_all(&to, index->only, hash_of);
    for (size_t i = 0; i < index->capacity; i++)
        move_all(&to, index->slots[i], hash_of);
    free(index->slots);
    *index = to;
}

void fs_index_add(struct fs_index *index, struct fs_link *link, fs_index_hash *hash_of)
{
    if (index->count >= index->capacity)
        resize(index, index->capacity != 0 ? 2 * index->capacity : CAPACITY_MIN, hash_of);
    push(slot_of(index, hash_of(link)), link);
    index->count++;
}

void fs_index_remove(struct fs_index *index, struct fs_link *link, fs_index_hash *hash_of)
{
    struct fs_link **at = slot_of(index, hash_of(link));

    while (*at != link)
        at = &(*at)->next;
    *at = link->next;
    index->count--;
    if (index->count == 0) {
        free(index->slots);
        *index = (struct fs_index){0};
    } else if (index->capacity > CAPACITY_MIN && index->count < index->capacity / SLOTS_FOR_ONE) {
        resize(index, index->capacity / 2, hash_of);
    }
}

struct fs_link *fs_index_chain(const struct fs_index *index, uint64_t hash)
{
    return index->slots != NULL ? index->slots[hash & (index->capacity - 1)] : index->only;
}

struct fs_link *fs_index_any(const struct fs_index *index)
{
    struct fs_link *found = index->only;

    for (size_t i = 0; found == NULL && i < index->capacity; i++)
        found = index->slots[i];
    return found;
}
