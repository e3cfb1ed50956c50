/* Listings: a directory's names as one request gave them. All functions: with fs->lock. */
#ifndef FS_LISTING_H
#define FS_LISTING_H

#include "dataset.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Shared by handles, constant. */
struct fs_listing {
    unsigned refs;
    struct ds_names names; /* in the order of strcmp(3) */
    uint64_t asked;        /* the number of that request (fs->clock) */
};

/* A listing with one reference of `names`, which is taken, asked for under that number. NULL when
 * there is no memory: the names are freed. */
struct fs_listing *fs_listing_new(struct ds_names *names, uint64_t asked);

/* The same, but the names stay in the order they have: nothing is to be searched in it. */
struct fs_listing *fs_listing_in_order(struct ds_names *names, uint64_t asked);

bool fs_listing_has(const struct fs_listing *listing, const char *name);

/* True if there is a listing (it may be NULL), and the name not in it. */
bool fs_listing_lacks(const struct fs_listing *listing, const char *name);

/* Harmless on NULL. */
void fs_listing_unref(struct fs_listing *listing);

#endif
