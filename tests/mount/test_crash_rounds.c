/* SIGKILL at a random moment of many writers, round after round: to the process that serves, to its
 * parent, or to all. What was acknowledged stands in the store, once; what was under way is done or
 * not; the store is whole, and no dead mount is left where somebody lives who can unmount.
 * CRASH_ROUNDS says how many rounds, and DS_SEED which. */
#include "harness.h"

#include "agreement.h"
#include "cleanup.h"
#include "peer.h"
#include "shell.h"
#include "sim.h"
#include "sim_rest.h"
#include "tests/seed.h"

#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    ROUNDS = 8, /* over https: two fifths of them */
    WRITERS = 6,
    STEPS = 5,         /* of what a writer does again and again */
    LONG_BYTES = 90000 /* more than one packet of the channel */
};

enum victim { WORKER, PARENT, BOTH, ALL, VICTIMS };

static const char *const victim_names[VICTIMS] = {"the worker", "the parent", "both", "all"};

/* How far each writer is: so many steps were acknowledged, of those in this order. */
static struct shared {
    atomic_ulong done[WRITERS];
    atomic_bool over;
} * shared;

static struct counts {
    unsigned rounds, deaths;
    unsigned long acknowledged, lost, twice, corrupt;
    unsigned killed[VICTIMS];
} counts;

struct writer {
    unsigned number;
    const char *point;
};

static const char *dataset; /* of this round */
static uint64_t random_state;

/* Knuth's MMIX. */
static unsigned roll(unsigned sides)
{
    random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)(random_state >> 33) % sides;
}

/* --- what a writer writes --- */

static void key_of(char letter, unsigned number, unsigned long turn, char out[32])
{
    snprintf(out, 32, "%c.%u.%lu", letter, number, turn);
}

static bool is_long(unsigned long turn)
{
    return turn % 8 == 7;
}

/* A value of its own for each turn; to be freed. */
static char *value_of(unsigned number, unsigned long turn)
{
    char *value = NULL;
    int len = is_long(turn) ? asprintf(&value, "%u %lu %*s", number, turn, LONG_BYTES, "end")
                            : asprintf(&value, "%u %lu end", number, turn);
    assert_true(len > 0);
    return value;
}

static void line_of(unsigned number, unsigned long turn, char out[64])
{
    snprintf(out, 64, "line %u of writer %u\n", (unsigned)turn, number);
}

static void over_of(unsigned long turn, char out[64])
{
    snprintf(out, 64, "turn %09lu", turn);
}

/* A step; 0 or a negative errno. */
static int step(const struct writer *writer, unsigned long number)
{
    unsigned long turn = number / STEPS;
    char key[32], path[96], other[96], text[64];
    char *value DS_AUTO_FREE = NULL;
    key_of('a', writer->number, turn, key);
    snprintf(path, sizeof path, "%s/%s/%s", writer->point, dataset, key);
    key_of('b', writer->number, turn, key);
    snprintf(other, sizeof other, "%s/%s/%s", writer->point, dataset, key);
    switch (number % STEPS) {
    case 0:
        value = value_of(writer->number, turn);
        return harness_write(path, O_CREAT, value);
    case 1:
        key_of('o', writer->number, 0, key);
        snprintf(path, sizeof path, "%s/%s/%s", writer->point, dataset, key);
        over_of(turn, text);
        return harness_write(path, O_CREAT | (writer->number % 2 ? O_TRUNC : 0), text);
    case 2:
        snprintf(path, sizeof path, "%s/%s/log", writer->point, dataset);
        line_of(writer->number, turn, text);
        return harness_write(path, O_CREAT | O_APPEND, text);
    case 3:
        return rename(path, other) == 0 ? 0 : -errno;
    default:
        return turn % 2 || unlink(other) == 0 ? 0 : -errno;
    }
}

static int write_until_error(void *argument)
{
    const struct writer *writer = argument;
    atomic_ulong *done = &shared->done[writer->number];
    while (!atomic_load(&shared->over) && step(writer, atomic_load(done)) == 0)
        atomic_fetch_add(done, 1);
    return 0;
}

/* --- what must stand there --- */

/* A copy of the value, NULL if there is none; unlike peer_get() without a pause for each. */
static char *stored(const char *key)
{
    struct ds_buf got DS_CLEANUP(ds_buf_free) = {0};
    struct ds_call call;
    ds_call_init(&call, HARNESS_SOON_MS);
    int err = ds_client_get_one(peer_client(DS_SIDE_HOST), &call, dataset, key, &got);
    if (err != 0 && err != -ENOENT)
        fail_msg("%s: %s", key, call.text);
    return err == 0 ? strdup(got.data ? got.data : "") : NULL;
}

static void tell(unsigned long *count, const char *key, const char *what)
{
    if (++*count <= 10)
        print_error("round %u: %s %s\n", counts.rounds, key, what);
}

/* Where the value is none that may be there. */
static void judge(const char *key, const char *value, bool wanted, bool may_be)
{
    if (!value && wanted)
        tell(&counts.lost, key, "is lost");
    if (value && !may_be)
        tell(&counts.corrupt, key, "is there");
}

