/* No memory: each allocation in turn that an operation makes fails, over each kind of SOURCE. The
 * daemon lives, the operation has worked or is told ENOMEM, and nothing acknowledged is missing. */
#include "harness.h"

#include "cleanup.h"
#include "errno_name.h"
#include "peer.h"
#include "sim.h"
#include "sim_rest.h"
#include "tests/sim/failalloc.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* Allocations of one operation that are tried; of those that make more, each so many apart. All are
 * with MEMORY_TRIED=100000 in the environment. */
enum { TRIED = 36 };

static struct failalloc *control;

/* Mounts "m" with a daemon whose allocations can fail. */
static struct harness_daemon *start(const char *source, const char *options)
{
    char library[PATH_MAX];
    harness_program("LIBFAILALLOC", "libfailalloc.so", library);
    int fd = open("failalloc", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_ok(ftruncate(fd, sizeof *control));
    control = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_true(control != MAP_FAILED);
    close(fd);
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%.4000s/failalloc", harness_dir());
    setenv(FAILALLOC_FILE, path, 1);
    setenv("LD_PRELOAD", library, 1);
    struct harness_daemon *daemon = harness_start_source("m", source, options);
    unsetenv("LD_PRELOAD");
    unsetenv(FAILALLOC_FILE);
    return daemon;
}

static int list(void)
{
    DIR *directory = opendir("m/app");
    const struct dirent *entry;
    int count = 0;
    if (!directory)
        return errno;
    for (errno = 0; (entry = readdir(directory)); errno = 0)
        count += entry->d_name[0] == 'k';
    int err = errno;
    closedir(directory);
    return err ? err : count >= 2 ? 0 : ENOENT;
}

static int look(void)
{
    struct stat status;
    return stat("m/app/k0", &status) ? errno : status.st_size == 5 ? 0 : EILSEQ;
}

static int look_for_nothing(void)
{
    struct stat status;
    if (stat("m/app/none", &status) == 0)
        return EEXIST;
    return errno == ENOENT ? 0 : errno;
}

static int show(void)
{
    char text[16];
    ssize_t len = harness_read("m/app/k0", text, sizeof text);
    return len < 0 ? (int)-len : strcmp(text, "value") ? EILSEQ : 0;
}

/* 0: it was acknowledged, and then it must stand there. */
static int told(int err, const char *key, const char *value)
{
    if (err == 0 && !peer_has("app", key, value)) {
        print_error("acknowledged, and not there: %s\n", key);
        return EIDRM;
    }
    return -err;
}

static int create(void)
{
    int err = harness_write("m/app/new", O_CREAT | O_EXCL, "fresh");
    /* Of the last one's write libfuse itself had refused to tell: the release made it empty. */
    if (err == -EEXIST && peer_has("app", "new", "") && unlink("m/app/new") == 0)
        err = harness_write("m/app/new", O_CREAT | O_EXCL, "fresh");
    return told(err, "new", "fresh");
}

static int overwrite(void)
{
    return told(harness_write("m/app/k1", O_TRUNC, "other"), "k1", "other");
}

static int append(void)
{
    return told(harness_write("m/app/k1", O_APPEND, "+"), "k1", "value+");
}

/* Several writes, of which the last ones are gathered, and a character in two halves. */
static int write_pieces(void)
{
    char expected[128] = "";
    int fd = open("m/app/k1", O_WRONLY | O_TRUNC | O_CLOEXEC), err = 0;
    if (fd < 0)
        return errno;
    for (int i = 0; i < 20 && !err; i++) {
        err = write(fd, i % 2 ? "\xa9" : "x\xc3", i % 2 ? 1 : 2) < 0 ? errno : 0;
        strcat(expected, i % 2 ? "\xa9" : "x\xc3");
    }
    if (close(fd) && !err)
        err = errno;
    return err ? err : told(0, "k1", expected);
}

/* After a long request the next one needs a new buffer to be read into. */
static int write_long(void)
{
    enum { LEN = 600000 };
    char *text DS_AUTO_FREE = calloc(1, LEN + 1);
    struct stat status;
    assert_non_null(text);
    memset(text, 'x', LEN);
    int err = -harness_write("m/app/k1", O_TRUNC, text);
    if (!err && stat("m/app/k1", &status))
        err = errno;
    return err ? err : told(0, "k1", text);
}

static int shorten(void)
{
    return truncate("m/app/k0", 2) ? errno : told(0, "k0", "va");
}

static int move(void)
{
    if (rename("m/app/k1", "m/app/k2"))
        return errno;
    return peer_has("app", "k2", "value") && peer_lacks("app", "k1") ? 0 : EIDRM;
}

/* As sed -i does. */
static int replace(void)
{
    int fd = open("m/app/sedAb12Cd", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int err = fd < 0 || write(fd, "other", 5) != 5 ? errno : 0;
    if (fd >= 0 && close(fd) && !err)
        err = errno;
    if (!err && rename("m/app/sedAb12Cd", "m/app/k1"))
        err = errno;
    if (err && fd >= 0)
        unlink("m/app/sedAb12Cd");
    return err ? err : told(0, "k1", "other");
}

static int remove_key(void)
{
    if (unlink("m/app/k1"))
        return errno;
    return peer_lacks("app", "k1") ? 0 : EIDRM;
}

static int make_directory(void)
{
    return mkdir("m/made", 0700) ? errno : 0;
}

static int remove_directory(void)
{
    return rmdir("m/gone") ? errno : 0;
}

static int describe(void)
{
    return -harness_write("m/.datasetfs/info/app", 0, "{\"description\":\"d\"}\n");
}

static int show_control(void)
{
    char text[4096];
    ssize_t len = harness_read("m/.datasetfs/stats", text, sizeof text);
    if (len > 0)
        len = harness_read("m/.datasetfs/info/app", text, sizeof text);
    return len < 0 ? (int)-len : 0;
}

static int set_attributes(void)
{
    const struct timespec times[2] = {{.tv_sec = 1000000}, {.tv_sec = 1000000}};
    if (chmod("m/app/k0", 0400) || utimensat(AT_FDCWD, "m/app/k0", times, 0))
        return errno;
    return 0;
}

static int count_space(void)
{
    struct statvfs space;
    return statvfs("m", &space) ? errno : 0;
}

static const struct operation {
    const char *name;
    int (*run)(void);
    bool host; /* only its side may */
} operations[] = {
    {"list", list, false},
    {"stat", look, false},
    {"stat of nothing", look_for_nothing, false},
    {"cat", show, false},
    {"create", create, false},
    {"overwrite", overwrite, false},
    {"append", append, false},
    {"pieces", write_pieces, false},
    {"long", write_long, false},
    {"truncate", shorten, false},
    {"rename", move, false},
    {"replace", replace, false},
    {"unlink", remove_key, false},
    {"mkdir", make_directory, true},
    {"rmdir", remove_directory, true},
    {"info", describe, true},
    {"control files", show_control, false},
    {"attributes", set_attributes, false},
    {"statfs", count_space, false},
};

/* What stands there before each operation. */
static void set_up_store(bool host)
{
    peer_set("app", "k0", "value");
    peer_set("app", "k1", "value");
    if (!peer_lacks("app", "k2"))
        peer_remove("app", "k2");
    if (!peer_lacks("app", "new"))
        peer_remove("app", "new");
    struct ds_attributes attributes = {0};
    if (peer_query("made", &attributes))
        assert_soon(rmdir("m/made") == 0); /* and the kernel knows of it */
    ds_attributes_clear(&attributes);
    if (host && !peer_query("gone", &attributes))
        peer_create("gone", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    ds_attributes_clear(&attributes);
}

/* One operation of which the `number`th allocation fails. Returns how many it has made. */
static long try(const struct operation *operation, bool host, long number)
{
    set_up_store(host);
    harness_outlive_attributes();
    long seen = atomic_load(&control->seen);
    atomic_store(&control->left, number);
    int err = operation->run();
    atomic_store(&control->left, 0);
    if (err != 0 && err != ENOMEM) {
        print_error("%s: %s at the allocation %ld\n", operation->name, ds_errno_name(err), number);
        harness_print_file("m.log");
        fail();
    }
    return atomic_load(&control->seen) - seen;
}

static void try_all(bool host)
{
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
        const struct operation *operation = &operations[i];
        if (operation->host && !host)
            continue;
        long all = try(operation, host, LONG_MAX);
        long step = all / (long)harness_number("MEMORY_TRIED", TRIED) + 1;
        long failed = atomic_load(&control->failed);
        for (long number = 1; number <= all; number += step)
            try(operation, host, number);
        assert_true(all == 0 || atomic_load(&control->failed) > failed);
        harness_prolong();
    }
    /* It is as well as ever. */
    set_up_store(host);
    assert_content("m/app/k0", "value");
    assert_int_equal(harness_write("m/app/k1", O_TRUNC, "well"), 0);
    assert_store("app", "k1", "well");
}

static void skip_sanitizers(void)
{
    if (HARNESS_SLOWNESS > 1)
        skip(); /* they have allocators of their own */
}

static void test_local(void **state)
{
    (void)state;
    skip_sanitizers();
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    start(harness_source(), NULL);
    try_all(true);
}

static void test_channel(void **state)
{
    (void)state;
    skip_sanitizers();
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    sim_start(NULL);
    start(sim_source(), NULL);
    try_all(false);
}

static void test_rest(void **state)
{
    (void)state;
    skip_sanitizers();
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    sim_start_rest(NULL);
    start(sim_rest_source(), sim_rest_options(NULL));
    try_all(true);
}

static const struct CMUnitTest tests[] = {
    HARNESS_TEST(test_local),
    HARNESS_TEST(test_channel),
    HARNESS_TEST(test_rest),
};

HARNESS_MAIN(tests)
