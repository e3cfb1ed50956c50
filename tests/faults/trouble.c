#include "trouble.h"

#include "way.h"

#include "client.h"
#include "tests/mount/peer.h"
#include "tests/mount/sim.h"
#include "tests/mount/sim_rest.h"
#include "tests/mount/stats.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KHZ_PAUSE_US = 1000 };

static uint64_t struck; /* by what is counted here */

static uint64_t count_struck(void)
{
    return struck;
}

static void end_nothing(const struct harness_daemon *daemon)
{
    (void)daemon;
}

/* The state of a process in /proc/PID/stat. */
static char state_of(pid_t pid)
{
    char path[64], state = '?';
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (file && fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
        state = '?';
    if (file)
        fclose(file);
    return state;
}

static void stop(pid_t pid)
{
    assert_ok(kill(pid, SIGSTOP));
    assert_soon(state_of(pid) == 'T');
}

static pid_t simulator(void)
{
    pid_t pid = 0;
    assert_int_equal(harness_children("datasets-sim", &pid, 1), 1);
    return pid;
}

/* Nobody listens: who connects is refused. */

static void refuse(const struct harness_daemon *daemon)
{
    (void)daemon;
    sim_kill();
    struck++;
}

static void listen_again(const struct harness_daemon *daemon)
{
    (void)daemon;
    way_start_simulator(way_of_run());
}

const struct trouble trouble_refused = {
    .begin = refuse, .end = listen_again, .fired = count_struck};

/* The connection that there is breaks, and who connects again is cut off at once. */

static void reset_connecting(const struct harness_daemon *daemon)
{
    (void)daemon;
    sim_fault("close-before:count=1");
    sim_fault("reset-on-connect");
}

static void clear_faults(const struct harness_daemon *daemon)
{
    (void)daemon;
    sim_clear();
}

const struct trouble trouble_reset = {
    .begin = reset_connecting, .end = clear_faults, .fired = sim_fired};

/* The store's process is stopped: it takes connections, and answers nothing until it goes on. */

static void stop_store(const struct harness_daemon *daemon)
{
    (void)daemon;
    stop(simulator());
    struck++;
}

static void continue_store(const struct harness_daemon *daemon)
{
    (void)daemon;
    assert_ok(kill(simulator(), SIGCONT));
}

const struct trouble trouble_store_stopped = {
    .begin = stop_store, .end = continue_store, .fired = count_struck};

/* The daemon is stopped, until its caller is seen to wait for it. */

static void stop_daemon(const struct harness_daemon *daemon)
{
    stop(daemon->worker);
}

static void continue_daemon(const struct harness_daemon *daemon, pid_t child)
{
    assert_soon(state_of(child) == 'S' || state_of(child) == 'D');
    struck += state_of(daemon->worker) == 'T';
    assert_ok(kill(daemon->worker, SIGCONT));
}

const struct trouble trouble_daemon_stopped = {
    .begin = stop_daemon, .during = continue_daemon, .end = end_nothing, .fired = count_struck};

/* All sessions have ended, as by idling: who comes has to log in again. */

static void expire(const struct harness_daemon *daemon)
{
    (void)daemon;
    assert_string_equal(sim_control("expire"), "ok");
}

static uint64_t count_logins(void)
{
    return sim_log_count("rest=rest-login");
}

const struct trouble trouble_session = {.begin = expire, .end = end_nothing, .fired = count_logins};

/* Somebody else has the store file's write lock. */

static void lock(const struct harness_daemon *daemon)
{
    (void)daemon;
    peer_block();
    struck++;
}

static void unlock(const struct harness_daemon *daemon)
{
    (void)daemon;
    peer_unblock();
}

const struct trouble trouble_locked = {.begin = lock, .end = unlock, .fired = count_struck};

/* The disk is full, to the last byte, and so is the room that the store file has for more. */

enum { FILL_BYTES = 65536 };

static unsigned fillers;

static const char *filler(unsigned number)
{
    static char path[64];
    snprintf(path, sizeof path, "m/app/fill%u", number);
    return path;
}

/* Through the mount, with values of this size, until there is no room for one. */
static void fill_store(size_t bytes)
{
    char text[FILL_BYTES + 1];
    int err;
    memset(text, 'x', bytes);
    text[bytes] = '\0';
    while ((err = harness_write(filler(fillers), O_CREAT, text)) == 0)
        fillers++;
    assert_int_equal(err, -ENOSPC);
    struck++;
}

static void fill(const struct harness_daemon *daemon)
{
    (void)daemon;
    struct statvfs room;
    char bytes[4096] = "", size[32];
    int fd = open("ballast", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_ok(statvfs(".", &room));
    snprintf(size, sizeof size, "size=%llu",
             (unsigned long long)(room.f_blocks - room.f_bfree) * room.f_frsize);
    assert_ok(mount(NULL, "..", NULL, MS_REMOUNT, size));
    while (write(fd, bytes, sizeof bytes) > 0)
        continue;
    assert_int_equal(errno, ENOSPC);
    close(fd);
    for (size_t step = FILL_BYTES; step > 0; step /= 4)
        fill_store(step);
}

static void empty(const struct harness_daemon *daemon)
{
    (void)daemon;
    assert_ok(mount(NULL, "..", NULL, MS_REMOUNT, "size=50%"));
    assert_ok(unlink("ballast"));
    while (fillers > 0)
        assert_ok(unlink(filler(--fillers)));
}

const struct trouble trouble_full = {.begin = fill, .end = empty, .fired = count_struck};

/* Neither side may write to the DataSet. */

static void forbid(const struct harness_daemon *daemon)
{
    (void)daemon;
    peer_access("app", DS_ACCESS_READ_ONLY, DS_ACCESS_READ_ONLY);
    struck++;
}

static void allow(const struct harness_daemon *daemon)
{
    (void)daemon;
    peer_access("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
}

const struct trouble trouble_read_only = {.begin = forbid, .end = allow, .fired = count_struck};

/* The daemon's connection is lost, and it gets no descriptor for another one: its calls of the
 * store fail, which it counts itself. */

static struct rlimit limit_before;
static uint64_t taken;

static void take_descriptors(const struct harness_daemon *daemon)
{
    assert_ok(prlimit(daemon->worker, RLIMIT_NOFILE, NULL, &limit_before));
    const struct rlimit none = {.rlim_cur = 3, .rlim_max = limit_before.rlim_max};
    assert_ok(prlimit(daemon->worker, RLIMIT_NOFILE, &none, NULL));
    sim_fault("close-before");
    taken++;
}

static void give_descriptors(const struct harness_daemon *daemon)
{
    assert_ok(prlimit(daemon->worker, RLIMIT_NOFILE, &limit_before, NULL));
    sim_clear();
}

static uint64_t count_errors(void)
{
    /* Once a minute a question about the machine itself fails, which no counter has. */
    uint64_t sum = way_of_run() == WAY_MACHINES ? taken : 0;
    for (int op = 0; op < DS_OP_COUNT; op++) {
        char name[96];
        snprintf(name, sizeof name, "datasetfs_store_errors_total{operation=\"%s\"}",
                 ds_op_name((enum ds_op)op));
        sum += stats_counter(way_of_run() == WAY_MACHINES ? "m.all" : "m", name);
    }
    return sum;
}

const struct trouble trouble_descriptors = {
    .begin = take_descriptors, .end = give_descriptors, .fired = count_errors};

/* Signals that do nothing, which interrupt system calls. */

static atomic_uint_fast64_t *sent; /* shared with who sends */
static pid_t sender;

static void share(const struct harness_daemon *daemon)
{
    (void)daemon;
    if (!sent)
        sent = harness_share(sizeof *sent);
}

static void send_signals(const struct harness_daemon *daemon)
{
    share(daemon);
    uint64_t before = atomic_load(sent);
    sender = fork();
    assert_true(sender >= 0);
    if (sender == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;; usleep(KHZ_PAUSE_US))
            if (kill(daemon->worker, SIGUSR1) == 0)
                atomic_fetch_add(sent, 1);
    }
    assert_soon(atomic_load(sent) > before);
}

static void stop_signals(const struct harness_daemon *daemon)
{
    (void)daemon;
    assert_ok(kill(sender, SIGKILL));
    assert_int_equal(waitpid(sender, NULL, 0), sender);
}

static uint64_t count_sent(void)
{
    return sent ? atomic_load(sent) : 0;
}

const struct trouble trouble_daemon_signals = {
    .begin = send_signals, .end = stop_signals, .fired = count_sent};

/* The caller's own timer. */

static void count_alarm(int signal_number)
{
    (void)signal_number;
    atomic_fetch_add(sent, 1);
}

/* The first one before the operation begins, which may well be over before the second. */
static void be_interrupted(void)
{
    const struct sigaction action = {.sa_handler = count_alarm}; /* calls are not restarted */
    const struct itimerval khz = {{.tv_usec = KHZ_PAUSE_US}, {.tv_usec = KHZ_PAUSE_US}};
    sigaction(SIGALRM, &action, NULL);
    uint64_t before = atomic_load(sent);
    setitimer(ITIMER_REAL, &khz, NULL);
    while (atomic_load(sent) == before)
        pause();
}

const struct trouble trouble_caller_signals = {
    .begin = share, .end = end_nothing, .in_child = be_interrupted, .fired = count_sent};
