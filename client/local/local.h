/* The protocol "local": an SQLite file with the limits and errors of vSphere. */
#ifndef DS_LOCAL_H
#define DS_LOCAL_H

#include "client.h"
#include "open_stores.h"

#include <stdbool.h>

/* Opens the store `file`, made with mode 0600 if missing, as `side` sees it. `read_only`: it is not
 * made and not changed, and may lie on a read-only medium. Errors: -EINVAL not a store of this
 * program, or a newer one's; -EACCES as ds_guard_check() in guard.h; -EROFS, -EISDIR, -EACCES,
 * -ENOENT (no such directory), … of the file; the common ones. All with words in call->text; a file
 * that is not a store is left as it was. Every operation is -EIO from when the file has been
 * removed or replaced by another, until it is back. */
int ds_local_open(const char *file, enum ds_side side, bool read_only, struct ds_call *call,
                  struct ds_client **out);

/* The same for the store of a machine that an inventory lists: it is never made, and from when the
 * file is missing or another one, opening and each operation is -ENODEV. It is one of `all`, which
 * is freed later: it may be closed while nobody uses it, and is opened again. */
int ds_local_open_listed(const char *file, enum ds_side side, bool read_only,
                         struct ds_open_stores *all, struct ds_call *call, struct ds_client **out);

/* As ds_source_prepare(), for a file, and for a directory as such. */
int ds_local_prepare(const char *path, bool read_only, struct ds_confine *confine);

/* What the clients of both can do. */
struct ds_caps ds_local_caps(enum ds_side side);

#endif
