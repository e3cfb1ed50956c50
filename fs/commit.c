/* The write policy as a state machine. */
#include "commit.h"

/* Nothing of the data waits any more. */
static void settle_data(struct fs_commit *commit)
{
    commit->dirty = false;
    commit->mapped = false;
    commit->gathered = false;
    commit->unsent_bytes = 0;
}

void fs_commit_pend(struct fs_commit *commit, enum fs_pending pending)
{
    if (commit->pending != FS_PENDING_CREATE)
        commit->pending = pending;
    commit->refused = false;
    settle_data(commit);
    commit->sent_bytes = 0;
}

void fs_commit_wrote(struct fs_commit *commit, size_t bytes, bool mapped)
{
    commit->dirty = true;
    commit->mapped = commit->mapped || mapped;
    commit->unsent_bytes += bytes;
}

bool fs_commit_through(const struct fs_commit *commit, const struct fs_budget *budget, size_t bytes,
                       size_t value_bytes, bool at_close)
{
    if (at_close)
        return false;
    if (budget->commits == 0)
        return true;
    if (budget->commits < FS_COMMIT_THROUGH && value_bytes <= FS_COMMIT_THROUGH_MAX_BYTES)
        return true;
    return commit->unsent_bytes + bytes >= commit->sent_bytes;
}

void fs_commit_gather(struct fs_commit *commit, int64_t now_ms)
{
    if (!commit->gathered)
        commit->first_ms = now_ms;
    commit->last_ms = now_ms;
    commit->gathered = true;
}

int64_t fs_commit_idle_ms(const struct fs_commit *commit)
{
    int64_t idle_ms = commit->last_ms + FS_COMMIT_IDLE_MS;
    int64_t latest_ms = commit->first_ms + FS_COMMIT_LATEST_MS;

    if (!commit->gathered)
        return 0;
    return idle_ms < latest_ms ? idle_ms : latest_ms;
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
    case FS_COMMIT_ON_IDLE:
        return commit->gathered;
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
    commit->sent_bytes += commit->unsent_bytes;
    settle_data(commit);
    commit->dirty = held;
}

void fs_commit_failed(struct fs_commit *commit)
{
    settle_data(commit);
    commit->refused = commit->pending != FS_PENDING_NONE;
}

void fs_commit_closed(struct fs_commit *commit)
{
    if (commit->refused) {
        commit->pending = FS_PENDING_NONE;
        commit->refused = false;
    }
    commit->sent_bytes = 0;
}
