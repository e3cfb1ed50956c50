/* Listings: a directory's names as one request gave them, and the journal of what this mount itself
 * has made and removed since.
 *
 * A listing is asked for without fs->lock. What is made or removed meanwhile may be in the answer
 * or not, so that the journal decides: what stands in it is newer. All functions: with fs->lock. */
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

/* Of one directory. Zeroed: empty. */
struct fs_journal {
    struct fs_change *changes; /* one for each name, the latest last */
    unsigned asking;           /* listings under way */
    bool wanted;               /* there is a listing that it belongs to */
    uint64_t lost;             /* a change of that number found no memory; 0: none */
};

/* While nobody asks: so many of the latest changes are kept for the listing that serves while the
 * store is silent. */
#define FS_JOURNAL_KEPT_MAX 1024

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

/* This mount has made the name, or removed it; `moment` numbers that (fs->clock). */
void fs_journal_note(struct fs_journal *journal, const char *name, bool exists, uint64_t moment);

/* Whether the journal knows of a change of the name after `moment`. */
bool fs_journal_explains(const struct fs_journal *journal, const char *name, uint64_t moment);

/* Brackets a request for a listing. */
void fs_journal_begin(struct fs_journal *journal);
void fs_journal_end(struct fs_journal *journal);

/* The listing that was asked for under `asked` is the one to keep the journal for. */
void fs_journal_keep(struct fs_journal *journal, uint64_t asked);

/* Puts in the place of `*listing`, whose reference it takes and gives, one that knows of what was
 * made and removed since it was asked for. -ENOMEM, then `*listing` is as it was. */
int fs_journal_apply(const struct fs_journal *journal, struct fs_listing **listing);

void fs_journal_clear(struct fs_journal *journal);

#endif
