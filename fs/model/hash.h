/* uthash without its way of dealing with lack of memory, which is to end the process.
 *
 * An element that could not be added has no table: see FS_HASH_HAS(). Where adding must not fail, a
 * reserve serves that holds the first table of one hash; all hashes are used with fs->lock. */
#ifndef FS_HASH_H
#define FS_HASH_H

#include <stdbool.h>
#include <stddef.h>

void *fs_hash_alloc(size_t size);
void fs_hash_free(void *block);

/* While it is set, the reserve may be used. */
void fs_hash_use_reserve(bool use);

#define HASH_NONFATAL_OOM 1
#define uthash_malloc(size) fs_hash_alloc(size)
#define uthash_free(block, size) fs_hash_free(block)
#include <uthash.h>

/* True after the element was added by its handle `hh`, which may fail without memory. */
#define FS_HASH_HAS(hh, element) ((element)->hh.tbl != NULL)

/* Adds what must not fail: a hash that has a table is not made larger for it, and else the reserve
 * serves. */
#define FS_HASH_ADD_SURELY(hh, head, key, length, element)                                         \
    do {                                                                                           \
        unsigned char fixed_ = (head) != NULL && (head)->hh.tbl->noexpand;                         \
        if ((head) != NULL)                                                                        \
            (head)->hh.tbl->noexpand = 1;                                                          \
        fs_hash_use_reserve(true);                                                                 \
        HASH_ADD_KEYPTR(hh, head, key, length, element);                                           \
        fs_hash_use_reserve(false);                                                                \
        if ((head) != NULL)                                                                        \
            (head)->hh.tbl->noexpand = fixed_;                                                     \
    } while (0)

#endif
