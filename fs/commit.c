/* The write policy as a state machine. */
#include "commit.h"

void fs_commit_pend(struct fs_commit *commit, enum fs_pending pending)
{
    if (commit->pending != FS_PENDING_CREATE)
        commit->pending = pending;
    commit->refused = false;
    commit->dirty = false;
    commit->mapped = false;
}

void fs_commit_wrote(struct fs_commit *commit, bool mapped)
{
    commit->dirty = true;
    commit->mapped = commit->mapped || mapped;
}

bool fs_commit_waits(const struct fs_commit *commit)
{
    return commit->dirty || (commit->pending != FS_PENDING_NONE && !commit->refused);
}

bool fs_commit_due(const struct fs_commit *commit, enum fs_commit_event event)
{
    switch (event) {
    case FS_COMMIT_ON_WRITE:
    case FS_COMMIT_ON_FLUSH: /* a shell flushes before its data: nothing pending is published */
        return commit->dirty;
    case FS_COMMIT_ON_MAPPED_WRITE:
        return false;
    case FS_COMMIT_ON_FSYNC:
    case FS_COMMIT_ON_OPEN:
    case FS_COMMIT_ON_RENAME:
    case FS_COMMIT_ON_RELEASE:
    case FS_COMMIT_ON_UNMOUNT:
        return fs_commit_waits(commit);
    }
    return false;
}

void fs_commit_done(struct fs_commit *commit, bool held)
{
    commit->pending = FS_PENDING_NONE;
    commit->refused = false;
    commit->dirty = held;
    commit->mapped = false;
}

void fs_commit_failed(struct fs_commit *commit)
{
    commit->dirty = false;
    commit->mapped = false;
    commit->refused = commit->pending != FS_PENDING_NONE;
}

void fs_commit_closed(struct fs_commit *commit)
{
    if (commit->refused) {
        commit->pending = FS_PENDING_NONE;
        commit->refused = false;
    }
}
