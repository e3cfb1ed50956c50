/* Temporary files, held back in memory.
 *
 * A *scratch* node is an entry whose content is here and that the store does not have. Where a key
 * was renamed to it, the key's removal is *withheld*: the store still has the key, but this mount
 * shows it no more; the node that stands for it is the scratch node's `origin` and points back by
 * node->busy->withheld. The key comes back into sight when it is made again.
 *
 * Scratch is a delay, not a bin: what is left is published. All functions: with fs->lock, which
 * those that take a request release while the store is asked or they wait. */
#ifndef FS_SCRATCH_H
#define FS_SCRATCH_H

#include "kernel/request.h"
#include "model/node.h"
#include "text/scratch_name.h"

#include <stddef.h>

/* Of all scratch of a mount: what is allocated for content and for the values of withheld keys, and
 * for each name, a lock directory's too, about what its node takes: an empty one costs memory as
 * well, and stays until it is removed. */
#define FS_SCRATCH_MAX_BYTES (64 * 1024 * 1024)
#define FS_SCRATCH_NAME_BYTES 1024

struct fs_scratch {
    struct ds_buf bytes;
    enum fs_scratch_kind kind;
    bool renamed; /* it was a key: it is published even if empty */
    bool changed; /* since it was one */
    struct fs_node *origin;
    struct fs_value *origin_value; /* that the store held when it was withheld; owned */
    int64_t since_ms;              /* the delay counts from here */
    int64_t retry_ms;              /* the pause before the last try that failed; 0: none has */
    int error;                     /* of that try */
    char why[DS_CALL_TEXT_BYTES];
};

/* All but what says otherwise: with the locks of withheld.h; the node's own is enough to write. */

/* What this CREATE makes of the node's name, which does not exist. */
enum fs_scratch_kind fs_scratch_creates(const struct fs_request *request,
                                        const struct fs_node *node);

/* Makes the node scratch, empty. 0, -ENOSPC beyond FS_SCRATCH_MAX_BYTES, -ENOMEM. */
int fs_scratch_make(struct fs_request *request, struct fs_node *node, enum fs_scratch_kind kind);

/* Without key locks. Counts FS_SCRATCH_NAME_BYTES for the node's name, which will be only here; 0
 * or -ENOSPC beyond FS_SCRATCH_MAX_BYTES. And gives them back. */
int fs_scratch_count_name(struct fs_request *request, const struct fs_node *node);
void fs_scratch_uncount_name(struct fs *fs);

/* True if a key of any size can be held back without exceeding FS_SCRATCH_MAX_BYTES. */
bool fs_scratch_can_hold(const struct fs *fs);

/* Makes the node, which was a key, scratch with the value it had. 0 or -ENOMEM, then unchanged. */
int fs_scratch_hold(struct fs *fs, struct fs_node *node, const struct fs_value *value);

/* True if the node is scratch only while nothing is written to it: with its first data it is a key,
 * whose creation waits for that data. */
bool fs_scratch_is_probe(const struct fs_node *node);

/* WRITE, and truncation or lengthening, as in a memory file. -ENOSPC beyond FS_SCRATCH_MAX_BYTES;
 * -ENOMEM. */
int fs_scratch_write(struct fs_request *request, struct fs_node *node);
int fs_scratch_truncate(struct fs_request *request, struct fs_node *node, size_t size);

/* Takes fs->lock itself. Replies to READ. False, and nothing done, if the node is not scratch. */
bool fs_scratch_read(struct fs_request *request, const struct fs_node *node, int *err);

/* Without key locks: a handle that could write was closed. */
void fs_scratch_closed(struct fs *fs, struct fs_node *node);

/* Without key locks: the delay of the node begins now. */
void fs_scratch_delay(struct fs *fs, struct fs_node *node);

/* Without key locks. Ties a scratch node to the key whose removal it withholds and that had that
 * value, and undoes that. */
void fs_scratch_tie(struct fs *fs, struct fs_node *node, struct fs_node *origin,
                    struct fs_value *value);
void fs_scratch_untie(struct fs *fs, struct fs_node *node);

/* The same: it takes the place of `old`, and withholds what that did. Until it is published the
 * store keeps what it has. */
void fs_scratch_tie_instead(struct fs *fs, struct fs_node *node, struct fs_node *old);

/* Without key locks: frees what makes the node scratch. */
void fs_scratch_free(struct fs *fs, struct fs_node *node);

#endif
