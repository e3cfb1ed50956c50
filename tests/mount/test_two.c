/* Host and guest mounts on one store: what one writes the other's next open shows, whole. */
#include "harness.h"

#include "cleanup.h"
#include "peer.h"
#include "shell.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void start_both(void)
{
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    harness_start("h", NULL);
    harness_start("g", "side=guest");
}

/* `command` on one side; then the other's cat, wc -c and, after the attribute timeout, stat. */
static void change(const char *shell, const char *writer, const char *reader, const char *command,
                   const char *expected)
{
    assert_sh_ok(shell, "", "cd %s/app && %s", writer, command);
    assert_sh_ok(shell, expected, "cat %s/app/k", reader);
    char count[32];
    snprintf(count, sizeof count, "%zu\n", strlen(expected));
    assert_sh_ok(shell, count, "wc -c < %s/app/k", reader);
    harness_outlive_attributes();
    assert_sh_ok(shell, count, "stat -c %%s %s/app/k", reader);
    assert_sh_ok(shell, expected, "cat %s/app/k", writer);
}

/* The same, the reader's very next look being wc -c or a stat after the timeout. */
static void change_counted(const char *shell, const char *writer, const char *reader,
                           const char *command, const char *look, const char *expected)
{
    assert_sh_ok(shell, "", "cd %s/app && %s", writer, command);
    harness_outlive_attributes();
    assert_sh_ok(shell, expected, "cd %s/app && %s", reader, look);
}

static void changes(const char *shell, const char *writer, const char *reader)
{
    change(shell, writer, reader, "echo one > k", "one\n");
    change(shell, writer, reader, "echo two > k", "two\n");
    change(shell, writer, reader, "echo grown longer > k", "grown longer\n");
    change(shell, writer, reader, "echo s > k", "s\n");
    change(shell, writer, reader, "printf '' > k && test -e k && sync k", "");
    change(shell, writer, reader, "echo back > k", "back\n");
    change(shell, writer, reader, "echo added >> k", "back\nadded\n");
    change(shell, writer, reader, "truncate -s 4 k", "back");
    change(shell, writer, reader, "rm k; echo recreated > k", "recreated\n");
    change(shell, writer, reader, "echo other > j; mv j k", "other\n");
    change_counted(shell, writer, reader, "echo equal > k", "wc -c < k", "6\n");
    change_counted(shell, writer, reader, "echo longer > k", "wc -c < k", "7\n");
    change_counted(shell, writer, reader, "echo l > k", "stat -c %s k", "2\n");
    change_counted(shell, writer, reader, "echo longer > k", "stat -c %s k", "7\n");
    change_counted(shell, writer, reader, "echo l > k", "test $(ls -s k | wc -l) = 1; cat k",
                   "l\n");
    assert_sh_ok(shell, "", "rm %s/app/k", writer);
    assert_sh_fails(shell, "No such file or directory", "cat %s/app/k", reader);
    harness_outlive_attributes();
    assert_sh_fails(shell, "No such file or directory", "stat %s/app/k", reader);
    assert_sh_ok(shell, "", "ls %s/app", reader);
}

static void test_host_writes(void **state)
{
    start_both();
    changes(*state, "h", "g");
}

static void test_guest_writes(void **state)
{
    start_both();
    changes(*state, "g", "h");
}

static void test_both_in_turn(void **state)
{
    start_both();
    assert_sh_ok(*state, "", "echo 1 > h/app/k && echo 2 >> g/app/k && echo 3 >> h/app/k");
    assert_store("app", "k", "1\n2\n3\n");
    assert_sh_ok(*state, "1\n2\n3\n", "cat g/app/k");
    assert_sh_ok(*state, "",
                 "for i in 4 5 6 7 8 9; do echo $i >> g/app/k; echo $i >> h/app/k; done");
    assert_sh_ok(*state, "15\n", "wc -l < h/app/k");
    assert_sh_ok(*state, "", "cmp h/app/k g/app/k");
    assert_sh_ok(*state, "", "rm g/app/k; echo x > h/app/k; rm g/app/k; echo y > h/app/k");
    assert_sh_ok(*state, "y\n", "cat g/app/k");
}

/* A reader that keeps the file open must not make the next one's view old or short. */
static void test_reader_holds_open(void **state)
{
    start_both();
    assert_sh_ok(*state, "", "echo first > h/app/k");
    int fd = harness_open("g/app/k", O_RDONLY);
    char got[64] = "";
    assert_int_equal(read(fd, got, sizeof got), 6);
    changes(*state, "h", "g");
    assert_sh_ok(*state, "", "echo last > h/app/k");
    assert_sh_ok(*state, "last\n", "cat g/app/k");
    assert_int_equal(close(fd), 0);
    assert_sh_ok(*state, "last\n", "cat g/app/k");
}

static void test_writer_holds_open(void **state)
{
    (void)state;
    start_both();
    peer_set("app", "k", "0123456789");
    int fd = harness_open("h/app/k", O_RDWR);
    assert_int_equal(harness_write("g/app/k", O_TRUNC, "ABCDEFGHIJ"), 0);
    assert_content("h/app/k", "ABCDEFGHIJ");
    assert_int_equal(pwrite(fd, "x", 1, 9), 1);
    assert_store("app", "k", "ABCDEFGHIx");
    assert_int_equal(close(fd), 0);
    assert_content("g/app/k", "ABCDEFGHIx");
}

