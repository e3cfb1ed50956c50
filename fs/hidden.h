/* Files that the daemon needs and its own mount would hide. */
#ifndef FS_HIDDEN_H
#define FS_HIDDEN_H

#include "model/options.h"

#define FS_HIDDEN_WHY_BYTES 512

/* -EINVAL with one line in `why` (FS_HIDDEN_WHY_BYTES) if the way to a file that the mount needs
 * leads through the mount point at `path`: the daemon would wait for itself. That are what `source`
 * (absolute) names, and for https: the files of credentials= and cacert= or, where they are not
 * given, those that are looked for in their place and exist. */
int fs_hidden_check(const struct fs_options *options, const char *source, const char *path,
                    char *why);

#endif
