/* A hash of inodes: each has its link in itself, so that adding one cannot fail.
 *
 * Where there is no memory for more slots the chains get longer. All with fs->lock. */
#ifndef FS_INDEX_H
#define FS_INDEX_H

#include <stddef.h>
#include <stdint.h>

struct fs_link {
    struct fs_link *next;
};

/* Zeroed: empty. */
struct fs_index {
    struct fs_link **slots; /* a power of two of them; NULL: there is but `only` */
    struct fs_link *only;
    size_t capacity;
    size_t count;
};

/* The hash of what the link is in, by what it is found. */
typedef uint64_t fs_index_hash(const struct fs_link *link);

void fs_index_add(struct fs_index *index, struct fs_link *link, fs_index_hash *hash_of);
void fs_index_remove(struct fs_index *index, struct fs_link *link, fs_index_hash *hash_of);

/* The first of those that have this hash, and others, chained by `next`; NULL: there is none. */
struct fs_link *fs_index_chain(const struct fs_index *index, uint64_t hash);

/* Any one of them; NULL if there is none. */
struct fs_link *fs_index_any(const struct fs_index *index);

#endif
