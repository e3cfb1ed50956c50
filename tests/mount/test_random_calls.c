/* Random system calls of several processes on a guest's and a host's mount of one store at once,
 * while the simulator fails once in a hundred of them, processes are interrupted and killed, and
 * somebody else changes the store. No daemon may die, hang or have a sanitizer's report; in the end
 * both mounts show what the store holds, and the store is whole. DS_SEED repeats what each process
 * does, though not who is quicker; RANDOM_CALLS makes it longer. */
#include "harness.h"

#include "agreement.h"
#include "cleanup.h"
#include "peer.h"
#include "random_step.h"
#include "sim.h"
#include "sim_rest.h"
#include "tests/seed.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CALLS = 5000 / (HARNESS_SLOWNESS > 1 ? 2 : 1), CALLERS = 4, PEER_TIMEOUT_MS = 60000 };

/* In a hundred calls one fault is added, which strikes one request. */
enum { CALLS_PER_FAULT = 100, CALLS_PER_SIGNAL = 70, CALLS_PER_EXPIRY = 3000, CALLS_PER_PEER = 8 };
enum { CALLS_PER_WORD = 10000 };

static const char *const datasets[] = {"app", "b", "c"};

/* What the processes share. */
static struct shared {
    struct random_tally tally;
    atomic_ulong made[CALLERS];
    atomic_int doing[CALLERS];
    atomic_ulong peer_made, peer_failed;
    atomic_bool over;
} * shared;

static uint64_t seed;
static unsigned long calls;
static uint64_t state_of_faults; /* of a generator as the callers' are */

static const char *const points[] = {"h", "g"}; /* over REST and over the channel */

static unsigned long made_so_far(void)
{
    unsigned long sum = 0;
    for (unsigned i = 0; i < CALLERS; i++)
        sum += atomic_load(&shared->made[i]);
    return sum;
}

static void be_interrupted(int signal_number)
{
    (void)signal_number;
}

static int call(void *argument)
{
    unsigned number = *(const unsigned *)argument;
    struct random_caller caller;
    int error = 0;
    sigaction(SIGUSR1, &(struct sigaction){.sa_handler = be_interrupted}, NULL);
    if (!random_begin(&caller, seed * CALLERS + number, points[number % 2], points[1 - number % 2]))
        return ENOMEM;
    while (error == 0 && atomic_load(&shared->made[number]) < calls / CALLERS) {
        error = random_step(&caller, &shared->tally, &shared->doing[number]);
        atomic_fetch_add(&shared->made[number], 1);
    }
    return -error;
}

/* --- the other side, which is at the store itself --- */

static unsigned roll_of_peer(void *caller, unsigned sides)
{
    return random_roll(caller, sides);
}

static int change(struct random_caller *caller, struct ds_client *client)
{
    static const enum ds_access accesses[] = {DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE,
                                              DS_ACCESS_READ_ONLY, DS_ACCESS_NONE};
    struct ds_attributes attributes = {.host = random_of(caller, accesses),
                                       .guest = random_of(caller, accesses)};
    const char *dataset = random_dataset(random_roll(caller, 8));
    size_t len = random_length(caller);
    const char *data = random_bytes(caller, len);
    char *key = caller->paths[0];
    struct ds_call one;
    ds_call_init(&one, PEER_TIMEOUT_MS);
    random_name(roll_of_peer, caller, key);
    switch (random_roll(caller, 24)) {
    case 0:
        return ds_client_create(client, &one, dataset, &(struct ds_attributes){0});
    case 1:
        return ds_client_destroy(client, &one, random_of(caller, datasets), true);
    case 2:
        return ds_client_update(client, &one, "b", &attributes);
    case 3:
    case 4:
        return ds_client_append(client, &one, dataset, key, data, len, NULL);
    case 5:
    case 6:
    case 7:
        return ds_client_remove(client, &one, dataset, key, NULL);
    case 8:
        /* What all are at is there again soon. */
        return ds_client_create(client, &one, "app", &(struct ds_attributes){0});
    default:
        return ds_client_set(client, &one, dataset, key, data, len, NULL);
    }
}

