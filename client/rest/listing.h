/* The listing of a vCenter's machines: in one request, or where they are too many for that, by the
 * clusters and hosts that they are on. */
#ifndef DS_REST_LISTING_H
#define DS_REST_LISTING_H

#include "scope.h"

/* What one listing leaves for the next. */
struct ds_listing {
    struct ds_turns turn;  /* who has it lists by parts */
    struct ds_names known; /* ids that the last listing by parts, or of folders, found; for whoever
                              has the turn */
    bool unsure;           /* asking that one twice found more the second time; the same */
    atomic_bool divided;   /* the last listing was one by parts, which is tried first then */
};

/* 0 or a negative errno; to be ended in any case, if turn.fd was -1. */
int ds_listing_init(struct ds_listing *listing);
void ds_listing_end(struct ds_listing *listing);

/* The machines of the scope, each once, added to `out`.
 *
 * By parts, one that moves to another part meanwhile would be in neither answer, and so would one
 * on what this user may not see: so who was known from the listing before and is missing is asked
 * for by its id; and all are asked for a second time, by folders, when there was no listing before,
 * or the last time that found more. So it is with folders that are too many for one query.
 * `*lacks`: some that were in the listing of folders before are not in this one. -EACCES, with
 * words: all together are fewer than vCenter says that there are. -ENOSPC, with words: there are
 * too many parts, or too many machines on one host. Errors of ds_fetch_run(). */
int ds_listing_ask(struct ds_listing *listing, const struct ds_fetcher *fetcher,
                   const struct ds_scope *scope, struct ds_machines *out, bool *lacks);

/* One request for the first part of that, to see that it is answered. */
int ds_listing_try(struct ds_listing *listing, const struct ds_fetcher *fetcher,
                   const struct ds_scope *scope);

#endif
