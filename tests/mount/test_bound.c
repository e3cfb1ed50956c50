/* The memory that reading takes: the cache, as much again, and a value for each request under way.
 */
#include "harness.h"

#include "peer.h"
#include "shell.h"
#include "sim.h"
#include "sim_rest.h"

#include <stdio.h>
#include <stdlib.h>

enum { KIB = 1024, VALUE_BYTES = 1024 * KIB, VALUES = 40 };
/* What the mount takes besides, and what else the moment may bring. */
enum { OWN_MIB = 8, CACHE_MIB = 16, AROUND_MIB = 16 };
#define OPTIONS "cache=16M"

static long status_kib(const struct harness_daemon *daemon, const char *word)
{
    const struct shell_result *result =
        shell_run("dash", "awk '/^%s:/ {print $2}' /proc/%d/status", word, (int)daemon->pid);
    assert_int_equal(result->status, 0);
    return strtol(result->out, NULL, 10);
}

/* The most that was allocated since reset(): pages of files only become more. */
static long peak_mib(const struct harness_daemon *daemon)
{
    long files_kib = status_kib(daemon, "RssFile") + status_kib(daemon, "RssShmem");
    return (status_kib(daemon, "VmHWM") - files_kib) / KIB;
}

static void reset(const struct harness_daemon *daemon)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/clear_refs", (int)daemon->pid);
    assert_int_equal(harness_write(path, 0, "5"), 0);
}

/* Lines of text, as many as make a value. */
static void make_values(void)
{
    char *value = malloc(VALUE_BYTES + 1);
    assert_non_null(value);
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    for (int i = 0; i < VALUES; i++) {
        char key[16];
        snprintf(key, sizeof key, "key%02d", i);
        for (size_t at = 0; at < VALUE_BYTES; at += 16)
            memcpy(value + at, "a line of a key\n", 16);
        memcpy(value, key, 5);
        value[VALUE_BYTES] = '\0';
        peer_set("app", key, value);
    }
    free(value);
    peer_close();
}

/* Commands, and how many requests of theirs are under way at once. */
static const struct {
    const char *command;
    int requests;
} readers[] = {
    {"cat m/app/* | wc -c", 1},
    {"ls -l m/app | wc -l", 1},
    {"tar cf - m/app | wc -c", 1},
    {"grep -r nowhere m/app; test $? = 1", 1},
    {"cp -r m/app copy && rm -r copy", 1},
    {"ls m/app | sed s,^,m/app/, | xargs -n 1 -P 16 cat | wc -c", 16},
};

static void read_from(const char *source, const char *options)
{
    if (HARNESS_SLOWNESS > 1)
        skip(); /* the sanitizers keep what is freed */
    struct harness_daemon *daemon = harness_start_source("m", source, options);
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        long bound_mib = OWN_MIB + CACHE_MIB + AROUND_MIB + readers[i].requests;
        harness_prolong();
        reset(daemon);
        /* Twice: the second time all memory has been used before. */
        for (int turn = 0; turn < 2; turn++) {
            const struct shell_result *ran = shell_run("bash", "%s", readers[i].command);
            if (ran->status != 0)
                fail_msg("%s: %s", readers[i].command, ran->err);
        }
        long peak = peak_mib(daemon);
        if (peak > bound_mib)
            fail_msg("%s: %ld MiB, not at most %ld", readers[i].command, peak, bound_mib);
    }
}

static void test_local(void **state)
{
    (void)state;
    make_values();
    read_from(HARNESS_SOURCE, OPTIONS);
}

static void test_tools(void **state)
{
    (void)state;
    make_values();
    sim_start(NULL);
    read_from(sim_source(), OPTIONS);
}

static void test_rest(void **state)
{
    (void)state;
    make_values();
    sim_start_rest(NULL);
    read_from(sim_rest_source(), sim_rest_options(OPTIONS));
}

static const struct CMUnitTest tests[] = {HARNESS_TEST(test_local), HARNESS_TEST(test_tools),
                                          HARNESS_TEST(test_rest)};

HARNESS_MAIN(tests)
