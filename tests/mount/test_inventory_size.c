/* Thousands of machines in one mount: the memory, descriptors and threads that they take. MACHINES
 * says how many, and MACHINES_REST how many of a vCenter are looked into. */
#include "harness.h"

#include "cleanup.h"
#include "shell.h"
#include "sim.h"
#include "sim_rest.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DATASETS = 10 };
/* What 5000 machines take when they are listed, and with DATASETS known of each; KiB. */
enum { MACHINES = 5000, LISTED_KIB = 8 * 1024, KNOWN_KIB = 80 * 1024 };
/* What the connections of requests that are under way at once take, however few machines they are
 * about. */
enum { CONNECTIONS_KIB = 12 * 1024 };
/* Looking into each takes a request for each DataSet besides. */
enum { MACHINES_REST = 200 };
/* With one value each; what a process may usually open; and what is left for it. */
enum { STORES = HARNESS_SLOWNESS > 1 ? 400 : 2000, DESCRIPTORS = 1024, MOST_THREADS = 80 };

static void make_store(const char *file, unsigned datasets)
{
    setenv("DATASETFS", harness_binary(), 1);
    assert_sh_ok("dash", "",
                 "for i in $(seq %u); do $DATASETFS create local:%s ds$i || exit; done &&"
                 " $DATASETFS set local:%s ds1 key value",
                 datasets, file, file);
}

/* Machines that have one store: what the mount knows of each is its own. */
static void make_links(unsigned machines)
{
    assert_ok(mkdir("d", 0700));
    make_store("store", DATASETS);
    for (unsigned i = 0; i < machines; i++) {
        char path[32];
        snprintf(path, sizeof path, "d/w%05u.db", i);
        assert_ok(symlink("../store", path));
    }
}

/* The daemon has no more of its own than that, which machines have added since it had `before`. */
static void assert_added(const struct harness_daemon *daemon, long before, const char *what,
                         unsigned machines, long most)
{
    long added = harness_status(daemon->worker, "RssAnon") - before;
    print_message("%u machines %s: %ld KiB of %ld\n", machines, what, added, most);
    assert_in_range(added < 0 ? 0 : added, 0, most);
}

/* All machines are listed, then the first `known` looked into. */
static void measure(const struct harness_daemon *daemon, unsigned machines, unsigned known)
{
    long before = harness_status(daemon->worker, "RssAnon");
    char lines[32];
    snprintf(lines, sizeof lines, "%u\n", machines);
    assert_sh_ok("dash", lines, "ls -l m | grep -c ^d");
    assert_added(daemon, before, "listed", machines, LISTED_KIB);
    snprintf(lines, sizeof lines, "%u\n", known * DATASETS);
    assert_sh_ok("dash", lines, "ls m | head -n %u | sed s,^,m/, | xargs ls -l | grep -c ^d",
                 known);
    long most = LISTED_KIB + CONNECTIONS_KIB + (long)(KNOWN_KIB - LISTED_KIB) * known / MACHINES;
    assert_added(daemon, before, "known", known, most < KNOWN_KIB ? most : KNOWN_KIB);
}

static void test_memory(void **state)
{
    (void)state;
    char source[PATH_MAX];
    unsigned machines = (unsigned)harness_number("MACHINES", MACHINES);
    if (HARNESS_SLOWNESS > 1)
        skip(); /* the sanitizers keep what is freed */
    make_links(machines);
    snprintf(source, sizeof source, "local:%.2000s/d/", harness_dir());
    measure(harness_start_source("m", source, NULL), machines, machines);
}

static void test_memory_rest(void **state)
{
    (void)state;
    unsigned machines = (unsigned)harness_number("MACHINES", MACHINES);
    unsigned known = (unsigned)harness_number("MACHINES_REST", MACHINES_REST);
    if (HARNESS_SLOWNESS > 1)
        skip(); /* as above */
    make_links(machines);
    /* More than are listed at once. */
    sim_start_rest_with("--place", "cluster=domain-c1=c1", "--place", "host=host-1=h1=domain-c1",
                        "--place", "cluster=domain-c2=c2", "--place", "host=host-2=h2=domain-c2",
                        "--vm-directory", "d");
    measure(harness_start_source("m", sim_rest_url(), sim_rest_options("rate=0")), machines, known);
}

static size_t count_descriptors(const struct harness_daemon *daemon)
{
    char path[64];
    size_t count = 0;
    snprintf(path, sizeof path, "/proc/%d/fd", (int)daemon->worker);
    DIR *stream = opendir(path);
    assert_non_null(stream);
    while (readdir(stream)) // NOLINT: the stream is ours alone
        count++;
    closedir(stream);
    return count - 2; /* "." and ".." */
}

/* Copies of one store. */
static void make_copies(void)
{
    static char bytes[256 * 1024];
    assert_ok(mkdir("d", 0700));
    make_store("store", 1);
    int from DS_AUTO_CLOSE = harness_open("store", O_RDONLY);
    ssize_t len = read(from, bytes, sizeof bytes);
    assert_in_range(len, 1, sizeof bytes - 1);
    for (unsigned i = 0; i < STORES; i++) {
        char path[32];
        snprintf(path, sizeof path, "d/w%05u.db", i);
        int to DS_AUTO_CLOSE = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        assert_int_equal(write(to, bytes, (size_t)len), len);
    }
}

static struct harness_daemon *start_with_descriptors(rlim_t most)
{
    struct rlimit before;
    char source[PATH_MAX];
    snprintf(source, sizeof source, "local:%.2000s/d/", harness_dir());
    assert_ok(getrlimit(RLIMIT_NOFILE, &before));
    struct rlimit limit = {.rlim_cur = most, .rlim_max = before.rlim_max};
    assert_ok(setrlimit(RLIMIT_NOFILE, &limit));
    struct harness_daemon *daemon = harness_start_source("m", source, NULL);
    assert_ok(setrlimit(RLIMIT_NOFILE, &before));
    return daemon;
}

/* However many stores are used one after the other, or many at once. */
static void test_descriptors(void **state)
{
    (void)state;
    char all[32];
    make_copies();
    const struct harness_daemon *daemon = start_with_descriptors(DESCRIPTORS);
    size_t before = count_descriptors(daemon);
    snprintf(all, sizeof all, "%d\n", STORES);
    const char *const commands[] = {
        "cat m/*/ds1/key | grep -o value | wc -l",
        "grep -r value m | wc -l",
        "ls m | xargs -P 32 -n 20 sh -c 'for m; do cat m/$m/ds1/key; echo; done' x | wc -l",
    };
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        assert_sh_ok("dash", all, "%s", commands[i]);
        size_t now = count_descriptors(daemon);
        long threads = harness_status(daemon->worker, "Threads");
        print_message("%d stores: %zu descriptors, %zu before; %ld threads\n", STORES, now, before,
                      threads);
        assert_true(now <= DESCRIPTORS / 2);
        assert_true(threads <= MOST_THREADS);
    }
}

static const struct CMUnitTest tests[] = {
    HARNESS_TEST(test_memory),
    HARNESS_TEST(test_memory_rest),
    HARNESS_TEST(test_descriptors),
};
HARNESS_MAIN(tests)
