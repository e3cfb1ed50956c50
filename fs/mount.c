/* Mounting. */
#include "mount.h"

#include "callbacks.h"
#include "cleanup.h"
#include "kernel/parallel.h"
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <fuse_opt.h>
#include <limits.h>
#include <sched.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

/* libfuse's last words, for the one line that the user gets; only used while one thread runs. */
static char last_words[FS_MOUNT_WHY_BYTES];

__attribute__((format(printf, 2, 0))) static void print_line(char line[FS_MOUNT_WHY_BYTES],
                                                             const char *format, va_list arguments)
{
    size_t len;

    vsnprintf(line, FS_MOUNT_WHY_BYTES, format, arguments);
    len = strlen(line);
    while (len > 0 && line[len - 1] == '\n')
        line[--len] = '\0';
}

__attribute__((format(printf, 2, 0))) static void take_words(enum fuse_log_level level,
                                                             const char *format, va_list arguments)
{
    char line[FS_MOUNT_WHY_BYTES];

    print_line(line, format, arguments);
    if (level <= FUSE_LOG_ERR)
        memcpy(last_words, line, sizeof(line));
    else
        ds_log(DS_LOG_DEBUG, "%s", line);
}

__attribute__((format(printf, 2, 0))) static void log_words(enum fuse_log_level level,
                                                            const char *format, va_list arguments)
{
    char line[FS_MOUNT_WHY_BYTES];

    print_line(line, format, arguments);
    ds_log(level <= FUSE_LOG_ERR ? DS_LOG_ERROR : DS_LOG_DEBUG, "%s", line);
}

/* mountinfo writes space, tab, newline and backslash as \ooo. */
static void unescape(char *text)
{
    char *to = text;

    for (const char *from = text; *from != '\0'; from++) {
        unsigned byte;

        if (*from == '\\' && sscanf(from + 1, "%3o", &byte) == 1) {
            *to++ = (char)byte;
            from += 3;
        } else {
            *to++ = *from;
        }
    }
    *to = '\0';
}

/* True if the topmost mount at `path` is one of ours. */
static bool is_ours(const char *path)
{
    FILE *table = fopen("/proc/self/mountinfo", "re");
    char *line DS_AUTO_FREE = NULL;
    size_t size = 0;
    bool ours = false;

    if (table == NULL)
        return false;
    while (getline(&line, &size, table) > 0) {
        char point[PATH_MAX], type[64];
        const char *rest = strstr(line, " - ");

        if (rest == NULL || sscanf(line, "%*d %*d %*s %*s %4095s", point) != 1 ||
            sscanf(rest, " - %63s", type) != 1)
            continue;
        unescape(point);
        if (strcmp(point, path) == 0)
            ours = strcmp(type, "fuse.datasetfs") == 0;
    }
    fclose(table);
    return ours;
}

static int refuse_stale(const char *mountpoint, char *why)
{
    snprintf(why, FS_MOUNT_WHY_BYTES,
             "%s: the file system mounted here has lost its daemon; run 'umount %s' (or "
             "'fusermount3 -u %s') first",
             mountpoint, mountpoint, mountpoint);
    return -ENOTCONN;
}

static bool is_stale(int error)
{
    return error == ENOTCONN || error == ECONNABORTED;
}

/* The errno of what is wrong with the directory, or 0. `path` NULL: realpath() has just failed. */
static int look_at(const char *path, struct stat *attr)
{
    struct statvfs statfs;

    /* The kernel may still answer stat(2) from memory for a daemon that is gone, but not statvfs.
     */
    if (path == NULL || stat(path, attr) != 0 || statvfs(path, &statfs) != 0)
        return errno;
    return 0;
}

int fs_mount_enter(const char *name_space, char *why)
{
    bool is_pid = *name_space != '\0' && name_space[strspn(name_space, "0123456789")] == '\0';
    char *path DS_AUTO_FREE = NULL;
    int fd, error;

    if (asprintf(&path, is_pid ? "/proc/%s/ns/mnt" : "%s", name_space) < 0) {
        path = NULL;
        snprintf(why, FS_MOUNT_WHY_BYTES, "%s", strerror(ENOMEM));
        return -ENOMEM;
    }
    fd = open(path, O_RDONLY | O_CLOEXEC);
    error = fd < 0 || setns(fd, CLONE_NEWNS) != 0 ? errno : 0;
    if (fd >= 0)
        close(fd);
    if (error != 0)
        snprintf(why, FS_MOUNT_WHY_BYTES, "cannot enter the mount namespace %.300s: %s", path,
                 strerror(error));
    return -error;
}

int fs_mount_check(const char *mountpoint, char **path, char *why)
{
    char *real DS_AUTO_FREE = realpath(mountpoint, NULL);
    struct stat attr = {0};
    int error = look_at(real, &attr);

    if (is_stale(error))
        return refuse_stale(mountpoint, why);
    if (error != 0) {
        snprintf(why, FS_MOUNT_WHY_BYTES, "mount point %s: %s", mountpoint, strerror(error));
        return -error;
    }
    if (real == NULL || !S_ISDIR(attr.st_mode)) {
        snprintf(why, FS_MOUNT_WHY_BYTES, "mount point %s is not a directory", mountpoint);
        return -ENOTDIR;
    }
    if (is_ours(real)) {
        snprintf(why, FS_MOUNT_WHY_BYTES,
                 "%s: a datasetfs is mounted here already; choose another directory or run "
                 "'umount %s' first",
                 mountpoint, mountpoint);
        return -EBUSY;
    }
    *path = real;
    real = NULL;
    return 0;
}

