/* Real mounts for tests: a private place, daemons in the foreground, and no waiting by the clock.
 *
 * Every test runs in a directory of its own (its working directory) inside a tmpfs that only this
 * program sees, so neither a mount nor a file survives it. The store is the file "s.db" there. */
#ifndef HARNESS_H
#define HARNESS_H

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

#define HARNESS_SOURCE "local:s.db"
#define HARNESS_SKIP_STATUS 77 /* exit status of a program that cannot run here, as automake's */

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
#define HARNESS_LOST 2 /* the exit status of a daemon that lost something in the end */

/* End the test program after removing its place; its children have their default action. */
static const int harness_signals[] = {SIGTERM, SIGINT, SIGHUP};

struct harness_daemon {
    pid_t pid;  /* 0: not running */
    int status; /* that it is to end with if it is not killed: 0, until the test says otherwise */
    int pidfd;
    char point[PATH_MAX]; /* mount point, absolute */
    char log[PATH_MAX];   /* its standard output and error */
};

/* Before the tests: a mount namespace and a tmpfs of our own. Ends the program with
 * HARNESS_SKIP_STATUS and one word of reason where mounting is impossible. */
void harness_begin(void);

/* After the tests: removes the place. */
void harness_end(void);

/* Fixtures of one test: enter a fresh directory; stop what still runs (a daemon that does not end
 * with status 0 or has printed a sanitizer's report fails the test) and remove it all. `*state` is
 * left as it is. */
int harness_setup(void **state);
int harness_teardown(void **state);

#define HARNESS_TEST(function)                                                                     \
    {                                                                                              \
#function, function, harness_setup, harness_teardown, NULL                                 \
    }

/* The test once per shell; `*state` is the shell's name. */
#define HARNESS_SHELLS(function)                                                                   \
    {#function " (bash)", function, harness_setup, harness_teardown, "bash"},                      \
    {                                                                                              \
#function " (dash)", function, harness_setup, harness_teardown, "dash"                     \
    }

#define HARNESS_MAIN(tests)                                                                        \
    int main(void)                                                                                 \
    {                                                                                              \
        harness_begin();                                                                           \
        int failed = cmocka_run_group_tests(tests, NULL, NULL);                                    \
        harness_end();                                                                             \
        return failed > 0;                                                                         \
    }

/* The daemon's path: $DATASETFS, else "datasetfs" three folders above this program. */
const char *harness_binary(void);

/* Another file of this build: $VARIABLE, else `name` in the same place. Ends the program if there
 * is none. */
void harness_program(const char *variable, const char *name, char out[PATH_MAX]);

/* The directory of the running test, absolute. */
const char *harness_dir(void);

/* Mounts the store on `point` (made if missing) with `-o options` (NULL: none) and waits until it
 * is in the mount table. Fails the test if it does not come.
 *
 * With DATASETFS_TEST_SOURCE=tools in the environment, mounts with side=guest go over the tools
 * channel to a simulated host on the same store instead (see sim.h); with "tools-all" also those
 * that name no side. With "rest", mounts without side=guest go over vCenter's REST interface of
 * the simulator (see sim_rest.h); with "rest-tools" the others go over the channel besides. */
struct harness_daemon *harness_start(const char *point, const char *options);

/* The SOURCE of a mount that names no side. Valid until the next call. */
const char *harness_source(void);

/* True if such a mount goes over REST, which has no append, no get of many keys in one request, and
 * no way to ask for the names "", "." and "..". */
bool harness_over_rest(void);

/* The same with another SOURCE, as it stands. */
struct harness_daemon *harness_start_source(const char *point, const char *source,
                                            const char *options);

/* Skips the test where mounts that name no side are the guest's, which makes no DataSets. */
void harness_skip_in_guest(void);

/* A DataSet "app" that both sides may read and write, then harness_start("m", options). */
struct harness_daemon *harness_start_app(const char *options);

/* Ends the daemon with `signal_number` (0: it ends by itself) and fails the test unless it ends
 * with its `status`, unmounted and without a sanitizer's report. */
void harness_stop_by(struct harness_daemon *daemon, int signal_number);
void harness_stop(struct harness_daemon *daemon); /* by SIGTERM */

/* SIGKILL; the dead mount stays. */
void harness_kill(struct harness_daemon *daemon);

/* True if the topmost mount on `point` is one of ours; `line` (may be NULL) gets its mountinfo. */
bool harness_mounted(const char *point, char *line, size_t size);

/* The running test makes progress: it may take HARNESS_TEST_MS from now on. */
void harness_prolong(void);

/* Milliseconds of CLOCK_MONOTONIC, and a pause of at most one, for the macros below. */
int64_t harness_now_ms(void);
void harness_pause(void);

/* Waits until the kernel's and the daemon's 20 ms for attributes are over. */
void harness_outlive_attributes(void);

/* Waits for the child. Its exit status, 128 + the signal that killed it, or -1 when `ms` pass; it
 * is then killed and reaped. `pid` is also taken as a group to kill if `group`. */
int harness_wait_child(pid_t pid, int64_t ms, bool group);

/* Sends the child a signal (0: none) and waits for its end. False, with the reason printed, unless
 * its exit status is `expected` and `log`, its standard error, has no sanitizer's report. */
bool harness_end_child(pid_t pid, int signal_number, int expected, const char *name,
                       const char *log);

/* Shows the file among the test's own words. Harmless if there is none. */
void harness_print_file(const char *path);

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
