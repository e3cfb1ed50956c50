/* How a scratch node becomes a key. All with fs->lock, which is released while the store is asked,
 * and with the locks of withheld.h. */
#ifndef FS_PUBLISH_H
#define FS_PUBLISH_H

#include "kernel/request.h"
#include "model/node.h"

#include <stdbool.h>

/* Sets the content as the value of the key of `to`, which may be the node itself. -EILSEQ if it is
 * no text, -EFBIG; the store's errors. What the node is does not change. */
int fs_publish_send(struct fs_request *request, struct fs_node *node, struct fs_node *to);

/* The node is a key from now on, of which the store holds the content. -ENOMEM: the same, but it
 * will have to be asked for. `trusted`: as in fs_value_learn(). */
void fs_publish_done(struct fs *fs, struct fs_node *node, bool trusted);

/* Publishes the node under its own name. The store's errors; then it stays scratch. */
int fs_publish(struct fs_request *request, struct fs_node *node);

/* What unlink(2) has to do first where the node is scratch or a key that is withheld. `*done`: the
 * store has no such key. -ENOENT; the store's errors. */
int fs_publish_unlink(struct fs_request *request, struct fs_node *node, bool *done);

#endif
