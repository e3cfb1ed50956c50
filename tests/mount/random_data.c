/* Random calls on open files. */
#include "random_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static long make_read(struct random_caller *caller)
{
    return read(random_fd(caller), caller->room, random_length(caller));
}

static long make_pread(struct random_caller *caller)
{
    return pread(random_fd(caller), caller->room, random_length(caller), random_offset(caller));
}

static long make_preadv2(struct random_caller *caller)
{
    static const int flags[] = {0, RWF_HIPRI, RWF_NOWAIT};
    size_t len = random_length(caller);
    struct iovec parts[] = {{caller->room, len / 3}, {caller->room + len / 3, len - len / 3}};
    return preadv2(random_fd(caller), parts, 2, random_offset(caller), random_of(caller, flags));
}

static long make_write(struct random_caller *caller)
{
    size_t len = random_length(caller);
    return write(random_fd(caller), random_bytes(caller, len), len);
}

static long make_pwrite(struct random_caller *caller)
{
    size_t len = random_length(caller);
    return pwrite(random_fd(caller), random_bytes(caller, len), len, random_offset(caller));
}

static long make_pwritev2(struct random_caller *caller)
{
    static const int flags[] = {0, RWF_DSYNC, RWF_SYNC, RWF_APPEND};
    size_t len = random_length(caller);
    /* The kernel only reads what these name. */
    char *from = caller->text + random_roll(caller, 64);
    struct iovec parts[] = {{from, len / 2}, {from + len / 2, len - len / 2}};
    off_t offset = random_roll(caller, 2) ? -1 : random_offset(caller);
    return pwritev2(random_fd(caller), parts, 2, offset, random_of(caller, flags));
}

static long make_lseek(struct random_caller *caller)
{
    static const int ways[] = {SEEK_SET, SEEK_CUR, SEEK_END, SEEK_DATA, SEEK_HOLE, 77};
    return lseek(random_fd(caller), random_offset(caller), random_of(caller, ways));
}

static long make_ftruncate(struct random_caller *caller)
{
    return ftruncate(random_fd(caller), random_offset(caller));
}

static long make_fallocate(struct random_caller *caller)
{
    static const int modes[] = {0, FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                FALLOC_FL_ZERO_RANGE, FALLOC_FL_COLLAPSE_RANGE};
    return fallocate(random_fd(caller), random_of(caller, modes), random_offset(caller),
                     random_offset(caller));
}

static long make_fsync(struct random_caller *caller)
{
    int fd = random_fd(caller);
    switch (random_roll(caller, 8)) {
    case 0:
        return syncfs(fd);
    case 1:
        return sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
    case 2:
    case 3:
        return fdatasync(fd);
    default:
        return fsync(fd);
    }
}

static void put_in(int *slot, int fd)
{
    if (*slot >= 0)
        close(*slot);
    *slot = fd;
}

static long make_dup(struct random_caller *caller)
{
    int fd = dup(random_fd(caller));
    if (fd >= 0)
        put_in(random_slot(caller), fd);
    return fd;
}

static long make_setfl(struct random_caller *caller)
{
    static const int flags[] = {0, O_APPEND, O_NONBLOCK, O_DIRECT, O_APPEND | O_DIRECT, O_NOATIME};
    return fcntl(random_fd(caller), F_SETFL, random_of(caller, flags));
}

static long make_lock(struct random_caller *caller)
{
    static const int commands[] = {F_SETLK, F_OFD_SETLK, F_GETLK};
    static const short types[] = {F_RDLCK, F_WRLCK, F_UNLCK};
    static const int ways[] = {LOCK_SH, LOCK_EX, LOCK_UN};
    int fd = random_fd(caller);
    struct flock lock = {.l_type = random_of(caller, types),
                         .l_start = random_roll(caller, 100),
                         .l_len = random_roll(caller, 100)};
    if (random_roll(caller, 2))
        return flock(fd, random_of(caller, ways) | LOCK_NB);
    return fcntl(fd, random_of(caller, commands), &lock);
}

static long make_mmap(struct random_caller *caller)
{
    static const int protections[] = {PROT_READ, PROT_READ | PROT_WRITE, PROT_WRITE, PROT_NONE};
    size_t len = (1 + random_roll(caller, 4)) * 4096;
    void *map = mmap(NULL, len, random_of(caller, protections),
                     random_roll(caller, 2) ? MAP_SHARED : MAP_PRIVATE, random_fd(caller),
                     random_roll(caller, 3) * (off_t)4096);
    if (map == MAP_FAILED)
        return -1;
    if (caller->map)
        munmap(caller->map, caller->map_bytes);
    caller->map = map;
    caller->map_bytes = len;
    return 0;
}

/* Through the kernel, which answers EFAULT where a program would be sent SIGBUS; a file's own pages
 * may be what is written to it. */
static long make_touch(struct random_caller *caller)
{
    int fd = random_roll(caller, 3) ? caller->plain : random_fd(caller);
    size_t len = caller->map_bytes ? 1 + random_roll(caller, (unsigned)caller->map_bytes) : 0;
    switch (random_roll(caller, 4)) {
    case 0:
        return pread(fd, caller->map, len, random_roll(caller, 5000));
    case 1:
        return msync(caller->map, caller->map_bytes,
                     random_roll(caller, 2) ? MS_SYNC : MS_ASYNC | MS_INVALIDATE);
    case 2:
        return madvise(caller->map, caller->map_bytes, MADV_DONTNEED);
    default:
        return pwrite(fd, caller->map, len, fd == caller->plain ? RANDOM_ROOM_BYTES : 0);
    }
}

