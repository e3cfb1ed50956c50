/* Which file a store is in, so that another one that takes its name is not taken for it. */
#ifndef DS_LOCAL_IDENTITY_H
#define DS_LOCAL_IDENTITY_H

#include "call.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

struct ds_identity {
    const char *file; /* borrowed */
    bool listed;      /* a machine of an inventory, which is gone when the file is */
    bool known;       /* what follows */
    dev_t device;
    ino_t inode;
    /* When it was made, zero where the file system does not tell: a file that is gone while nobody
     * has it open may leave its number to the one that takes its name. */
    struct statx_timestamp born;
};

/* Notes which file the name leads to. A negative errno of stat(2), with words. */
int ds_identity_note(struct ds_identity *identity, struct ds_call *call);

/* 0 while the name leads to the file that was noted; else -EIO, or -ENODEV for what is listed, with
 * words. Costs one statx(2). */
int ds_identity_check(const struct ds_identity *identity, struct ds_call *call);

/* That failure. */
int ds_identity_fail(const struct ds_identity *identity, struct ds_call *call);

#endif
