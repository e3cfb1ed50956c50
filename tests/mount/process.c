/* Time, children and plain file calls of tests on mounts. */
#include "process.h"

#include "cleanup.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *const suspicious[] = {
    "AddressSanitizer",
    "LeakSanitizer",
    "ThreadSanitizer",
    "MemorySanitizer",
    "runtime error:",
    "Assertion",
    "assertion",
    "stack smashing",
    "double free",
    "malloc(): corrupted",
    "buffer overflow detected",
};

int64_t harness_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void harness_pause(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

void harness_outlive_attributes(void)
{
    /* Twice the 20 ms: the kernel counts in ticks of up to 10 ms and rounds up. */
    int64_t until = harness_now_ms() + 40;
    while (harness_now_ms() <= until)
        harness_pause();
}

/* False too if it has ended meanwhile. */
static bool has_name(pid_t pid, const char *name)
{
    char path[64], comm[64] = "";
    snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
    FILE *file = fopen(path, "re");
    if (file && !fgets(comm, sizeof comm, file))
        *comm = '\0';
    if (file)
        fclose(file);
    comm[strcspn(comm, "\n")] = '\0';
    return strcmp(comm, name) == 0;
}

size_t harness_children(const char *name, pid_t *pids, size_t most)
{
    char path[64];
    size_t count = 0;
    int pid;
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    while (fscanf(file, "%d", &pid) == 1) // NOLINT: the kernel's own numbers
        if (has_name(pid, name) && count++ < most)
            pids[count - 1] = pid;
    fclose(file);
    return count;
}

int harness_wait_child(pid_t pid, int64_t ms, bool group)
{
    int pidfd DS_AUTO_CLOSE = (int)syscall(SYS_pidfd_open, pid, 0);
    int64_t until = harness_now_ms() + ms;
    bool ended = false;
    while (!ended) {
        int64_t left = until - harness_now_ms();
        struct pollfd fd = {.fd = pidfd, .events = POLLIN};
        if (left <= 0 || pidfd < 0)
            break;
        ended = poll(&fd, 1, (int)left) == 1;
    }
    if (!ended)
        kill(pid, SIGKILL);
    if (!ended && group)
        kill(-pid, SIGKILL);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            return -1;
    }
    if (!ended)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* True if a line of the file looks like the end of a program's health. */
static bool log_is_suspicious(const char *log)
{
    FILE *file = fopen(log, "re");
    if (!file)
        return false;
    char line[4096];
    bool found = false;
    while (fgets(line, sizeof line, file)) {
        for (size_t i = 0; i < sizeof suspicious / sizeof *suspicious; i++)
            found = found || strstr(line, suspicious[i]);
    }
    fclose(file);
    return found;
}

long harness_status(pid_t pid, const char *word)
{
    char path[64], line[256];
    size_t len = strlen(word);
    long number = -1;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    while (number < 0 && fgets(line, sizeof line, file))
        if (!strncmp(line, word, len) && line[len] == ':')
            number = strtol(line + len + 1, NULL, 10);
    fclose(file);
    assert_true(number >= 0);
    return number;
}

void harness_print_file(const char *path)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return;
    char line[4096];
    print_error("%s:\n", path);
    while (fgets(line, sizeof line, file))
        print_error("  | %s", line);
    fclose(file);
}

bool harness_has_report(const char *name, const char *log)
{
    bool found = log_is_suspicious(log);
    if (found)
        print_error("%s printed a report\n", name);
    return found;
}

bool harness_end_child(pid_t pid, int signal_number, int expected, const char *name,
                       const char *log)
{
    if (signal_number)
        kill(pid, signal_number);
    int status = harness_wait_child(pid, HARNESS_START_MS, false);
    bool well = status == expected;
    if (!well)
        print_error("%s ended with status %d%s\n", name, status,
                    status < 0 ? " (killed: it did not end in time)" : "");
    if (harness_has_report(name, log))
        well = false;
    if (!well || getenv("HARNESS_VERBOSE"))
        harness_print_file(log);
    return well;
}

static pid_t fork_as(uid_t uid, int (*function)(void *argument), void *argument)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    for (size_t i = 0; i < sizeof harness_signals / sizeof *harness_signals; i++)
        signal(harness_signals[i], SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (uid && (setgroups(0, NULL) != 0 || setgid((gid_t)uid) != 0 || setuid(uid) != 0))
        _exit(255);
    _exit(function(argument));
}

pid_t harness_fork(int (*function)(void *argument), void *argument)
{
    pid_t pid = fork_as(0, function, argument);
    assert_true(pid > 0);
    return pid;
}

void *harness_share(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(memory, MAP_FAILED);
    return memory;
}

int harness_in_child(uid_t uid, int (*function)(void *argument), void *argument)
{
    pid_t pid = fork_as(uid, function, argument);
    assert_true(pid > 0);
    return harness_wait_child(pid, HARNESS_START_MS, false);
}

ssize_t harness_read(const char *path, char *out, size_t size)
{
    int fd DS_AUTO_CLOSE = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    size_t len = 0;
    while (len < size - 1) {
        ssize_t got = read(fd, out + len, size - 1 - len);
        if (got < 0)
            return -errno;
        if (got == 0)
            break;
        len += (size_t)got;
    }
    out[len] = '\0';
    return (ssize_t)len;
}

int harness_write(const char *path, int flags, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC | flags, 0600);
    if (fd < 0)
        return -errno;
    int error = 0;
    for (size_t len = strlen(text); len > 0 && !error;) {
        ssize_t written = write(fd, text, len);
        if (written < 0) {
            error = -errno;
        } else {
            text += written;
            len -= (size_t)written;
        }
    }
    if (close(fd) != 0 && !error)
        error = -errno;
    return error;
}

void harness_assert_content(const char *path, const char *text, const char *file, int line)
{
    size_t size = strlen(text) + 1024;
    char *got DS_AUTO_FREE = malloc(size);
    ssize_t len = got ? harness_read(path, got, size) : -ENOMEM;
    if (len == (ssize_t)strlen(text) && memcmp(got, text, (size_t)len) == 0)
        return;
    if (len < 0)
        print_error("%s: %s\n", path, strerror((int)-len));
    else
        print_error("%s: %zd bytes '%.80s', not %zu bytes '%.80s'\n", path, len, got, strlen(text),
                    text);
    _fail(file, line);
}

static struct stat status_of(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0)
        fail_msg("stat %s: %s", path, strerror(errno));
    return status;
}

mode_t harness_mode(const char *path)
{
    return status_of(path).st_mode & 07777;
}

off_t harness_size(const char *path)
{
    return status_of(path).st_size;
}

uint64_t harness_number(const char *variable, uint64_t otherwise)
{
    const char *text = getenv(variable);
    return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

int harness_open(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0600);
    if (fd < 0)
        fail_msg("open %s: %s", path, strerror(errno));
    return fd;
}

void harness_put(int fd, const char *text)
{
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

void harness_assert_handle(int fd, const char *text)
{
    char got[64] = "";
    ssize_t len = pread(fd, got, sizeof got - 1, 0);
    assert_int_equal(len, (ssize_t)strlen(text));
    assert_string_equal(got, text);
}