/* Values of many pages: every byte is the new one's. */
static void test_large(void **state)
{
    start_both();
    static const struct {
        unsigned size;
        char byte;
    } values[] = {{102400, 'a'}, {102400, 'b'},  {1048576, 'c'}, {1048576, 'd'},
                  {65536, 'e'},  {65537, 'f'},   {4096, 'g'},    {4097, 'h'},
                  {1, 'i'},      {1048576, 'j'}, {102400, 'k'}};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        assert_sh_ok(*state, "",
                     "head -c %u /dev/zero | tr '\\0' %c > plain && cat plain > h/app/k",
                     values[i].size, values[i].byte);
        assert_sh_ok(*state, "", "cat g/app/k > seen && cmp plain seen");
        assert_sh_ok(*state, "", "cp g/app/k seen && cmp plain seen");
        assert_sh_ok(*state, "", "test $(wc -c < g/app/k) = %u", values[i].size);
    }
}

static void test_large_with_holder(void **state)
{
    start_both();
    assert_sh_ok(*state, "", "head -c 102400 /dev/zero | tr '\\0' a > h/app/k");
    int fd = harness_open("g/app/k", O_RDONLY);
    char first;
    assert_int_equal(pread(fd, &first, 1, 0), 1);
    assert_sh_ok(*state, "",
                 "head -c 102400 /dev/zero | tr '\\0' b > plain && cat plain > h/app/k");
    assert_sh_ok(*state, "", "cmp plain g/app/k");
    assert_sh_ok(*state, "",
                 "head -c 300000 /dev/zero | tr '\\0' c > plain && cat plain > h/app/k");
    assert_sh_ok(*state, "", "cmp plain g/app/k");
    assert_sh_ok(*state, "", "head -c 5000 /dev/zero | tr '\\0' d > plain && cat plain > h/app/k");
    assert_sh_ok(*state, "", "cmp plain g/app/k");
    assert_int_equal(close(fd), 0);
}

static void test_mmap(void **state)
{
    (void)state;
    start_both();
    peer_set("app", "k", "mapped one");
    int old = harness_open("g/app/k", O_RDONLY);
    char *before = mmap(NULL, 10, PROT_READ, MAP_SHARED, old, 0);
    assert_true(before != MAP_FAILED);
    assert_memory_equal(before, "mapped one", 10);
    assert_int_equal(harness_write("h/app/k", O_TRUNC, "mapped two"), 0);
    int fd = harness_open("g/app/k", O_RDONLY);
    char *after = mmap(NULL, 10, PROT_READ, MAP_SHARED, fd, 0);
    assert_true(after != MAP_FAILED);
    assert_memory_equal(after, "mapped two", 10);
    munmap(after, 10);
    close(fd);
    assert_int_equal(harness_write("h/app/k", O_TRUNC, "mapped and longer"), 0);
    fd = harness_open("g/app/k", O_RDONLY);
    struct stat status;
    assert_int_equal(fstat(fd, &status), 0);
    assert_int_equal(status.st_size, 17);
    after = mmap(NULL, 17, PROT_READ, MAP_PRIVATE, fd, 0);
    assert_true(after != MAP_FAILED);
    assert_memory_equal(after, "mapped and longer", 17);
    munmap(after, 17);
    munmap(before, 10);
    close(fd);
    close(old);
}

/* As `tail -f` reads: one descriptor, again and again, at its end. */
static void test_tail(void **state)
{
    (void)state;
    start_both();
    peer_set("app", "log", "one\n");
    int fd = harness_open("g/app/log", O_RDONLY);
    char got[32] = "";
    assert_int_equal(read(fd, got, sizeof got), 4);
    assert_int_equal(read(fd, got, sizeof got), 0);
    assert_int_equal(harness_write("h/app/log", O_APPEND, "two\n"), 0);
    struct stat status;
    assert_soon(fstat(fd, &status) == 0 && status.st_size == 8);
    ssize_t len = 0;
    assert_soon((len = read(fd, got, sizeof got)) != 0);
    assert_int_equal(len, 4);
    assert_memory_equal(got, "two\n", 4);
    assert_int_equal(close(fd), 0);
}

/* The time of the last change moves when, and only when, the content does. */
static void test_mtime(void **state)
{
    (void)state;
    start_both();
    peer_set("app", "k", "a");
    struct stat first;
    struct stat second;
    assert_int_equal(stat("g/app/k", &first), 0);
    harness_outlive_attributes();
    assert_content("g/app/k", "a");
    assert_int_equal(stat("g/app/k", &second), 0);
    assert_memory_equal(&first.st_mtim, &second.st_mtim, sizeof first.st_mtim);
    /* What stat(2) has just found may be what an open of the same thread shows. */
    harness_outlive_attributes();
    assert_int_equal(harness_write("h/app/k", O_TRUNC, "b"), 0);
    assert_content("g/app/k", "b");
    assert_int_equal(stat("g/app/k", &second), 0);
    assert_memory_not_equal(&first.st_mtim, &second.st_mtim, sizeof first.st_mtim);
}

