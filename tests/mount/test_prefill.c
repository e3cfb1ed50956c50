/* Short values that the kernel gets when their file is opened: reading them asks nothing, and shows
 * what the open found. */
#include "harness.h"

#include "peer.h"
#include "stats.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PREFILL_MAX_BYTES = 128 * 1024,
    LONGEST = 3 * PREFILL_MAX_BYTES,
    OPENERS = 6,
    ROUNDS = 300,
    NUMBER_LEN = 8,
};

static uint64_t reads(void)
{
    return stats_counter("m", "datasetfs_fuse_requests_total{opcode=\"read\"}");
}

/* A text of so many bytes that is another one for each `which`, and at each place. Freed by the
 * caller. */
static char *text_of(size_t len, unsigned which)
{
    char *text = malloc(len + 1);
    assert_non_null(text);
    for (size_t i = 0; i < len; i++)
        text[i] = (char)('a' + (i / 13 + i + which) % 26);
    text[len] = '\0';
    return text;
}

static void set_text_of(const char *key, size_t len, unsigned which)
{
    char *text = text_of(len, which);
    peer_set("app", key, text);
    free(text);
}

static void set_text(size_t len, unsigned which)
{
    set_text_of("k", len, which);
}

static void assert_text(int fd, size_t len, unsigned which)
{
    char *text = text_of(len, which), *got = calloc(1, LONGEST);
    assert_non_null(got);
    ssize_t n = pread(fd, got, LONGEST, 0);
    assert_int_equal(n, len);
    assert_memory_equal(got, text, len);
    free(got);
    free(text);
}

/* The READs that it costs to read a key of that length, which the kernel has just looked up, in the
 * best of many tries: on a machine that stalls it may look again, or let go of its pages. */
static uint64_t cost_of(size_t len, unsigned *which)
{
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < STATS_TRIES && least > 0; i++) {
        char key[16], path[32], end;
        snprintf(key, sizeof key, "k%u", ++*which);
        snprintf(path, sizeof path, "m/app/%s", key);
        set_text_of(key, len, *which);
        uint64_t before = reads();
        int fd = harness_open(path, O_RDONLY);
        assert_text(fd, len, *which);
        assert_int_equal(pread(fd, &end, 1, (off_t)len), 0);
        assert_ok(close(fd));
        uint64_t cost = reads() - before;
        least = cost < least ? cost : least;
    }
    return least;
}

/* The counters are read too, for which what that costs is taken off. */
static void test_asks_nothing(void **state)
{
    static const size_t lengths[] = {1, 100, 4095, 4096, 4097, 65536, PREFILL_MAX_BYTES};
    unsigned which = 0;
    (void)state;
    harness_start_app(NULL);
    uint64_t look = reads();
    look = reads() - look;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        assert_int_equal(cost_of(lengths[i], &which), look);
    assert_true(cost_of(PREFILL_MAX_BYTES + 1, &which) > look);
}

/* So that the kernel knows the file by this thread, as `test -s k && read v <k` does. */
static int look_and_open(const char *path)
{
    struct stat status;
    assert_ok(stat(path, &status));
    return harness_open(path, O_RDONLY);
}

/* Shorter, longer, and as long as before; what is mapped ends in NULs. */
static void test_changed_in_between(void **state)
{
    static const size_t lengths[] = {5000, 100, 100, 9000, 4096, 1, 20000, 19999};
    (void)state;
    harness_start_app(NULL);
    for (unsigned i = 0; i < 4 * sizeof lengths / sizeof *lengths; i++) {
        size_t len = lengths[i % (sizeof lengths / sizeof *lengths)];
        set_text(len, i);
        if (i % 4 < 2)
            harness_outlive_attributes();
        int fd = i % 2 == 0 ? look_and_open("m/app/k") : harness_open("m/app/k", O_RDONLY);
        assert_text(fd, len, i);
        size_t mapped = (len + 4095) / 4096 * 4096;
        char *map = mmap(NULL, mapped, PROT_READ, MAP_PRIVATE, fd, 0), *text = text_of(len, i);
        assert_true(map != MAP_FAILED);
        assert_memory_equal(map, text, len);
        for (size_t at = len; at < mapped; at++)
            assert_int_equal(map[at], '\0');
        assert_ok(munmap(map, mapped));
        free(text);
        assert_ok(close(fd));
    }
}

/* Another process was told of a longer value, and the kernel believes it yet: nobody who reads a
 * few bytes only gets some of it. */
static void test_shorter_than_was_told(void **state)
{
    (void)state;
    harness_start_app(NULL);
    for (unsigned i = 0; i < 20; i++) {
        set_text(3000, i);
        int fd = look_and_open("m/app/k");
        assert_text(fd, 3000, i);
        assert_ok(close(fd));
        set_text(10, i + 1);
        fd = harness_open("m/app/k", O_RDONLY);
        char got[100], *text = text_of(10, i + 1);
        assert_int_equal(pread(fd, got, sizeof got, 0), 10);
        assert_memory_equal(got, text, 10);
        assert_int_equal(pread(fd, got, sizeof got, 100), 0);
        free(text);
        assert_ok(close(fd));
    }
}

