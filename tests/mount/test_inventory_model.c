/* Three machines of an inventory from both sides: random steps through a mount of all of them and
 * through a client of each store, while machines are renamed, deleted and made again. After each
 * step the other side must see what a model says. DS_SEED repeats a run, MODEL_STEPS makes it
 * longer. */
#include "harness.h"

#include "cleanup.h"
#include "inventory_world.h"
#include "sim_rest.h"
#include "tests/seed.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STEPS = 1500 / (HARNESS_SLOWNESS > 1 ? 5 : 1), TIMEOUT_MS = 60000 };

/* What the mount has told of each machine. */
static struct told {
    int name;      /* that the last listing had, or -1 */
    int directory; /* an open one: of the machine's first DataSet; or -1 */
} told[WORLD_MACHINES];
static bool over_rest;
static unsigned long steps, changes;
static unsigned last_text;

/* A small generator of its own, so that a seed means the same everywhere (Knuth's MMIX). */
static uint64_t random_state;

static unsigned roll(unsigned sides)
{
    random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)(random_state >> 33) % sides;
}

static struct told *told_of(const struct world_machine *machine)
{
    return &told[machine - world_machines];
}

/* --- one look or change through the mount, by a thread of its own, as by a process --- */

struct action {
    int directory; /* AT_FDCWD, or of the DataSet */
    char path[64];
    char to[64];
    int flags;  /* of the write */
    char *text; /* to be written, or what was read: NULL for none */
    int result; /* 0 or a negative errno */
};

static int write_all(int fd, const char *text)
{
    size_t len = strlen(text);
    while (len > 0) {
        ssize_t written = write(fd, text, len);
        if (written < 0)
            return -errno;
        text += written;
        len -= (size_t)written;
    }
    return fsync(fd) != 0 ? -errno : 0;
}

static void *put(void *argument)
{
    struct action *action = argument;
    int fd = openat(action->directory, action->path, O_WRONLY | O_CREAT | O_CLOEXEC | action->flags,
                    0600);
    action->result = fd < 0 ? -errno : write_all(fd, action->text);
    if (fd >= 0 && close(fd) != 0 && action->result == 0)
        action->result = -errno;
    return NULL;
}

static void *look(void *argument)
{
    enum { BYTES = 64 * 1024 };
    struct action *action = argument;
    char *text = malloc(BYTES);
    size_t len = 0;
    ssize_t got = -1;
    int fd = openat(action->directory, action->path, O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && (got = read(fd, text + len, BYTES - 1 - len)) > 0)
        len += (size_t)got;
    action->result = got < 0 ? -errno : 0;
    if (fd >= 0)
        close(fd);
    text[len] = '\0';
    action->text = action->result == 0 ? text : NULL;
    if (!action->text)
        free(text);
    return NULL;
}

static void *take_away(void *argument)
{
    struct action *action = argument;
    action->result = unlink(action->path) != 0 ? -errno : 0;
    return NULL;
}

static void *move(void *argument)
{
    struct action *action = argument;
    action->result = rename(action->path, action->to) != 0 ? -errno : 0;
    return NULL;
}

static void act(void *(*function)(void *), struct action *action)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, function, action), 0);
    pthread_join(thread, NULL);
}

static void path_of(char path[64], unsigned name, unsigned dataset, unsigned key)
{
    snprintf(path, 64, "m/%s/%s/k%u", world_names[name], world_datasets[dataset], key);
}

static void expect(const struct action *action, int expected, const char *what)
{
    if (action->result == expected)
        return;
    harness_print_file("m/.datasetfs/errors");
    fail_msg("step %lu: %s %s %s: %s, not %s", steps, what, action->path, action->to,
             strerror(-action->result), strerror(-expected));
}

/* --- what each side sees --- */

/* True if the mount shows just that (NULL: no such key) under the path. */
static bool shows(int directory, const char *path, const char *value, int missing)
{
    struct action action = {.directory = directory};
    snprintf(action.path, sizeof action.path, "%s", path);
    act(look, &action);
    bool same = value ? action.text && strcmp(action.text, value) == 0 : action.result == missing;
    free(action.text);
    return same;
}

