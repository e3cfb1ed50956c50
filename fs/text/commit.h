/* The write policy: what of an inode waits to be committed, and which event commits it. Pure; the
 * caller holds the inode's key lock, does the committing, tells how it ended, and tells the time.
 *
 * Creation and truncation to nothing wait for the first data, so that no empty value is published
 * on the way; without data they are committed by fsync, another open, a rename, the release of a
 * handle or the end of the mount.
 *
 * Data is committed before write(2) returns, since that is where shells look: a handle's first
 * write always, and its first FS_COMMIT_THROUGH commits while the value is small. After that writes
 * are *gathered*: they are acknowledged at once and committed together when as much waits as has
 * been sent before, so that a value written in many pieces is sent at most twice over; and in any
 * case when a handle is closed or synchronised, another one opened, or nothing more comes. What is
 * dirty without being gathered are pages of a memory map.
 *
 * A commit that is refused leaves all that was acknowledged where it is: it is tried again by each
 * write, flush and fsync, which fail with it, and now and then without one, until the last writer
 * is gone. Only the write that waited for the commit takes its own data out again. */
#ifndef FS_COMMIT_H
#define FS_COMMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Commits of one handle that its writes wait for, while the value has at most that many bytes. */
#define FS_COMMIT_THROUGH 16
#define FS_COMMIT_THROUGH_MAX_BYTES (16 * 1024)
/* Gathered data is committed when no write has come for that long, and at the latest so long after
 * its first byte. */
#define FS_COMMIT_IDLE_MS 50
#define FS_COMMIT_LATEST_MS 1000
/* How long after a refusal it is tried again, unless somebody asks sooner. */
#define FS_COMMIT_RETRY_MS 1000

enum fs_pending { FS_PENDING_NONE, FS_PENDING_CREATE, FS_PENDING_TRUNCATE };

/* Of an inode. Zeroed: nothing waits. */
struct fs_commit {
    enum fs_pending pending;
    /* The data that came first was refused: the old value stays, and only further data may still
     * publish the creation or truncation. */
    bool refused;
    bool dirty;                /* there is data that the store has not */
    bool gathered;             /* it is to be committed although nobody waits for that */
    bool stuck;                /* the last commit was refused, and something waits on */
    size_t unsent_bytes;       /* written since the last commit */
    size_t sent_bytes;         /* committed by those who have it open now, added up */
    int64_t first_ms, last_ms; /* when the first and the last gathered data came */
    int64_t retry_ms;          /* when it is stuck: when to try again */
};

/* Of a handle. Zeroed at open. */
struct fs_budget {
    unsigned commits; /* that its writes have waited for */
};

enum fs_commit_event {
    FS_COMMIT_ON_WRITE, /* one that waits for its commit */
    FS_COMMIT_ON_IDLE,
    FS_COMMIT_ON_FLUSH,
    FS_COMMIT_ON_FSYNC,
    FS_COMMIT_ON_OPEN, /* of another handle, without O_TRUNC */
    FS_COMMIT_ON_RENAME,
    FS_COMMIT_ON_RELEASE,
    FS_COMMIT_ON_UNMOUNT,
};

/* A handle was opened that creates or truncates. A creation that waits stays a creation. */
void fs_commit_pend(struct fs_commit *commit, enum fs_pending pending);

/* `bytes` of data were put into the working value. */
void fs_commit_wrote(struct fs_commit *commit, size_t bytes);

/* True if a write of `bytes` through the handle, which makes the value `value_bytes` long, is to be
 * committed before it returns. `at_close`: the mount gathers always. */
bool fs_commit_through(const struct fs_commit *commit, const struct fs_budget *budget, size_t bytes,
                       size_t value_bytes, bool at_close);

/* The data that was just put in is not committed now. */
void fs_commit_gather(struct fs_commit *commit, int64_t now_ms);

/* When gathered data is due although nothing happens; 0: never, there is none. */
int64_t fs_commit_idle_ms(const struct fs_commit *commit);

/* True if the working value must be committed now. */
bool fs_commit_due(const struct fs_commit *commit, enum fs_commit_event event);

/* True if a change of the store would be lost should the inode be dropped now. */
bool fs_commit_waits(const struct fs_commit *commit);

/* True if it is as good as zeroed, where nobody has the inode open. */
bool fs_commit_is_over(const struct fs_commit *commit);

/* The store has the working value. */
void fs_commit_done(struct fs_commit *commit);

/* The commit was refused: what was to be committed waits on. */
void fs_commit_refused(struct fs_commit *commit, int64_t now_ms);

/* A write that failed with its commit is taken out again: `before` is what was before it. `doubt`:
 * the store may have it, and what waited before is to be sent once more. */
void fs_commit_take_back(struct fs_commit *commit, const struct fs_commit *before, bool doubt,
                         int64_t now_ms);

/* The same of a write that nobody has refused: it was not sent, and all is as before. */
void fs_commit_put_back(struct fs_commit *commit, const struct fs_commit *before);

/* The data is given up. */
void fs_commit_give_up(struct fs_commit *commit);

/* The last handle that could write is gone: a refused creation or truncation is forgotten, and the
 * next one begins anew. */
void fs_commit_closed(struct fs_commit *commit);

#endif
