/* A value that is written in many pieces: how often it is sent, and who hears of a failure. */
#include "harness.h"

#include "peer.h"
#include "shell.h"
#include "sim.h"
#include "sim_rest.h"
#include "stats.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KIB 1024
#define MIB (1024 * KIB)

/* "app" on a simulated host, over the guest's channel. */
static void start_channel(const char *options)
{
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    sim_start(NULL);
    harness_start_source("m", sim_source(), options);
    assert_sh_ok("dash", "", "test -d m/app");
}

static size_t requests(void)
{
    return sim_log_count("command=");
}

static void assert_pieces_written(const char *key, size_t pieces, const char *piece)
{
    char *value = peer_get("app", key);

    assert_non_null(value);
    assert_int_equal(strlen(value), pieces * strlen(piece));
    for (size_t i = 0; i < pieces; i++)
        assert_memory_equal(value + i * strlen(piece), piece, strlen(piece));
    free(value);
}

/* bash writes each line by itself. */
static void test_lines_of_bash(void **state)
{
    (void)state;
    start_channel(NULL);
    size_t before = requests();
    assert_sh_ok("bash", "", "for i in $(seq 200); do echo \"line $i\"; done > m/app/log");
    assert_in_range(requests() - before, 1, 60);
    assert_sh_ok("bash", "", "for i in $(seq 200); do echo \"line $i\"; done | cmp - m/app/log");
    before = requests();
    assert_sh_ok("bash", "", "echo \"$(seq 1000)\" > m/app/k");
    assert_in_range(requests() - before, 1, 60);
    assert_sh_ok("bash", "", "seq 1000 | cmp - m/app/k");
    before = requests();
    assert_sh_ok("bash", "", "for i in $(seq 200); do echo \"line $i\"; done >> m/app/log");
    assert_in_range(requests() - before, 1, 60);
    assert_sh_ok("bash", "400\n", "wc -l < m/app/log");
}

/* B bytes cost 6 + 2 * ceil(B / 63 KiB) requests at most. */
static void test_copies(void **state)
{
    static const size_t sizes[] = {1, 100, 64 * KIB, 200 * KIB, 500000, MIB};

    (void)state;
    start_channel(NULL);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t budget = 6 + 2 * ((sizes[i] + 63 * KIB - 1) / (63 * KIB));

        assert_sh_ok("dash", "", "yes 'some words' | head -c %zu > big", sizes[i]);
        size_t before = requests();
        assert_sh_ok("dash", "", "cp big m/app/copy%zu", i);
        assert_in_range(requests() - before, 1, budget);
        before = requests();
        assert_sh_ok("dash", "", "cat < big > m/app/cat%zu", i);
        assert_in_range(requests() - before, 1, budget);
        assert_sh_ok("dash", "", "cmp big m/app/copy%zu; cmp big m/app/cat%zu", i, i);
    }
}

/* Over REST, where each commit sends the whole value: 10 requests at most, and 5 values at most. */
static void test_copies_over_rest(void **state)
{
    (void)state;
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    sim_start_rest(NULL);
    harness_start_source("m", sim_rest_source(), sim_rest_options(NULL));
    assert_sh_ok("dash", "", "test -d m/app; yes 'some words' | head -c %d > big", MIB);
    for (int i = 0; i < 2; i++) {
        size_t before = sim_log_count("rest="), sets = sim_log_count("rest=rest-set");

        assert_sh_ok("dash", "", "%s", i == 0 ? "cp big m/app/k" : "cat < big > m/app/l");
        assert_in_range(sim_log_count("rest=") - before, 1, 10);
        assert_in_range(sim_log_count("rest=rest-set") - sets, 1, 5);
    }
    assert_sh_ok("dash", "", "cmp big m/app/k; cmp big m/app/l");
}

/* The number of commits rises with the logarithm of the number of pieces. */
static void test_single_bytes(void **state)
{
    (void)state;
    start_channel(NULL);
    size_t before = requests();
    assert_sh_ok("dash", "", "yes | head -c 20000 | dd bs=1 of=m/app/bytes status=none");
    assert_in_range(requests() - before, 1, 60);
    assert_sh_ok("dash", "", "yes | head -c 20000 | cmp - m/app/bytes");
    before = requests();
    assert_sh_ok("dash", "",
                 "yes | head -c 20000 | dd bs=1 of=m/app/bytes oflag=append conv=notrunc "
                 "status=none");
    assert_in_range(requests() - before, 1, 60);
    assert_sh_ok("dash", "", "yes | head -c 40000 | cmp - m/app/bytes");
}

/* Opens the key and writes pieces until one of them was gathered: the store has fewer than `*sent`.
 */
