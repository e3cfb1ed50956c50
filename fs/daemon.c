/* The step into the background. */
#include "daemon.h"

#include "command_line.h"
#include "log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Adds a descriptor to the list. 0 or -ENOMEM. */
static int note(struct fs_daemon_inherited *inherited, int fd)
{
    int *more = realloc(inherited->fds, (inherited->count + 1) * sizeof(*more));

    if (more == NULL)
        return -ENOMEM;
    more[inherited->count++] = fd;
    inherited->fds = more;
    return 0;
}

int fs_daemon_inherit(struct fs_daemon_inherited *inherited)
{
    DIR *list = opendir("/proc/self/fd");
    struct dirent *entry;
    int err = 0;

    *inherited = (struct fs_daemon_inherited){0};
    if (list == NULL) /* then no file is named by its descriptor either */
        return syscall(__NR_close_range, STDERR_FILENO + 1, UINT_MAX, 0) == 0 ? 0 : -errno;
    while (err == 0 && (errno = 0, entry = readdir(list)) != NULL) {
        int fd = (int)strtol(entry->d_name, NULL, 10);

        if (fd <= STDERR_FILENO || fd == dirfd(list)) /* so are "." and ".." */
            continue;
        err = note(inherited, fd);
        if (err == 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
            err = -errno;
    }
    if (err == 0)
        err = -errno;
    closedir(list);
    if (err != 0)
        fs_daemon_close_inherited(inherited);
    return err;
}

void fs_daemon_close_inherited(struct fs_daemon_inherited *inherited)
{
    for (size_t i = 0; i < inherited->count; i++)
        close(inherited->fds[i]);
    free(inherited->fds);
    *inherited = (struct fs_daemon_inherited){0};
}

/* The parent's half: one byte is the exit status. */
static void await_report(int pipe_end)
{
    unsigned char status;
    ssize_t got;

    do
        got = read(pipe_end, &status, 1);
    while (got < 0 && errno == EINTR);
    if (got == 1)
        _exit(status);
    ds_log(DS_LOG_ERROR, "the daemon died before it had mounted anything");
    _exit(FS_EXIT_SYSTEM);
}

int fs_daemon_fork(int *report)
{
    int ends[2];
    pid_t child;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return -errno;
    child = fork();
    if (child < 0) {
        int err = -errno;

        close(ends[0]);
        close(ends[1]);
        return err;
    }
    if (child > 0) {
        close(ends[1]);
        await_report(ends[0]);
    }
    close(ends[0]);
    *report = ends[1];
    return 0;
}

void fs_daemon_report(int report, int status)
{
    unsigned char byte = (unsigned char)status;
    ssize_t sent;

    do
        sent = write(report, &byte, 1);
    while (sent < 0 && errno == EINTR);
    if (sent != 1)
        ds_log(DS_LOG_WARNING, "nobody waits for the mount any more: %s", strerror(errno));
    close(report);
}

void fs_daemon_let_go(const char *mountpoint)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    setsid(); /* cannot fail: a child that was just forked leads no group */
    if (chdir("/") != 0)
        ds_log(DS_LOG_WARNING, "cannot change to /: %s", strerror(errno));
    ds_log_to_syslog(mountpoint);
    if (null >= 0) {
        for (int fd = 0; fd <= 2; fd++)
            dup2(null, fd);
        if (null > 2)
            close(null);
    }
}
