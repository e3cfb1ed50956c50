/* What a preloaded library has in common with the test that has put it there. */
#ifndef SIM_PRELOADED_H
#define SIM_PRELOADED_H

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* The file that the variable names, as shared memory; NULL: none, or it cannot be had. */
static inline void *preloaded_control(const char *variable, size_t size)
{
    const char *path = getenv(variable);
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *page = fd >= 0 ? mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
    if (fd >= 0)
        close(fd);
    return page == MAP_FAILED ? NULL : page;
}

#endif
