/* Times the calls that scripts make of files in one directory; prints a line per call: its name and
 * the median of ROUNDS rounds in microseconds. scripts/bench compares two directories with it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 9, FILES = 1000, VALUE_BYTES = 100 };

static const char *directory;

static double now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void fail(const char *what)
{
    fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
    exit(1);
}

static const char *path_of(int file)
{
    static char path[4096];

    snprintf(path, sizeof(path), "%s/bench%d", directory, file);
    return path;
}

static void create(int file)
{
    char value[VALUE_BYTES];
    int fd = open(path_of(file), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    memset(value, 'a', sizeof(value));
    if (fd < 0 || write(fd, value, sizeof(value)) != VALUE_BYTES || close(fd) != 0)
        fail("create");
}

static void read_whole(int file)
{
    char value[2 * VALUE_BYTES];
    int fd = open(path_of(file), O_RDONLY | O_CLOEXEC);

    if (fd < 0 || read(fd, value, sizeof(value)) != VALUE_BYTES || close(fd) != 0)
        fail("read");
}

static void look(int file)
{
    struct stat attr;

    if (stat(path_of(file), &attr) != 0 || attr.st_size != VALUE_BYTES)
        fail("stat");
}

static void drop(int file)
{
    if (unlink(path_of(file)) != 0)
        fail("unlink");
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

int main(int argc, char *argv[])
{
    static const struct {
        const char *name;
        void (*call)(int file);
    } calls[] = {{"create+write+close", create},
                 {"open+read+close", read_whole},
                 {"stat", look},
                 {"unlink", drop}};
    enum { CALLS = sizeof(calls) / sizeof(calls[0]) };
    double times[CALLS][ROUNDS];

    if (argc != 2) {
        fprintf(stderr, "usage: files DIRECTORY\n");
        return 1;
    }
    directory = argv[1];
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < CALLS; i++) {
            double start = now_us();

            for (int file = 0; file < FILES; file++)
                calls[i].call(file);
            times[i][round] = (now_us() - start) / FILES;
        }
    }
    for (int i = 0; i < CALLS; i++) {
        qsort(times[i], ROUNDS, sizeof(double), by_value);
        printf("%s\t%.2f\n", calls[i].name, times[i][ROUNDS / 2]);
    }
    return 0;
}