static int gather(const char *path, int flags, size_t *sent)
{
    int fd = harness_open(path, flags);

    for (*sent = 0; *sent < 20; (*sent)++)
        assert_int_equal(write(fd, "piece\n", 6), 6);
    return fd;
}

static bool store_has_pieces(const char *key, size_t pieces)
{
    char *value = peer_get("app", key);
    bool has = value != NULL && strlen(value) == pieces * 6;

    free(value);
    return has;
}

/* What was acknowledged and not sent arrives soon although nothing happens any more; and the mount
 * itself shows it at once. */
static void test_idle(void **state)
{
    static const int flags[] = {O_WRONLY | O_CREAT | O_TRUNC, O_WRONLY | O_APPEND | O_CREAT};

    (void)state;
    harness_start_app(NULL);
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        char path[32], key[16];
        size_t pieces;

        snprintf(key, sizeof key, "key%zu", i);
        snprintf(path, sizeof path, "m/app/%s", key);
        int fd = gather(path, flags[i], &pieces);
        assert_int_equal(harness_size(path), pieces * 6);
        assert_soon(store_has_pieces(key, pieces));
        close(fd);
        assert_pieces_written(key, pieces, "piece\n");
    }
}

/* fsync, another open, a rename and close commit at once. */
static void test_events(void **state)
{
    static const int flags[] = {O_WRONLY | O_CREAT | O_TRUNC, O_WRONLY | O_APPEND | O_CREAT};

    (void)state;
    harness_start_app(NULL);
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        size_t pieces;
        int fd = gather("m/app/sync", flags[i], &pieces);
        assert_ok(fsync(fd));
        assert_pieces_written("sync", pieces, "piece\n");
        close(fd);

        fd = gather("m/app/open", flags[i], &pieces);
        int other = harness_open("m/app/open", O_RDONLY);
        assert_pieces_written("open", pieces, "piece\n");
        close(other);
        close(fd);

        fd = gather("m/app/name", flags[i], &pieces);
        assert_ok(rename("m/app/name", "m/app/new"));
        assert_pieces_written("new", pieces, "piece\n");
        close(fd);

        fd = gather("m/app/close", flags[i], &pieces);
        assert_ok(close(fd));
        assert_pieces_written("close", pieces, "piece\n");
        assert_ok(unlink("m/app/sync"));
        assert_ok(unlink("m/app/open"));
        assert_ok(unlink("m/app/new"));
        assert_ok(unlink("m/app/close"));
    }
}

/* What a removed file had gathered stays in it, in memory. */
static void test_unlinked(void **state)
{
    char text[256];
    size_t pieces;

    (void)state;
    harness_start_app(NULL);
    int fd = gather("m/app/k", O_RDWR | O_APPEND | O_CREAT, &pieces);
    assert_ok(unlink("m/app/k"));
    assert_int_equal(write(fd, "end\n", 4), 4);
    assert_int_equal(pread(fd, text, sizeof text, 0), pieces * 6 + 4);
    assert_memory_equal(text + pieces * 6, "end\n", 4);
    assert_ok(close(fd));
    assert_not_in_store("app", "k");
}

/* A removed file whose value nobody knows any more does not show that of another of its name. */
static void test_removed_in_doubt(void **state)
{
    char text[16];

    (void)state;
    start_channel("timeout=1");
    peer_set("app", "k", "value\n");
    int fd = harness_open("m/app/k", O_RDWR | O_APPEND);
    sim_fault("never-reply:command=datasets-set-entry:count=1");
    assert_errno(write(fd, "in doubt\n", 9), ETIMEDOUT);
    sim_clear();
    assert_ok(unlink("m/app/k"));
    peer_set("app", "k", "of somebody else");
    assert_errno(pread(fd, text, sizeof text, 0), ESTALE);
    assert_ok(close(fd));
}

#define NO_SPACE "error=unable-to-allocate:command=datasets-set-entry"

/* The failure of a late commit is told by whatever comes next, and nothing of what was acknowledged
 * is lost by it: once the store takes it, it is there. */
