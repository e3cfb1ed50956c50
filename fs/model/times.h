/* When keys were last modified, as far as this mount has seen it, and their numbers: what stays
 * known of a key while it has no inode.
 *
 * A store keeps no times. A key that is seen for the first time counts as old as the mount; one
 * that was missing when the mount last looked (a listing, a question that was answered by ENOENT,
 * its own removal) counts as modified when it is seen, and so does one whose value has changed
 * since its inode was freed. At most FS_TIMES_KEPT_MAX keys are kept; the ones used longest ago go
 * first, and from then on a key that is not among them counts as modified when it is seen. All
 * functions: with fs->lock. */
#ifndef FS_TIMES_H
#define FS_TIMES_H

#include "record.h"

#include <fuse_lowlevel.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FS_TIMES_KEPT_MAX 65536

struct fs_node;

/* NULL when there is no memory. */
struct fs_times *fs_times_new(void);
void fs_times_free(struct fs_times *times); /* harmless on NULL */

/* Stands for a value that is not in memory; never 0. Not for safety against a forger. */
uint64_t fs_times_digest(const struct fs *fs, const char *data, size_t len);

/* The node is about to be freed: what it says of its key stays known. */
void fs_times_keep(struct fs *fs, const struct fs_node *node);

/* There is no such key now; NULL: no such DataSet. */
void fs_times_gone(struct fs *fs, const struct fs_dataset *dataset, const char *key);

/* This mount has removed or replaced the key; NULL: the DataSet. */
void fs_times_removed(struct fs *fs, const struct fs_dataset *dataset, const char *key);

/* What stat(2) calls the number of an inode: of a DataSet's directory (`key` NULL) or file in info,
 * or of a key, and how often it was removed or replaced. The same each time, also after FORGET, but
 * of a key that was renamed that which its inode had before; another one for a file that takes the
 * place of one that was there. Never that of the control files, 0 or -1. */
enum fs_times_numbered { FS_NUMBER_NAME, FS_NUMBER_INFO };
uint64_t fs_times_number(const struct fs *fs, const char *dataset, const char *key,
                         enum fs_times_numbered what);

/* One for a temporary file, whose name may come again. */
uint64_t fs_times_number_unnamed(const struct fs *fs, fuse_ino_t ino);

/* The entry has its key, and keeps the number that it had under another. */
void fs_times_bring(struct fs *fs, const struct fs_node *node);

/* A listing of the DataSet's keys, or of the root (NULL), is about to replace the last one. */
void fs_times_listed(struct fs *fs, struct fs_dataset *dataset, const struct fs_listing *listing);

/* The node has its first value: sets its modification time, to an earlier one only if the clock was
 * set back. False if the value is known to have come since its key was last seen, so that times set
 * on that are over. */
bool fs_times_recognise(struct fs *fs, struct fs_node *node);

/* True if the DataSet, which is there now, was missing when this mount last looked. */
bool fs_times_dataset_missed(const struct fs *fs, const struct fs_dataset *dataset);

/* True if the key was missing since the node was last seen in the store. */
bool fs_times_missed(const struct fs *fs, const struct fs_node *node);

#endif
