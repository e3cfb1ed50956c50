/* What libfuse has not had since 3.10, the oldest that works. */
#ifndef FS_FUSE_COMPAT_H
#define FS_FUSE_COMPAT_H

#include <fuse_lowlevel.h>
#include <stdbool.h>

#if defined(FUSE_VERSION) && FUSE_VERSION < FUSE_MAKE_VERSION(3, 10)
#error "datasetfs needs libfuse 3.10 or newer"
#endif

/* Since 3.14 a session's reads and writes can be ours. */
#if FUSE_VERSION >= FUSE_MAKE_VERSION(3, 14)
#define FS_FUSE_HAS_CUSTOM_IO 1
#else
#define FS_FUSE_HAS_CUSTOM_IO 0
#endif

/* Since 3.11 the reply to OPEN can say that a close of that handle needs no FLUSH. Else it comes,
 * and finds nothing to do. */
static inline void fs_fuse_set_noflush(struct fuse_file_info *fi, bool noflush)
{
#if FUSE_VERSION >= FUSE_MAKE_VERSION(3, 11)
    fi->noflush = noflush;
#else
    (void)fi;
    (void)noflush;
#endif
}

#endif