static void test_failure_is_told_by_the_next_call(void **state)
{
    static const int flags[] = {O_WRONLY | O_CREAT | O_TRUNC, O_WRONLY | O_APPEND | O_CREAT};
    enum { FSYNC, CLOSE, WRITE, CALLS };

    (void)state;
    start_channel(NULL);
    for (size_t i = 0; i < CALLS * sizeof flags / sizeof *flags; i++) {
        size_t pieces;
        int fd = gather("m/app/k", flags[i / CALLS], &pieces);

        assert_ok(fsync(fd));
        sim_fault(NO_SPACE);
        assert_int_equal(write(fd, "piece\n", 6), 6);
        if (i % CALLS == FSYNC) {
            assert_errno(fsync(fd), ENOSPC);
            assert_errno(fsync(fd), ENOSPC);
        } else if (i % CALLS == WRITE) {
            uint64_t fired = sim_fired();

            assert_soon(sim_fired() > fired); /* by itself, once it is idle */
            assert_errno(write(fd, "refused", 7), ENOSPC);
        } else {
            int other = dup(fd);

            assert_errno(close(other), ENOSPC);
        }
        assert_pieces_written("k", pieces, "piece\n");
        assert_int_equal(harness_size("m/app/k"), (pieces + 1) * 6);
        sim_clear();
        assert_ok(close(fd));
        assert_pieces_written("k", pieces + 1, "piece\n");
        assert_ok(unlink("m/app/k"));
    }
}

/* Until then each who closes or synchronises the file is told; after the last of them what was not
 * taken is dropped, with a line in the log. */
static void test_failure_is_told_to_each(void **state)
{
    size_t pieces;

    (void)state;
    start_channel(NULL);
    int one = gather("m/app/k", O_WRONLY | O_CREAT | O_APPEND, &pieces);
    int two = gather("m/app/k", O_WRONLY | O_APPEND, &pieces);
    int idle = harness_open("m/app/k", O_WRONLY | O_APPEND);

    assert_ok(fsync(one));
    sim_fault(NO_SPACE);
    assert_int_equal(write(one, "lost\n", 5), 5);
    assert_int_equal(write(two, "lost\n", 5), 5);
    assert_errno(fsync(two), ENOSPC);
    assert_errno(close(two), ENOSPC);
    assert_errno(close(idle), ENOSPC);
    assert_errno(close(one), ENOSPC);
    assert_sh_ok("dash", "",
                 "until grep -q 'release.*app/k.*ENOSPC' m/.datasetfs/errors; do :; done");
    sim_clear();
    assert_sh_ok("bash", "", "cmp m/app/k <(for i in $(seq %zu); do echo piece; done)", 2 * pieces);
    assert_pieces_written("k", 2 * pieces, "piece\n");
}

/* A truncation that waited for its data, and was refused when somebody else opened the file. */
static void test_failed_truncation_is_told(void **state)
{
    (void)state;
    start_channel(NULL);
    for (int by_path = 0; by_path < 2; by_path++) {
        assert_int_equal(harness_write("m/app/k", O_CREAT, "old"), 0);
        int fd = harness_open("m/app/k", O_WRONLY);
        /* truncate(2) does not say who asked. */
        assert_ok(by_path ? truncate("m/app/k", 0) : ftruncate(fd, 0));
        sim_fault(NO_SPACE);
        assert_ok(close(harness_open("m/app/k", O_RDONLY)));
        assert_int_not_equal(sim_fired(), 0);
        assert_errno(close(dup(fd)), ENOSPC);
        assert_store("app", "k", "old");
        sim_clear();
        assert_ok(close(fd));
        assert_store("app", "k", "");
    }
}

static int read_slowly(void *unused)
{
    char got[8];

    (void)unused;
    return harness_read("m/app/slow", got, sizeof got) == 4 ? 0 : EIO;
}

/* What was gathered is the old value of who truncates then, also while all threads are busy. */
static void test_truncated_while_all_are_busy(void **state)
{
    (void)state;
    start_channel("commit=close,max_threads=2,channels=2");
    peer_set("app", "k", "old");
    peer_set("app", "slow", "slow");
    int fd = harness_open("m/app/k", O_WRONLY);
    assert_int_equal(write(fd, "good", 4), 4);
    assert_ok(access("m/app/slow", F_OK)); /* a shell would close the file */
    harness_outlive_attributes();
    sim_fault("delay=1000:command=datasets-get-entry:count=1");
    pid_t pid = harness_fork(read_slowly, NULL);
    assert_soon(sim_fired() == 1);
    int other = harness_open("m/app/k", O_WRONLY | O_TRUNC);
    assert_errno(write(other, "\xff", 1), EILSEQ);
    assert_ok(close(other));
    assert_ok(close(fd));
    assert_int_equal(harness_wait_child(pid, HARNESS_SOON_MS, false), 0);
    assert_store("app", "k", "good");
}

/* An open of somebody else that commits what was gathered succeeds though the commit fails: it is
 * the writer's failure. */
