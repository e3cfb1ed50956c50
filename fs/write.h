/* Changing the value of a key: writes, appends, truncation, and committing them to the store.
 *
 * The working value is the inode's; its key lock is held by whoever changes or commits it. */
#ifndef FS_WRITE_H
#define FS_WRITE_H

#include "node.h"
#include "request.h"

#include <stddef.h>

/* Handler of WRITE. */
int fs_write_handle(struct fs_request *request);

/* A write that never came to its turn has failed like one that the store refused: what waited for
 * its data is not published. Without fs->lock. */
void fs_write_dropped(struct fs_request *request);

/* With fs->lock and the key lock: the working value becomes empty, and the creation or truncation
 * waits for data. 0 or -ENOMEM. */
int fs_write_pend(struct fs *fs, struct fs_node *node, enum fs_pending pending);

/* With fs->lock (released meanwhile) and the key lock: commits what `event` makes due. -EILSEQ: a
 * cut code point or mapped page cannot be; the store's errors, after which the working value is the
 * store's again. The caller may block. */
int fs_write_commit(struct fs_request *request, struct fs_node *node, enum fs_commit_event event);

/* With fs->lock (released meanwhile) and the key lock: shortens the value to `size` bytes. `open`:
 * a handle will see to the commit of a truncation to nothing. -EILSEQ if that would lengthen it;
 * the store's errors. The caller may block. */
int fs_write_truncate(struct fs_request *request, struct fs_node *node, size_t size, bool open);

/* With fs->lock: true if closing now would leave something uncommitted or held back. */
bool fs_write_waits(const struct fs_node *node);

/* With fs->lock: what is held back is given up. True if there was something. */
bool fs_write_drop_held(struct fs *fs, struct fs_node *node);

/* Commits everything that waits in attached nodes; of one DataSet, or of all (`dataset` NULL).
 * Failures are reported in .datasetfs/errors; the first is returned. Without fs->lock. */
int fs_write_commit_all(struct fs_request *request, struct fs_dataset *dataset,
                        enum fs_commit_event event);

#endif