static void assert_mount(const struct world_machine *machine, unsigned dataset, unsigned key)
{
    const char *value = machine->values[dataset][key];
    struct action action = {.directory = AT_FDCWD};
    path_of(action.path, machine->name, dataset, key);
    if (told_of(machine)->directory >= 0 && dataset == 0 && !roll(2)) {
        action.directory = told_of(machine)->directory;
        snprintf(action.path, sizeof action.path, "k%u", key);
    }
    act(look, &action);
    expect(&action, value ? 0 : -ENOENT, action.directory == AT_FDCWD ? "read" : "read below");
    if (value && strcmp(action.text, value) != 0)
        fail_msg("step %lu: %s has '%.40s', not '%.40s'", steps, action.path, action.text, value);
    free(action.text);
}

static void assert_peer(const struct world_machine *machine, unsigned dataset, unsigned key)
{
    const char *value = machine->values[dataset][key];
    struct ds_buf got DS_CLEANUP(ds_buf_free) = {0};
    char name[8];
    struct ds_call call;
    ds_call_init(&call, TIMEOUT_MS);
    snprintf(name, sizeof name, "k%u", key);
    int err = ds_client_get_one(machine->peer, &call, world_datasets[dataset], name, &got);
    if (err != (value ? 0 : -ENOENT))
        fail_msg("step %lu: the store of %s: %s: %s", steps, world_names[machine->name],
                 strerror(-err), call.text);
    if (value && (got.len != strlen(value) || memcmp(got.data, value, got.len) != 0))
        fail_msg("step %lu: the store of %s has '%.40s' in %s/%s, not '%.40s'", steps,
                 world_names[machine->name], got.data, world_datasets[dataset], name, value);
}

static void assert_listing(void)
{
    bool seen[WORLD_NAMES] = {false};
    unsigned count = 0;
    const struct dirent *entry;
    DIR *stream = opendir("m");
    assert_non_null(stream);
    errno = 0;
    while ((entry = readdir(stream))) { // NOLINT: the stream is ours alone
        for (unsigned i = 0; i < WORLD_NAMES; i++)
            seen[i] = seen[i] || strcmp(entry->d_name, world_names[i]) == 0;
        count++;
    }
    assert_int_equal(errno, 0);
    closedir(stream);
    for (unsigned i = 0; i < WORLD_NAMES; i++) {
        if (seen[i] != (world_called(i) != NULL))
            fail_msg("step %lu: %s is %slisted", steps, world_names[i], seen[i] ? "" : "not ");
        count -= seen[i];
    }
    assert_int_equal(count, 2); /* "." and ".." */
    for (unsigned i = 0; i < WORLD_MACHINES; i++)
        told[i].name = world_machines[i].exists ? (int)world_machines[i].name : -1;
}

/* Soon after a listing each name leads to its machine, or nowhere. */
static void assert_names(void)
{
    for (unsigned i = 0; i < WORLD_NAMES; i++) {
        const struct world_machine *machine = world_called(i);
        unsigned dataset = roll(WORLD_DATASETS);
        unsigned key = roll(WORLD_KEYS);
        char path[64];
        path_of(path, i, dataset, key);
        assert_soon(shows(AT_FDCWD, path, machine ? machine->values[dataset][key] : NULL, -ENOENT));
        if (!machine) {
            snprintf(path, sizeof path, "m/%s", world_names[i]);
            assert_errno(access(path, F_OK), ENOENT);
        }
    }
}

/* Before a listing a name leads to the machine that had it then, or to the one that has it now:
 * never to anything else. */
static void glimpse(void)
{
    unsigned name = roll(WORLD_NAMES);
    unsigned dataset = roll(WORLD_DATASETS);
    unsigned key = roll(WORLD_KEYS);
    struct action action = {.directory = AT_FDCWD};
    path_of(action.path, name, dataset, key);
    act(look, &action);
    bool explained = action.result == -ENOENT || action.result == -ENODEV;
    for (unsigned i = 0; i < WORLD_MACHINES; i++) {
        const struct world_machine *machine = &world_machines[i];
        const char *value = machine->values[dataset][key];
        bool called = machine->exists && machine->name == name;
        if (called || told[i].name == (int)name)
            explained = explained || (value && action.text && strcmp(action.text, value) == 0);
    }
    if (!explained)
        fail_msg("step %lu: %s: %s, '%.40s'", steps, action.path, strerror(-action.result),
                 action.text ? action.text : "");
    free(action.text);
}

