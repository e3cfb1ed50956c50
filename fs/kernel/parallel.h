/* Several requests of one directory at a time. */
#ifndef FS_PARALLEL_H
#define FS_PARALLEL_H

#include "kernel.h"

/* Lets the kernel send LOOKUPs and READDIRs of one directory while others are under way: it is told
 * so by a flag in the reply to INIT, which libfuse 3.10 to 3.14 leave out whatever is wanted of
 * them. The session is mounted, its user data are the struct fs_kernel, and nothing has been read
 * yet. 0 or a negative errno. */
int fs_parallel_allow(struct fuse_session *session);

#endif