/* Reads the value in two parts, between which the other side gives the key another one. */
static bool reads_one_value(void)
{
    char got[32] = "";
    peer_set("app", "k", "short\n");
    int fd = harness_open("g/app/k", O_RDONLY);
    assert_int_equal(read(fd, got, sizeof got), 6);
    peer_set("app", "k", "a longer line\n");
    harness_outlive_attributes();
    bool one = read(fd, got, sizeof got) == 0;
    assert_ok(close(fd));
    assert_content("g/app/k", "a longer line\n");
    return one;
}

/* cat reads to the end, although it takes longer than the kernel knows a file's size: unless it
 * takes a second, as it may on a busy machine. */
static void test_slow_reader(void **state)
{
    (void)state;
    int tries = 1;
    start_both();
    while (!reads_one_value() && tries < 20)
        tries++;
    assert_true(tries < 20);
}

/* What such a reader is told does not keep anybody's stat(2) behind. */
static void test_stat_beside_a_reader(void **state)
{
    (void)state;
    struct stat status;
    start_both();
    peer_set("app", "k", "short");
    int fd = harness_open("g/app/k", O_RDONLY);
    peer_set("app", "k", "much longer");
    harness_outlive_attributes();
    assert_true(lseek(fd, 0, SEEK_END) >= 5);
    assert_ok(fstat(fd, &status));
    assert_int_equal(status.st_size, 11);
    assert_ok(close(fd));
}

/* As flock(1) opens its file: whoever creates is never told that it is missing. */
static void test_create_for_reading(void **state)
{
    (void)state;
    struct stat status;
    start_both();
    for (int i = 0; i < 3; i++) {
        char path[64], key[16];
        snprintf(key, sizeof key, "lock%d", i);
        snprintf(path, sizeof path, "g/app/%s", key);
        peer_set("app", key, "");
        assert_ok(stat(path, &status));
        peer_remove("app", key);
        harness_outlive_attributes();
        assert_ok(close(harness_open(path, O_RDONLY | O_CREAT)));
    }
}

/* Two values of different length, written in turn, removed and made again, while the other side
 * reads: each reading is one of them, whole, or "No such file"; nobody sees ESTALE. */
static void test_while_it_changes(void **state)
{
    start_both();
    peer_set("app", "k", "short\n");
    pid_t writer = shell_spawn(*state, "i=0; while [ $i -lt 150 ]; do i=$((i+1)); "
                                       "echo short > h/app/k || exit 1; "
                                       "echo a longer line > h/app/k || exit 1; "
                                       "rm h/app/k || exit 1; "
                                       "echo short > h/app/k || exit 1; done");
    const struct shell_result *ran =
        shell_run(*state, "i=0; while [ $i -lt 300 ]; do i=$((i+1)); cat g/app/k; done");
    assert_int_equal(shell_wait(writer), 0);
    char *rest = ran->out;
    for (const char *line; (line = strsep(&rest, "\n")) && (*line || rest);) {
        if (strcmp(line, "short") != 0 && strcmp(line, "a longer line") != 0)
            fail_msg("a reader saw '%s'", line);
    }
    rest = ran->err;
    for (const char *line; (line = strsep(&rest, "\n")) && *line;) {
        if (!strstr(line, "No such file or directory"))
            fail_msg("a reader was told '%s'", line);
    }
    assert_sh_ok(*state, "short\n", "cat g/app/k");
}

/* The same for a writer whose key is taken away under it: `>` and `>>` never fail. */
static void test_writers_never_see_estale(void **state)
{
    start_both();
    pid_t remover = shell_spawn(*state, "i=0; while [ $i -lt 200 ]; do i=$((i+1)); "
                                        "rm -f h/app/k; done; :");
    assert_sh_ok(*state, "",
                 "i=0; while [ $i -lt 100 ]; do i=$((i+1)); "
                 "echo $i > g/app/k || exit 1; echo $i >> g/app/k || exit 1; done");
    assert_int_equal(shell_wait(remover), 0);
    assert_sh_ok(*state, "end\n", "echo end > g/app/k; cat h/app/k");
}

static const struct CMUnitTest tests[] = {
    HARNESS_SHELLS(test_host_writes),
    HARNESS_SHELLS(test_guest_writes),
    HARNESS_SHELLS(test_both_in_turn),
    HARNESS_SHELLS(test_reader_holds_open),
    HARNESS_TEST(test_writer_holds_open),
    HARNESS_SHELLS(test_large),
    HARNESS_SHELLS(test_large_with_holder),
    HARNESS_TEST(test_mmap),
    HARNESS_TEST(test_tail),
    HARNESS_TEST(test_mtime),
    HARNESS_TEST(test_slow_reader),
    HARNESS_TEST(test_stat_beside_a_reader),
    HARNESS_TEST(test_create_for_reading),
    HARNESS_SHELLS(test_while_it_changes),
    HARNESS_SHELLS(test_writers_never_see_estale),
};

HARNESS_MAIN(tests)
