/* When keys were last modified, as far as this mount has seen it.
 *
 * A store keeps no times. A key that is seen for the first time counts as old as the mount; one
 * that was missing when the mount last looked (a listing, a question that was answered by ENOENT,
 * its own removal) counts as modified when it is seen, and so does one whose value has changed
 * since its inode was freed. Once marks had to be given up, a key that has none counts as modified
 * when it is seen. All functions: with fs->lock. */
#ifndef FS_TIMES_H
#define FS_TIMES_H

#include "node.h"

#include <stdbool.h>

/* The node is about to be freed: what it says of its key stays known. */
void fs_times_keep(struct fs *fs, const struct fs_node *node);

/* The node has its first value: raises `*mtime`, the time that it has, to that of the value, which
 * is an earlier one only if the clock was set back. False if the value is known to have come since
 * its key was last seen, so that times set on that are over. */
bool fs_times_recognise(struct fs *fs, const struct fs_node *node, struct timespec *mtime);

/* True if the DataSet, which is there now, was missing when this mount last looked. */
bool fs_times_dataset_missed(const struct fs *fs, const struct fs_dataset *dataset);

/* True if the key was missing since the node was last seen in the store. */
bool fs_times_missed(const struct fs *fs, const struct fs_node *node);

#endif
