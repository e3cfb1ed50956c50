/* Listings. */
#include "listing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort(struct ds_names *names)
{
    if (names->count > 0)
        qsort(names->names, names->count, sizeof(char *), compare_names);
}

struct fs_listing *fs_listing_in_order(struct ds_names *names, uint64_t asked)
{
    struct fs_listing *listing = calloc(1, sizeof(*listing));

    if (listing == NULL) {
        ds_names_clear(names);
        return NULL;
    }
    listing->refs = 1;
    listing->names = *names;
    listing->asked = asked;
    memset(names, 0, sizeof(*names));
    return listing;
}

struct fs_listing *fs_listing_new(struct ds_names *names, uint64_t asked)
{
    struct fs_listing *listing = fs_listing_in_order(names, asked);

    if (listing != NULL)
        sort(&listing->names);
    return listing;
}

bool fs_listing_has(const struct fs_listing *listing, const char *name)
{
    return listing->names.count > 0 && bsearch(&name, listing->names.names, listing->names.count,
                                               sizeof(char *), compare_names) != NULL;
}

bool fs_listing_lacks(const struct fs_listing *listing, const char *name)
{
    return listing != NULL && !fs_listing_has(listing, name);
}

void fs_listing_unref(struct fs_listing *listing)
{
    if (listing != NULL && --listing->refs == 0) {
        ds_names_clear(&listing->names);
        free(listing);
    }
}
