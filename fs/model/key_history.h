/* Marks of keys that have no inode: what was last known of each, and what makes its inode number.
 *
 * A store keeps no times and no numbers. At most FS_HISTORY_KEPT_MAX keys are kept; the ones used
 * longest ago go first. Names of DataSets have marks too. All functions: with fs->lock. */
#ifndef FS_KEY_HISTORY_H
#define FS_KEY_HISTORY_H

#include "datasets.h"

#include <fuse_lowlevel.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FS_HISTORY_KEPT_MAX 65536

/* What was last known of a key or, if it was missing or removed then, of a DataSet. */
struct fs_mark {
    uint64_t path;         /* the hash of the DataSet's name and the key */
    uint64_t digest;       /* of the value; 0: it was missing, or the value is not known */
    int64_t mtime_ns;      /* since 1970, of that value */
    uint64_t moment;       /* when that was so, among the numbers of fs->clock */
    uint64_t brought;      /* what makes the number that its inode had before a rename, or 0 */
    uint32_t next;         /* in the chain of the same slot: index + 1, or 0 */
    uint32_t used : 1;     /* found again since the hand came by */
    uint32_t removed : 31; /* how often this mount has removed or replaced it */
};

/* NULL when there is no memory. */
struct fs_history *fs_history_new(void);
void fs_history_free(struct fs_history *marks); /* harmless on NULL */

/* Stands for a value that is not in memory; never 0. Not for safety against a forger. */
uint64_t fs_history_digest(const struct fs *fs, const char *data, size_t len);

/* What a key, or a DataSet (`key` NULL), is found by. */
uint64_t fs_history_path(const struct fs_vm *vm, const char *dataset, const char *key);

/* The mark of that path, good until the next one is put; NULL if there is none. */
struct fs_mark *fs_history_find(const struct fs *fs, uint64_t path);

/* Keeps the mark in place of that which its path had. Without memory nothing is kept. */
void fs_history_put(struct fs *fs, const struct fs_mark *what);

/* True if a mark was given up: a key that has none may have been seen before. */
bool fs_history_lost(const struct fs *fs);

/* There is no such key now; NULL: no such DataSet. */
void fs_history_gone(struct fs *fs, const struct fs_dataset *dataset, const char *key);

/* This mount has removed or replaced the key; NULL: the DataSet. */
void fs_history_removed(struct fs *fs, const struct fs_dataset *dataset, const char *key);

/* A listing of the DataSet's keys, or of DataSets (NULL), is about to replace the last one, if any.
 */
void fs_history_listed(struct fs_vm *vm, struct fs_dataset *dataset, const struct fs_listing *last,
                       const struct fs_listing *listing);

/* What stat(2) calls the number of an inode: of a DataSet's directory (`key` NULL) or file in info,
 * or of a key, and how often it was removed or replaced. The same each time, also after FORGET, but
 * of a key that was renamed that which its inode had before; another one for a file that takes the
 * place of one that was there. Never that of the control files, 0 or -1. */
enum fs_numbered { FS_NUMBER_NAME, FS_NUMBER_INFO };
uint64_t fs_history_number(const struct fs_vm *vm, const char *dataset, const char *key,
                           enum fs_numbered what);

/* One of a machine's own, of an inventory. */
uint64_t fs_history_number_of_vm(const struct fs_vm *vm, enum fs_vm_inode which);

/* One for a temporary file, whose name may come again. */
uint64_t fs_history_number_unnamed(const struct fs *fs, fuse_ino_t ino);

/* The inode of the key has that number, perhaps from another key. */
void fs_history_bring(struct fs *fs, const struct fs_dataset *dataset, const char *key,
                      uint64_t number);

#endif
