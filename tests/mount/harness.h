/* Real mounts for tests: a private place, daemons in the foreground, and no waiting by the clock.
 *
 * Every test runs in a directory of its own (its working directory) inside a tmpfs that only this
 * program sees, so neither a mount nor a file survives it. The store is the file "s.db" there. */
#ifndef HARNESS_H
#define HARNESS_H

#include "place.h"
#include "process.h"

#define HARNESS_SOURCE "local:s.db"
#define HARNESS_SKIP_STATUS 77 /* exit status of a program that cannot run here, as automake's */
#define HARNESS_LOST 2         /* the exit status of a daemon that lost something in the end */

struct harness_daemon {
    pid_t pid;    /* of the process that we have started; 0: not running */
    pid_t worker; /* its child that serves the mount */
    pid_t second; /* its child that unmounts if both are killed */
    int status;   /* that it is to end with if it is not killed: 0, until the test says otherwise */
    int pidfd;
    char point[PATH_MAX]; /* mount point, absolute */
    char below[PATH_MAX]; /* where a machine's directory in it is bound to, or empty */
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

/* The same for what is promised for 20 ms only, where nobody else may come in between: all of the
 * test's processes run before others (SCHED_RR), if the system lets them. */
#define HARNESS_MAIN_FIRST(tests)                                                                  \
    int main(void)                                                                                 \
    {                                                                                              \
        harness_go_first();                                                                        \
        harness_begin();                                                                           \
        int failed = cmocka_run_group_tests(tests, NULL, NULL);                                    \
        harness_end();                                                                             \
        return failed > 0;                                                                         \
    }

void harness_go_first(void);

/* Mounts the store on `point` (made if missing) with `-o options` (NULL: none) and waits until it
 * is in the mount table. Fails the test if it does not come.
 *
 * With DATASETFS_TEST_SOURCE=tools in the environment, mounts with side=guest go over the tools
 * channel to a simulated host on the same store instead (see sim.h); with "tools-all" also those
 * that name no side. With "rest", mounts without side=guest go over vCenter's REST interface of
 * the simulator (see sim_rest.h); with "rest-tools" the others go over the channel besides. With
 * "machines" all of them, and with "rest-machines" those of "rest", are the directory of a machine
 * in a mount of an inventory: of the test's directory, or of the simulated vCenter. */
struct harness_daemon *harness_start(const char *point, const char *options);

/* The SOURCE of a mount that names no side. Valid until the next call. */
const char *harness_source(void);

/* What stands before the paths in .datasetfs/errors: the machine's name below an inventory, as in
 * "/s", else "". */
const char *harness_errors_prefix(void);

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

/* SIGKILL to all of its processes; the dead mount stays. */
void harness_kill(struct harness_daemon *daemon);

/* The children of a daemon: the one that unmounts if the other two are killed, and the one that
 * serves. False if it has none. */
bool harness_find_family(pid_t pid, pid_t *second, pid_t *worker);

/* SIGKILL to a daemon and both of these, so that the dead mount stays. The daemon itself is left to
 * be waited for. */
void harness_kill_family(pid_t pid);

/* True if the topmost mount on `point` is one of ours; `line` (may be NULL) gets its mountinfo. */
bool harness_mounted(const char *point, char *line, size_t size);

/* The running test makes progress: it may take HARNESS_TEST_MS from now on. */
void harness_prolong(void);

#endif
