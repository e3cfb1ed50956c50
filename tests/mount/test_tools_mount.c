/* A guest mount over the tools channel: what it costs, and what becomes of it when the host is
 * silent, breaks off, or refuses. */
#include "harness.h"

#include "buf.h"
#include "cleanup.h"
#include "peer.h"
#include "shell.h"
#include "sim.h"
#include "stats.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* A DataSet "app" that both sides may read and write, the simulator with these arguments, and the
 * mount "m" over it. */
static struct harness_daemon *start(const char *const *arguments, const char *options)
{
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    sim_start(arguments);
    return harness_start_source("m", sim_source(), options);
}

static size_t requests(void)
{
    return sim_log_count("command=");
}

/* The command costs so many requests, in one of several tries: the 20 ms and the second for which
 * answers serve pass on a stalled machine. */
static void assert_cost(size_t expected, const char *output, const char *command)
{
    size_t cost = 0;
    for (int i = 0; i < STATS_TRIES; i++) {
        harness_outlive_attributes();
        size_t before = requests();
        assert_sh_ok("dash", output, "%s", command);
        cost = requests() - before;
        if (cost == expected)
            return;
    }
    fail_msg("%s: %zu requests, not %zu", command, cost, expected);
}

/* The host's own log: mounting asks once, a listing with sizes once per MiB more. */
static void test_requests(void **state)
{
    enum { KEYS = 1000 };
    (void)state;
    start(NULL, NULL);
    assert_int_equal(requests(), 1);
    for (unsigned i = 0; i < KEYS; i++) {
        char key[16];
        snprintf(key, sizeof key, "key%u", i);
        peer_set("app", key, "value");
    }
    assert_sh_ok("dash", "", "test -d m/app");
    assert_cost(2, "5000\n", "ls -l m/app | awk '{s += $5} END {print s}'");
    size_t before = requests();
    assert_sh_ok("dash", "1000\n", "ls m/app | wc -l");
    assert_int_equal(requests() - before, 1);
    assert_int_equal(sim_log_count("connection=1 "), requests()); /* one channel for all */
}

/* A value longer than a message goes in parts and is read back once. */
static void test_long_value(void **state)
{
    (void)state;
    start(NULL, NULL);
    assert_sh_ok("bash", "", "seq 1 50000 > value && test -d m/app");
    struct stat status;
    assert_int_equal(stat("value", &status), 0);
    size_t others = SIZE_MAX;
    for (int i = 0; i < STATS_TRIES && others > 6; i++) {
        size_t before = requests(), sets = sim_log_count("command=datasets-set-entry");
        assert_sh_ok("bash", "", "dd if=value of=m/app/k bs=1M status=none && cmp value m/app/k");
        size_t sent = sim_log_count("command=datasets-set-entry") - sets;
        /* A newline takes two bytes in a message of 64 KiB. */
        assert_true(sent <= ((size_t)status.st_size + 50000) / (63 * 1024) + 1);
        others = requests() - before - sent;
        assert_sh_ok("bash", "", "rm m/app/k");
    }
    assert_true(others <= 6);
    assert_sh_ok("bash", "", "cat value > m/app/k");
    assert_sh_ok("bash", "", "printf more >> m/app/k && printf more >> value && cmp value m/app/k");
}

/* Bytes that take six times their number in a reply, the largest value of them, and a listing of
 * more than a reply holds: as many requests as there are parts. */
