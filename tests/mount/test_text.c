/* Values that end inside a code point: what was there before stays, and what is completed in time
 * arrives. */
#include "harness.h"

#include "peer.h"
#include "shell.h"
#include "stats.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The line that the release of a file leaves whose text was never completed. */
static bool release_told(const char *key)
{
    return shell_run("dash", "grep -q 'release.*/app/%s[[:space:]]EILSEQ' m/.datasetfs/errors", key)
               ->status == 0;
}

static void assert_nothing_of(const char *key)
{
    assert_soon(release_told(key));
    assert_not_in_store("app", key);
    assert_sh_fails("dash", "No such file", "cat m/app/%s", key);
    assert_sh_fails("dash", "", "ls m/app | grep -qx %s", key);
}

/* Each shell, `>` and `>>`, an old value and a new key; and a cut in each place of a code point. */
static void test_shells(void **state)
{
    static const char *const shells[] = {"bash", "dash", "zsh", "busybox sh"};
    static const char *const ends[] = {"\\351", "caf\\303", "a\\342\\202", "b\\360\\237\\230"};

    (void)state;
    harness_start_app(NULL);
    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++)
        for (size_t j = 0; j < sizeof ends / sizeof *ends; j++)
            for (int append = 0; append < 2; append++) {
                const char *way = append ? ">>" : ">";
                char old[16], new[16];

                snprintf(old, sizeof old, "o%zu%zu%d", i, j, append);
                snprintf(new, sizeof new, "n%zu%zu%d", i, j, append);
                assert_sh_ok("dash", "", "printf old > m/app/%s", old);
                shell_run("dash", "%s -c \"printf '%s' %s m/app/%s\"", shells[i], ends[j], way,
                          old);
                assert_soon(release_told(old));
                assert_store("app", old, "old");
                assert_sh_ok("dash", "old", "cat m/app/%s", old);
                shell_run("dash", "%s -c \"printf '%s' %s m/app/%s\"", shells[i], ends[j], way,
                          new);
                assert_nothing_of(new);
                /* The name is free again, for those too who insist on making it. */
                assert_sh_ok("dash", "", "set -C; until echo x > m/app/%s; do :; done 2>&-", new);
                assert_store("app", new, "x\n");
                harness_prolong();
            }
}

/* What was written whole before the cut stays, as a file's does. */
static void test_whole_writes_stay(void **state)
{
    (void)state;
    harness_start_app(NULL);
    shell_run("bash", "{ echo line; printf 'caf\\351'; } > m/app/k");
    assert_soon(release_told("k"));
    assert_store("app", "k", "line\n");
    shell_run("bash", "{ echo more; printf 'caf\\351'; } >> m/app/k");
    assert_soon(peer_has("app", "k", "line\nmore\n"));
}

/* Programs that look at what close(2) says hear of it. */
static void test_programs(void **state)
{
    static const char *const commands[] = {
        "cp cut m/app/k",
        "cat cut | tee m/app/k",
        "dd if=cut of=m/app/k status=none",
        "dd if=cut of=m/app/k bs=1 status=none",
        "cat cut | dd bs=3 of=m/app/k status=none",
        "cat cut > m/app/k && false", /* the shell closes it, and does not look */
        "perl -e 'open F, q(>), q(m/app/k) or die; print F qq(caf\\303) or die; close F or die $!'",
        ("perl -e 'open F, q(>>), q(m/app/k) or die; print F qq(caf\\303) or die; close F or die "
         "$!'"),
        "python3 -c 'f = open(\"m/app/k\", \"wb\"); f.write(b\"caf\\303\"); f.close()'",
        "cp --remove-destination cut m/app/k2"};

    (void)state;
    harness_start_app(NULL);
    assert_sh_ok("bash", "", "printf 'caf\\303' > cut");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        uint64_t before = stats_counter("m", "datasetfs_fuse_requests_total{opcode=\"release\"}");

        assert_sh_ok("dash", "", "printf old > m/app/k");
        assert_int_not_equal(shell_run("dash", "%s", commands[i])->status, 0);
        assert_soon(stats_counter("m", "datasetfs_fuse_requests_total{opcode=\"release\"}") >
                    before + 1);
        /* dd bs=1 has written three characters by themselves. */
        if (strstr(commands[i], "bs=1"))
            assert_soon(peer_has("app", "k", "caf"));
        else if (strstr(commands[i], "bs=3"))
            assert_soon(peer_has("app", "k", "caf"));
        else
            assert_store("app", "k", "old");
        assert_sh_ok("dash", "", "rm m/app/k");
        harness_prolong();
    }
    assert_not_in_store("app", "k2");
}