/* --- the steps --- */

/* Different from all others, short or of a few pages. */
static char *make_text(void)
{
    static const size_t lengths[] = {0, 20, 300, 9000};
    char *text = NULL;
    int len = asprintf(&text, "%u %*s\n", ++last_text, (int)lengths[roll(4)], "\xc3\xa9");
    assert_true(len > 0);
    return text;
}

static void learn(char **slot, char *value)
{
    free(*slot);
    *slot = value;
}

static struct world_machine *roll_machine(void)
{
    struct world_machine *machine = &world_machines[roll(WORLD_MACHINES)];
    return machine->exists ? machine : NULL;
}

static void step_put(struct world_machine *machine, unsigned dataset, unsigned key)
{
    char **slot = &machine->values[dataset][key];
    struct action action = {
        .directory = AT_FDCWD, .flags = roll(3) ? O_TRUNC : O_APPEND, .text = make_text()};
    char *value = NULL;
    path_of(action.path, machine->name, dataset, key);
    act(put, &action);
    expect(&action, 0, "write");
    assert_true(
        asprintf(&value, "%s%s", *slot && action.flags == O_APPEND ? *slot : "", action.text) > 0);
    free(action.text);
    learn(slot, value);
    assert_peer(machine, dataset, key);
}

static void step_take_away(struct world_machine *machine, unsigned dataset, unsigned key)
{
    char **slot = &machine->values[dataset][key];
    struct action action = {.directory = AT_FDCWD};
    path_of(action.path, machine->name, dataset, key);
    act(take_away, &action);
    expect(&action, *slot ? 0 : -ENOENT, "unlink");
    learn(slot, NULL);
    assert_peer(machine, dataset, key);
}

/* Within a machine, or from one to another. */
static void step_move(struct world_machine *machine, unsigned dataset, unsigned key)
{
    char **from = &machine->values[dataset][key];
    struct world_machine *to_machine = roll_machine();
    unsigned to_dataset = roll(WORLD_DATASETS);
    unsigned to_key = roll(WORLD_KEYS);
    struct action action = {.directory = AT_FDCWD};
    if (!to_machine)
        return;
    char **to = &to_machine->values[to_dataset][to_key];
    path_of(action.path, machine->name, dataset, key);
    path_of(action.to, to_machine->name, to_dataset, to_key);
    act(move, &action);
    expect(&action, *from ? 0 : -ENOENT, "rename");
    if (*from && from != to) {
        learn(to, *from);
        *from = NULL;
    }
    assert_peer(machine, dataset, key);
    assert_peer(to_machine, to_dataset, to_key);
    assert_mount(to_machine, to_dataset, to_key);
}

static void step_peer(struct world_machine *machine, unsigned dataset, unsigned key)
{
    char **slot = &machine->values[dataset][key];
    char name[8];
    struct ds_call call;
    ds_call_init(&call, TIMEOUT_MS);
    snprintf(name, sizeof name, "k%u", key);
    char *text = roll(3) ? make_text() : NULL;
    int err = text ? ds_client_set(machine->peer, &call, world_datasets[dataset], name, text,
                                   strlen(text), NULL)
                   : ds_client_remove(machine->peer, &call, world_datasets[dataset], name, NULL);
    if (err != (text || *slot ? 0 : -ENOENT))
        fail_msg("step %lu: the peer of %s: %s", steps, world_names[machine->name], call.text);
    learn(slot, text);
}

static void leave(struct world_machine *machine)
{
    if (told_of(machine)->directory >= 0)
        close(told_of(machine)->directory);
    told_of(machine)->directory = -1;
}

static void enter(struct world_machine *machine)
{
    char path[64];
    leave(machine);
    snprintf(path, sizeof path, "m/%s/%s", world_names[machine->name], world_datasets[0]);
    told_of(machine)->directory = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_true(told_of(machine)->directory >= 0);
}