/* Who has it open already, for reading or for writing, shares the kernel's pages. */
static void test_beside_another(void **state)
{
    static const int flags[] = {O_RDONLY, O_WRONLY, O_RDWR, O_WRONLY | O_APPEND};
    (void)state;
    harness_start_app(NULL);
    for (unsigned i = 0; i < sizeof flags / sizeof *flags; i++) {
        set_text(5000, i);
        int first = harness_open("m/app/k", flags[i]);
        int second = harness_open("m/app/k", O_RDONLY);
        assert_text(second, 5000, i);
        assert_ok(close(first));
        set_text(4000, i + 1);
        harness_outlive_attributes();
        int third = harness_open("m/app/k", O_RDONLY);
        assert_text(third, 4000, i + 1);
        assert_ok(close(second));
        assert_ok(close(third));
    }
}

/* What this mount writes is read from it at once, committed or not. */
static void test_own_changes(void **state)
{
    (void)state;
    harness_start_app("commit=close");
    for (int i = 0; i < 20; i++) {
        char value[64] = "", first[] = {(char)('a' + i), '\0'};
        memset(value, first[0], (size_t)i + 1);
        assert_ok(harness_write("m/app/k", O_CREAT | O_TRUNC, value));
        assert_content("m/app/k", value);
        assert_ok(harness_write("m/app/k", O_APPEND, "+"));
        strcat(value, "+");
        assert_content("m/app/k", value);
        assert_ok(truncate("m/app/k", 1));
        assert_content("m/app/k", first);
        assert_ok(truncate("m/app/k", 0));
        assert_content("m/app/k", "");
    }
}

/* A temporary file shows what is in it, and not the value of the key that it was, or is to be. */
static void test_temporary_file(void **state)
{
    static const char *const names[] = {"m/app/k~", "m/app/.k.swp", "m/app/k.tmp"};
    (void)state;
    harness_start_app(NULL);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        peer_set("app", "k", "aaaa");
        assert_content("m/app/k", "aaaa");
        assert_ok(rename("m/app/k", names[i]));
        assert_ok(harness_write(names[i], 0, "bbbb"));
        int fd = look_and_open(names[i]);
        harness_assert_handle(fd, "bbbb");
        assert_ok(close(fd));
        assert_ok(unlink(names[i]));
    }
}

struct race {
    atomic_uint written; /* the last number that the other side has set */
    atomic_bool over;
    atomic_uint openers;
};

/* A number, as often as it takes to make its length another one. */
static void number_text(unsigned number, char out[NUMBER_LEN * 4 + 1])
{
    size_t times = 1 + number % 4;
    for (size_t i = 0; i < times; i++)
        snprintf(out + i * NUMBER_LEN, NUMBER_LEN + 1, "%0*u", NUMBER_LEN, number);
}

/* Opens again and again: what it reads is no older than what was written before. */
static int open_often(void *argument)
{
    struct race *race = argument;
    bool looks = atomic_fetch_add(&race->openers, 1) % 3 != 0;
    while (!atomic_load(&race->over)) {
        char got[NUMBER_LEN * 8];
        struct stat status;
        unsigned before = atomic_load(&race->written);
        if (looks && stat("m/app/k", &status) != 0)
            return 1;
        int fd = open("m/app/k", O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            return 2;
        ssize_t n = pread(fd, got, sizeof got, 0);
        if (close(fd) != 0 || n < NUMBER_LEN)
            return 3;
        unsigned number = (unsigned)strtoul(
            (char[]){got[0], got[1], got[2], got[3], got[4], got[5], got[6], got[7], '\0'}, NULL,
            10);
        if (number < before)
            return 4;
    }
    return 0;
}

static void test_many_openers(void **state)
{
    struct race *race = harness_share(sizeof *race);
    pid_t pids[OPENERS];
    char text[NUMBER_LEN * 4 + 1];
    (void)state;
    harness_start_app(NULL);
    number_text(0, text);
    peer_set("app", "k", text);
    for (int i = 0; i < OPENERS; i++)
        pids[i] = harness_fork(open_often, race);
    for (unsigned number = 1; number <= ROUNDS; number++) {
        number_text(number, text);
        peer_set("app", "k", text);
        atomic_store(&race->written, number);
        harness_pause();
    }
    atomic_store(&race->over, true);
    for (int i = 0; i < OPENERS; i++)
        assert_int_equal(harness_wait_child(pids[i], HARNESS_SOON_MS, false), 0);
    assert_ok(munmap(race, sizeof *race));
}

static const struct CMUnitTest tests[] = {
    HARNESS_TEST(test_asks_nothing),          HARNESS_TEST(test_changed_in_between),
    HARNESS_TEST(test_shorter_than_was_told), HARNESS_TEST(test_beside_another),
    HARNESS_TEST(test_own_changes),           HARNESS_TEST(test_many_openers),
    HARNESS_TEST(test_temporary_file),
};

HARNESS_MAIN(tests)
