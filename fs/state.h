/* The state of one mount: made and taken down. */
#ifndef FS_STATE_H
#define FS_STATE_H

#include "inventory.h"
#include "model/fs.h"

/* What is mounted, borrowed: one machine, or an inventory of them. The other one is NULL. */
struct fs_store {
    struct ds_client *client;
    struct ds_inventory *inventory;
};

/* Makes the mount's state with its root and control nodes. `options` and `kinds` are borrowed. 0 or
 * a negative errno; `*out` is then unchanged. */
int fs_state_new(const struct fs_options *options, const struct fs_kind *kinds,
                 const struct fs_store *store, struct fs **out);

/* Frees everything but the store; the clients of an inventory's machines within the call's time. No
 * thread may use it any more. */
void fs_state_free(struct fs *fs, struct ds_call *call);

#endif
