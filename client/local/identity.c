/* Which file a name leads to. */
#include "identity.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>

/* 0, or the negative errno of looking at the name. */
static int look(const char *file, struct ds_identity *out)
{
    struct statx status;
    if (statx(AT_FDCWD, file, 0, STATX_INO | STATX_BTIME, &status) != 0)
        return -errno;
    out->device = makedev(status.stx_dev_major, status.stx_dev_minor);
    out->inode = status.stx_ino;
    out->born =
        status.stx_mask & STATX_BTIME ? status.stx_btime : (struct statx_timestamp){.tv_sec = 0};
    return 0;
}

int ds_identity_note(struct ds_identity *identity, struct ds_call *call)
{
    int err = look(identity->file, identity);
    if (err)
        return ds_call_fail(call, err, "%s: %s", identity->file, strerror(-err));
    identity->known = true;
    return 0;
}

int ds_identity_fail(const struct ds_identity *identity, struct ds_call *call)
{
    /* The name stands last: however long it is, it does not push the advice out. */
    if (identity->listed)
        return ds_call_fail(call, -ENODEV,
                            "the virtual machine is gone: its store file was removed or replaced: "
                            "%s",
                            identity->file);
    return ds_call_fail(call, -EIO, "the store file was removed or replaced: mount again: %s",
                        identity->file);
}

int ds_identity_check(const struct ds_identity *identity, struct ds_call *call)
{
    struct ds_identity now = {.file = identity->file};
    int err = look(identity->file, &now);
    if (err == -ENOENT || err == -ENOTDIR)
        return ds_identity_fail(identity, call);
    if (err)
        return ds_call_fail(call, -EIO, "%s: %s", identity->file, strerror(-err));
    if (now.device != identity->device || now.inode != identity->inode ||
        now.born.tv_sec != identity->born.tv_sec || now.born.tv_nsec != identity->born.tv_nsec)
        return ds_identity_fail(identity, call);
    return 0;
}
