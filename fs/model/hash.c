/* Memory for hashes, with a reserve for what must not fail. */
#include "hash.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

/* A hash begins with a table and its first buckets. */
enum { SLOTS = 16 };

static struct slot {
    _Alignas(
        max_align_t) unsigned char bytes[HASH_INITIAL_NUM_BUCKETS * sizeof(struct UT_hash_bucket)];
    bool used;
} slots[SLOTS]; /* with fs->lock, as the next */
static bool usable;

_Static_assert(sizeof(UT_hash_table) <= sizeof slots[0].bytes, "a table fits too");

void fs_hash_use_reserve(bool use)
{
    usable = use;
}

void *fs_hash_alloc(size_t size)
{
    void *block = malloc(size);

    for (size_t i = 0; block == NULL && usable && i < SLOTS; i++) {
        if (slots[i].used || size > sizeof slots[i].bytes)
            continue;
        slots[i].used = true;
        block = slots[i].bytes;
    }
    return block;
}

void fs_hash_free(void *block)
{
    for (size_t i = 0; i < SLOTS; i++) {
        if (block != slots[i].bytes)
            continue;
        slots[i].used = false;
        return;
    }
    free(block);
}
