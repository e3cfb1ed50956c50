#include "harness.h"

#include "cleanup.h"
#include "peer.h"
#include "proxy.h"
#include "relay.h"
#include "shell.h"
#include "sim.h"
#include "sim_rest.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define DAEMONS_MAX 8

static struct harness_daemon daemons[DAEMONS_MAX];

/* The watchdog ends a test that hangs in a system call on a mount: only the death of the daemon can
 * free it. */
static pthread_mutex_t watchdog_lock = PTHREAD_MUTEX_INITIALIZER;
static int64_t watchdog_deadline_ms; /* 0: nothing runs; under watchdog_lock */
static bool watchdog_fired;          /* under watchdog_lock */
static pid_t main_pid;

/* Ends every child of the main thread: daemons, shells, and what they left to us. */
static void kill_children(void)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)main_pid, (int)main_pid);
    FILE *children = fopen(path, "re");
    int pid;
    while (children && fscanf(children, "%d", &pid) == 1)
        kill(pid, SIGKILL);
    if (children)
        fclose(children);
}

static void *watchdog(void *unused)
{
    for (;;) {
        poll(NULL, 0, 200);
        pthread_mutex_lock(&watchdog_lock);
        bool late = watchdog_deadline_ms != 0 && harness_now_ms() > watchdog_deadline_ms;
        if (late)
            watchdog_fired = true;
        pthread_mutex_unlock(&watchdog_lock);
        if (late)
            kill_children();
    }
    return unused;
}

static void watch_until(int64_t deadline_ms)
{
    DS_LOCK_SCOPE(&watchdog_lock);
    watchdog_deadline_ms = deadline_ms;
    watchdog_fired = false;
}

void harness_prolong(void)
{
    DS_LOCK_SCOPE(&watchdog_lock);
    watchdog_deadline_ms = harness_now_ms() + HARNESS_TEST_MS;
}

static bool watchdog_has_fired(void)
{
    DS_LOCK_SCOPE(&watchdog_lock);
    return watchdog_fired;
}

