/* What /proc tells of a thread. */
#include "process.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINE_BYTES = 512 };

/* The first line of /proc/TID/NAME, without more than fits; false if there is none. */
static bool read_line(pid_t tid, const char *name, char line[static LINE_BYTES])
{
    char path[64];
    ssize_t got;
    int fd;

    snprintf(path, sizeof(path), "/proc/%d/%s", (int)tid, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    got = read(fd, line, LINE_BYTES - 1);
    close(fd);
    if (got <= 0)
        return false;
    line[got] = '\0';
    return true;
}

pid_t fs_process_parent(pid_t tid)
{
    char line[LINE_BYTES];
    const char *rest;
    int parent = 0;

    if (!read_line(tid, "stat", line))
        return 0;
    rest = strrchr(line, ')'); /* the program's name before it may hold anything */
    return rest != NULL && sscanf(rest, ") %*c %d", &parent) == 1 ? parent : 0;
}

pid_t fs_process_session(pid_t tid)
{
    return getsid(tid);
}

int64_t fs_process_turns(pid_t tid)
{
    char line[LINE_BYTES];
    long long turns;

    return read_line(tid, "schedstat", line) && sscanf(line, "%*u %*u %lld", &turns) == 1 ? turns
                                                                                          : -1;
}
