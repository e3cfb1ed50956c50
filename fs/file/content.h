/* What a reader of this mount sees of an inode, be it a key or temporary. With fs->lock. */
#ifndef FS_CONTENT_H
#define FS_CONTENT_H

#include "model/node.h"

#include <stddef.h>
#include <stdint.h>

/* Of an entry, as stat(2) tells. */
size_t fs_content_size(const struct fs_node *node);

/* Stands for the content (key_history.h); 0: not known. */
uint64_t fs_content_digest(const struct fs *fs, const struct fs_node *node);

#endif