/* The keys of a turn of which `done` steps were acknowledged, and one more if it was under way. */
static void check_turn(unsigned number, unsigned long turn, unsigned done, bool under_way)
{
    char a[32], b[32];
    key_of('a', number, turn, a);
    key_of('b', number, turn, b);
    char *expected DS_AUTO_FREE = value_of(number, turn);
    char *at_a DS_AUTO_FREE = stored(a);
    char *at_b DS_AUTO_FREE = stored(b);
    bool creates = done == 0 && under_way;
    bool moves = done == 3 && under_way;
    bool removes = done == 4 && under_way && turn % 2 == 0;
    bool has_b = done == 4 || (done == STEPS && turn % 2);
    judge(a, at_a, done >= 1 && done <= 3 && !moves, creates || (done >= 1 && done <= 3));
    judge(b, at_b, has_b && !removes, has_b || moves);
    if (moves && !at_a && !at_b)
        tell(&counts.lost, a, "is lost between two names");
    /* What takes several packets may end in the middle of them; so may a new name's. */
    size_t len = at_a ? strlen(at_a) : 0;
    if (at_a && strcmp(at_a, expected) != 0 && !(creates && strncmp(at_a, expected, len) == 0))
        tell(&counts.corrupt, a, "has another value");
    len = at_b ? strlen(at_b) : 0;
    if (at_b && strcmp(at_b, expected) != 0 &&
        !(moves && at_a && strncmp(at_b, expected, len) == 0))
        tell(&counts.corrupt, b, "has another value");
}

/* The key that is written again and again. */
static void check_over(unsigned number, unsigned long done)
{
    char key[32], last[64] = "", next[64];
    unsigned long turns = (done + STEPS - 2) / STEPS; /* that were acknowledged */
    bool under_way = done % STEPS == 1;
    key_of('o', number, 0, key);
    if (turns > 0)
        over_of(turns - 1, last);
    over_of(turns, next);
    char *value DS_AUTO_FREE = stored(key);
    bool emptied = number % 2 || turns == 0; /* before it is written */
    if (!value && turns > 0)
        tell(&counts.lost, key, "is lost");
    if (value && strcmp(value, last) != 0 &&
        !(under_way && (strcmp(value, next) == 0 || (emptied && !*value))))
        tell(strncmp(value, "turn ", 5) == 0 ? &counts.lost : &counts.corrupt, key,
             "has another value");
}

static unsigned occurrences(const char *text, const char *line)
{
    unsigned found = 0;
    for (const char *at = text; (at = strstr(at, line)); at++)
        found += at == text || at[-1] == '\n';
    return found;
}

/* Each line once, and nothing but lines. */
static void check_log(void)
{
    char *log DS_AUTO_FREE = stored("log");
    size_t known_bytes = 0;
    for (unsigned i = 0; i < WRITERS; i++) {
        unsigned long done = atomic_load(&shared->done[i]);
        unsigned long turns = (done + STEPS - 3) / STEPS;
        for (unsigned long turn = 0; turn <= turns; turn++) {
            char line[64];
            line_of(i, turn, line);
            unsigned found = log ? occurrences(log, line) : 0;
            known_bytes += found * strlen(line);
            if (found == 0 && turn < turns)
                tell(&counts.lost, line, "is lost");
            if (found > 1)
                tell(&counts.twice, line, "is there twice");
            if (found == 1 && turn == turns && done % STEPS != 2)
                tell(&counts.corrupt, line, "is there");
        }
    }
    if (log && strlen(log) != known_bytes)
        tell(&counts.corrupt, "log", "has more than lines");
}

static void check_round(void)
{
    for (unsigned i = 0; i < WRITERS; i++) {
        unsigned long done = atomic_load(&shared->done[i]);
        counts.acknowledged += done;
        check_over(i, done);
        for (unsigned long turn = 0; turn <= done / STEPS; turn++) {
            unsigned long before = turn * STEPS;
            bool last = turn == done / STEPS;
            check_turn(i, turn, last ? (unsigned)(done - before) : STEPS, last);
        }
    }
    check_log();
    agreement_assert_sound();
    assert_int_equal(counts.lost + counts.twice + counts.corrupt, 0);
}

/* --- a round --- */

/* A child of a daemon that is dead is ours, unless its parent has just waited for it. */
static bool is_reaped(pid_t pid)
{
    return waitpid(pid, NULL, WNOHANG) == pid || errno == ECHILD;
}