static long make_copy(struct random_caller *caller)
{
    off_t from = random_roll(caller, 100), to = random_roll(caller, 100);
    return copy_file_range(random_fd(caller), random_roll(caller, 2) ? &from : NULL,
                           random_fd(caller), random_roll(caller, 2) ? &to : NULL,
                           random_length(caller), 0);
}

static long make_sendfile(struct random_caller *caller)
{
    off_t from = random_roll(caller, 100);
    int in = random_roll(caller, 2) ? caller->plain : random_fd(caller);
    return sendfile(random_fd(caller), in, &from, random_length(caller));
}

static long make_splice(struct random_caller *caller)
{
    int fd = random_fd(caller);
    size_t len = random_length(caller);
    if (random_roll(caller, 2))
        return splice(fd, NULL, caller->pipe[1], NULL, len, SPLICE_F_NONBLOCK);
    return splice(caller->pipe[0], NULL, fd, NULL, len, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
}

/* None of those that act on the whole mount, such as FIFREEZE. */
static long make_ioctl(struct random_caller *caller)
{
    static const unsigned long requests[] = {FIONREAD,          FS_IOC_GETFLAGS,   FS_IOC_SETFLAGS,
                                             FS_IOC_FSGETXATTR, FS_IOC_GETVERSION, FIGETBSZ};
    unsigned long request = random_roll(caller, 4) ? random_of(caller, requests)
                                                   : _IOWR('d', random_roll(caller, 256), int);
    return ioctl(random_fd(caller), request, caller->room);
}

static long make_fclone(struct random_caller *caller)
{
    return ioctl(random_fd(caller), FICLONE, random_fd(caller));
}

static long make_fstat(struct random_caller *caller)
{
    struct stat status;
    int fd = random_fd(caller);
    switch (random_roll(caller, 5)) {
    case 0:
        return fchmod(fd, random_roll(caller, 01000));
    case 1:
        return fchown(fd, random_roll(caller, 3), (gid_t)-1);
    case 2:
        return futimens(fd, NULL);
    default:
        return fstat(fd, &status);
    }
}

static long make_fxattr(struct random_caller *caller)
{
    int fd = random_fd(caller);
    switch (random_roll(caller, 3)) {
    case 0:
        return flistxattr(fd, caller->room, random_roll(caller, 300));
    case 1:
        return fsetxattr(fd, "user.datasetfs.description", "text", random_roll(caller, 5), 0);
    default:
        return fgetxattr(fd, "user.datasetfs.guest", caller->room, random_roll(caller, 100));
    }
}

static long make_advise(struct random_caller *caller)
{
    static const int advice[] = {POSIX_FADV_DONTNEED, POSIX_FADV_WILLNEED, POSIX_FADV_RANDOM};
    struct pollfd polled = {.fd = random_fd(caller), .events = POLLIN | POLLOUT};
    switch (random_roll(caller, 3)) {
    case 0:
        return readahead(polled.fd, 0, random_length(caller));
    case 1:
        return poll(&polled, 1, 0);
    default:
        errno = posix_fadvise(polled.fd, 0, 0, random_of(caller, advice));
        return errno ? -1 : 0;
    }
}

static long make_getdents(struct random_caller *caller)
{
    static const size_t sizes[] = {24, 100, 300, 32768};
    return syscall(SYS_getdents64, random_fd(caller), caller->room, random_of(caller, sizes));
}

static long make_close(struct random_caller *caller)
{
    int *slot = random_slot(caller);
    int fd = *slot;
    *slot = -1;
    return close(fd);
}

/* A process that has this one's table of descriptors. */
static long make_close_read(struct random_caller *caller)
{
    int *slot = random_slot(caller);
    int fd = *slot;
    long pid = syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL);
    if (pid == 0) {
        for (unsigned i = 0; i < 3; i++)
            syscall(SYS_pread64, fd, caller->room, 4096, 0);
        syscall(SYS_exit_group, 0);
    }
    *slot = -1;
    long closed = close(fd);
    int error = errno;
    while (pid > 0 && waitpid((pid_t)pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    errno = error;
    return closed;
}

/* Somebody dies in the middle of it. */
static long make_killed(struct random_caller *caller)
{
    int fd = random_fd(caller);
    size_t len = random_length(caller);
    const char *data = random_bytes(caller, len);
    pid_t pid = fork();
    if (pid == 0) {
        for (unsigned i = 0; i < 4; i++)
            syscall(SYS_write, fd, data, len);
        syscall(SYS_exit_group, 0);
    }
    if (pid < 0)
        return -1;
    for (unsigned i = random_roll(caller, 3); i > 0; i--)
        fsync(fd);
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    return 0;
}

const struct random_call random_data_calls[] = {
    {"read", make_read, 30},
    {"pread", make_pread, 20},
    {"preadv2", make_preadv2, 10},
    {"write", make_write, 50},
    {"pwrite", make_pwrite, 30},
    {"pwritev2", make_pwritev2, 15},
    {"lseek", make_lseek, 15},
    {"ftruncate", make_ftruncate, 15},
    {"fallocate", make_fallocate, 8},
    {"fsync", make_fsync, 20},
    {"dup", make_dup, 10},
    {"fcntl-setfl", make_setfl, 5},
    {"lock", make_lock, 10},
    {"mmap", make_mmap, 12},
    {"touch", make_touch, 12},
    {"copy_file_range", make_copy, 8},
    {"sendfile", make_sendfile, 8},
    {"splice", make_splice, 12},
    {"ioctl", make_ioctl, 5},
    {"ficlone", make_fclone, 1},
    {"fstat", make_fstat, 15},
    {"fxattr", make_fxattr, 5},
    {"advise", make_advise, 6},
    {"getdents", make_getdents, 10},
    {"close", make_close, 20},
    {"close-read", make_close_read, 3},
    {"killed-write", make_killed, 3},
    {0},
};