static void test_failure_is_not_the_readers(void **state)
{
    size_t pieces;

    (void)state;
    start_channel(NULL);
    int fd = gather("m/app/k", O_WRONLY | O_CREAT | O_TRUNC, &pieces);
    assert_ok(fsync(fd));
    sim_fault(NO_SPACE);
    assert_int_equal(write(fd, "piece\n", 6), 6);
    int reader = harness_open("m/app/k", O_RDONLY);
    assert_ok(close(reader));
    assert_sh_ok("dash", "", "grep -q 'commit.*/app/k.*ENOSPC' m/.datasetfs/errors");
    /* Nor may it be emptied before: what was acknowledged would be lost then. */
    assert_errno(open("m/app/k", O_WRONLY | O_TRUNC | O_CLOEXEC), ENOSPC);
    sim_clear();
    int next = harness_open("m/app/k", O_WRONLY | O_TRUNC);
    assert_ok(close(fd));
    assert_pieces_written("k", pieces + 1, "piece\n");
    assert_ok(close(next));
}

/* bash reports what its first lines meet; the other lines' failure shows in the log. */
static void test_failure_with_nobody_to_tell(void **state)
{
    (void)state;
    start_channel(NULL);
    sim_fault(NO_SPACE);
    assert_sh_fails("bash", "No space left", "echo x > m/app/k");
    sim_clear();
    sim_fault(NO_SPACE ":skip=16");
    assert_sh_ok("bash", "", "for i in $(seq 17); do echo $i; done > m/app/k");
    assert_sh_ok("bash", "1\n", "grep -c ENOSPC m/.datasetfs/errors | sed 's/.*/1/'");
    sim_clear();
    assert_sh_ok("bash", "16\n", "wc -l < m/app/k");
}

/* More than fits is refused alone: what was gathered before it stays. */
static void test_too_large(void **state)
{
    static const int flags[] = {O_WRONLY | O_CREAT | O_TRUNC, O_WRONLY | O_APPEND | O_CREAT};
    char *block = aligned_alloc(4096, MIB); /* else one write is two requests */

    (void)state;
    assert_non_null(block);
    memset(block, 'x', MIB);
    harness_start_app(NULL);
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        size_t pieces;
        int fd = gather("m/app/k", flags[i], &pieces);

        /* An append is one request, and its offset does not count. */
        assert_errno(pwrite(fd, block, flags[i] & O_APPEND ? MIB : 1, MIB), EFBIG);
        assert_int_equal(write(fd, "piece\n", 6), 6);
        assert_ok(close(fd));
        assert_pieces_written("k", pieces + 1, "piece\n");
        assert_ok(unlink("m/app/k"));
    }
    free(block);
}

/* Code points that the pieces cut are put together. */
static void test_cut_text(void **state)
{
    static const char text[] = "\xe2\x82\xac\xf0\x9f\x98\x80\xc3\xa4";
    static const int flags[] = {O_WRONLY | O_CREAT | O_TRUNC, O_WRONLY | O_APPEND | O_CREAT};
    enum { ROUNDS = 30 };

    (void)state;
    harness_start_app(NULL);
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        int fd = harness_open("m/app/k", flags[i]);

        for (size_t at = 0; at < ROUNDS * strlen(text); at++)
            assert_int_equal(write(fd, &text[at % strlen(text)], 1), 1);
        assert_ok(close(fd));
        assert_pieces_written("k", ROUNDS, text);
        fd = harness_open("m/app/k", flags[i]);
        for (size_t at = 0; at < ROUNDS * strlen(text) + 1; at++)
            assert_int_equal(write(fd, &text[at % strlen(text)], 1), 1);
        assert_errno(close(fd), EILSEQ);
        assert_ok(unlink("m/app/k"));
    }
}

/* With commit=close nothing is sent before the file is closed. */
static void test_commit_at_close(void **state)
{
    static const int flags[] = {O_WRONLY | O_CREAT | O_TRUNC, O_WRONLY | O_APPEND | O_CREAT};

    (void)state;
    start_channel("commit=close");
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        size_t pieces;
        size_t before = sim_log_count("command=datasets-set-entry");
        int fd = gather("m/app/k", flags[i], &pieces);

        assert_int_equal(harness_size("m/app/k"), pieces * 6);
        assert_int_equal(sim_log_count("command=datasets-set-entry"), before);
        assert_not_in_store("app", "k");
        assert_ok(close(fd));
        assert_int_equal(sim_log_count("command=datasets-set-entry"), before + 1);
        assert_pieces_written("k", pieces, "piece\n");
        assert_ok(unlink("m/app/k"));
    }
    int fd = harness_open("m/app/k", O_WRONLY | O_CREAT | O_TRUNC);
    assert_int_equal(write(fd, "x", 1), 1);
    sim_fault(NO_SPACE ":count=1");
    assert_errno(close(fd), ENOSPC);
}

