/* Whether a store file is what it was written to be. */
#ifndef DS_LOCAL_INTEGRITY_H
#define DS_LOCAL_INTEGRITY_H

#include "call.h"

/* 0 if SQLite finds nothing wrong with any part of `file`, which is only read, and its tables are
 * ours; -EIO it is damaged; errors as ds_local_open() in local.h. With words. */
int ds_integrity_check(const char *file, struct ds_call *call);

#endif
