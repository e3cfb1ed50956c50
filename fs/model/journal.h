/* The journal of what this mount itself has made and removed in a directory.
 *
 * A listing is asked for without fs->lock. What is made or removed meanwhile may be in the answer
 * or not, so that the journal decides: what stands in it is newer. All functions: with fs->lock. */
#ifndef FS_JOURNAL_H
#define FS_JOURNAL_H

#include "listing.h"

#include <stdbool.h>
#include <stdint.h>

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
