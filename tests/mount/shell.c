#include "shell.h"

#include "buf.h"
#include "cleanup.h"
#include "place.h"
#include "process.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct shell_result result;

void shell_clear(void)
{
    free(result.out);
    free(result.err);
    result = (struct shell_result){0};
}

/* Starts the command in a group of its own; `out` and `err` are its standard output and error. */
static pid_t start(const char *shell, const char *command, int out, int err)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpgid(0, 0);
    int null = open("/dev/null", O_RDONLY);
    if (null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
        _exit(126);
    setenv("LC_ALL", "C", 1);
    setenv("DATASETFS", harness_binary(), 1);
    unsetenv("ENV");
    unsetenv("BASH_ENV");
    syscall(__NR_close_range, 3, UINT_MAX, 0);
    execlp(shell, shell, "-c", command, NULL);
    _exit(127);
}

__attribute__((format(printf, 1, 0))) static char *command_text(const char *format,
                                                                va_list arguments)
{
    char *command = NULL;
    if (vasprintf(&command, format, arguments) < 0)
        fail();
    return command;
}

static char *content_of(int fd, size_t *len)
{
    struct stat status;
    assert_int_equal(fstat(fd, &status), 0);
    *len = (size_t)status.st_size;
    char *text = calloc(1, *len + 1);
    assert_non_null(text);
    for (size_t done = 0; done < *len;) {
        ssize_t got = pread(fd, text + done, *len - done, (off_t)done);
        assert_true(got > 0);
        done += (size_t)got;
    }
    return text;
}

static void run(const char *shell, const char *command)
{
    shell_clear();
    /* Files, not pipes: nothing that the command leaves in the background keeps us waiting. */
    int out DS_AUTO_CLOSE = memfd_create("out", MFD_CLOEXEC);
    int err DS_AUTO_CLOSE = memfd_create("err", MFD_CLOEXEC);
    assert_true(out >= 0 && err >= 0);
    pid_t pid = start(shell, command, out, err);
    assert_true(pid > 0);
    int status = harness_wait_child(pid, SHELL_DEADLINE_MS, true);
    result.out = content_of(out, &result.out_len);
    result.err = content_of(err, &result.err_len);
    result.status = status;
}

const struct shell_result *shell_run(const char *shell, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *command DS_AUTO_FREE = command_text(format, arguments);
    va_end(arguments);
    run(shell, command);
    return &result;
}

pid_t shell_spawn(const char *shell, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *command DS_AUTO_FREE = command_text(format, arguments);
    va_end(arguments);
    int null DS_AUTO_CLOSE = open("/dev/null", O_WRONLY | O_CLOEXEC);
    pid_t pid = start(shell, command, null, null);
    assert_true(pid > 0);
    return pid;
}

int shell_wait(pid_t pid)
{
    return harness_wait_child(pid, SHELL_DEADLINE_MS, true);
}

static void report(const char *shell, const char *command)
{
    print_error("%s -c '%s'\n  status %d%s\n  output '%.400s'\n  errors '%.2000s'\n", shell,
                command, result.status, result.status < 0 ? " (did not end in time)" : "",
                result.out, result.err);
}

void shell_assert_ok(const char *file, int line, const char *shell, const char *out,
                     const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *command DS_AUTO_FREE = command_text(format, arguments);
    va_end(arguments);
    run(shell, command);
    if (result.status == 0 && strcmp(result.out, out) == 0 && result.err_len == 0)
        return;
    report(shell, command);
    print_error("  expected '%.400s'\n", out);
    _fail(file, line);
}

void shell_assert_fails(const char *file, int line, const char *shell, const char *words,
                        const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *command DS_AUTO_FREE = command_text(format, arguments);
    va_end(arguments);
    run(shell, command);
    if (result.status > 0 && result.status < 128 && strstr(result.err, words))
        return;
    report(shell, command);
    print_error("  expected a failure with '%s'\n", words);
    _fail(file, line);
}
