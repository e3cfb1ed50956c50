/* Random calls on names. */
#include "random_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

static int random_flags(struct random_caller *caller)
{
    static const int ways[] = {O_RDONLY, O_WRONLY, O_RDWR, O_RDWR, O_RDWR};
    static const int usual[] = {O_CREAT, O_CREAT, O_CREAT, O_TRUNC, O_APPEND, O_CREAT | O_EXCL};
    static const int rare[] = {O_DIRECT,  O_NOFOLLOW, O_SYNC,    O_DSYNC,   O_DIRECTORY,
                               O_NOATIME, O_PATH,     O_TMPFILE, O_ACCMODE, O_EXCL};
    int flags = random_of(caller, ways) | O_CLOEXEC | O_NONBLOCK;
    for (unsigned i = random_roll(caller, 3); i > 0; i--)
        flags |= random_of(caller, usual);
    return random_roll(caller, 8) ? flags : flags | random_of(caller, rare);
}

static long put_in_slot(struct random_caller *caller, int fd)
{
    int error = errno;
    int *slot = random_slot(caller);
    if (fd >= 0 && *slot >= 0)
        close(*slot);
    if (fd >= 0)
        *slot = fd;
    errno = error;
    return fd;
}

static long make_open(struct random_caller *caller)
{
    const char *path = random_path(caller, 0);
    return put_in_slot(caller, open(path, random_flags(caller), random_roll(caller, 01000)));
}

static long make_openat(struct random_caller *caller)
{
    static const char *const names[] = {"k0", "k1", "app/k0", "app", ".", "", ".datasetfs"};
    const char *name = random_of(caller, names);
    return put_in_slot(caller, openat(random_fd(caller), name, random_flags(caller), 0600));
}

static long make_openat2(struct random_caller *caller)
{
    static const unsigned resolves[] = {0, RESOLVE_NO_SYMLINKS, RESOLVE_BENEATH, RESOLVE_NO_XDEV,
                                        RESOLVE_CACHED};
    struct open_how how = {.flags =
                               (unsigned)(random_roll(caller, 2) ? O_RDWR : O_RDONLY) | O_CLOEXEC,
                           .resolve = random_of(caller, resolves)};
    const char *path = random_path(caller, 0);
    return put_in_slot(caller, (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how));
}