/* A damaged store is its only failure. */
static int be_peer(void *unused)
{
    struct random_caller caller;
    (void)unused;
    if (!random_begin(&caller, seed * CALLERS + CALLERS, ".", "."))
        return ENOMEM;
    while (!atomic_load(&shared->over)) {
        if (made_so_far() / CALLS_PER_PEER <= atomic_load(&shared->peer_made)) {
            harness_pause();
            continue;
        }
        int err = change(&caller,
                         peer_client((int)random_roll(&caller, 2) ? DS_SIDE_HOST : DS_SIDE_GUEST));
        atomic_fetch_add(&shared->peer_made, 1);
        if (err == -EIO || err == -EPROTO)
            return -err;
        if (err != 0)
            atomic_fetch_add(&shared->peer_failed, 1);
    }
    peer_close();
    return 0;
}

/* --- what goes wrong --- */

static unsigned roll(unsigned sides)
{
    struct random_caller caller = {.state = state_of_faults};
    unsigned rolled = random_roll(&caller, sides);
    state_of_faults = caller.state;
    return rolled;
}

static void add_fault(void)
{
    static const char *const usual[] = {"close",
                                        "close-before",
                                        "delay=20",
                                        "delay-before=20",
                                        "drop-after=10",
                                        "drop-after=60",
                                        "garbage",
                                        "truncate",
                                        "busy",
                                        "error=INTERNAL_SERVER_ERROR",
                                        "status=500",
                                        "status-after=500",
                                        "status=503",
                                        "redirect=/elsewhere",
                                        "huge=100000",
                                        "slow=1",
                                        "header=70000",
                                        "reset-on-connect",
                                        "drop-request-after=50",
                                        "rpc-error=Unknown command",
                                        "one-request",
                                        "delay=200"};
    /* For which somebody waits. */
    static const char *const slow[] = {"never-reply", "never-reply-before", "retry-after=1"};
    const char *kind = roll(40) ? usual[roll(sizeof usual / sizeof *usual)]
                                : slow[roll(sizeof slow / sizeof *slow)];
    sim_fault("%s:count=1", kind);
}

/* Fails the test if one of them has ended though it should not have. */
static bool all_run(const pid_t pids[CALLERS], bool ended[CALLERS])
{
    bool any = false;
    for (unsigned i = 0; i < CALLERS; i++) {
        int status = 0;
        if (!ended[i] && waitpid(pids[i], &status, WNOHANG) == pids[i]) {
            ended[i] = true;
            if (status != 0)
                fail_msg("caller %u ended with status %#x in %s after %lu calls", i, status,
                         random_call_name(atomic_load(&shared->doing[i])),
                         atomic_load(&shared->made[i]));
        }
        any = any || !ended[i];
    }
    return any;
}

/* Each of them must come to an end of what it does, or the harness's watchdog ends it all. */
static void see_progress(unsigned long seen[CALLERS], const bool ended[CALLERS])
{
    for (unsigned i = 0; i < CALLERS; i++)
        if (!ended[i] && atomic_load(&shared->made[i]) == seen[i])
            return;
    harness_prolong();
    for (unsigned i = 0; i < CALLERS; i++)
        seen[i] = atomic_load(&shared->made[i]);
}

static unsigned long disturb(const pid_t pids[CALLERS])
{
    unsigned long faults = 0, signals = 0, expiries = 0, told = 0, seen[CALLERS] = {0};
    bool ended[CALLERS] = {false};
    while (all_run(pids, ended)) {
        unsigned long made = made_so_far();
        for (; told < made / CALLS_PER_WORD; told++)
            printf("%lu calls\n", made);
        unsigned one = roll(CALLERS);
        see_progress(seen, ended);
        for (; faults < made / CALLS_PER_FAULT; faults++)
            add_fault();
        for (; expiries < made / CALLS_PER_EXPIRY; expiries++)
            assert_string_equal(sim_control("expire"), "ok");
        if (signals < made / CALLS_PER_SIGNAL && !ended[one]) {
            signals++;
            kill(pids[one], SIGUSR1);
        }
        harness_pause();
    }
    return faults;
}