/* All of it takes longer than one operation may, but none does. */
static void test_slow_end(void **state)
{
    enum { FILES = 6 };
    char path[32], key[16];
    int fds[FILES];

    (void)state;
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    sim_start(NULL);
    struct harness_daemon *daemon =
        harness_start_source("m", sim_source(), "commit=close,timeout=2");
    for (int i = 0; i < FILES; i++) {
        snprintf(path, sizeof path, "m/app/k%d", i);
        fds[i] = harness_open(path, O_WRONLY | O_CREAT);
        assert_int_equal(write(fds[i], "kept", 4), 4);
    }
    sim_fault("delay=500:command=datasets-set-entry");
    harness_stop(daemon);
    for (int i = 0; i < FILES; i++) {
        close(fds[i]);
        snprintf(key, sizeof key, "k%d", i);
        assert_store("app", key, "kept");
    }
}

/* What was appended to a new file is there when it is then changed elsewhere than at its end. */
static void test_appended_then_changed(void **state)
{
    (void)state;
    start_channel("commit=close");
    int fd = harness_open("m/app/k", O_WRONLY | O_CREAT | O_APPEND);
    assert_int_equal(write(fd, "abcdef", 6), 6);
    assert_ok(ftruncate(fd, 3));
    assert_ok(close(fd));
    assert_store("app", "k", "abc");
    fd = harness_open("m/app/l", O_WRONLY | O_CREAT | O_APPEND);
    int other = harness_open("m/app/l", O_WRONLY);
    assert_int_equal(write(fd, "abcdef", 6), 6);
    assert_int_equal(pwrite(other, "X", 1, 1), 1);
    assert_ok(close(other));
    assert_ok(close(fd));
    assert_store("app", "l", "aXcdef");
}

/* While a long value grows by appends, somebody else replaces it: the last commit sees that and
 * makes it whole. */
static void test_growth_is_checked(void **state)
{
    enum { BLOCKS = 8, BLOCK = 100 * KIB };
    char *block = malloc(BLOCK + 1);

    (void)state;
    assert_non_null(block);
    memset(block, 'x', BLOCK);
    block[BLOCK] = '\0';
    start_channel(NULL);
    int fd = harness_open("m/app/k", O_WRONLY | O_CREAT | O_TRUNC);
    for (int i = 0; i < BLOCKS; i++) {
        if (i == 1)
            peer_set("app", "k", "of somebody else");
        assert_int_equal(write(fd, block, BLOCK), BLOCK);
    }
    assert_ok(close(fd));
    assert_pieces_written("k", BLOCKS, block);
    free(block);
}

/* The channel breaks more than once while a long value is sent: it goes on from what stands there.
 */
static void test_growth_breaks_twice(void **state)
{
    (void)state;
    start_channel(NULL);
    assert_sh_ok("dash", "", "yes 'some words' | head -c %d > big", MIB);
    for (int between = 0; between < 4; between++) {
        uint64_t fired = sim_fired();

        sim_fault("close-before:command=datasets-set-entry:count=1:skip=11");
        sim_fault("close-before:command=datasets-set-entry:count=1:skip=%d", 11 + between);
        assert_sh_ok("dash", "", "cp big m/app/k && cmp big m/app/k");
        assert_int_equal(sim_fired(), fired + 2);
        sim_clear();
        harness_prolong();
    }
}

static const struct CMUnitTest tests[] = {
    HARNESS_TEST(test_lines_of_bash),
    HARNESS_TEST(test_copies),
    HARNESS_TEST(test_copies_over_rest),
    HARNESS_TEST(test_single_bytes),
    HARNESS_TEST(test_idle),
    HARNESS_TEST(test_events),
    HARNESS_TEST(test_unlinked),
    HARNESS_TEST(test_removed_in_doubt),
    HARNESS_TEST(test_failure_is_told_by_the_next_call),
    HARNESS_TEST(test_failure_is_told_to_each),
    HARNESS_TEST(test_failed_truncation_is_told),
    HARNESS_TEST(test_truncated_while_all_are_busy),
    HARNESS_TEST(test_failure_is_not_the_readers),
    HARNESS_TEST(test_failure_with_nobody_to_tell),
    HARNESS_TEST(test_too_large),
    HARNESS_TEST(test_cut_text),
    HARNESS_TEST(test_commit_at_close),
    HARNESS_TEST(test_slow_end),
    HARNESS_TEST(test_appended_then_changed),
    HARNESS_TEST(test_growth_is_checked),
    HARNESS_TEST(test_growth_breaks_twice),
};

HARNESS_MAIN(tests)
