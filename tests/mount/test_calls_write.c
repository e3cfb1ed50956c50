/* open, write, truncate, fsync and close, by system call, with the exact errno. */
#include "harness.h"

#include "cleanup.h"
#include "peer.h"
#include "shell.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB ((size_t)1024 * 1024)

static void test_open_flags(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_set("app", "k", "value");
    assert_errno(open("m/app/missing", O_RDONLY), ENOENT);
    assert_errno(open("m/app/missing", O_WRONLY | O_TRUNC), ENOENT);
    assert_errno(open("m/missing/k", O_WRONLY | O_CREAT, 0600), ENOENT);
    assert_errno(open("m/app/k/below", O_RDONLY), ENOTDIR);
    assert_errno(open("m/app", O_WRONLY), EISDIR);
    assert_errno(open("m/app/k", O_RDONLY | O_DIRECTORY), ENOTDIR);
    assert_errno(open("m/app/k", O_WRONLY | O_CREAT | O_EXCL, 0600), EEXIST);
    int fd = harness_open("m/app/k", O_RDWR | O_CREAT);
    char got[16] = "";
    assert_int_equal(read(fd, got, sizeof got), 5);
    assert_string_equal(got, "value");
    assert_errno(lseek(fd, -1, SEEK_SET), EINVAL);
    assert_int_equal(lseek(fd, -2, SEEK_END), 3);
    assert_int_equal(close(fd), 0);
    assert_store("app", "k", "value");
    fd = harness_open("m/app/k", O_RDONLY);
    assert_errno(write(fd, "x", 1), EBADF);
    assert_int_equal(close(fd), 0);
    fd = harness_open("m/app/k", O_WRONLY);
    assert_errno(read(fd, got, 1), EBADF);
    assert_int_equal(close(fd), 0);
    assert_store("app", "k", "value");
}

static void test_exclusive_create(void **state)
{
    (void)state;
    harness_start_app(NULL);
    int fd = harness_open("m/app/k", O_WRONLY | O_CREAT | O_EXCL);
    assert_errno(open("m/app/k", O_WRONLY | O_CREAT | O_EXCL, 0600), EEXIST);
    harness_put(fd, "mine");
    assert_store("app", "k", "mine");
    assert_int_equal(close(fd), 0);
    assert_errno(open("m/app/k", O_WRONLY | O_CREAT | O_EXCL, 0600), EEXIST);
    /* A key that the other side makes is seen as well. */
    peer_set("app", "theirs", "");
    assert_errno(open("m/app/theirs", O_WRONLY | O_CREAT | O_EXCL, 0600), EEXIST);
}

static void test_write_is_committed(void **state)
{
    (void)state;
    harness_start_app(NULL);
    int fd = harness_open("m/app/k", O_RDWR | O_CREAT);
    assert_true(peer_lacks("app", "k"));
    harness_put(fd, "one");
    assert_store("app", "k", "one");
    harness_put(fd, "two");
    assert_int_equal(fsync(fd), 0);
    assert_store("app", "k", "onetwo");
    assert_int_equal(pwrite(fd, "XY", 2, 2), 2);
    assert_int_equal(fdatasync(fd), 0);
    assert_store("app", "k", "onXYwo");
    assert_int_equal(pwrite(fd, "ZZZ", 3, 5), 3);
    assert_int_equal(close(fd), 0);
    assert_store("app", "k", "onXYwZZZ");
    assert_content("m/app/k", "onXYwZZZ");
}

/* Offsets that do not fit into 32 bits are no smaller ones. */
static void test_far_offsets(void **state)
{
    (void)state;
    const off_t far = (off_t)1 << 32;
    char got[8];
    harness_start_app(NULL);
    peer_set("app", "k", "value");
    int fd = harness_open("m/app/k", O_RDWR);
    assert_errno(pwrite(fd, "X", 1, far + 1), EFBIG);
    assert_errno(ftruncate(fd, far + 2), EFBIG);
    assert_int_equal(pread(fd, got, sizeof got, far), 0);
    assert_int_equal(close(fd), 0);
    assert_errno(truncate("m/app/k", far), EFBIG);
    assert_store("app", "k", "value");

    fd = harness_open("m/.datasetfs/stats", O_RDONLY);
    assert_true(pread(fd, got, sizeof got, 0) > 0);
    assert_int_equal(pread(fd, got, sizeof got, far), 0);
    assert_int_equal(close(fd), 0);
}

