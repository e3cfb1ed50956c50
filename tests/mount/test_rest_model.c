/* One store served over both protocols at once and mounted from both sides: random operations, and
 * after each the other side must see what a model says. DS_SEED repeats a run, MODEL_SECONDS makes
 * it longer. */
#include "harness.h"

#include "cleanup.h"
#include "peer.h"
#include "sim.h"
#include "sim_rest.h"
#include "tests/seed.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECONDS 20
#define DATASETS 2
#define KEYS 6
#define VALUE_MAX 150000 /* several messages of the channel */

enum side { HOST, GUEST };

/* What every store should hold. */
struct model {
    char *values[DATASETS][KEYS]; /* NULL: no such key */
};

static const char *const points[] = {"h", "g"};
static const char *const datasets[DATASETS] = {"app", "other"};
static struct model model;
static unsigned long steps;

/* A small generator of its own, so that a seed means the same everywhere (Knuth's MMIX). */
static uint64_t random_state;

static unsigned roll(unsigned sides)
{
    random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)(random_state >> 33) % sides;
}

/* One step: its arguments are rolled before, for it runs in a thread of its own. */
struct step {
    enum side side;
    unsigned dataset, key;
    unsigned to_dataset, to_key;
    char *text;
    size_t number;
    int result; /* 0 or a negative errno */
};

static void path_of(char path[64], enum side side, unsigned dataset, unsigned key)
{
    snprintf(path, 64, "%s/%s/k%u", points[side], datasets[dataset], key);
}

static char **slot(unsigned dataset, unsigned key)
{
    return &model.values[dataset][key];
}

/* Lines of letters, now and then with a longer code point. */
static char *make_text(size_t len)
{
    char *text = malloc(len + 4);
    assert_non_null(text);
    for (size_t i = 0; i < len; i++)
        text[i] = "abcdefghijklmnopqrstuvwxyz\n"[roll(27)];
    strcpy(text + len, roll(4) ? "" : "\xc3\xa9");
    return text;
}

/* Writes all at the position that `flags` gives, or at `offset` if that is not -1. */
static int write_text(const char *path, int flags, const char *text, off_t offset)
{
    int fd DS_AUTO_CLOSE = open(path, O_WRONLY | O_CLOEXEC | flags, 0600);
    size_t len = strlen(text);
    if (fd < 0)
        return -errno;
    while (len > 0) {
        ssize_t written = offset < 0 ? write(fd, text, len) : pwrite(fd, text, len, offset);
        if (written < 0)
            return -errno;
        text += written;
        len -= (size_t)written;
        offset += offset < 0 ? 0 : written;
    }
    /* What is empty is committed by fsync, else only after the close. */
    if (fsync(fd) != 0)
        return -errno;
    int closing = ds_cleanup_keep(&fd);
    return close(closing) ? -errno : 0;
}

static void *replace(void *argument)
{
    struct step *step = argument;
    char path[64];
    path_of(path, step->side, step->dataset, step->key);
    step->result = write_text(path, O_CREAT | O_TRUNC, step->text, -1);
    return NULL;
}

static void *append(void *argument)
{
    struct step *step = argument;
    char path[64];
    path_of(path, step->side, step->dataset, step->key);
    step->result = write_text(path, O_CREAT | O_APPEND, step->text, -1);
    return NULL;
}

static void *overwrite(void *argument)
{
    struct step *step = argument;
    char path[64];
    path_of(path, step->side, step->dataset, step->key);
    step->result = write_text(path, 0, step->text, (off_t)step->number);
    return NULL;
}

static void *shorten(void *argument)
{
    struct step *step = argument;
    char path[64];
    path_of(path, step->side, step->dataset, step->key);
    step->result = truncate(path, (off_t)step->number) ? -errno : 0;
    return NULL;
}

static void *delete_key(void *argument)
{
    struct step *step = argument;
    char path[64];
    path_of(path, step->side, step->dataset, step->key);
    step->result = unlink(path) ? -errno : 0;
    return NULL;
}

static void *move(void *argument)
{
    struct step *step = argument;
    char from[64];
    char to[64];
    path_of(from, step->side, step->dataset, step->key);
    path_of(to, step->side, step->to_dataset, step->to_key);
    step->result = rename(from, to) ? -errno : 0;
    return NULL;
}