static void be_ended(int signal_number)
{
    if (getpid() == main_pid)
        place_remove(); // NOLINT(bugprone-signal-handler): bare system calls
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

void harness_go_first(void)
{
    struct sched_param least = {.sched_priority = sched_get_priority_min(SCHED_RR)};

    if (sched_setscheduler(0, SCHED_RR, &least) != 0)
        printf("beside others: %s\n", strerror(errno));
}

void harness_begin(void)
{
    const char *why = place_leave_namespace();
    if (why) {
        printf("SKIP: %s\n", why);
        exit(HARNESS_SKIP_STATUS);
    }
    setvbuf(stdout, NULL, _IOLBF, 0); /* in order with what failed tests say on standard error */
    main_pid = getpid();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    umask(022);
    place_make();
    for (size_t i = 0; i < sizeof harness_signals / sizeof *harness_signals; i++)
        signal(harness_signals[i], be_ended);

    pthread_t thread;
    if (pthread_create(&thread, NULL, watchdog, NULL) != 0)
        exit(1);
    pthread_detach(thread);
}

void harness_end(void)
{
    if (chdir("/") != 0)
        perror("/");
    place_remove();
}

int harness_setup(void **state)
{
    (void)state;
    watch_until(harness_now_ms() + HARNESS_TEST_MS);
    return place_enter() ? 0 : -1;
}

/* Sends the signal (0: none) and reaps the daemon. False, with the reason printed, if it did not
 * end with `status` as it should. */
static bool end_daemon(struct harness_daemon *daemon, int signal_number, int status)
{
    char name[PATH_MAX];
    snprintf(name, sizeof name, "the daemon on %.2000s", daemon->point);
    if (*daemon->below)
        umount2(daemon->below, MNT_DETACH);
    bool killed = status != 0;
    bool well = harness_end_child(daemon->pid, signal_number, killed ? status : daemon->status,
                                  name, daemon->log);
    close(daemon->pidfd);
    daemon->pid = 0;
    if (!killed && well && harness_mounted(daemon->point, NULL, 0)) {
        print_error("%s is still mounted after the daemon's end\n", daemon->point);
        well = false;
    }
    return well;
}

/* Ends children that tests left behind (daemons in the background, shells). */
static bool reap_orphans(void)
{
    int64_t until = harness_now_ms() + HARNESS_START_MS;
    for (;;) {
        pid_t pid = waitpid(-1, NULL, WNOHANG);
        if (pid < 0)
            return true;
        if (pid > 0)
            continue;
        kill_children();
        if (harness_now_ms() > until) {
            print_error("a child of this test does not end\n");
            return false;
        }
        harness_pause();
    }
}

/* Detaches whatever is still mounted below the test's directory. */
static void detach_mounts(void)
{
    for (int again = 0; again < 16; again++) {
        FILE *table = fopen("/proc/self/mountinfo", "re");
        if (!table)
            return;
        char line[2 * PATH_MAX];
        char point[PATH_MAX] = "";
        while (fgets(line, sizeof line, table)) {
            char candidate[PATH_MAX];
            if (sscanf(line, "%*s %*s %*s %*s %4095s", candidate) == 1 &&
                strncmp(candidate, harness_dir(), strlen(harness_dir())) == 0)
                snprintf(point, sizeof point, "%s", candidate);
        }
        fclose(table);
        if (!*point || umount2(point, MNT_DETACH) != 0)
            return;
    }
}

int harness_teardown(void **state)
{
    (void)state;
    bool well = true;
    if (!place_return())
        well = false;
    shell_clear();
    for (size_t i = 0; i < DAEMONS_MAX; i++) {
        if (daemons[i].pid)
            well = end_daemon(&daemons[i], SIGTERM, 0) && well;
    }
    well = relay_end() && well;
    well = proxy_end() && well;
    well = sim_end() && well;
    peer_close();
    well = reap_orphans() && well;
    detach_mounts();
    if (watchdog_has_fired()) {
        print_error("the test hung for %d s; its processes were killed\n", HARNESS_TEST_MS / 1000);
        well = false;
    }
    watch_until(0);
    if (!place_clear())
        well = false;
    memset(daemons, 0, sizeof daemons);
    return well ? 0 : -1;
}

bool harness_mounted(const char *point, char *out, size_t size)
{
    char absolute[PATH_MAX];
    snprintf(absolute, sizeof absolute, "%.2000s%s%.2000s", *point == '/' ? "" : harness_dir(),
             *point == '/' ? "" : "/", point);
    FILE *table = fopen("/proc/self/mountinfo", "re");
    if (!table)
        return false;
    char line[2 * PATH_MAX];
    bool found = false;
    while (fgets(line, sizeof line, table)) {
        char candidate[PATH_MAX];
        if (sscanf(line, "%*s %*s %*s %*s %4095s", candidate) != 1 ||
            strcmp(candidate, absolute) != 0)
            continue;
        found = strstr(line, " - fuse.datasetfs ") != NULL;
        if (found && out)
            snprintf(out, size, "%s", line);
    }
    fclose(table);
    return found;
}

/* False if the daemon ends or nothing happens before the deadline. */
static bool wait_mounted(const struct harness_daemon *daemon)
{
    int64_t until = harness_now_ms() + HARNESS_START_MS;
    int table DS_AUTO_CLOSE = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
    for (;;) {
        if (harness_mounted(daemon->point, NULL, 0))
            return true;
        struct pollfd fds[] = {{.fd = table, .events = POLLPRI},
                               {.fd = daemon->pidfd, .events = POLLIN}};
        int64_t left = until - harness_now_ms();
        if (left <= 0 || poll(fds, 2, (int)left) < 0 || fds[1].revents)
            return false;
    }
}

bool harness_find_family(pid_t pid, pid_t *second, pid_t *worker)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
    FILE *children = fopen(path, "re");
    bool found = children && fscanf(children, "%d %d", second, worker) == 2;
    if (children)
        fclose(children);
    return found;
}

void harness_kill_family(pid_t pid)
{
    pid_t second = 0, worker = 0;
    assert_true(harness_find_family(pid, &second, &worker));
    kill(second, SIGKILL);
    kill(pid, SIGSTOP); /* lest it unmounts */
    kill(worker, SIGKILL);
    kill(pid, SIGKILL);
    /* They become ours when their parent is gone. */
    assert_soon(waitpid(worker, NULL, WNOHANG) == worker);
    assert_soon(waitpid(second, NULL, WNOHANG) == second);
}

