/* A directory that goes when the program has ended, however that comes. Included by one file of a
 * program. */
#ifndef SWEPT_H
#define SWEPT_H

#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SWEPT_BYTES = 32 };

static pid_t sweeper;
static int sweeper_waits; /* the sweeper sees its end */

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status, (void)type, (void)walk;
    return remove(path);
}

/* A process that removes the directory when this one has ended. */
static void start_sweeper(const char *directory)
{
    int ends[2];
    char byte;
    require(pipe2(ends, O_CLOEXEC) == 0);
    sweeper = fork();
    require(sweeper >= 0);
    sweeper_waits = ends[1];
    if (sweeper) {
        close(ends[0]);
        return;
    }
    close(ends[1]);
    while (read(ends[0], &byte, 1) < 0 && errno == EINTR)
        continue;
    nftw(directory, remove_one, 4, FTW_DEPTH | FTW_PHYS);
    _exit(0);
}

static void await_sweeper(void)
{
    close(sweeper_waits);
    waitpid(sweeper, NULL, 0);
}

/* Once. In memory, where that can be: what is written may be synchronised. */
static void make_swept(char directory[SWEPT_BYTES])
{
    snprintf(directory, SWEPT_BYTES, "/dev/shm/datasetfs-fuzz-XXXXXX");
    if (!mkdtemp(directory)) {
        snprintf(directory, SWEPT_BYTES, "/tmp/datasetfs-fuzz-XXXXXX");
        require(mkdtemp(directory) != NULL);
    }
    start_sweeper(directory);
    require(atexit(await_sweeper) == 0);
}

#endif
