/* A change of the working value: begun, and committed at once or gathered; what a refusal takes out
 * again, and what waits for the rest of its text.
 *
 * All with fs->lock, which is released while the store is asked, and with the key lock. */
#ifndef FS_CHANGE_H
#define FS_CHANGE_H

#include "handle.h"
#include "kernel/request.h"
#include "model/node.h"

#include <stdbool.h>
#include <stddef.h>

/* Makes sure that node->busy->working.image is all of the working value. -ESTALE: the other side
 * removed the key under the open file; -ENOMEM; the store's errors. The caller may block, unless
 * there is an image and no tail. */
int fs_change_begin(struct fs_request *request, struct fs_node *node);

/* The image is dropped again if it is the store's value. */
void fs_change_drop_idle(struct fs_node *node);

/* A copy of the image in `*out`, for fs_change_commit(). 0 or -ENOMEM. */
int fs_change_copy(const struct fs_node *node, struct fs_image **out);
void fs_change_free_copy(struct fs_image *image); /* harmless on NULL */

/* Commits the image, which was changed, of which nobody is to see anything until the store has it;
 * if it refuses, the change is taken back. `commit` and `before` (taken) are what was before it.
 * The errors of fs_working_commit(). */
int fs_change_commit(struct fs_request *request, struct fs_node *node,
                     const struct fs_commit *commit, struct fs_image *before);

/* The change has failed with its commit and is out of the working value again: what else waits
 * stays. `before` is what node->busy->working.commit was. */
void fs_change_take_back(struct fs_request *request, struct fs_node *node,
                         const struct fs_commit *before, int err);

/* What a write that waited for its commit ends with. Interrupted before anything was sent it is a
 * gathered one, since few repeat it; but not that of one who dies, or was told of a failure. */
int fs_change_waited(const struct fs_request *request, int err);

/* What was written or cut waits with the handle for the rest of its text (held_back.h). Returns 0.
 */
int fs_change_hold_back(struct fs_request *request, struct fs_handle *handle);

/* Of a write of request->size bytes at request->offset, or at the end: how long the value is then,
 * and whether it is to be committed before the write returns. */
size_t fs_change_end_of_write(const struct fs_request *request, const struct fs_node *node,
                              bool at_end);
bool fs_change_goes_through(const struct fs_request *request, const struct fs_handle *handle,
                            const struct fs_node *node, bool at_end);

/* The write's own data was refused with `err`, which is returned, with words. Nobody else has lost
 * data by that. */
int fs_change_refused(struct fs_request *request, struct fs_node *node, int err);

/* The old value stays if what failed was the first data after a creation or truncation. */
void fs_change_give_up_pending(struct fs *fs, struct fs_node *node);

#endif
