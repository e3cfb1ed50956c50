/* One mount, from its start to its end. */
#ifndef FS_SERVE_H
#define FS_SERVE_H

#include "model/options.h"

/* Mounts what the options name and serves it until a signal or the kernel ends it, in the
 * background unless they say otherwise. What goes wrong is told in one line. The exit status of
 * the process. */
int fs_serve(const struct fs_options *options);

#endif