/* The text it finds is `text`, NULL if there is no such key. */
static void *look(void *argument)
{
    struct step *step = argument;
    char path[64];
    char *text = malloc(2 * VALUE_MAX);
    path_of(path, step->side, step->dataset, step->key);
    ssize_t len = text ? harness_read(path, text, 2 * VALUE_MAX) : -ENOMEM;
    step->result = len < 0 ? (int)len : 0;
    step->text = text;
    return NULL;
}

/* Each step is another thread's, as each command is another process's: the daemon may use once,
 * for the same caller, what that caller has just looked up. */
static void run(void *(*function)(void *), struct step *step)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, function, step), 0);
    pthread_join(thread, NULL);
}

static void expect(const struct step *step, int expected, const char *what)
{
    if (step->result == expected)
        return;
    harness_print_file("h/.datasetfs/errors");
    harness_print_file("g/.datasetfs/errors");
    fail_msg("step %lu: %s %s/%s/k%u: %s, not %s", steps, what, points[step->side],
             datasets[step->dataset], step->key, strerror(-step->result), strerror(-expected));
}

static void assert_seen(enum side side, unsigned dataset, unsigned key)
{
    struct step step = {.side = side, .dataset = dataset, .key = key};
    const char *value = *slot(dataset, key);
    run(look, &step);
    expect(&step, value ? 0 : -ENOENT, "read");
    if (value && strcmp(step.text, value) != 0)
        fail_msg("step %lu: %s/%s/k%u has %zu bytes '%.40s', not %zu '%.40s'", steps, points[side],
                 datasets[dataset], key, strlen(step.text), step.text, strlen(value), value);
    free(step.text);
}

/* The new value of a key, taken over. */
static void learn(unsigned dataset, unsigned key, char *value)
{
    free(*slot(dataset, key));
    *slot(dataset, key) = value;
}

static size_t roll_length(void)
{
    static const unsigned lengths[] = {1, 20, 20, 300, 5000, VALUE_MAX - 50000};
    return roll(lengths[roll(sizeof lengths / sizeof *lengths)]);
}

static void do_replace(struct step *step)
{
    step->text = make_text(roll_length());
    run(replace, step);
    expect(step, 0, "write");
    learn(step->dataset, step->key, step->text);
}

static void do_append(struct step *step)
{
    const char *old = *slot(step->dataset, step->key);
    char *sum = NULL;
    step->text = make_text(roll(40) ? roll(200) : roll(VALUE_MAX / 2));
    if (old && strlen(old) + strlen(step->text) > VALUE_MAX) {
        free(step->text);
        return;
    }
    run(append, step);
    expect(step, 0, "append");
    assert_true(asprintf(&sum, "%s%s", old ? old : "", step->text) >= 0);
    learn(step->dataset, step->key, sum);
    free(step->text);
}

/* The length of the value's first letters that are one byte each. */
static size_t plain_length(const char *value)
{
    return strcspn(value, "\xc3");
}

static void do_overwrite(struct step *step)
{
    char *old = *slot(step->dataset, step->key);
    size_t plain = old ? plain_length(old) : 0;
    step->text = make_text(plain ? roll((unsigned)plain) : 0);
    step->text[plain_length(step->text)] = '\0';
    step->number = plain ? roll((unsigned)(plain - strlen(step->text)) + 1) : 0;
    run(overwrite, step);
    expect(step, old ? 0 : -ENOENT, "pwrite");
    if (old)
        memcpy(old + step->number, step->text, strlen(step->text));
    free(step->text);
}

static void do_shorten(struct step *step)
{
    char *old = *slot(step->dataset, step->key);
    size_t plain = old ? plain_length(old) : 0;
    step->number = plain ? roll((unsigned)plain + 1) : 0;
    run(shorten, step);
    expect(step, old ? 0 : -ENOENT, "truncate");
    if (old)
        old[step->number] = '\0';
}

static void do_delete(struct step *step)
{
    run(delete_key, step);
    expect(step, *slot(step->dataset, step->key) ? 0 : -ENOENT, "unlink");
    learn(step->dataset, step->key, NULL);
}

