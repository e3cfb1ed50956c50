/* The way of libfuse's reads and writes, for the sake of one flag. */
#include "parallel.h"

#include "fuse_compat.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

static void add_flag(struct fuse_init_out *init)
{
    init->flags |= FUSE_PARALLEL_DIROPS;
}

/* True if there is a flag in a reply to INIT that has so many bytes behind its header. */
static bool has_flags(const struct fuse_out_header *header, size_t len)
{
    return header->error == 0 && len >= offsetof(struct fuse_init_out, flags) + sizeof(uint32_t);
}

#if FS_FUSE_HAS_CUSTOM_IO

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
           has_flags(header, parts[1].iov_len);
}

static ssize_t write_reply(int fd, struct iovec *parts, int count, void *user_data)
{
    if (greets(user_data, parts, count))
        add_flag(parts[1].iov_base);
    return writev(fd, parts, count);
}

int fs_parallel_allow(struct fuse_session *session)
{
    static const struct fuse_custom_io io = {.read = read_request, .writev = write_reply};

    return fuse_session_custom_io(session, &io, fuse_session_fd(session));
}

#else

struct greeting {
    struct fuse_out_header header;
    struct fuse_init_out init;
};

/* Lets libfuse answer the request into a pipe in the place of its descriptor, which nobody else
 * uses yet. The number of bytes or a negative errno. */
static ssize_t take_reply(struct fuse_session *session, const struct fuse_buf *request,
                          struct greeting *reply)
{
    int fd = fuse_session_fd(session);
    int ends[2], kernel_fd;
    ssize_t len = -1;

    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        return -errno;
    kernel_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (kernel_fd >= 0 && dup3(ends[1], fd, O_CLOEXEC) >= 0) {
        fuse_session_process_buf(session, request);
        len = dup3(kernel_fd, fd, O_CLOEXEC) >= 0 ? read(ends[0], reply, sizeof(*reply)) : -1;
    }
    if (len < 0)
        len = -errno;
    if (kernel_fd >= 0)
        close(kernel_fd);
    close(ends[0]);
    close(ends[1]);
    return len;
}

/* INIT is there as soon as the session is mounted. */
int fs_parallel_allow(struct fuse_session *session)
{
    struct fuse_buf request = {0};
    struct greeting reply = {0};
    ssize_t len;

    do
        len = fuse_session_receive_buf(session, &request);
    while (len == -EINTR);
    if (len > 0)
        len = take_reply(session, &request, &reply);
    free(request.mem);
    if (len == 0)
        return -ENODEV; /* unmounted by now */
    if (len < 0)
        return (int)len;
    if (len > (ssize_t)sizeof(reply.header) &&
        has_flags(&reply.header, (size_t)len - sizeof(reply.header)))
        add_flag(&reply.init);
    return write(fuse_session_fd(session), &reply, (size_t)len) == len ? 0 : -errno;
}

#endif
