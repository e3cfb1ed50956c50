#include "syscalls.h"

#include "cleanup.h"
#include "harness.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    OPTIONS = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE,
    AT_CALL = SIGTRAP | 0x80, /* where it stops then, ptrace(2) */
    THREADS = 256
};

struct tracer {
    pid_t pid;
    pid_t threads[THREADS];
    size_t count;
    uint64_t calls;
};

static void add_thread(struct tracer *tracer, pid_t tid)
{
    for (size_t i = 0; i < tracer->count; i++)
        if (tracer->threads[i] == tid)
            return;
    assert_true(tracer->count < THREADS);
    tracer->threads[tracer->count++] = tid;
}

static void drop_thread(struct tracer *tracer, pid_t tid)
{
    for (size_t i = 0; i < tracer->count; i++) {
        if (tracer->threads[i] == tid)
            tracer->threads[i--] = tracer->threads[--tracer->count];
    }
}

static void stop_thread(pid_t tid)
{
    /* One that has ended meanwhile is waited for. */
    assert_true(ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) == 0 || errno == ESRCH);
}

/* Those that the process has; one that a thread starts meanwhile is seen by the next look. */
static void seize_all(struct tracer *tracer)
{
    char path[64];
    size_t before;
    snprintf(path, sizeof path, "/proc/%d/task", (int)tracer->pid);
    do {
        DIR *tasks = opendir(path);
        const struct dirent *entry;
        before = tracer->count;
        assert_non_null(tasks);
        while ((entry = readdir(tasks))) {
            pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);
            if (tid <= 0 || ptrace(PTRACE_SEIZE, tid, NULL, OPTIONS) != 0)
                continue;
            add_thread(tracer, tid);
            stop_thread(tid);
        }
        closedir(tasks);
    } while (tracer->count > before);
    assert_true(tracer->count > 0);
}

static void count_call(struct tracer *tracer, pid_t tid)
{
    struct __ptrace_syscall_info info = {0};
    if (ptrace(PTRACE_GET_SYSCALL_INFO, tid, sizeof info, &info) > 0 &&
        info.op == PTRACE_SYSCALL_INFO_ENTRY && info.entry.nr != SYS_futex)
        tracer->calls++;
}

/* A thread has stopped: lets it go on, or for good. */
static void go_on(struct tracer *tracer, pid_t tid, int status, bool for_good)
{
    int signal_number = WSTOPSIG(status);
    bool event = status >> 16 != 0; /* PTRACE_EVENT_STOP, PTRACE_EVENT_CLONE */
    add_thread(tracer, tid);
    if (signal_number == AT_CALL)
        count_call(tracer, tid);
    if (event || signal_number == AT_CALL)
        signal_number = 0;
    if (for_good)
        drop_thread(tracer, tid);
    ptrace(for_good ? PTRACE_DETACH : PTRACE_SYSCALL, tid, NULL, signal_number);
}

/* Until the command has ended; its exit status. */
static int trace(struct tracer *tracer, pid_t command)
{
    for (;;) {
        int status;
        pid_t pid = waitpid(-1, &status, __WALL);
        assert_true(pid > 0);
        if (pid == command && (WIFEXITED(status) || WIFSIGNALED(status)))
            return status;
        if (WIFSTOPPED(status))
            go_on(tracer, pid, status, false);
        else
            drop_thread(tracer, pid);
    }
}

static void let_go(struct tracer *tracer)
{
    for (size_t i = 0; i < tracer->count; i++)
        stop_thread(tracer->threads[i]);
    while (tracer->count > 0) {
        int status;
        pid_t pid = waitpid(-1, &status, __WALL);
        assert_true(pid > 0);
        if (WIFSTOPPED(status))
            go_on(tracer, pid, status, true);
        else
            drop_thread(tracer, pid);
    }
}

uint64_t syscalls_of(pid_t pid, const char *shell, const char *command)
{
    struct tracer tracer = {.pid = pid};
    seize_all(&tracer);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        execlp(shell, shell, "-c", command, (char *)NULL);
        _exit(127);
    }
    int status = trace(&tracer, child);
    let_go(&tracer);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    return tracer.calls;
}
