/* Makes, reads, looks at, lists or removes files of one directory, as scripts do, by several
 * processes at once that share them; prints a line per call: its name and the microseconds that it
 * took per file. scripts/bench compares directories with it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { VALUE_MAX_BYTES = 1 << 20, PROCESSES_MAX = 256, FILES_MAX = 10000000 };

static pid_t starter;
static const char *directory;
static size_t value_bytes;
static char value[VALUE_MAX_BYTES];

static double now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* Who started a process that fails would wait for it for ever. */
_Noreturn static void fail(const char *what)
{
    fprintf(stderr, "files: %s: %s: %s\n", directory, what, strerror(errno));
    if (getpid() != starter)
        kill(starter, SIGTERM);
    _exit(1);
}

static const char *path_of(long file)
{
    static char path[4096];

    snprintf(path, sizeof(path), "%.4000s/bench%ld", directory, file);
    return path;
}

static void create(long file)
{
    int fd = open(path_of(file), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0 || write(fd, value, value_bytes) != (ssize_t)value_bytes || close(fd) != 0)
        fail("create");
}

static void read_whole(long file)
{
    static char got[VALUE_MAX_BYTES];
    int fd = open(path_of(file), O_RDONLY | O_CLOEXEC);

    if (fd < 0 || read(fd, got, sizeof(got)) != (ssize_t)value_bytes || close(fd) != 0)
        fail("read");
}

static void look(long file)
{
    struct stat attr;

    if (stat(path_of(file), &attr) != 0 || attr.st_size != (off_t)value_bytes)
        fail("stat");
}

static void drop(long file)
{
    if (unlink(path_of(file)) != 0)
        fail("unlink");
}

/* One listing is enough for all: the others pass. */
static void list(long file)
{
    DIR *dir = file == 0 ? opendir(directory) : NULL;

    if (file != 0)
        return;
    if (dir == NULL)
        fail("opendir");
    while ((errno = 0, readdir(dir)) != NULL)
        continue;
    if (errno != 0)
        fail("readdir");
    closedir(dir);
}

static const struct call {
    const char *name;
    void (*call)(long file);
} calls[] = {{"create+write+close", create},
             {"open+read+close", read_whole},
             {"stat", look},
             {"list", list},
             {"unlink", drop}};

static const struct call *call_named(const char *name)
{
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        if (strcmp(calls[i].name, name) == 0)
            return &calls[i];
    }
    fprintf(stderr, "files: no call %s\n", name);
    exit(1);
}

struct shared {
    pthread_barrier_t ready;
    struct {
        double start_us, end_us;
    } processes[PROCESSES_MAX];
};

static struct shared *shared_of(int processes)
{
    struct shared *shared =
        mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_barrierattr_t attr;

    if (shared == MAP_FAILED)
        fail("mmap");
    pthread_barrierattr_init(&attr);
    pthread_barrierattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(&shared->ready, &attr, (unsigned)processes);
    return shared;
}

/* From when the first of the processes began until the last was done: neither their making nor
 * their end. */
static double measure(const struct call *call, int processes, long files)
{
    struct shared *shared = shared_of(processes);
    double start_us, end_us;

    for (int process = 0; process < processes; process++) {
        pid_t pid = fork();

        if (pid < 0)
            fail("fork");
        if (pid > 0)
            continue;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        pthread_barrier_wait(&shared->ready);
        shared->processes[process].start_us = now_us();
        for (long file = process; file < files; file += processes)
            call->call(file);
        shared->processes[process].end_us = now_us();
        _exit(0);
    }
    while (wait(NULL) > 0)
        continue;
    start_us = shared->processes[0].start_us;
    end_us = shared->processes[0].end_us;
    for (int process = 1; process < processes; process++) {
        if (shared->processes[process].start_us < start_us)
            start_us = shared->processes[process].start_us;
        if (shared->processes[process].end_us > end_us)
            end_us = shared->processes[process].end_us;
    }
    munmap(shared, sizeof(*shared));
    return (end_us - start_us) / (double)files;
}

static long number(const char *text, long max)
{
    char *end;
    long parsed = strtol(text, &end, 10);

    if (end != text && *end == '\0' && parsed > 0 && parsed <= max)
        return parsed;
    fprintf(stderr, "files: %s is no number from 1 to %ld\n", text, max);
    exit(1);
}

int main(int argc, char *argv[])
{
    int processes;
    long files;

    if (argc < 6) {
        fprintf(stderr, "usage: files DIRECTORY PROCESSES FILES BYTES CALL...\n");
        return 1;
    }
    directory = argv[1];
    processes = (int)number(argv[2], PROCESSES_MAX);
    files = number(argv[3], FILES_MAX);
    value_bytes = (size_t)number(argv[4], VALUE_MAX_BYTES);
    memset(value, 'a', sizeof(value));
    starter = getpid();
    for (int i = 5; i < argc; i++)
        printf("%s\t%.3f\n", argv[i], measure(call_named(argv[i]), processes, files));
    return 0;
}