/* Each kind of death in its turn. */
static void kill_one(struct harness_daemon *daemon)
{
    enum victim victim = counts.deaths++ % VICTIMS;
    const char *point = strrchr(daemon->point, '/') + 1;
    pid_t worker = daemon->worker, second = daemon->second;
    counts.killed[victim]++;
    if (victim == ALL) {
        harness_kill(daemon);
        assert_true(harness_mounted(point, NULL, 0));
        assert_ok(umount2(point, MNT_DETACH));
        return;
    }
    bool worker_first = victim == WORKER || (victim == BOTH && roll(2));
    if (worker_first)
        kill(worker, SIGKILL);
    if (victim != WORKER)
        kill(daemon->pid, SIGKILL);
    if (victim == BOTH && !worker_first)
        kill(worker, SIGKILL);
    /* The parent of a worker that is killed ends as it has. */
    assert_int_equal(harness_wait_child(daemon->pid, HARNESS_SOON_MS, false), 128 + SIGKILL);
    if (victim != WORKER) {
        assert_soon(is_reaped(worker));
        assert_soon(is_reaped(second));
    }
    assert_false(harness_has_report(daemon->point, daemon->log));
    close(daemon->pidfd);
    daemon->pid = 0;
    assert_soon(!harness_mounted(point, NULL, 0));
}

static unsigned long done_so_far(void)
{
    unsigned long sum = 0;
    for (unsigned i = 0; i < WRITERS; i++)
        sum += atomic_load(&shared->done[i]);
    return sum;
}

/* `start` mounts on "h" and, where there are two, "g". */
static void play_round(unsigned (*start)(struct harness_daemon *daemons[2]))
{
    struct harness_daemon *daemons[2];
    struct writer writers[WRITERS];
    pid_t pids[WRITERS];
    memset(shared, 0, sizeof *shared);
    peer_create(dataset, DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    unsigned mounts = start(daemons);
    for (unsigned i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){.number = i, .point = i % mounts ? "g" : "h"};
        pids[i] = harness_fork(write_until_error, &writers[i]);
    }
    /* Any moment, counted in steps and in something shorter. */
    unsigned long moment = roll(200);
    assert_soon(done_so_far() >= moment);
    for (unsigned i = roll(30); i > 0; i--)
        sched_yield();
    unsigned first = roll(mounts);
    kill_one(daemons[first]);
    if (mounts > 1 && roll(2))
        kill_one(daemons[1 - first]);
    atomic_store(&shared->over, true);
    for (unsigned i = 0; i < WRITERS; i++)
        assert_int_equal(harness_wait_child(pids[i], HARNESS_SOON_MS, false), 0);
    for (unsigned i = 0; i < mounts; i++)
        if (daemons[i]->pid)
            harness_stop(daemons[i]);
}

static void play(const char *name, unsigned rounds, unsigned (*start)(struct harness_daemon *[2]))
{
    char names[32];
    memset(&counts, 0, sizeof counts);
    random_state = seed_of_run();
    dataset = names;
    shared = harness_share(sizeof *shared);
    while (counts.rounds < rounds) {
        snprintf(names, sizeof names, "round%u", ++counts.rounds);
        harness_prolong();
        play_round(start);
        check_round();
        peer_destroy(dataset);
    }
    printf("%s %u rounds, %lu acknowledged, %lu lost, %lu twice, %lu corrupt; killed:", name,
           counts.rounds, counts.acknowledged, counts.lost, counts.twice, counts.corrupt);
    for (unsigned i = 0; i < VICTIMS; i++)
        printf("%s %s %u", i ? "," : "", victim_names[i], counts.killed[i]);
    printf("\n");
    assert_true(counts.acknowledged > 0);
    peer_close();
    assert_int_equal(shell_run("dash", "exec $DATASETFS doctor local:s.db")->status, 0);
}

/* --- the kinds of SOURCE --- */

static unsigned rounds_of(unsigned in, unsigned of)
{
    return (unsigned)harness_number("CRASH_ROUNDS", ROUNDS) * in / of;
}

static unsigned start_local(struct harness_daemon *daemons[2])
{
    daemons[0] = harness_start_source("h", HARNESS_SOURCE, "timeout=60");
    daemons[1] = harness_start_source("g", HARNESS_SOURCE, "timeout=60,side=guest");
    return 2;
}

static void test_local(void **state)
{
    (void)state;
    play("local:", rounds_of(1, 1), start_local);
}

static unsigned start_tools(struct harness_daemon *daemons[2])
{
    daemons[0] = harness_start_source("h", sim_source(), "timeout=60");
    daemons[1] = harness_start_source("g", sim_source(), "timeout=60,channels=4");
    return 2;
}

static void test_tools(void **state)
{
    (void)state;
    sim_start(NULL);
    play("tools:", rounds_of(1, 1), start_tools);
}

/* One mount: of two, each would get, and set, what the other appends to. */
static unsigned start_rest(struct harness_daemon *daemons[2])
{
    daemons[0] = harness_start_source("h", sim_rest_source(), sim_rest_options("timeout=60"));
    return 1;
}

static void test_rest(void **state)
{
    (void)state;
    sim_start_rest(NULL);
    play("https:", rounds_of(2, 5), start_rest);
}

static const struct CMUnitTest tests[] = {
    HARNESS_TEST(test_local),
    HARNESS_TEST(test_tools),
    HARNESS_TEST(test_rest),
};

HARNESS_MAIN(tests)
