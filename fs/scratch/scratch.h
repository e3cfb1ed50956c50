/* Temporary files, held back in memory.
 *
 * A *scratch* node is an entry whose content is here and that the store does not have. Where a key
 * was renamed to it, the key's removal is *withheld*: the store still has the key, but this mount
 * shows it no more; the node that stands for it is the scratch node's `origin` and points back by
 * node->withheld. The key comes back into sight when it is made again.
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

/* Key locks of one or two nodes and of those that a withheld removal ties to them. */
struct fs_scratch_locks {
    struct fs_node *nodes[4]; /* pinned, in the order of inode numbers */
    unsigned count;
};

/* For who found the nodes by their keys; `b` may be NULL. 0; as fs_key_lock(); -ESTALE if a key was
 * taken away while we waited: the kernel looks the name up again. On failure nothing is locked. */
int fs_scratch_lock(struct fs_request *request, struct fs_node *a, struct fs_node *b,
                    struct fs_scratch_locks *locks);
void fs_scratch_unlock(struct fs *fs, struct fs_scratch_locks *locks);

/* The rest, but for what says otherwise: with these locks; the node's own is enough to write. */

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

/* True if a scratch node keeps being one when it is written to; otherwise it is a key from now on,
 * whose creation waits for its data. `*err` is 0 or -ENOMEM. */
bool fs_scratch_takes_data(struct fs *fs, struct fs_node *node, int *err);

/* WRITE, and truncation or lengthening, as in a memory file. -ENOSPC beyond FS_SCRATCH_MAX_BYTES;
 * -ENOMEM. */
int fs_scratch_write(struct fs_request *request, struct fs_node *node);
int fs_scratch_truncate(struct fs_request *request, struct fs_node *node, size_t size);

/* Takes fs->lock itself. Replies to READ. False, and nothing done, if the node is not scratch. */
bool fs_scratch_read(struct fs_request *request, const struct fs_node *node, int *err);

/* Without key locks: a handle that could write was closed. */
void fs_scratch_closed(struct fs *fs, struct fs_node *node);

/* Sets the content as the value of the key of `to`, which may be the node itself. -EILSEQ if it is
 * no text, -EFBIG; the store's errors. What the node is does not change. */
int fs_scratch_send(struct fs_request *request, struct fs_node *node, struct fs_node *to);

/* Sees whether the store still holds what was renamed away: the value in memory will not do, it may
 * be gone or somebody else's by now. 0 if it does, -ENOENT if it holds nothing, -EEXIST if somebody
 * else has given the key a new value; the store's errors. */
int fs_scratch_check_origin(struct fs_request *request, const struct fs_node *node);

/* Ends the withholding: the origin's key is removed, unless it was made again, here or by the other
 * side. The store's errors, and then nothing has changed. Harmless on a node that withholds none.
 */
int fs_scratch_remove_origin(struct fs_request *request, struct fs_node *node);

/* The node is a key from now on, of which the store holds the content. -ENOMEM: the same, but it
 * will have to be asked for. `trusted`: as in fs_value_learn(). */
void fs_scratch_become_key(struct fs *fs, struct fs_node *node, bool trusted);

/* Publishes the node under its own name. The store's errors; then it stays scratch. */
int fs_scratch_publish(struct fs_request *request, struct fs_node *node);

/* What unlink(2) has to do first where the node is scratch or a key that is withheld. `*done`: the
 * store has no such key. -ENOENT; the store's errors. */
int fs_scratch_unlink(struct fs_request *request, struct fs_node *node, bool *done);

/* Without key locks: the delay of the node begins now. */
void fs_scratch_delay(struct fs *fs, struct fs_node *node);

/* Without key locks. Ties a scratch node to the key whose removal it withholds and that had that
 * value, and undoes that. */
void fs_scratch_tie(struct fs *fs, struct fs_node *node, struct fs_node *origin,
                    struct fs_value *value);
void fs_scratch_untie(struct fs *fs, struct fs_node *node);

/* Without key locks: frees what makes the node scratch. */
void fs_scratch_free(struct fs *fs, struct fs_node *node);

#endif
