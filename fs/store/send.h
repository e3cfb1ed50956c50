/* The store's half of a commit: what of a working value is sent, and how.
 *
 * All with fs->lock, which is released while the store is asked, and with the key lock. Errors are
 * the store's; what is known of the store's value is corrected by them. */
#ifndef FS_SEND_H
#define FS_SEND_H

#include "kernel/request.h"
#include "model/node.h"

#include <stdbool.h>
#include <stddef.h>

/* Only a value longer than that grows by appends: up to there a set is one message as well. */
#define FS_SEND_GROWTH_BYTES (63 * 1024)
/* And only so long after our last commit: later somebody else may have changed it. */
#define FS_SEND_GROWTH_MS 1000

/* Makes the image the key's value: by an append if it is the value we have just committed and more,
 * else by a set. */
int fs_send_image(struct fs_request *request, struct fs_node *node);

/* Sets the key's value, whatever the working value is. What is known of the store's is corrected if
 * that fails, not if it succeeds. */
int fs_send_value(struct fs_request *request, struct fs_node *node, const char *data, size_t len);

/* Removes the key. -ENOENT: the store did not have it. */
int fs_send_remove(struct fs_request *request, struct fs_node *node);

/* Gives the new key the value, then removes the old one. With both key locks. `*set`: the first
 * step was done. What is known of the two values is the caller's to correct. */
int fs_send_move(struct fs_request *request, struct fs_node *from, struct fs_node *to,
                 const struct fs_value *value, bool *set);

/* Appends the tail, which is the caller's to empty then. */
int fs_send_tail(struct fs_request *request, struct fs_node *node);

/* After growth by appends: sees whether the store holds the whole value, and sets it if somebody
 * has changed it in between. Without an image. */
int fs_send_check_growth(struct fs_request *request, struct fs_node *node);

/* After a failed set or append: the store has refused it, or we cannot know what it holds. */
void fs_send_failed(struct fs_request *request, struct fs_node *node, int err);

/* What was sent in pieces is all there, or no matter any more. */
void fs_send_forget(struct fs_node *node);

/* True if nothing of what was sent is to be known any longer. */
bool fs_send_is_over(const struct fs_node *node);

#endif
