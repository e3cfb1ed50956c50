/* The working value of an inode: what waits in it, and committing that to the store.
 *
 * It is the image where there is one, else the store's value, and the tail behind it. It belongs to
 * the inode; its key lock is held by whoever changes or commits it. All but
 * fs_working_commit_all(): with fs->lock, which is released while the store is asked. */
#ifndef FS_WORKING_H
#define FS_WORKING_H

#include "kernel/request.h"
#include "model/node.h"

#include <stddef.h>

/* With the key lock: the working value becomes empty, and the creation or truncation waits for
 * data. 0 or -ENOMEM. */
int fs_working_pend(struct fs *fs, struct fs_node *node, enum fs_pending pending);

/* How long the value is for a reader of this mount: the working value of a key, without the write
 * whose commit is under way, and with what open files hold back. */
size_t fs_working_size(const struct fs_node *node);

/* True if nothing of it is left to be known. */
bool fs_working_is_empty(const struct fs_node *node);

/* The key is another's or nobody's from now on. `moves`: the node gets another one, and a
 * truncation whose first data was refused is still the file's. */
void fs_working_lose_key(struct fs_node *node, bool moves);

/* True if closing now would leave something uncommitted or held back. */
bool fs_working_waits(const struct fs_node *node);

/* True if `event` makes something due. */
bool fs_working_due(const struct fs_node *node, enum fs_commit_event event);

/* With the key lock: commits what `event` makes due; what an open file holds back (held_back.h) is
 * no part of it. -EILSEQ: a mapped page is no text, or a creation or truncation that is renamed
 * waits for its first text; -EINTR before anything was sent; the store's errors. After these all
 * waits on and is tried again by whatever comes next (commit.h), but for an append in doubt: that
 * is lost, and handles that have written but are not the request's own hear of it later. A creation
 * or truncation refused without data (-EACCES, -ENOSPC) is not shown until then. The caller may
 * block. */
int fs_working_commit(struct fs_request *request, struct fs_node *node, enum fs_commit_event event);

/* The tail's half of it. */
int fs_working_commit_tail(struct fs_request *request, struct fs_node *node,
                           enum fs_commit_event event);

/* Commits everything that waits in attached nodes; of one DataSet, or of all (`dataset` NULL).
 * Failures are reported in .datasetfs/errors; the first is returned. Without fs->lock. */
int fs_working_commit_all(struct fs_request *request, struct fs_dataset *dataset,
                          enum fs_commit_event event);

/* With the key lock: the data just put in waits for more. */
void fs_working_gather(struct fs *fs, struct fs_node *node);

/* Work of due_work.h: gathered data is committed if nothing more has come. */
void fs_working_idle(struct fs_request *request, struct fs_node *node);

/* With the key lock: what is not committed is given up, so that the working value is the store's
 * again. */
void fs_working_give_up(struct fs *fs, struct fs_node *node);

/* With the key lock: the key was given another value after all that waits was written. */
void fs_working_supersede(struct fs *fs, struct fs_node *node);

/* The same for what was acknowledged: whoever wrote it is told of `err`, but for the request's own
 * handle. */
void fs_working_lose(struct fs_request *request, struct fs_node *node, int err);

/* Something of the working value is gone again: where nothing else waits, a reader sees the store's
 * value, of the time that it had. */
void fs_working_show_left(struct fs *fs, struct fs_node *node);

/* Makes an empty image, of which there is none. 0 or -ENOMEM. */
int fs_working_new_image(struct fs_node *node);

/* The image is that one (taken) again, from before a write that was refused. */
void fs_working_put_back_take(struct fs_node *node, struct fs_image *image);

/* Until it is NULL again, what others see is not the image but that one (borrowed). */
void fs_working_show_before(struct fs_node *node, struct fs_image *before);

/* Adds to the tail. 0 or -ENOMEM. */
int fs_working_append(struct fs_node *node, const char *data, size_t len);

/* The last `len` bytes of the tail are of a write whose commit is under way, and that others do not
 * see; 0: it is over. And takes them off. */
void fs_working_hide_end(struct fs_node *node, size_t len);
void fs_working_cut_end(struct fs_node *node);

/* Frees the image, or the tail. */
void fs_working_drop_image(struct fs_node *node);
void fs_working_drop_tail(struct fs_node *node);

/* True if nobody knows whether the store has made the change that failed with `err`. */
bool fs_working_in_doubt(const struct fs_request *request, int err);

/* -EILSEQ, with what is wrong said in the call. */
int fs_working_not_text(struct fs_request *request, const struct fs_node *node);

#endif
