/* Giving the kernel pages that it has not asked for. */
#include "pages.h"

int fs_pages_give(const struct fs_kernel *kernel, fuse_ino_t ino, const char *bytes, size_t len)
{
    struct fuse_bufvec from = FUSE_BUFVEC_INIT(len);

    from.buf[0].mem = (void *)(uintptr_t)bytes; /* only read */
    return fuse_lowlevel_notify_store(kernel->session, ino, 0, &from, FUSE_BUF_NO_SPLICE);
}