/* Also where this mount wrote the same bytes before: somebody else may have changed them since. */
static void test_same_write_is_committed(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_set("app", "k", "1");
    int fd = harness_open("m/app/k", O_RDWR);
    assert_int_equal(pwrite(fd, "2", 1, 0), 1);
    assert_store("app", "k", "2");
    peer_set("app", "k", "1");
    assert_int_equal(pwrite(fd, "2", 1, 0), 1);
    assert_store("app", "k", "2");
    assert_ok(close(fd));
}

static void test_append_ignores_offset(void **state)
{
    (void)state;
    harness_start_app(NULL);
    int fd = harness_open("m/app/k", O_WRONLY | O_APPEND | O_CREAT);
    harness_put(fd, "1\n");
    assert_store("app", "k", "1\n");
    peer_set("app", "k", "1\nfrom outside\n");
    harness_put(fd, "2\n");
    assert_store("app", "k", "1\nfrom outside\n2\n");
    peer_set("app", "k", "");
    harness_put(fd, "3\n");
    assert_store("app", "k", "3\n");
    assert_int_equal(pwrite(fd, "4\n", 2, 0), 2);
    assert_store("app", "k", "3\n4\n");
    assert_int_equal(close(fd), 0);
    assert_content("m/app/k", "3\n4\n");
    assert_int_equal(harness_size("m/app/k"), 4);
}

static void test_two_handles(void **state)
{
    (void)state;
    harness_start_app(NULL);
    int a = harness_open("m/app/k", O_WRONLY | O_APPEND | O_CREAT);
    int b = harness_open("m/app/k", O_WRONLY | O_APPEND | O_CREAT);
    harness_put(a, "a1\n");
    harness_put(b, "b1\n");
    harness_put(a, "a2\n");
    assert_int_equal(close(a), 0);
    harness_put(b, "b2\n");
    assert_int_equal(close(b), 0);
    assert_store("app", "k", "a1\nb1\na2\nb2\n");
    a = harness_open("m/app/k", O_RDWR);
    b = harness_open("m/app/k", O_RDWR);
    assert_int_equal(pwrite(a, "A", 1, 0), 1);
    assert_int_equal(pwrite(b, "B", 1, 3), 1);
    char got[16] = "";
    assert_int_equal(pread(a, got, sizeof got, 0), 12);
    assert_string_equal(got, "A1\nB1\na2\nb2\n");
    assert_int_equal(close(a), 0);
    assert_int_equal(close(b), 0);
    assert_store("app", "k", "A1\nB1\na2\nb2\n");
}

static void test_ftruncate(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_set("app", "k", "hello");
    int fd = harness_open("m/app/k", O_RDWR);
    assert_errno(ftruncate(fd, 9), EILSEQ);
    assert_errno(ftruncate(fd, 6), EILSEQ);
    assert_store("app", "k", "hello");
    assert_int_equal(harness_size("m/app/k"), 5);
    assert_int_equal(ftruncate(fd, 5), 0);
    assert_int_equal(ftruncate(fd, 3), 0);
    assert_int_equal(fsync(fd), 0);
    assert_store("app", "k", "hel");
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_store("app", "k", "hel"); /* waits for data */
    struct stat status;
    assert_int_equal(fstat(fd, &status), 0);
    assert_int_equal(status.st_size, 0);
    harness_put(fd, "new");
    assert_store("app", "k", "new");
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(fsync(fd), 0);
    assert_store("app", "k", "");
    assert_int_equal(close(fd), 0);
    peer_set("app", "named", "by name");
    assert_int_equal(truncate("m/app/named", 2), 0);
    assert_soon(peer_has("app", "named", "by"));
    assert_int_equal(truncate("m/app/named", 0), 0);
    assert_soon(peer_has("app", "named", ""));
    assert_errno(truncate("m/app/named", 1), EILSEQ);
    /* What the other side wrote meanwhile is what is cut. */
    peer_set("app", "named", "changed");
    assert_int_equal(truncate("m/app/named", 3), 0);
    assert_soon(peer_has("app", "named", "cha"));
    assert_errno(truncate("m/app/missing", 0), ENOENT);
    assert_errno(truncate("m/app", 0), EISDIR);
    /* Cutting a code point in two would leave what no store takes. */
    peer_set("app", "accent", "a\xc3\xa9");
    fd = harness_open("m/app/accent", O_RDWR);
    int cut = ftruncate(fd, 2);
    int closed = close(fd);
    assert_true(cut != 0 || closed != 0);
    assert_true(peer_has("app", "accent", "a\xc3\xa9") || peer_has("app", "accent", "a"));
}