/* --- the beginning and the end --- */

/* Those that there are to be, and all are open to both sides. */
static void open_datasets(void)
{
    struct ds_names names DS_CLEANUP(ds_names_clear) = {0};
    struct ds_call one;
    ds_call_init(&one, PEER_TIMEOUT_MS);
    for (size_t i = 0; i < sizeof datasets / sizeof *datasets; i++) {
        struct ds_attributes is = {0};
        if (!peer_query(datasets[i], &is))
            peer_create(datasets[i], DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
        ds_attributes_clear(&is);
    }
    assert_int_equal(ds_client_list(peer_client(DS_SIDE_HOST), &one, &names), 0);
    for (size_t i = 0; i < names.count; i++)
        peer_access(names.names[i], DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
}

/* Ends well; where a temporary file of a DataSet that is gone was left, that is told. */
static void stop(struct harness_daemon *daemon, bool may_lose)
{
    siginfo_t info = {0};
    kill(daemon->pid, SIGTERM);
    assert_ok(waitid(P_PID, (id_t)daemon->pid, &info, WEXITED | WNOWAIT));
    if (may_lose && info.si_code == CLD_EXITED && info.si_status == HARNESS_LOST)
        daemon->status = HARNESS_LOST;
    harness_stop_by(daemon, 0);
}

static void end(struct harness_daemon *daemons[2])
{
    bool settled[2];
    sim_clear();
    open_datasets();
    for (unsigned i = 0; i < 2; i++)
        settled[i] = agreement_settle(points[i]);
    for (unsigned i = 0; i < 2; i++)
        printf("%s: %lu keys as in the store\n", points[i], agreement_wait(points[i]));
    for (unsigned i = 0; i < 2; i++)
        stop(daemons[i], !settled[i]);
    sim_stop();
    peer_close();
    agreement_assert_sound();
}

static void test_two_sides(void **state)
{
    (void)state;
    unsigned numbers[CALLERS];
    pid_t pids[CALLERS];
    seed = state_of_faults = seed_of_run();
    calls = harness_number("RANDOM_CALLS", CALLS);
    shared = harness_share(sizeof *shared);
    open_datasets();
    sim_start_rest(NULL);
    peer_close(); /* the children open their own */
    struct harness_daemon *daemons[] = {
        harness_start_source("h", sim_rest_source(), sim_rest_options("timeout=2,xattr")),
        harness_start_source("g", sim_source(), "timeout=2,xattr,max_threads=8")};
    pid_t peer = harness_fork(be_peer, NULL);
    for (unsigned i = 0; i < CALLERS; i++) {
        numbers[i] = i;
        pids[i] = harness_fork(call, &numbers[i]);
    }
    unsigned long faults = disturb(pids);
    atomic_store(&shared->over, true);
    assert_int_equal(harness_wait_child(peer, HARNESS_TEST_MS, false), 0);
    uint64_t fired = sim_fired();
    random_print(&shared->tally);
    printf("%lu calls, %lu of them succeeded; %lu faults, %lu struck; %lu changes of the other "
           "side, %lu failed\n",
           made_so_far(), random_succeeded(&shared->tally), faults, (unsigned long)fired,
           atomic_load(&shared->peer_made), atomic_load(&shared->peer_failed));
    assert_true(fired > faults / 2);
    assert_true(random_succeeded(&shared->tally) > made_so_far() / 4);
    end(daemons);
}

static const struct CMUnitTest tests[] = {HARNESS_TEST(test_two_sides)};

HARNESS_MAIN(tests)
