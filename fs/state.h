/* The state of one mount: made and taken down. */
#ifndef FS_STATE_H
#define FS_STATE_H

#include "model/fs.h"

/* Makes the mount's state with its root and control nodes. `options`, `kinds` and `client` are
 * borrowed. 0 or a negative errno; `*out` is then unchanged. */
int fs_state_new(const struct fs_options *options, const struct fs_kind *kinds,
                 struct ds_client *client, struct fs **out);

/* Frees everything but the client. No thread may use it any more. */
void fs_state_free(struct fs *fs);

#endif
