/* The way of libfuse's reads and writes, for the sake of one flag. */
#include "parallel.h"

#include <linux/fuse.h>
#include <sys/uio.h>
#include <unistd.h>

static ssize_t read_request(int fd, void *buffer, size_t size, void *user_data)
{
    struct fs_kernel *kernel = user_data;
    const struct fuse_in_header *header = buffer;
    ssize_t got = read(fd, buffer, size);

    if (got >= (ssize_t)sizeof(*header) && header->opcode == FUSE_INIT)
        kernel->init_unique = header->unique;
    return got;
}

/* True if this is the reply to INIT, and a success. */
static bool greets(const struct fs_kernel *kernel, const struct iovec *parts, int count)
{
    const struct fuse_out_header *header = parts[0].iov_base;

    return kernel->init_unique != 0 && count > 1 && header->unique == kernel->init_unique &&
           header->error == 0 &&
           parts[1].iov_len >= offsetof(struct fuse_init_out, flags) + sizeof(uint32_t);
}

static ssize_t write_reply(int fd, struct iovec *parts, int count, void *user_data)
{
    if (greets(user_data, parts, count))
        ((struct fuse_init_out *)parts[1].iov_base)->flags |= FUSE_PARALLEL_DIROPS;
    return writev(fd, parts, count);
}

int fs_parallel_allow(struct fuse_session *session)
{
    static const struct fuse_custom_io io = {.read = read_request, .writev = write_reply};

    return fuse_session_custom_io(session, &io, fuse_session_fd(session));
}
