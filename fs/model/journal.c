/* The journal of what this mount itself has made and removed. */
#include "journal.h"

#include "hash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The latest that this mount did to a name. */
struct fs_change {
    uint64_t moment;
    bool exists;
    UT_hash_handle hh; /* journal->changes */
    char name[];
};

static struct fs_change *find(const struct fs_journal *journal, const char *name)
{
    struct fs_change *change;

    HASH_FIND_STR(journal->changes, name, change);
    return change;
}

static void drop(struct fs_journal *journal, struct fs_change *change)
{
    HASH_DEL(journal->changes, change);
    free(change);
}

void fs_journal_note(struct fs_journal *journal, const char *name, bool exists, uint64_t moment)
{
    size_t size = strlen(name) + 1;
    struct fs_change *change = find(journal, name);

    if (journal->asking == 0 && !journal->wanted)
        return; /* who lists from now on is told by the store */
    if (change != NULL) {
        HASH_DEL(journal->changes, change);
    } else {
        change = malloc(sizeof(*change) + size);
        if (change == NULL) {
            journal->lost = moment;
            return;
        }
        memcpy(change->name, name, size);
    }
    change->moment = moment;
    change->exists = exists;
    HASH_ADD_STR(journal->changes, name, change);
    if (!FS_HASH_HAS(hh, change)) {
        free(change);
        journal->lost = moment;
        return;
    }
    while (journal->asking == 0 && HASH_COUNT(journal->changes) > FS_JOURNAL_KEPT_MAX)
        drop(journal, journal->changes);
}

bool fs_journal_explains(const struct fs_journal *journal, const char *name, uint64_t moment)
{
    const struct fs_change *change = find(journal, name);

    return change != NULL && change->moment > moment;
}

void fs_journal_begin(struct fs_journal *journal)
{
    journal->asking++;
}

void fs_journal_end(struct fs_journal *journal)
{
    journal->asking--;
}

void fs_journal_keep(struct fs_journal *journal, uint64_t asked)
{
    journal->wanted = true;
    while (journal->asking == 0 && journal->changes != NULL && journal->changes->moment < asked)
        drop(journal, journal->changes);
}

/* True if the journal says other than the listing. */
static bool changes_any(const struct fs_journal *journal, const struct fs_listing *listing)
{
    const struct fs_change *change;

    for (change = journal->changes; change != NULL; change = change->hh.next)
        if (change->moment > listing->asked &&
            change->exists != fs_listing_has(listing, change->name))
            return true;
    return false;
}

/* Copies to `to` what the listing and the journal together say. 0 or -ENOMEM. */
static int merge(const struct fs_journal *journal, const struct fs_listing *listing,
                 struct ds_names *to)
{
    const struct fs_change *change;
    int err = 0;

    for (size_t i = 0; i < listing->names.count && err == 0; i++) {
        change = find(journal, listing->names.names[i]);
        if (change == NULL || change->moment <= listing->asked || change->exists)
            err = ds_names_add(to, listing->names.names[i]);
    }
    for (change = journal->changes; change != NULL && err == 0; change = change->hh.next)
        if (change->exists && change->moment > listing->asked &&
            !fs_listing_has(listing, change->name))
            err = ds_names_add(to, change->name);
    return err;
}

int fs_journal_apply(const struct fs_journal *journal, struct fs_listing **listing)
{
    struct ds_names names = {0};
    struct fs_listing *merged;
    int err;

    if (journal->lost > (*listing)->asked)
        return -ENOMEM;
    if (!changes_any(journal, *listing))
        return 0;
    err = merge(journal, *listing, &names);
    if (err != 0) {
        ds_names_clear(&names);
        return err;
    }
    merged = fs_listing_new(&names, (*listing)->asked);
    if (merged == NULL)
        return -ENOMEM;
    fs_listing_unref(*listing);
    *listing = merged;
    return 0;
}

void fs_journal_clear(struct fs_journal *journal)
{
    while (journal->changes != NULL)
        drop(journal, journal->changes); // NOLINT(clang-analyzer-unix.Malloc): it is another one
    journal->wanted = false;
    journal->lost = 0;
}