static void test_large_replies(void **state)
{
    enum { KEYS = 60, BYTES = 100000 };
    (void)state;
    start(NULL, NULL);
    char *value DS_AUTO_FREE = calloc(1, DS_VALUE_MAX_BYTES + 1);
    memset(value, '\x01', DS_VALUE_MAX_BYTES);
    peer_set("app", "largest", value);
    assert_sh_ok("dash", "", "test -d m/app && head -c %d /dev/zero | tr '\\0' '\\1' > value",
                 DS_VALUE_MAX_BYTES);
    assert_cost(1, "", "cmp value m/app/largest");
    peer_remove("app", "largest");

    memset(value, 'x', BYTES);
    value[BYTES] = '\0';
    for (unsigned i = 0; i < KEYS; i++) {
        char key[16];
        snprintf(key, sizeof key, "key%u", i);
        peer_set("app", key, value);
    }
    /* A value is never split: ten to a reply of 1 MiB. What is fetched ahead lives for a second,
     * too short for a stalled machine, which may try again, and may ask for the first key twice. */
    size_t parts = 0;
    for (int i = 0; i < STATS_TRIES && parts != KEYS / 10; i++) {
        struct harness_daemon *daemon = harness_start_source("w", sim_source(), NULL);
        assert_sh_ok("dash", "", "test -d w/app");
        size_t before = sim_log_count("command=datasets-get-entry", " keys=60 ");
        assert_sh_ok("dash", "60 6000000\n",
                     "ls -l w/app | awk '/key/ {n++; s += $5} END {print n, s}'");
        parts = sim_log_count("command=datasets-get-entry", " keys=60 ") - before;
        harness_stop(daemon);
    }
    assert_int_equal(parts, KEYS / 10);
}

/* A value in parts whose second part fails, refused or broken again and again, fails as a whole:
 * what stood there before does so again, for this mount and for the other side. */
static void test_long_value_fails(void **state)
{
    static const struct {
        const char *fault;
        const char *words;
    } rows[] = {
        {"error=unable-to-allocate:command=datasets-set-entry:skip=1:count=1", "No space left"},
        {"close-before:command=datasets-set-entry:skip=1:count=3", "Input/output error"},
    };
    start(NULL, NULL);
    assert_sh_ok(*state, "", "seq 1 50000 > value && test -d m/app");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        peer_set("app", "k", "old");
        assert_content("m/app/k", "old");
        sim_clear();
        sim_fault("%s", rows[i].fault);
        uint64_t fired = sim_fired();
        assert_sh_fails(*state, rows[i].words, "dd if=value of=m/app/k bs=1M status=none");
        assert_int_equal(sim_fired() - fired, i == 0 ? 1 : 3);
        assert_store("app", "k", "old");
        assert_content("m/app/k", "old");
        sim_clear();
        sim_fault("%s", rows[i].fault);
        assert_sh_fails(*state, rows[i].words, "dd if=value of=m/app/new bs=1M status=none");
        assert_not_in_store("app", "new");
        assert_errno(access("m/app/new", F_OK), ENOENT);
    }
    assert_sh_ok(*state, "2\n", "grep -c 'previous value stands there again' m/.datasetfs/errors");
    assert_sh_ok(*state, "2\n", "grep -c 'the key is gone again' m/.datasetfs/errors");
    assert_sh_ok(*state, "", "dd if=value of=m/app/k bs=1M status=none && cmp value m/app/k");
}

/* Nobody waits for a host that does not answer: signals end the wait, else the deadline does, and
 * what is known already is told. */
static void test_silent_host(void **state)
{
    start(NULL, "timeout=3");
    peer_set("app", "k", "value");
    assert_content("m/app/k", "value");
    sim_fault("never-reply");
    const struct shell_result *ran =
        shell_run(*state, /* in a session without the cat of other tests */
                  "setsid -w %s -c 'timeout 1 cat m/app/k; echo $?; pgrep -x cat -s 0 | wc -l'",
                  (const char *)*state);
    assert_string_equal(ran->out, "124\n0\n");
    assert_sh_fails(*state, "Connection timed out", "cat m/app/k");
    assert_sh_ok(*state, "5\n", "stat -c %%s m/app/k");
    sim_clear();
    /* Once a second it is asked whether it is back. */
    assert_soon(shell_run(*state, "cat m/app/k")->status == 0);
    assert_sh_ok(*state, "value", "cat m/app/k");
}

static void assert_no_mount(const char *fault, const char *words)
{
    sim_clear();
    sim_fault("%s", fault);
    assert_sh_fails("dash", words, "mkdir -p n && $DATASETFS %s n", sim_source());
    assert_int_equal(shell_run("dash", "$DATASETFS %s n", sim_source())->status, 32);
    assert_false(harness_mounted("n", NULL, 0));
}

