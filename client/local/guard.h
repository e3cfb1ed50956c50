/* Who else may have a hand in a store file. */
#ifndef DS_LOCAL_GUARD_H
#define DS_LOCAL_GUARD_H

#include "call.h"

/* 0 if nobody but its owner, ourselves and root decides what `file`, which may be missing, and the
 * files that SQLite keeps beside it hold. -EACCES with words that end in the name: others may write
 * to it; it belongs to somebody else in a directory that others may write to (as /tmp); a symbolic
 * link in such a directory leads there; one of the files beside it is a link or somebody else's. */
int ds_guard_check(const char *file, struct ds_call *call);

#endif