static void test_truncation_waits(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_set("app", "k", "old");
    int fd = harness_open("m/app/k", O_WRONLY | O_TRUNC);
    int other = dup(fd);
    assert_int_equal(close(other), 0); /* a flush, as a shell sends before the data */
    assert_int_equal(harness_size("m/app/k"), 0);
    harness_outlive_attributes();
    assert_int_equal(harness_size("m/app/k"), 0);
    assert_store("app", "k", "old");
    harness_put(fd, "new");
    assert_store("app", "k", "new");
    assert_int_equal(close(fd), 0);

    fd = harness_open("m/app/k", O_WRONLY | O_TRUNC);
    assert_int_equal(close(fd), 0);
    assert_soon(peer_has("app", "k", ""));

    fd = harness_open("m/app/new", O_WRONLY | O_CREAT);
    assert_int_equal(harness_size("m/app/new"), 0);
    assert_true(peer_lacks("app", "new"));
    assert_int_equal(close(fd), 0);
    assert_soon(peer_has("app", "new", ""));

    /* As flock(1) makes its file: nobody ever writes to it. */
    fd = harness_open("m/app/lock", O_RDONLY | O_CREAT);
    assert_true(peer_lacks("app", "lock"));
    assert_int_equal(close(fd), 0);
    assert_soon(peer_has("app", "lock", ""));
}

static void test_truncation_is_committed_by(void **state)
{
    (void)state;
    struct harness_daemon *daemon = harness_start_app(NULL);
    peer_set("app", "k", "old");
    int fd = harness_open("m/app/k", O_WRONLY | O_TRUNC);
    assert_int_equal(fsync(fd), 0);
    assert_store("app", "k", "");
    assert_int_equal(close(fd), 0);

    fd = harness_open("m/app/created", O_WRONLY | O_CREAT);
    assert_int_equal(fsync(fd), 0);
    assert_store("app", "created", "");
    assert_int_equal(close(fd), 0);

    peer_set("app", "k", "old");
    fd = harness_open("m/app/k", O_WRONLY | O_TRUNC);
    assert_content("m/app/k", ""); /* another open */
    assert_store("app", "k", "");
    harness_put(fd, "data");
    assert_store("app", "k", "data");
    assert_int_equal(close(fd), 0);

    /* The end of the mount. */
    fd = harness_open("m/app/k", O_WRONLY | O_TRUNC);
    assert_store("app", "k", "data");
    harness_stop(daemon);
    assert_store("app", "k", "");
    close(fd);
}

static void test_refused_first_write_keeps_old_value(void **state)
{
    (void)state;
    struct harness_daemon *daemon = harness_start_app(NULL);
    peer_set("app", "k", "old");
    int fd = harness_open("m/app/k", O_WRONLY | O_TRUNC);
    assert_errno(write(fd, "a\xff", 2), EILSEQ);
    assert_store("app", "k", "old");
    close(fd);
    fd = harness_open("m/app/new", O_WRONLY | O_CREAT);
    assert_errno(write(fd, "a\0b", 3), EILSEQ);
    close(fd);
    assert_content("m/app/k", "old");
    assert_errno(open("m/app/new", O_RDONLY), ENOENT);
    /* The kernel does not remember the name of what was never made. */
    fd = harness_open("m/app/again", O_WRONLY | O_CREAT | O_EXCL);
    assert_errno(write(fd, "a\xff", 2), EILSEQ);
    close(fd);
    assert_errno(rename("m/app/again", "m/app/again"), ENOENT);
    assert_int_equal(harness_write("m/app/again", O_CREAT | O_EXCL, "good"), 0);
    assert_store("app", "again", "good");
    harness_stop(daemon); /* whatever waited is committed now */
    assert_store("app", "k", "old");
    assert_not_in_store("app", "new");
}

/* What one writer gets refused is no failure of the others, who have lost nothing. */
static void test_refused_write_is_its_writers(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_set("app", "k", "old");
    int bad = harness_open("m/app/k", O_WRONLY);
    int good = harness_open("m/app/k", O_WRONLY | O_TRUNC);
    assert_errno(write(bad, "a\xff", 2), EILSEQ);
    assert_store("app", "k", "old");
    harness_put(good, "new");
    assert_store("app", "k", "new");
    assert_int_equal(close(good), 0);
    assert_int_equal(close(bad), 0);
    /* The beginning of a code point, which was taken, is no less there after what does not fit. */
    good = harness_open("m/app/new", O_WRONLY | O_CREAT | O_APPEND);
    harness_put(good, "\xc3");
    assert_errno(write(good, "z", 1), EILSEQ);
    harness_put(good, "\xa9");
    assert_int_equal(close(good), 0);
    assert_store("app", "new", "\xc3\xa9");
}