/* What the machine of that name that is gone has left open leads nowhere. */
static void expect_gone(int directory, unsigned name)
{
    /* In a directory the name is all that a machine is known by. */
    if (over_rest || !world_called(name)) {
        char key[8];
        snprintf(key, sizeof key, "k%u", roll(WORLD_KEYS));
        if (!shows(directory, key, NULL, -ENODEV))
            fail_msg("step %lu: what was open of %s is not gone", steps, world_names[name]);
    }
    close(directory);
}

/* Renames, deletes or makes a machine, and sees that all names are right again after a listing. */
static void step_machine(void)
{
    struct world_machine *machine = &world_machines[roll(WORLD_MACHINES)];
    unsigned name = machine->name;
    int directory = told_of(machine)->directory;
    bool stays = false;
    if (!machine->exists) {
        world_make(machine);
    } else if (roll(2)) {
        world_rename(machine);
        stays = over_rest; /* it is known by its id */
    } else {
        world_delete(machine);
        if (!roll(3)) /* and at once there is another one */
            world_make(machine);
    }
    for (unsigned i = roll(2) * roll(6); i > 0; i--)
        glimpse();
    /* What the mount had just seen of the machine that is gone may serve for so long. */
    harness_outlive_attributes();
    assert_listing();
    assert_names();
    if (!stays && directory >= 0) {
        expect_gone(directory, name);
        told_of(machine)->directory = -1;
    }
    changes++;
}

static void step_once(void)
{
    static void (*const operations[])(struct world_machine *, unsigned, unsigned) = {
        step_put, step_put, step_take_away, step_move, step_peer, step_peer};
    struct world_machine *machine = roll_machine();
    steps++;
    if (!machine || !roll(20)) {
        step_machine();
        return;
    }
    unsigned dataset = roll(WORLD_DATASETS);
    unsigned key = roll(WORLD_KEYS);
    if (!roll(20))
        enter(machine);
    operations[roll(sizeof operations / sizeof *operations)](machine, dataset, key);
    assert_mount(machine, dataset, key);
}

static void assert_size(const struct world_machine *machine, unsigned dataset, unsigned key)
{
    const char *value = machine->values[dataset][key];
    char path[64];
    path_of(path, machine->name, dataset, key);
    if (value)
        assert_int_equal(harness_size(path), strlen(value));
    else
        assert_errno(access(path, F_OK), ENOENT);
}

static void each_key(void (*function)(const struct world_machine *, unsigned, unsigned))
{
    for (unsigned i = 0; i < WORLD_MACHINES * WORLD_DATASETS * WORLD_KEYS; i++) {
        const struct world_machine *machine = &world_machines[i / (WORLD_DATASETS * WORLD_KEYS)];
        if (machine->exists)
            function(machine, i / WORLD_KEYS % WORLD_DATASETS, i % WORLD_KEYS);
    }
}

/* The mount, each store and the model. */
static void assert_agreement(void)
{
    assert_listing();
    assert_names();
    each_key(assert_peer);
    each_key(assert_mount);
    harness_outlive_attributes();
    each_key(assert_size);
}

static void run(bool rest)
{
    unsigned long count = harness_number("MODEL_STEPS", STEPS);
    random_state = seed_of_run();
    over_rest = rest;
    steps = changes = 0;
    for (unsigned i = 0; i < WORLD_MACHINES; i++)
        told[i] = (struct told){.name = -1, .directory = -1};
    world_begin(rest, roll);
    harness_start_source("m", world_source(), rest ? sim_rest_options("timeout=60,rate=0") : NULL);
    assert_agreement();
    while (steps < count) {
        step_once();
        if (steps % 200 == 0) {
            harness_prolong();
            assert_agreement();
        }
    }
    assert_agreement();
    print_message("%lu steps, in %lu of them a machine changed\n", steps, changes);
}

static void test_directory(void **state)
{
    (void)state;
    run(false);
}

static void test_vcenter(void **state)
{
    (void)state;
    run(true);
}

static int teardown(void **state)
{
    for (unsigned i = 0; i < WORLD_MACHINES; i++)
        leave(&world_machines[i]);
    world_end();
    return harness_teardown(state);
}

static const struct CMUnitTest tests[] = {
    {"test_directory", test_directory, harness_setup, teardown, NULL},
    {"test_vcenter", test_vcenter, harness_setup, teardown, NULL},
};
HARNESS_MAIN(tests)