/* What completes a code point may come from another process with the same file. */
static void test_completed(void **state)
{
    (void)state;
    harness_start_app(NULL);
    /* The first one's exit closes what it shares with the second, and it says what it hears. */
    assert_sh_ok("dash", "",
                 "{ /usr/bin/printf 'caf\\303'; /usr/bin/printf '\\251'; } > m/app/k 2>/dev/null");
    assert_store("app", "k", "caf\xc3\xa9");
    assert_sh_ok(
        "dash", "",
        "{ /usr/bin/printf 'a\\342'; /usr/bin/printf '\\202\\254'; } >> m/app/k 2>/dev/null");
    assert_store("app", "k",
                 "caf\xc3\xa9"
                 "a\xe2\x82\xac");
    assert_sh_ok(
        "bash", "",
        "for i in $(seq 300); do printf 'h\\303\\251\\342\\202\\254 \\360\\237\\230\\200'; "
        "done > text; for bs in 1 2 3 5 7 64; do "
        "dd if=text of=m/app/d$bs bs=$bs status=none; cmp text m/app/d$bs; "
        "cat text | dd obs=$bs status=none >> m/app/a$bs; cmp text m/app/a$bs; done; "
        "cat text | tee m/app/t > t; cmp text m/app/t; cat < text > m/app/c; "
        "cmp text m/app/c");
    assert_sh_fails("dash", "", "grep release m/.datasetfs/errors");
}

/* A file that holds a piece back: flush and fsync say so, and keep it. */
static void test_is_told_and_kept(void **state)
{
    static const int flags[] = {O_WRONLY | O_TRUNC, O_WRONLY | O_APPEND, O_RDWR, O_WRONLY};

    (void)state;
    harness_start_app(NULL);
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        peer_set("app", "k", "old");
        int fd = harness_open("m/app/k", flags[i]);

        harness_put(fd, "caf\xc3");
        assert_errno(fsync(fd), EILSEQ);
        assert_errno(close(dup(fd)), EILSEQ);
        assert_errno(fsync(fd), EILSEQ);
        assert_store("app", "k", "old");
        harness_put(fd, "\xa9");
        assert_ok(fsync(fd));
        assert_store("app", "k", flags[i] & O_APPEND ? "oldcaf\xc3\xa9" : "caf\xc3\xa9");
        assert_ok(close(fd));
    }
}

/* The bytes of other files go their way meanwhile. */
static void test_others_commit_without_it(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_set("app", "k", "0123456789");
    int one = harness_open("m/app/k", O_WRONLY);
    int two = harness_open("m/app/k", O_RDWR);
    int end = harness_open("m/app/k", O_WRONLY | O_APPEND);

    assert_int_equal(pwrite(one, "caf\xc3", 4, 2), 4);
    assert_int_equal(pwrite(two, "X", 1, 0), 1);
    assert_store("app", "k", "X123456789");
    harness_assert_handle(two, "X1caf\xc3"
                               "6789");
    harness_put(end, "end");
    assert_ok(close(end));
    assert_ok(fsync(two));
    assert_store("app", "k", "X123456789end");
    assert_int_equal(pwrite(one, "\xa9", 1, 6), 1);
    assert_store("app", "k",
                 "X1caf\xc3\xa9"
                 "789end");
    /* Two that hold something back. */
    assert_int_equal(pwrite(one, "\xe2", 1, 0), 1);
    assert_int_equal(pwrite(two, "\xc3", 1, 9), 1);
    assert_int_equal(pwrite(one, "\x82\xac", 2, 1), 2);
    assert_store("app", "k",
                 "\xe2\x82\xac"
                 "af\xc3\xa9"
                 "789end");
    assert_ok(close(one));
    assert_errno(close(two), EILSEQ);
    assert_soon(harness_size("m/app/k") == 13);
}

/* A truncation that cuts a code point waits for the write that makes it whole, as dd's does. */
static void test_truncation(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_set("app", "k", "caf\xc3\xa9 more");
    assert_sh_ok("bash", "", "printf '\\250!' | dd of=m/app/k bs=1 seek=4 status=none");
    assert_store("app", "k", "caf\xc3\xa8!");
    assert_errno(truncate("m/app/k", 4), EILSEQ);
    assert_store("app", "k", "caf\xc3\xa8!");
    int fd = harness_open("m/app/k", O_WRONLY);
    assert_ok(ftruncate(fd, 4));
    assert_store("app", "k", "caf\xc3\xa8!");
    assert_int_equal(harness_size("m/app/k"), 4);
    assert_errno(close(fd), EILSEQ);
    assert_soon(harness_size("m/app/k") == 6);
    /* What is held back and then cut to text is text. */
    fd = harness_open("m/app/k", O_WRONLY | O_TRUNC);
    harness_put(fd, "caf\xc3");
    assert_ok(ftruncate(fd, 3));
    assert_ok(close(fd));
    assert_store("app", "k", "caf");
    fd = harness_open("m/app/k", O_WRONLY | O_TRUNC);
    harness_put(fd, "caf\xc3");
    assert_ok(truncate("m/app/k", 2));
    assert_ok(close(fd));
    assert_store("app", "k", "ca");
}

