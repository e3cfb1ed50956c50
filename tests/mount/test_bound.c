/* The memory that reading takes: the cache, as much again, and a value for each request under way;
 * and the memory that each entry takes of which the kernel knows.
 */
#include "harness.h"

#include "peer.h"
#include "shell.h"
#include "sim.h"
#include "sim_rest.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

enum { KIB = 1024, VALUE_BYTES = 1024 * KIB, VALUES = 40 };
/* What the mount takes besides, and what else the moment may bring. */
enum { OWN_MIB = 12, CACHE_MIB = 16, AROUND_MIB = 16 };
#define OPTIONS "cache=16M"
/* After their names were read, and after all was known of each. */
enum { ENTRIES = 100000, LISTED_MIB = 8, KNOWN_MIB = 48 };

/* The most that was allocated since reset(): pages of files only become more. */
static long peak_mib(const struct harness_daemon *daemon)
{
    long files_kib =
        harness_status(daemon->worker, "RssFile") + harness_status(daemon->worker, "RssShmem");
    return (harness_status(daemon->worker, "VmHWM") - files_kib) / KIB;
}

static void reset(const struct harness_daemon *daemon)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/clear_refs", (int)daemon->worker);
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

/* Keys of 10 bytes with values of 8, as many at once as no peer could set. */
static void make_entries(void)
{
    sqlite3 *db = NULL;
    char sql[512];
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_close();
    snprintf(sql, sizeof sql,
             "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
             "INSERT INTO entries (dataset, key, value) SELECT datasets.id, printf('key-%%06d', i),"
             " CAST(printf('%%08d', i) AS BLOB) FROM n, datasets;"
             "UPDATE datasets SET used = %d * 18;",
             ENTRIES, ENTRIES);
    assert_int_equal(sqlite3_open("s.db", &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void assert_bound(const struct harness_daemon *daemon, const char *what, long bound_mib)
{
    long kib = harness_status(daemon->worker, "RssAnon");
    if (kib > bound_mib * KIB)
        fail_msg("%s: %ld KiB, not at most %ld MiB", what, kib, bound_mib);
}

static void test_entries(void **state)
{
    (void)state;
    if (HARNESS_SLOWNESS > 1)
        skip(); /* the sanitizers keep what is freed, and more with it */
    make_entries();
    struct harness_daemon *daemon = harness_start_source("m", HARNESS_SOURCE, OPTIONS);
    assert_sh_ok("dash", "100000\n", "ls m/app | wc -l");
    assert_bound(daemon, "ls", LISTED_MIB);
    assert_sh_ok("dash", "100000\n", "ls -l m/app | grep -c ' 8 '");
    assert_bound(daemon, "ls -l", KNOWN_MIB);
}

static const struct CMUnitTest tests[] = {HARNESS_TEST(test_local), HARNESS_TEST(test_tools),
                                          HARNESS_TEST(test_rest), HARNESS_TEST(test_entries)};

HARNESS_MAIN(tests)
