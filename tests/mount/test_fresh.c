/* Numbered values: two mounts write, and a third one reads them, in the order of its listing and
 * not. FRESH_SECONDS makes it longer. */
#include "harness.h"

#include "peer.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    KEYS = 40,
    NUMBERS = 1 << 22,
    SECONDS = 3,
    AHEAD_MS = 1000 /* how old a value may be that came ahead */
};

/* What all processes share. A number is written once, to one key. */
struct shared {
    atomic_uint last;
    atomic_uint written[KEYS];         /* the number that was acknowledged last */
    atomic_int_fast64_t replaced_ms[]; /* by number: when the next one of its key was; 0: not yet */
};

struct part {
    struct shared *shared;
    const char *mount;
    int first, step; /* keys */
    unsigned seed;
    int64_t end_ms;
};

static unsigned number_at(const char *mount, int key)
{
    char path[64], text[16];
    snprintf(path, sizeof path, "%s/app/k%03d", mount, key);
    ssize_t got = harness_read(path, text, sizeof text - 1);
    return got > 0 && text[got - 1] == '\n' ? (unsigned)strtoul(text, NULL, 10) : 0;
}

static int write_numbers(void *argument)
{
    struct part *part = argument;
    struct shared *shared = part->shared;
    int key = part->first;

    while (harness_now_ms() < part->end_ms) {
        char path[64], text[16];
        unsigned number = atomic_fetch_add(&shared->last, 1) + 1;
        unsigned before = atomic_load(&shared->written[key]);
        if (number >= NUMBERS)
            return 0;
        snprintf(path, sizeof path, "%s/app/k%03d", part->mount, key);
        snprintf(text, sizeof text, "%08u\n", number);
        if (harness_write(path, O_TRUNC, text) != 0)
            return 1;
        atomic_store(&shared->replaced_ms[before], harness_now_ms());
        atomic_store(&shared->written[key], number);
        key = (key + part->step) % KEYS;
    }
    return 0;
}

/* 0, or what is wrong: the value at the key was replaced more than `age_ms` before. */
static int check(const struct part *part, int key, int age_ms)
{
    unsigned floor = atomic_load(&part->shared->written[key]);
    int64_t begun_ms = harness_now_ms();
    unsigned number = number_at(part->mount, key);
    int64_t replaced_ms = atomic_load(&part->shared->replaced_ms[number]);

    if (number == 0)
        return 2;
    if (age_ms == 0 ? number >= floor : replaced_ms == 0 || replaced_ms >= begun_ms - age_ms)
        return 0;
    fprintf(stderr, "key %d: %u, replaced %d ms before, after %u\n", key, number,
            (int)(begun_ms - replaced_ms), floor);
    return 1;
}

/* A process that lists and reads. */
static int walk(void *argument)
{
    const struct part *part = argument;
    int err = 0;

    while (err == 0 && harness_now_ms() < part->end_ms) {
        DIR *directory = opendir("m/app");
        const struct dirent *entry;
        while (err == 0 && directory && (entry = readdir(directory)))
            if (entry->d_name[0] == 'k')
                err = check(part, (int)strtol(entry->d_name + 1, NULL, 10), AHEAD_MS);
        if (!directory || closedir(directory) != 0)
            return 3;
    }
    return err;
}

struct one {
    const struct part *part;
    int key, age_ms;
};

static int check_one(void *argument)
{
    const struct one *one = argument;
    return check(one->part, one->key, one->age_ms);
}

/* A child for each key, as in a shell's loop. */
static int by_child(const struct part *part, int key, int age_ms)
{
    struct one one = {part, key, age_ms};
    int status;
    pid_t pid = harness_fork(check_one, &one);
    if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        return 3;
    return WEXITSTATUS(status);
}

static int walk_by_children(void *argument)
{
    const struct part *part = argument;
    int err = 0;

    while (err == 0 && harness_now_ms() < part->end_ms) {
        DIR *directory = opendir("m/app");
        while (directory && readdir(directory))
            ;
        if (!directory || closedir(directory) != 0)
            return 3;
        for (int key = 0; key < KEYS && err == 0; key++)
            err = by_child(part, key, AHEAD_MS);
    }
    return err;
}

/* Those that follow nothing: here and there, or always the same, and perhaps each time by a child.
 */
static int look(const struct part *part, bool by_children, bool anywhere)
{
    unsigned seed = part->seed;
    int err = 0;

    while (err == 0 && harness_now_ms() < part->end_ms) {
        int key = anywhere ? rand_r(&seed) % KEYS : KEYS / 2;
        err = by_children ? by_child(part, key, 0) : check(part, key, 0);
    }
    return err;
}

static int look_anywhere(void *part)
{
    return look(part, false, true);
}

static int look_anywhere_by_children(void *part)
{
    return look(part, true, true);
}

static int look_at_one(void *part)
{
    return look(part, false, false);
}

static void test_numbered_values(void **state)
{
    static int (*const readers[])(void *) = {
        walk,        walk_by_children, look_anywhere, look_anywhere_by_children,
        look_at_one, write_numbers,    write_numbers};
    enum { PARTS = sizeof readers / sizeof *readers };
    size_t size = sizeof(struct shared) + NUMBERS * sizeof(atomic_int_fast64_t);
    struct shared *shared = harness_share(size);
    int64_t seconds = (int64_t)harness_number("FRESH_SECONDS", SECONDS);
    struct part parts[PARTS];
    pid_t pids[PARTS];
    unsigned seed = (unsigned)harness_number("DS_SEED", (uint64_t)getpid());

    (void)state;
    print_message("DS_SEED=%u\n", seed);
    harness_start_app(NULL);
    harness_start("a", NULL);
    harness_start("b", NULL);
    for (int key = 0; key < KEYS; key++) {
        char name[16], text[16];
        snprintf(name, sizeof name, "k%03d", key);
        snprintf(text, sizeof text, "%08u\n", atomic_fetch_add(&shared->last, 1) + 1);
        peer_set("app", name, text);
        atomic_store(&shared->written[key], atomic_load(&shared->last));
    }
    for (size_t i = 0; i < PARTS; i++) {
        bool writes = readers[i] == write_numbers;
        parts[i] = (struct part){.shared = shared,
                                 .mount = !writes          ? "m"
                                          : i == PARTS - 1 ? "a"
                                                           : "b",
                                 .first = i == PARTS - 1,
                                 .step = 2,
                                 .seed = seed + (unsigned)i,
                                 .end_ms = harness_now_ms() + seconds * 1000};
        pids[i] = harness_fork(readers[i], &parts[i]);
    }
    for (size_t i = 0; i < PARTS; i++) {
        int status = harness_wait_child(pids[i], seconds * 1000 + HARNESS_SOON_MS, false);
        if (status != 0)
            fail_msg("part %zu ended with %d", i, status);
    }
    print_message("%u numbers\n", atomic_load(&shared->last));
    assert_int_equal(munmap(shared, size), 0);
}

static const struct CMUnitTest tests[] = {
    HARNESS_TEST(test_numbered_values),
};

HARNESS_MAIN(tests)
