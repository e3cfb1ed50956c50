/* The write policy of one inode: what waits, and what each event makes of it. Pure; the caller
 * holds the inode's key lock, does the committing and tells how it ended.
 *
 * Creation and truncation to nothing wait for the first data, so that no empty value is published
 * on the way; without data they are committed by fsync, another open, a rename, the release of a
 * handle or the end of the mount. Data is committed before the write returns; what is still dirty
 * afterwards is a held-back piece of a code point or pages of a memory map. */
#ifndef FS_COMMIT_H
#define FS_COMMIT_H

#include <stdbool.h>

enum fs_pending { FS_PENDING_NONE, FS_PENDING_CREATE, FS_PENDING_TRUNCATE };

/* Zeroed: nothing waits. */
struct fs_commit {
    enum fs_pending pending;
    /* The data that came first was refused: the old value stays, and only further data may still
     * publish the creation or truncation. */
    bool refused;
    bool dirty;  /* the image holds data that the store has not */
    bool mapped; /* some of it came from a memory map, whose writes are never refused */
};

enum fs_commit_event {
    FS_COMMIT_ON_WRITE,
    FS_COMMIT_ON_MAPPED_WRITE,
    FS_COMMIT_ON_FLUSH,
    FS_COMMIT_ON_FSYNC,
    FS_COMMIT_ON_OPEN, /* of another handle, without O_TRUNC */
    FS_COMMIT_ON_RENAME,
    FS_COMMIT_ON_RELEASE,
    FS_COMMIT_ON_UNMOUNT,
};

/* A handle was opened that creates or truncates. A creation that waits stays a creation. */
void fs_commit_pend(struct fs_commit *commit, enum fs_pending pending);

/* Data was put into the image. */
void fs_commit_wrote(struct fs_commit *commit, bool mapped);

/* True if the image must be committed now. */
bool fs_commit_due(const struct fs_commit *commit, enum fs_commit_event event);

/* True if a change of the store would be lost should the inode be dropped now. */
bool fs_commit_waits(const struct fs_commit *commit);

/* The store has the image; `held` if a cut code point at its end was kept back. */
void fs_commit_done(struct fs_commit *commit, bool held);

/* The commit or the write was refused: the data is given up. */
void fs_commit_failed(struct fs_commit *commit);

/* The last handle is gone: a refused creation or truncation is forgotten. */
void fs_commit_closed(struct fs_commit *commit);

#endif