static void test_not_text(void **state)
{
    (void)state;
    harness_start_app(NULL);
    int fd = harness_open("m/app/k", O_RDWR | O_CREAT);
    harness_put(fd, "good");
    assert_errno(write(fd, "\xff", 1), EILSEQ);
    assert_errno(write(fd, "\0", 1), EILSEQ);
    assert_errno(write(fd, "\xed\xa0\x80", 3), EILSEQ); /* a surrogate */
    assert_errno(write(fd, "\xc0\xaf", 2), EILSEQ);     /* overlong */
    assert_errno(pwrite(fd, "\xa9x", 2, 0), EILSEQ);    /* nothing can stand before it */
    assert_errno(pwrite(fd, "x", 1, 9), EILSEQ);        /* a hole */
    assert_store("app", "k", "good");
    harness_put(fd, "!");
    close(fd);
    assert_store("app", "k", "good!");
    assert_content("m/app/k", "good!");
}

static void test_split_code_point(void **state)
{
    (void)state;
    harness_start_app(NULL);
    int fd = harness_open("m/app/k", O_WRONLY | O_CREAT);
    harness_put(fd, "a\xf0\x9f");
    assert_true(peer_lacks("app", "k"));
    harness_put(fd, "\x98");
    harness_put(fd, "\x80z");
    assert_int_equal(close(fd), 0);
    assert_store("app", "k", "a\xf0\x9f\x98\x80z");

    /* What never becomes text leaves what was there before. */
    fd = harness_open("m/app/cut", O_WRONLY | O_CREAT);
    harness_put(fd, "caf\xc3");
    assert_errno(fsync(fd), EILSEQ);
    assert_errno(close(fd), EILSEQ);
    assert_soon(access("m/app/cut", F_OK) == -1 && errno == ENOENT);
    assert_not_in_store("app", "cut");

    peer_set("app", "cut", "old");
    fd = harness_open("m/app/cut", O_WRONLY | O_TRUNC);
    harness_put(fd, "th\xc3");
    assert_errno(close(fd), EILSEQ);
    assert_soon(harness_size("m/app/cut") == 3);
    assert_store("app", "cut", "old");

    /* The rest is never completed by a byte that does not belong to it. */
    fd = harness_open("m/app/cut", O_WRONLY | O_TRUNC);
    harness_put(fd, "x\xc3");
    assert_errno(write(fd, "y", 1), EILSEQ);
    assert_errno(close(fd), EILSEQ);
    assert_soon(harness_size("m/app/cut") == 3);
    assert_store("app", "cut", "old");
}

static void test_too_large(void **state)
{
    (void)state;
    harness_start_app(NULL);
    char *text DS_AUTO_FREE = calloc(1, MIB + 2);
    assert_non_null(text);
    memset(text, 'a', MIB);
    assert_int_equal(harness_write("m/app/k", O_CREAT, text), 0);
    assert_store("app", "k", text);
    assert_int_equal(harness_size("m/app/k"), (off_t)MIB);
    int fd = harness_open("m/app/k", O_WRONLY);
    assert_errno(pwrite(fd, "b", 1, (off_t)MIB), EFBIG);
    assert_errno(ftruncate(fd, (off_t)MIB + 1), EFBIG);
    assert_int_equal(close(fd), 0);
    fd = harness_open("m/app/k", O_WRONLY | O_APPEND);
    assert_errno(write(fd, "b", 1), EFBIG);
    assert_int_equal(close(fd), 0);
    assert_store("app", "k", text);
    text[MIB] = 'a';
    assert_int_equal(harness_write("m/app/over", O_CREAT, text), -EFBIG);
    char *left DS_AUTO_FREE = peer_get("app", "over");
    assert_true(!left || strlen(left) <= MIB);
}

