/* Time, children and plain file calls of tests on mounts. */
#ifndef PROCESS_H
#define PROCESS_H

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

#include <cmocka.h>

/* Deadlines only ever guard against hangs: no load makes what they guard take so long. Sanitizers
 * make everything slower. The simulator waits for its store for 60 s, and ends sooner. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HARNESS_SLOWNESS 4
#else
#define HARNESS_SLOWNESS 1
#endif
#define HARNESS_START_MS (45000 * HARNESS_SLOWNESS)
#define HARNESS_SOON_MS (30000 * HARNESS_SLOWNESS)
#define HARNESS_TEST_MS (600000 * HARNESS_SLOWNESS)

/* End the test program after removing its place; its children have their default action. */
static const int harness_signals[] = {SIGTERM, SIGINT, SIGHUP};

/* Milliseconds of CLOCK_MONOTONIC, and a pause of at most one, for the macros below. */
int64_t harness_now_ms(void);
void harness_pause(void);

/* Waits until the kernel's and the daemon's 20 ms for attributes are over. */
void harness_outlive_attributes(void);

/* The children of that name, such as daemons in the background whose parents have ended: how many,
 * and the first of their pids in `pids`. */
size_t harness_children(const char *name, pid_t *pids, size_t most);

/* Waits for the child. Its exit status, 128 + the signal that killed it, or -1 when `ms` pass; it
 * is then killed and reaped. `pid` is also taken as a group to kill if `group`. */
int harness_wait_child(pid_t pid, int64_t ms, bool group);

/* Sends the child a signal (0: none) and waits for its end. False, with the reason printed, unless
 * its exit status is `expected` and `log`, its standard error, has no sanitizer's report. */
bool harness_end_child(pid_t pid, int signal_number, int expected, const char *name,
                       const char *log);

/* True, and said, if `log`, the standard error of `name`, has a sanitizer's report. */
bool harness_has_report(const char *name, const char *log);

/* The number behind `word` and a colon in /proc/PID/status: memory in KiB, threads. */
long harness_status(pid_t pid, const char *word);

/* Shows the file among the test's own words. Harmless if there is none. */
void harness_print_file(const char *path);

/* Zeroed memory that children have in common with whoever has called it, until that ends. */
void *harness_share(size_t size);

/* Runs `function` in a child, as `uid` if that is not 0, and returns the exit status it gave (an
 * errno, by custom). */
int harness_in_child(uid_t uid, int (*function)(void *argument), void *argument);

/* A number from the environment, `otherwise` if it is not set or empty. */
uint64_t harness_number(const char *variable, uint64_t otherwise);

/* Starts `function` in a child and returns its pid. */
pid_t harness_fork(int (*function)(void *argument), void *argument);

/* For what happens a moment later by design (RELEASE, a cached record): true before the deadline.
 */
#define assert_soon(condition)                                                                     \
    do {                                                                                           \
        int64_t until_ = harness_now_ms() + HARNESS_SOON_MS;                                       \
        while (!(condition)) {                                                                     \
            if (harness_now_ms() > until_) {                                                       \
                print_error("never came true: %s\n", #condition);                                  \
                _fail(__FILE__, __LINE__);                                                         \
            }                                                                                      \
            harness_pause();                                                                       \
        }                                                                                          \
    } while (0)

/* `call` answers -1 and exactly this errno. */
#define assert_errno(call, expected)                                                               \
    do {                                                                                           \
        errno = 0;                                                                                 \
        long result_ = (long)(call);                                                               \
        int error_ = errno;                                                                        \
        if (result_ != -1 || error_ != (expected)) {                                               \
            print_error("%s: %ld, %s; not %s\n", #call, result_, strerror(error_), #expected);     \
            _fail(__FILE__, __LINE__);                                                             \
        }                                                                                          \
    } while (0)

/* `call` does not answer -1. */
#define assert_ok(call)                                                                            \
    do {                                                                                           \
        errno = 0;                                                                                 \
        if ((long)(call) == -1) {                                                                  \
            print_error("%s: %s\n", #call, strerror(errno));                                       \
            _fail(__FILE__, __LINE__);                                                             \
        }                                                                                          \
    } while (0)

/* The whole file `path` is exactly this text. */
#define assert_content(path, text) harness_assert_content(path, text, __FILE__, __LINE__)
void harness_assert_content(const char *path, const char *text, const char *file, int line);

/* Reads the file to its end into `out`, with a NUL after it. Bytes read (at most size - 1), or the
 * negative errno of open, read or close. */
ssize_t harness_read(const char *path, char *out, size_t size);

/* Opens with `flags` (mode 0600), writes all of `text`, closes. 0 or the negative errno of the
 * first call that failed. */
int harness_write(const char *path, int flags, const char *text);

/* Permission bits and size by stat(2); fails the test if that fails. */
mode_t harness_mode(const char *path);
off_t harness_size(const char *path);

/* Opens; fails the test if that fails. */
int harness_open(const char *path, int flags);

/* Writes all of the text in one write(2), and compares the whole file behind `fd` (at most 63
 * bytes) by pread(2). */
void harness_put(int fd, const char *text);
void harness_assert_handle(int fd, const char *text);

#endif
