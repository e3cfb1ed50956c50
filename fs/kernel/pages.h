/* The kernel's pages of a file. */
#ifndef FS_PAGES_H
#define FS_PAGES_H

#include "kernel.h"

#include <stddef.h>

/* Gives the kernel the bytes of a file from its beginning, as if they had been read. It has to know
 * the file to be `len` bytes long; otherwise it makes it longer, and asks for its attributes. Waits
 * for pages that the kernel has asked for: only for a file that nobody has open. 0, or what
 * write(2) to /dev/fuse says: -ENOENT for a file that the kernel does not have, -ENOMEM, -ENODEV at
 * the end of the mount (fs/fuse/dev.c of Linux); pages before the one that failed stay. */
int fs_pages_give(const struct fs_kernel *kernel, fuse_ino_t ino, const char *bytes, size_t len);

#endif
