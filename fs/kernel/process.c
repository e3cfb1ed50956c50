/* What /proc tells of a thread. */
#include "process.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

pid_t fs_process_parent(pid_t tid)
{
    char path[64], line[512];
    const char *rest;
    ssize_t got;
    int fd, parent = 0;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)tid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    got = read(fd, line, sizeof(line) - 1);
    close(fd);
    if (got <= 0)
        return 0;
    line[got] = '\0';
    rest = strrchr(line, ')'); /* the program's name before it may hold anything */
    return rest != NULL && sscanf(rest, ") %*c %d", &parent) == 1 ? parent : 0;
}