static void do_move(struct step *step)
{
    char **from = slot(step->dataset, step->key);
    step->to_dataset = roll(DATASETS);
    step->to_key = roll(KEYS);
    run(move, step);
    expect(step, *from ? 0 : -ENOENT, "rename");
    if (!*from || from == slot(step->to_dataset, step->to_key))
        return;
    learn(step->to_dataset, step->to_key, *from);
    *from = NULL;
    assert_seen(HOST, step->to_dataset, step->to_key);
    assert_seen(GUEST, step->to_dataset, step->to_key);
}

/* Trouble that nobody may notice. */
static void make_trouble(void)
{
    static const char *const faults[] = {
        "close:command=rest-get:count=1",
        "close:command=rest-set:count=1",
        "close-before:command=rest-set:count=1",
        "close:command=rest-remove:count=1",
        "status=503:command=rest-set:count=2",
        "status=429:command=rest-get:count=1",
        "close:command=datasets-get-entry:count=1",
        "close:command=datasets-set-entry:count=1",
        "close-before:command=datasets-set-entry:count=1",
        "drop-after=5:command=datasets-delete-entry:count=1",
    };
    unsigned chosen = roll(sizeof faults / sizeof *faults + 1);
    sim_clear(); /* twice in one operation is more than anybody promises to survive */
    if (chosen == sizeof faults / sizeof *faults)
        assert_string_equal(sim_control("expire"), "ok");
    else
        sim_fault("%s", faults[chosen]);
}

static void step_once(void)
{
    static void (*const operations[])(struct step *) = {
        do_replace, do_replace, do_append, do_append, do_overwrite, do_shorten, do_delete, do_move};
    struct step step = {.side = roll(2), .dataset = roll(DATASETS), .key = roll(KEYS)};
    if (!roll(25))
        make_trouble();
    operations[roll(sizeof operations / sizeof *operations)](&step);
    assert_seen(step.side == HOST ? GUEST : HOST, step.dataset, step.key);
    if (!roll(3))
        assert_seen(step.side, step.dataset, step.key);
    steps++;
}

static size_t count_entries(const char *path)
{
    DIR *stream = opendir(path);
    size_t count = 0;
    assert_non_null(stream);
    while (readdir(stream))
        count++;
    closedir(stream);
    return count - 2;
}

/* Both mounts, the store and the model. */
static void assert_agreement(void)
{
    harness_outlive_attributes();
    for (unsigned i = 0; i < DATASETS; i++) {
        size_t count = 0;
        for (unsigned j = 0; j < KEYS; j++) {
            char key[8];
            const char *value = *slot(i, j);
            snprintf(key, sizeof key, "k%u", j);
            assert_true(value ? peer_has(datasets[i], key, value) : peer_lacks(datasets[i], key));
            for (enum side side = HOST; side <= GUEST; side++) {
                char path[64];
                path_of(path, side, i, j);
                assert_seen(side, i, j);
                harness_outlive_attributes();
                if (value)
                    assert_int_equal(harness_size(path), strlen(value));
            }
            count += value != NULL;
        }
        for (enum side side = HOST; side <= GUEST; side++) {
            char path[64];
            snprintf(path, sizeof path, "%s/%s", points[side], datasets[i]);
            assert_int_equal(count_entries(path), count);
        }
        assert_int_equal(peer_keys(datasets[i]), count);
    }
}

static void test_both_sides(void **state)
{
    (void)state;
    random_state = seed_of_run();
    int64_t seconds = (int64_t)harness_number("MODEL_SECONDS", SECONDS);
    for (unsigned i = 0; i < DATASETS; i++)
        peer_create(datasets[i], DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    sim_start_rest(NULL);
    harness_start_source("h", sim_rest_source(), sim_rest_options("timeout=60"));
    harness_start_source("g", sim_source(), "timeout=60");
    int64_t until = harness_now_ms() + seconds * 1000;
    while (harness_now_ms() < until) {
        harness_prolong();
        for (int i = 0; i < 50; i++)
            step_once();
    }
    sim_clear();
    assert_agreement();
    print_message("%lu steps\n", steps);
    for (unsigned i = 0; i < DATASETS; i++)
        for (unsigned j = 0; j < KEYS; j++)
            learn(i, j, NULL);
}

static const struct CMUnitTest tests[] = {
    HARNESS_TEST(test_both_sides),
};

HARNESS_MAIN(tests)