static void become_daemon(const struct harness_daemon *daemon, const char *point,
                          const char *source, const char *options)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int log = open(daemon->log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    int null = open("/dev/null", O_RDONLY);
    if (log < 0 || null < 0 || dup2(null, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0)
        _exit(126);
    syscall(__NR_close_range, 3, UINT_MAX, 0);
    execl(harness_binary(), "datasetfs", source, point, "-f", options ? "-o" : NULL, options, NULL);
    _exit(127);
}

bool harness_over_rest(void)
{
    char others[16];
    enum sim_way way = sim_choose_way(NULL, others, sizeof others);
    return way == SIM_WAY_REST || way == SIM_WAY_REST_MACHINES;
}

const char *harness_errors_prefix(void)
{
    char others[16];
    enum sim_way way = sim_choose_way(NULL, others, sizeof others);
    return way == SIM_WAY_MACHINES ? "/s" : way == SIM_WAY_REST_MACHINES ? "/" SIM_VM_NAME : "";
}

const char *harness_source(void)
{
    char others[16];
    switch (sim_choose_way(NULL, others, sizeof others)) {
    case SIM_WAY_TOOLS:
        return sim_source();
    case SIM_WAY_REST:
        return sim_rest_source();
    case SIM_WAY_REST_MACHINES:
        return sim_rest_url();
    default:
        return HARNESS_SOURCE;
    }
}

void harness_skip_in_guest(void)
{
    char others[16];
    if (sim_choose_way(NULL, others, sizeof others) == SIM_WAY_TOOLS)
        skip();
}

/* A machine of an inventory, with all of which `source` is mounted, as if it were mounted alone. */
static struct harness_daemon *start_below(const char *point, const char *source, const char *name,
                                          const char *options)
{
    char all[PATH_MAX], machine[PATH_MAX];
    snprintf(all, sizeof all, "%.2000s.all", point);
    struct harness_daemon *daemon = harness_start_source(all, source, options);
    snprintf(machine, sizeof machine, "%.2000s/%.200s", daemon->point, name);
    snprintf(daemon->below, sizeof daemon->below, "%.2000s/%.2000s", harness_dir(), point);
    if (mkdir(point, 0755) != 0 && errno != EEXIST)
        fail_msg("mkdir %s: %s", point, strerror(errno));
    if (mount(machine, point, NULL, MS_BIND, NULL) != 0)
        fail_msg("%s at %s: %s", machine, point, strerror(errno));
    return daemon;
}

/* The machine of HARNESS_SOURCE in a mount of all of its directory. */
static struct harness_daemon *start_machine(const char *point, const char *options)
{
    char source[PATH_MAX];
    /* Not by opening it: to close it would drop the locks that the peer has on it. */
    if (mknod("s.db", S_IFREG | 0600, 0) != 0 && errno != EEXIST)
        fail_msg("s.db: %s", strerror(errno));
    snprintf(source, sizeof source, "local:%.2000s/", harness_dir());
    return start_below(point, source, "s", options);
}

/* The simulated vCenter's one, as often as it is asked: how often it may be is tested elsewhere. */
static struct harness_daemon *start_rest_machine(const char *point, const char *others)
{
    char options[1024];
    if (!sim_runs())
        sim_start_rest(NULL);
    snprintf(options, sizeof options, "rate=0%s%s", *others ? "," : "", others);
    return start_below(point, sim_rest_url(), SIM_VM_NAME, sim_rest_options(options));
}

struct harness_daemon *harness_start(const char *point, const char *options)
{
    char others[512];
    switch (sim_choose_way(options, others, sizeof others)) {
    case SIM_WAY_TOOLS:
        if (!sim_runs())
            sim_start(NULL);
        return harness_start_source(point, sim_source(), *others ? others : NULL);
    case SIM_WAY_REST:
        if (!sim_runs())
            sim_start_rest(NULL);
        return harness_start_source(point, sim_rest_source(), sim_rest_options(others));
    case SIM_WAY_MACHINES:
        return start_machine(point, options);
    case SIM_WAY_REST_MACHINES:
        return start_rest_machine(point, others);
    default:
        return harness_start_source(point, HARNESS_SOURCE, options);
    }
}

struct harness_daemon *harness_start_source(const char *point, const char *source,
                                            const char *options)
{
    struct harness_daemon *daemon = daemons;
    while (daemon < daemons + DAEMONS_MAX && daemon->pid)
        daemon++;
    assert_true(daemon < daemons + DAEMONS_MAX);
    if (mkdir(point, 0755) != 0 && errno != EEXIST)
        fail_msg("mkdir %s: %s", point, strerror(errno));
    snprintf(daemon->point, sizeof daemon->point, "%.2000s/%.2000s", harness_dir(), point);
    snprintf(daemon->log, sizeof daemon->log, "%.2000s/%.2000s.log", harness_dir(), point);

    daemon->status = 0;
    daemon->below[0] = '\0';
    daemon->pid = fork();
    if (daemon->pid == 0)
        become_daemon(daemon, point, source, options);
    assert_true(daemon->pid > 0);
    daemon->pidfd = (int)syscall(SYS_pidfd_open, daemon->pid, 0);
    assert_true(daemon->pidfd >= 0);
    if (!wait_mounted(daemon) ||
        !harness_find_family(daemon->pid, &daemon->second, &daemon->worker)) {
        print_error("the daemon did not mount %s\n", daemon->point);
        harness_print_file(daemon->log);
        fail();
    }
    return daemon;
}

struct harness_daemon *harness_start_app(const char *options)
{
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    return harness_start("m", options);
}

void harness_stop_by(struct harness_daemon *daemon, int signal_number)
{
    if (!end_daemon(daemon, signal_number, 0))
        fail();
}

void harness_stop(struct harness_daemon *daemon)
{
    harness_stop_by(daemon, SIGTERM);
}

void harness_kill(struct harness_daemon *daemon)
{
    harness_kill_family(daemon->pid);
    if (!end_daemon(daemon, SIGKILL, 128 + SIGKILL))
        fail();
}
