/* Commands as people type them, in bash and dash. */
#ifndef SHELL_H
#define SHELL_H

#include <stddef.h>
#include <sys/types.h>

#define SHELL_DEADLINE_MS (120000 * HARNESS_SLOWNESS)

struct shell_result {
    int status; /* exit status, 128 + signal, or -1: did not end in time */
    char *out;  /* NUL-terminated, owned here until the next command */
    size_t out_len;
    char *err;
    size_t err_len;
};

/* Runs `SHELL -c command` in the test's directory with LC_ALL=C, standard input /dev/null and
 * $DATASETFS the daemon's path. The result is valid until the next command. */
const struct shell_result *shell_run(const char *shell, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same in the background, its output dropped: the pid, for shell_wait(). */
pid_t shell_spawn(const char *shell, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The exit status as above. */
int shell_wait(pid_t pid);

/* Frees the last result. */
void shell_clear(void);

/* assert_sh_ok(shell, out, format, …): status 0, exactly this output, nothing on standard error. */
#define assert_sh_ok(shell, out, ...) shell_assert_ok(__FILE__, __LINE__, shell, out, __VA_ARGS__)
void shell_assert_ok(const char *file, int line, const char *shell, const char *out,
                     const char *format, ...) __attribute__((format(printf, 5, 6)));

/* assert_sh_fails(shell, words, format, …): fails, and `words` stand on standard error. */
#define assert_sh_fails(shell, words, ...)                                                         \
    shell_assert_fails(__FILE__, __LINE__, shell, words, __VA_ARGS__)
void shell_assert_fails(const char *file, int line, const char *shell, const char *words,
                        const char *format, ...) __attribute__((format(printf, 5, 6)));

#endif
