/* Several requests of one directory at a time. */
#ifndef FS_PARALLEL_H
#define FS_PARALLEL_H

#include "kernel.h"

/* Lets the kernel send LOOKUPs and READDIRs of one directory while others are under way: it is told
 * so by a flag in the reply to INIT, which libfuse 3.14 leaves out whatever is wanted of it. The
 * session is mounted, its user data are the struct fs_kernel, and nothing has been read yet. 0 or
 * -ENOMEM. */
int fs_parallel_allow(struct fuse_session *session);

#endif
