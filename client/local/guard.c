/* Files that others may have put in our way. */
#include "guard.h"

#include "cleanup.h"
#include "walk.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

static int refuse(struct ds_call *call, const char *why, const char *file)
{
    /* The name stands last: however long it is, it does not push the reason out. */
    return ds_call_fail(call, -EACCES, "%s: %s", why, file);
}

static bool is_ours(uid_t owner)
{
    return owner == geteuid() || owner == 0;
}

/* What stands beside the store. `owner`: the store's. */
static int check_beside(const char *file, uid_t owner, struct ds_call *call)
{
    static const char *const ends[] = {"-wal", "-shm", "-journal"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char *name DS_AUTO_FREE = NULL;
        struct stat status;
        if (asprintf(&name, "%s%s", file, ends[i]) < 0) {
            name = NULL;
            return -ENOMEM;
        }
        if (lstat(name, &status) != 0)
            continue;
        if (!S_ISREG(status.st_mode) || (status.st_mode & S_IWOTH) ||
            !(is_ours(status.st_uid) || status.st_uid == owner))
            return refuse(call, "somebody else has put this beside the store", name);
    }
    return 0;
}

int ds_guard_check(const char *file, struct ds_call *call)
{
    char real[PATH_MAX];
    char folder[PATH_MAX];
    struct stat status;
    struct stat directory;
    if (ds_walk_is_others(file))
        return refuse(call,
                      "a symbolic link leads there from a directory that others may write to: name "
                      "the file itself",
                      file);
    bool exists = realpath(file, real) != NULL && stat(real, &status) == 0;
    if (!exists && snprintf(real, sizeof real, "%s", file) >= (int)sizeof real)
        return 0; /* which opening it will say */
    memcpy(folder, real, sizeof folder);
    bool open_to_others =
        stat(dirname(folder), &directory) == 0 && (directory.st_mode & S_IWOTH) != 0;
    if (exists && S_ISREG(status.st_mode) && (status.st_mode & S_IWOTH))
        return refuse(call, "others may write to the store file: run chmod o-w on it", file);
    if (exists && open_to_others && !is_ours(status.st_uid))
        return refuse(call,
                      "the store file belongs to somebody else and lies in a directory that others "
                      "may write to",
                      file);
    return check_beside(real, exists ? status.st_uid : geteuid(), call);
}