/* Closes the file, and waits until the daemon has been told by RELEASE too. Looking is one more. */
static void close_and_release(int fd, int error)
{
    static const char released[] = "datasetfs_fuse_requests_total{opcode=\"release\"}";
    uint64_t looks = 0, before = stats_counter("m", released);

    if (error != 0)
        assert_errno(close(fd), error);
    else
        assert_ok(close(fd));
    assert_soon(stats_counter("m", released) - before > ++looks);
}

/* `printf 'caf\351' > k` twice, and the end of the first comes when the second has begun. */
static void test_one_after_the_other(void **state)
{
    (void)state;
    harness_start_app(NULL);
    for (int created = 0; created < 2; created++) {
        int flags = O_WRONLY | O_CREAT | O_TRUNC;
        if (!created)
            peer_set("app", "k", "old");
        int first = harness_open("m/app/k", flags);
        harness_put(first, "caf\xc3");
        int second = harness_open("m/app/k", flags);
        close_and_release(first, 0);
        harness_put(second, "x\xc3");
        close_and_release(second, EILSEQ);
        if (created) {
            assert_nothing_of("k");
        } else {
            assert_store("app", "k", "old");
            assert_sh_ok("dash", "old", "cat m/app/k");
            assert_ok(unlink("m/app/k"));
        }
    }
}

/* A creation that is renamed before its first text has nothing to be renamed. */
static void test_rename(void **state)
{
    (void)state;
    harness_start_app(NULL);
    int fd = harness_open("m/app/k", O_WRONLY | O_CREAT);

    harness_put(fd, "caf\xc3");
    assert_errno(rename("m/app/k", "m/app/l"), EILSEQ);
    harness_put(fd, "\xa9");
    assert_ok(rename("m/app/k", "m/app/l"));
    harness_put(fd, "\xc3");
    assert_ok(rename("m/app/l", "m/app/n"));
    harness_put(fd, "\xa9");
    assert_ok(close(fd));
    assert_store("app", "n", "caf\xc3\xa9\xc3\xa9");
    assert_not_in_store("app", "l");
}

/* Somebody else's truncation is not undone by text that never becomes whole. */
static void test_anothers_truncation(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_set("app", "k", "old");
    int one = harness_open("m/app/k", O_WRONLY | O_TRUNC);
    int two = harness_open("m/app/k", O_WRONLY | O_TRUNC);

    harness_put(two, "caf\xc3");
    assert_ok(close(one));
    assert_soon(peer_has("app", "k", ""));
    assert_errno(close(two), EILSEQ);
    assert_soon(release_told("k"));
    assert_store("app", "k", "");
}

/* Whose first data was refused sees the old value, whatever else of it is refused. */
static void test_refused_and_truncated(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_set("app", "k", "old");
    int fd = harness_open("m/app/k", O_RDWR | O_TRUNC);

    assert_errno(write(fd, "\xff", 1), EILSEQ);
    assert_int_equal(harness_size("m/app/k"), 3);
    assert_errno(ftruncate(fd, 7), EILSEQ);
    assert_int_equal(harness_size("m/app/k"), 3);
    assert_sh_ok("dash", "old", "cat m/app/k");
    assert_ok(close(fd));
    assert_sh_ok("dash", "old", "cat m/app/k");
    assert_store("app", "k", "old");
}

static const struct CMUnitTest tests[] = {
    HARNESS_TEST(test_shells),
    HARNESS_TEST(test_whole_writes_stay),
    HARNESS_TEST(test_programs),
    HARNESS_TEST(test_completed),
    HARNESS_TEST(test_is_told_and_kept),
    HARNESS_TEST(test_others_commit_without_it),
    HARNESS_TEST(test_truncation),
    HARNESS_TEST(test_rename),
    HARNESS_TEST(test_anothers_truncation),
    HARNESS_TEST(test_refused_and_truncated),
    HARNESS_TEST(test_one_after_the_other),
};

HARNESS_MAIN(tests)