/* What keeps a mount from coming up is one line. */
static void test_refused_mounts(void **state)
{
    (void)state;
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    sim_start(NULL);
    assert_no_mount(
        "rpc-error=Unknown command",
        "this host does not know DataSets (vSphere 8 and hardware version 20 are needed)");
    assert_no_mount("rpc-error=Permission denied", "root");
    assert_no_mount("garbage", "not understood");
    sim_stop();
    assert_sh_fails("dash", "No such file or directory", "$DATASETFS tools:unix=$PWD/nobody n");
}

/* Mounted before the host listens. */
static void test_delay_connect(void **state)
{
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    harness_start_source("m", sim_source(), "delay_connect,timeout=2");
    assert_sh_fails(*state, "No route to host", "ls m");
    assert_sh_fails(*state, "", "echo x > m/app/k");
    sim_start(NULL);
    assert_sh_ok(*state, "x\n", "echo x > m/app/k && cat m/app/k");
    assert_store("app", "k", "x\n");
}

/* A host that does not tell the access still enforces it. */
static void test_access_unknown(void **state)
{
    peer_create("ro", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_ONLY);
    peer_set("ro", "k", "value");
    start((const char *const[]){"--access-none", NULL}, NULL);
    assert_sh_ok(*state, "value", "cat m/ro/k");
    assert_sh_fails(*state, "Permission denied", "env printf x > m/ro/k");
    assert_sh_fails(*state, "Permission denied", "rm m/ro/k");
    assert_store("ro", "k", "value");
}

/* One change through the mount while the host breaks off as the fault says. Whatever it says, the
 * change succeeds and has been made once: what stands there tells. */
static void change_under(const char *fault, unsigned number, struct ds_buf *log)
{
    char text[32];
    snprintf(text, sizeof text, "line %u\n", number);
    uint64_t fired = sim_fired();
    sim_fault("%s:command=datasets-set-entry:count=1", fault);
    assert_int_equal(harness_write("m/app/log", O_APPEND, text), 0);
    assert_int_equal(ds_buf_puts(log, text), 0);
    assert_store("app", "log", log->data);
    sim_fault("%s:command=datasets-set-entry:count=1", fault);
    assert_int_equal(harness_write("m/app/k", O_CREAT | O_TRUNC, text), 0);
    assert_store("app", "k", text);
    sim_fault("%s:command=datasets-delete-entry:count=1", fault);
    assert_ok(unlink("m/app/k"));
    assert_not_in_store("app", "k");
    assert_int_equal(sim_fired() - fired, 3);
}

/* At every byte of the request and of the reply. */
static void test_nothing_twice(void **state)
{
    enum { REQUEST_BYTES = 140, REPLY_BYTES = 49 };
    (void)state;
    struct ds_buf log DS_CLEANUP(ds_buf_free) = {0};
    char fault[64];
    unsigned number = 0;
    start(NULL, NULL);
    assert_int_equal(ds_buf_puts(&log, "begin\n"), 0);
    peer_set("app", "log", log.data);
    /* A shorter request is broken off behind its end, before its reply. */
    for (size_t n = 0; n <= REQUEST_BYTES; n++) {
        snprintf(fault, sizeof fault, "drop-request-after=%zu", n);
        change_under(fault, number++, &log);
    }
    for (size_t n = 0; n < REPLY_BYTES; n++) {
        snprintf(fault, sizeof fault, "drop-after=%zu", n);
        change_under(fault, number++, &log);
    }
}

enum { WORKERS = 8, BREAKS = 200, KILL_EVERY = 10 };

/* One process: sets a key of its own and appends lines to another until it is told to stop. The
 * lines that were acknowledged stand in the file "worker<N>". */
static int work(void *argument)
{
    int number = *(int *)argument;
    char own[32], line[32], path[32];
    snprintf(own, sizeof own, "m/app/own%d", number);
    snprintf(path, sizeof path, "worker%d", number);
    FILE *acknowledged = fopen(path, "we");
    if (!acknowledged)
        return errno;
    for (int i = 0; access("stop", F_OK) != 0; i++) {
        snprintf(line, sizeof line, "%d.%d\n", number, i);
        int kept = harness_write(own, O_CREAT | O_TRUNC, line);
        int added = harness_write("m/app/log", O_CREAT | O_APPEND, line);
        fprintf(acknowledged, "%s%s", kept ? "" : "set ", added ? "- " : "log ");
        fputs(line, acknowledged);
    }
    return fclose(acknowledged) == 0 ? 0 : errno;
}