/* There is no room to reserve and none to punch out, in no mode. */
static void test_fallocate(void **state)
{
    (void)state;
    static const int modes[] = {
        0,
        FALLOC_FL_KEEP_SIZE,
        FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
        FALLOC_FL_ZERO_RANGE,
        FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
        FALLOC_FL_COLLAPSE_RANGE,
        FALLOC_FL_INSERT_RANGE,
        FALLOC_FL_UNSHARE_RANGE,
    };
    harness_start_app(NULL);
    peer_set("app", "k", "value");
    static const int flags[] = {O_RDWR, O_WRONLY, O_WRONLY | O_APPEND};
    for (size_t f = 0; f < sizeof flags / sizeof *flags; f++) {
        int fd = harness_open("m/app/k", flags[f]);
        for (size_t i = 0; i < 2 * sizeof modes / sizeof *modes; i++) {
            int mode = modes[i / 2];
            assert_errno(fallocate(fd, mode, 0, i % 2 ? 4096 : 3), EOPNOTSUPP);
        }
        assert_ok(close(fd));
    }
    int fd = harness_open("m/app/k", O_RDONLY);
    assert_errno(fallocate(fd, 0, 0, 10), EBADF);
    assert_ok(close(fd));
    assert_store("app", "k", "value");
}

/* glibc makes up for it with NULs, which no value holds. */
static void test_posix_fallocate(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_set("app", "k", "value");
    int fd = harness_open("m/app/k", O_RDWR);
    assert_int_equal(posix_fallocate(fd, 0, 10000), EILSEQ);
    assert_int_equal(posix_fallocate(fd, 5, 1), EILSEQ);
    assert_store("app", "k", "value");
    assert_content("m/app/k", "value");
    assert_int_equal(harness_size("m/app/k"), 5);
    assert_int_equal(pwrite(fd, "V", 1, 0), 1);
    assert_ok(close(fd));
    assert_store("app", "k", "Value");

    /* What waits for its data: the old value stays, and the data is still taken. */
    fd = harness_open("m/app/k", O_RDWR | O_TRUNC);
    assert_int_equal(posix_fallocate(fd, 0, 100), EILSEQ);
    assert_store("app", "k", "Value");
    harness_put(fd, "new");
    assert_ok(close(fd));
    assert_store("app", "k", "new");
    fd = harness_open("m/app/created", O_RDWR | O_CREAT);
    assert_int_equal(posix_fallocate(fd, 0, 100), EILSEQ);
    assert_not_in_store("app", "created");
    harness_put(fd, "made");
    assert_ok(close(fd));
    assert_store("app", "created", "made");
}

/* Without a handler of ours the kernel copies by itself. */
static void test_copy_file_range(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_create("other", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    char *text DS_AUTO_FREE = calloc(1, 300001);
    assert_non_null(text);
    for (int i = 0; i + 3 <= 300000; i += 3)
        memcpy(text + i, "\xe2\x82\xac", 3); /* no power of two divides a code point's three */
    peer_set("app", "k", text);
    int from = harness_open("m/app/k", O_RDONLY);
    int to = harness_open("m/other/k", O_WRONLY | O_CREAT | O_EXCL);
    ssize_t copied = 1;
    for (ssize_t all = 0; copied > 0; all += copied) {
        copied = copy_file_range(from, NULL, to, NULL, MIB, 0);
        assert_true(copied >= 0 && all + copied <= 300000);
    }
    assert_ok(close(to));
    assert_ok(close(from));
    assert_store("other", "k", text);
    assert_sh_ok("bash", "", "cp m/app/k m/app/j && cp m/other/k m/app/k && cmp m/app/j m/app/k");
    assert_store("app", "j", text);
    assert_store("app", "k", text);
}

static const struct CMUnitTest tests[] = {
    HARNESS_TEST(test_open_flags),
    HARNESS_TEST(test_exclusive_create),
    HARNESS_TEST(test_write_is_committed),
    HARNESS_TEST(test_far_offsets),
    HARNESS_TEST(test_same_write_is_committed),
    HARNESS_TEST(test_append_ignores_offset),
    HARNESS_TEST(test_two_handles),
    HARNESS_TEST(test_ftruncate),
    HARNESS_TEST(test_truncation_waits),
    HARNESS_TEST(test_truncation_is_committed_by),
    HARNESS_TEST(test_refused_first_write_keeps_old_value),
    HARNESS_TEST(test_refused_write_is_its_writers),
    HARNESS_TEST(test_not_text),
    HARNESS_TEST(test_split_code_point),
    HARNESS_TEST(test_too_large),
    HARNESS_TEST(test_fallocate),
    HARNESS_TEST(test_posix_fallocate),
    HARNESS_TEST(test_copy_file_range),
};

HARNESS_MAIN(tests)
