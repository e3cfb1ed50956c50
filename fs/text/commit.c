/* The write policy as a state machine. */
#include "commit.h"

/* Nothing of the data waits any more. */
static void settle_data(struct fs_commit *commit)
{
    commit->dirty = false;
    commit->gathered = false;
    commit->stuck = false;
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

void fs_commit_wrote(struct fs_commit *commit, size_t bytes)
{
    commit->dirty = true;
    commit->unsent_bytes += bytes;
}

bool fs_commit_through(const struct fs_commit *commit, const struct fs_budget *budget, size_t bytes,
                       size_t value_bytes, bool at_close)
{
    if (at_close)
        return false;
    if (budget->commits == 0 || commit->stuck)
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
    if (commit->stuck)
        return commit->retry_ms;
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
        return commit->dirty;
    case FS_COMMIT_ON_FLUSH: /* a shell flushes before its data: nothing pending is published */
        return commit->dirty || (commit->stuck && fs_commit_waits(commit));
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

bool fs_commit_is_over(const struct fs_commit *commit)
{
    return commit->pending == FS_PENDING_NONE && !commit->refused && !commit->dirty &&
           !commit->gathered && !commit->stuck;
}

void fs_commit_done(struct fs_commit *commit)
{
    commit->pending = FS_PENDING_NONE;
    commit->refused = false;
    commit->sent_bytes += commit->unsent_bytes;
    settle_data(commit);
}

void fs_commit_refused(struct fs_commit *commit, int64_t now_ms)
{
    if (!fs_commit_waits(commit))
        return;
    if (commit->dirty) /* nothing else is published by the clock */
        fs_commit_gather(commit, now_ms);
    commit->stuck = true;
    commit->retry_ms = now_ms + FS_COMMIT_RETRY_MS;
}

void fs_commit_put_back(struct fs_commit *commit, const struct fs_commit *before)
{
    *commit = *before;
}

void fs_commit_take_back(struct fs_commit *commit, const struct fs_commit *before, bool doubt,
                         int64_t now_ms)
{
    *commit = *before;
    if (!commit->dirty && commit->pending != FS_PENDING_NONE) {
        commit->refused = true;
        return;
    }
    commit->dirty = commit->dirty || doubt;
    fs_commit_refused(commit, now_ms);
}

void fs_commit_give_up(struct fs_commit *commit)
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