static long make_list(struct random_caller *caller)
{
    int fd = open(random_path(caller, 0), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    long got = fd < 0 ? -1 : 1;
    while (got > 0)
        got = syscall(SYS_getdents64, fd, caller->room, 32768);
    int error = errno;
    if (fd >= 0)
        close(fd);
    errno = error;
    return got;
}

static long make_stat(struct random_caller *caller)
{
    static const unsigned flags[] = {0, AT_SYMLINK_NOFOLLOW, AT_STATX_FORCE_SYNC,
                                     AT_STATX_DONT_SYNC, AT_EMPTY_PATH};
    struct statx status;
    return statx(AT_FDCWD, random_path(caller, 0), (int)random_of(caller, flags), STATX_ALL,
                 &status);
}

static long make_access(struct random_caller *caller)
{
    struct statfs room;
    const char *path = random_path(caller, 0);
    switch (random_roll(caller, 4)) {
    case 0:
        return readlink(path, caller->room, 100);
    case 1:
        return statfs(path, &room);
    default:
        return faccessat(AT_FDCWD, path, (int)random_roll(caller, 8), AT_EACCESS);
    }
}

static long make_rename(struct random_caller *caller)
{
    static const unsigned flags[] = {0, 0, 0, RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_WHITEOUT};
    const char *from = random_path(caller, 0);
    return renameat2(AT_FDCWD, from, AT_FDCWD, random_path(caller, 1), random_of(caller, flags));
}

static long make_link(struct random_caller *caller)
{
    const char *from = random_path(caller, 0);
    const char *to = random_path(caller, 1);
    return random_roll(caller, 2) ? link(from, to) : symlink(from, to);
}

static long make_mknod(struct random_caller *caller)
{
    static const mode_t types[] = {S_IFREG, S_IFIFO, S_IFCHR, S_IFBLK, S_IFSOCK};
    return mknod(random_path(caller, 0), random_of(caller, types) | 0600, 0);
}

static long make_unlink(struct random_caller *caller)
{
    return unlink(random_path(caller, 0));
}

/* One DataSet comes and goes; directories of a DataSet are somebody's locks. */
static long make_mkdir(struct random_caller *caller)
{
    const char *path = random_path(caller, 0);
    return random_roll(caller, 3) ? mkdir(path, random_roll(caller, 01000)) : rmdir(path);
}

static long make_mkdir_c(struct random_caller *caller)
{
    char *path = caller->paths[0];
    snprintf(path, sizeof caller->paths[0], "%s/c", caller->points[0]);
    return random_roll(caller, 3) ? mkdir(path, 0700) : rmdir(path);
}

static long make_attributes(struct random_caller *caller)
{
    const char *path = random_path(caller, 0);
    struct timespec times[] = {{random_roll(caller, 2000000000), 0}, {0, UTIME_NOW}};
    switch (random_roll(caller, 3)) {
    case 0:
        return fchmodat(AT_FDCWD, path, random_roll(caller, 010000), 0);
    case 1:
        return fchownat(AT_FDCWD, path, random_roll(caller, 3), random_roll(caller, 3), 0);
    default:
        return utimensat(AT_FDCWD, path, times, 0);
    }
}

static long make_truncate(struct random_caller *caller)
{
    return truncate(random_path(caller, 0), random_offset(caller));
}

static long make_xattr(struct random_caller *caller)
{
    static const char *const names[] = {"user.datasetfs.host",
                                        "user.datasetfs.guest",
                                        "user.datasetfs.description",
                                        "user.mine",
                                        "security.selinux",
                                        "system.posix_acl_access",
                                        "trusted.x"};
    static const char *const values[] = {"READ_WRITE", "READ_ONLY", "NONE", "text", "\377", ""};
    const char *path = random_path(caller, 0);
    const char *name = random_of(caller, names);
    switch (random_roll(caller, 4)) {
    case 0:
        return listxattr(path, caller->room, random_roll(caller, 300));
    case 1:
        return removexattr(path, name);
    case 2:
        return setxattr(path, name, random_of(caller, values), random_roll(caller, 3),
                        (int)random_roll(caller, 3));
    default:
        return getxattr(path, name, caller->room, random_roll(caller, 100));
    }
}

static long make_handle(struct random_caller *caller)
{
    union {
        struct file_handle handle;
        char bytes[sizeof(struct file_handle) + MAX_HANDLE_SZ];
    } room = {.handle.handle_bytes = MAX_HANDLE_SZ};
    int mount_id;
    const char *path = random_path(caller, 0);
    if (name_to_handle_at(AT_FDCWD, path, &room.handle, &mount_id, 0) != 0)
        return -1;
    return put_in_slot(caller, open_by_handle_at(random_fd(caller), &room.handle,
                                                 random_flags(caller) & ~O_CREAT));
}

/* --- several together, as programs do --- */

static long write_and_close(struct random_caller *caller, int fd)
{
    if (fd < 0)
        return -1;
    size_t len = random_length(caller);
    long written = write(fd, random_bytes(caller, len), len);
    int error = errno;
    long closed = close(fd);
    if (written < 0)
        errno = error;
    return written < 0 ? written : closed;
}

static long make_whole_write(struct random_caller *caller)
{
    int how = random_roll(caller, 3) ? O_TRUNC : O_APPEND;
    return write_and_close(
        caller, open(random_path(caller, 0), O_WRONLY | O_CREAT | O_CLOEXEC | how, 0600));
}

static long make_whole_read(struct random_caller *caller)
{
    int fd = open(random_path(caller, 0), O_RDONLY | O_CLOEXEC);
    long got = fd;
    while (fd >= 0 && (got = read(fd, caller->room, 65536)) > 0)
        continue;
    int error = errno;
    if (fd >= 0)
        close(fd);
    errno = error;
    return got;
}

/* Under a temporary name first. */
static long make_replace(struct random_caller *caller)
{
    char *path = caller->paths[1];
    const char *point = caller->points[0];
    snprintf(path, sizeof caller->paths[1], "%s/app/.k%u.A%05u", point, random_roll(caller, 4),
             random_roll(caller, 100000));
    if (write_and_close(caller, open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) != 0)
        return -1;
    return rename(path, random_path(caller, 0));
}

static long make_attribute_file(struct random_caller *caller)
{
    static const char *const documents[] = {"{\"guest\":\"READ_ONLY\"}",
                                            "{\"guest\":\"READ_WRITE\",\"host\":\"READ_WRITE\"}",
                                            "{\"host\":\"NONE\"}",
                                            "{\"description\":\"words\"}",
                                            "{",
                                            "[]",
                                            "",
                                            "{\"used\":1}"};
    static const char *const datasets[] = {"b", "c", "none"};
    char *path = caller->paths[0];
    const char *document = random_of(caller, documents);
    snprintf(path, sizeof caller->paths[0], "%s/.datasetfs/info/%s", caller->points[0],
             random_of(caller, datasets));
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    size_t len = 0;
    while (document[len])
        len++;
    long written = write(fd, document, len);
    int error = errno;
    close(fd);
    errno = error;
    return written;
}

const struct random_call random_name_calls[] = {
    {"open", make_open, 100},
    {"openat", make_openat, 20},
    {"openat2", make_openat2, 10},
    {"list", make_list, 10},
    {"statx", make_stat, 20},
    {"access", make_access, 15},
    {"rename", make_rename, 30},
    {"link", make_link, 4},
    {"mknod", make_mknod, 4},
    {"unlink", make_unlink, 20},
    {"mkdir", make_mkdir, 6},
    {"mkdir-c", make_mkdir_c, 4},
    {"attributes", make_attributes, 15},
    {"truncate", make_truncate, 10},
    {"xattr", make_xattr, 10},
    {"file-handle", make_handle, 4},
    {"whole-write", make_whole_write, 40},
    {"whole-read", make_whole_read, 40},
    {"replace", make_replace, 15},
    {"attribute-file", make_attribute_file, 3},
    {0},
};