static int add_arguments(const struct fs_options *options, const char *source,
                         struct fuse_args *args)
{
    char *list = NULL;
    char *fsname DS_AUTO_FREE = NULL;
    int failed = asprintf(&fsname, "fsname=%s", source) < 0;

    if (failed)
        return -ENOMEM;
    failed = fuse_opt_add_opt(&list, options->kernel_options) != 0 ||
             fuse_opt_add_opt(&list, "subtype=datasetfs") != 0 ||
             fuse_opt_add_opt_escaped(&list, fsname) != 0 ||
             /* Without allow_other only one user enters, and ACCESS saves a GETATTR per open. */
             (options->allow_other && fuse_opt_add_opt(&list, "default_permissions") != 0) ||
             (options->debug && fuse_opt_add_opt(&list, "debug") != 0) ||
             fuse_opt_add_arg(args, "datasetfs") != 0 || fuse_opt_add_arg(args, "-o") != 0 ||
             fuse_opt_add_arg(args, list) != 0;
    free(list);
    return failed ? -ENOMEM : 0;
}

/* libfuse's session, not mounted yet; NULL with its words or with `*err`. */
static struct fuse_session *new_session(const struct fs_options *options, const char *source,
                                        struct fs_kernel *kernel, int *err)
{
    struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
    struct fuse_lowlevel_ops ops;
    struct fuse_session *session = NULL;

    last_words[0] = '\0';
    fuse_set_log_func(take_words);
    fs_callbacks_init(&ops, options->xattr);
    *err = add_arguments(options, source, &args);
    if (*err == 0) {
        session = fuse_session_new(&args, &ops, sizeof(ops), kernel);
        *err = session != NULL ? 0 : -EINVAL;
    }
    fuse_opt_free_args(&args);
    return session;
}

/* The end of what new_session() began; `err` again. */
static int say_why(const char *path, int err, char *why)
{
    fuse_set_log_func(log_words);
    if (err != 0)
        snprintf(why, FS_MOUNT_WHY_BYTES, "cannot mount at %.200s: %.250s", path,
                 last_words[0] != '\0' ? last_words : strerror(-err));
    return err;
}

int fs_mount_open(const struct fs_options *options, const char *source, const char *path, char *why)
{
    int err;
    int fd = -1;
    struct fuse_session *session = new_session(options, source, NULL, &err);

    if (err == 0 && fuse_session_mount(session, path) != 0)
        err = -EPERM;
    if (err == 0) {
        fd = fcntl(fuse_session_fd(session), F_DUPFD_CLOEXEC, 0);
        err = fd < 0 ? -errno : 0;
        if (fd < 0)
            fuse_session_unmount(session);
    }
    if (session != NULL)
        fuse_session_destroy(session);
    err = say_why(path, err, why);
    return err == 0 ? fd : err;
}

int fs_mount_session_take(int fd, const struct fs_options *options, const char *source,
                          const char *path, struct fs_kernel *kernel, char *why)
{
    char name[32];
    int err;
    struct fuse_session *session = new_session(options, source, kernel, &err);

    /* To libfuse it is mounted already: it closes the descriptor and does not unmount. */
    snprintf(name, sizeof(name), "/dev/fd/%d", fd);
    if (err == 0 && fuse_session_mount(session, name) != 0)
        err = -EINVAL;
    if (err != 0)
        close(fd);
    if (err == 0)
        err = fs_parallel_allow(session);
    if (err != 0 && session != NULL)
        fuse_session_destroy(session);
    else
        kernel->session = session;
    return say_why(path, err, why);
}

struct fs_mount_id fs_mount_look(const char *path)
{
    struct statx found;
    struct fs_mount_id id = {0};

    if (statx(AT_FDCWD, path, AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC | AT_SYMLINK_NOFOLLOW,
              STATX_MNT_ID, &found) != 0)
        return id;
    id.known = true;
    id.major = found.stx_dev_major;
    id.minor = found.stx_dev_minor;
    id.mount = found.stx_mnt_id; /* 0 from a kernel that does not tell */
    return id;
}

/* True if the file system at `path` has no daemon. */
static bool is_dead(const char *path)
{
    struct statvfs ignored;

    return statvfs(path, &ignored) != 0 && is_stale(errno);
}

/* As libfuse does for users; also for a root without the right. */
static int ask_fusermount(const char *path)
{
    static char program[] = "fusermount3", unmount[] = "-u", quiet[] = "-q", lazy[] = "-z",
                end[] = "--";
    char *const argv[] = {program, unmount, quiet, lazy, end, (char *)path, NULL};
    sigset_t none;
    posix_spawnattr_t attributes;
    pid_t pid;
    int status = 0, error;

    sigemptyset(&none);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    error = posix_spawnp(&pid, program, NULL, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    if (error != 0)
        return -error;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EPERM;
}

void fs_mount_end(const char *path, const struct fs_mount_id *id)
{
    struct fs_mount_id now = fs_mount_look(path);
    int err;

    if (id->known && now.known &&
        (now.major != id->major || now.minor != id->minor || now.mount != id->mount))
        return;
    /* Numbers of mounts are given again at once, but what was mounted since is served. */
    if (!is_dead(path))
        return;
    err = umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0 ? 0 : -errno;
    if (err == -EPERM)
        err = ask_fusermount(path);
    if (err != 0)
        ds_log(DS_LOG_ERROR, "cannot unmount %s: %s", path, strerror(-err));
}