/* How often the line stands in the text. */
static unsigned count_line(const char *text, const char *line)
{
    unsigned count = 0;
    size_t len = strlen(line);
    for (const char *at = text; at && *at; at = strchr(at, '\n'), at = at ? at + 1 : NULL)
        count += strncmp(at, line, len) == 0;
    return count;
}

/* Every acknowledged append stands exactly once and no other one twice. */
static void assert_nothing_lost(int number, const char *log)
{
    char path[32], text[128];
    snprintf(path, sizeof path, "worker%d", number);
    FILE *acknowledged = fopen(path, "re");
    assert_non_null(acknowledged);
    unsigned added = 0;
    while (fgets(text, sizeof text, acknowledged)) {
        const char *line = strrchr(text, ' ') + 1;
        unsigned found = count_line(log, line);
        bool was_added = strstr(text, "log ") != NULL;
        added += was_added;
        if (found > 1 || (was_added && found != 1))
            fail_msg("'%s' stands %u times", text, found);
    }
    fclose(acknowledged);
    assert_true(added > 0);
}

/* The key holds the last value that was acknowledged, or one that was not after it. */
static void assert_last_set(int number)
{
    char path[32], key[32], text[128];
    snprintf(path, sizeof path, "worker%d", number);
    snprintf(key, sizeof key, "own%d", number);
    char *value DS_AUTO_FREE = peer_get("app", key);
    FILE *acknowledged = fopen(path, "re");
    assert_non_null(acknowledged);
    assert_non_null(value);
    bool possible = false;
    while (fgets(text, sizeof text, acknowledged)) {
        bool same = strcmp(strrchr(text, ' ') + 1, value) == 0;
        possible = same || (possible && strncmp(text, "set ", 4) != 0);
    }
    fclose(acknowledged);
    if (!possible)
        fail_msg("%s holds '%s', which an acknowledged value has replaced", key, value);
}

/* The host breaks off again and again, at every point of the exchange, and is killed now and then.
 */
static void test_breaks_under_load(void **state)
{
    static const char *const faults[] = {"close:count=1", "close-before:count=1",
                                         "drop-after=7:count=1", "drop-request-after=20:count=1",
                                         "reset-on-connect:count=1"};
    (void)state;
    start(NULL, "timeout=20,channels=4");
    int numbers[WORKERS];
    pid_t pids[WORKERS];
    for (int i = 0; i < WORKERS; i++) {
        numbers[i] = i;
        pids[i] = harness_fork(work, &numbers[i]);
    }
    for (unsigned i = 0; i < BREAKS; i++) {
        if (i % KILL_EVERY == 0) {
            sim_kill();
            sim_start(NULL);
        } else {
            uint64_t before = sim_fired();
            sim_fault("%s", faults[i % (sizeof faults / sizeof *faults)]);
            if (i % 5 != 4) /* no new connection may come for a while */
                assert_soon(sim_fired() > before);
        }
    }
    assert_int_equal(close(open("stop", O_WRONLY | O_CREAT | O_CLOEXEC, 0600)), 0);
    for (int i = 0; i < WORKERS; i++)
        assert_int_equal(harness_wait_child(pids[i], HARNESS_TEST_MS, false), 0);
    char *log DS_AUTO_FREE = peer_get("app", "log");
    assert_non_null(log);
    for (int i = 0; i < WORKERS; i++) {
        assert_nothing_lost(i, log);
        assert_last_set(i);
    }
}

static const struct CMUnitTest tests[] = {
    HARNESS_TEST(test_requests),           HARNESS_TEST(test_long_value),
    HARNESS_TEST(test_large_replies),      HARNESS_TEST(test_nothing_twice),
    HARNESS_SHELLS(test_long_value_fails), HARNESS_SHELLS(test_silent_host),
    HARNESS_TEST(test_refused_mounts),     HARNESS_SHELLS(test_access_unknown),
    HARNESS_SHELLS(test_delay_connect),    HARNESS_TEST(test_breaks_under_load),
};

HARNESS_MAIN(tests)
