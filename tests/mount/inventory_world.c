#include "inventory_world.h"

#include "cleanup.h"
#include "harness.h"
#include "sim.h"
#include "sim_rest.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TIMEOUT_MS = 60000 };

const char *const world_names[WORLD_NAMES] = {"a", "b", "c", "d", "e"};
const char *const world_datasets[WORLD_DATASETS] = {"app", "other"};
struct world_machine world_machines[WORLD_MACHINES];

static bool rest;
static unsigned (*roll)(unsigned sides);
static unsigned last_number;
static char template[256 * 1024]; /* a store with the DataSets */
static size_t template_bytes;

static void file_of(const struct world_machine *machine, const char *end, char path[PATH_MAX])
{
    if (rest)
        snprintf(path, PATH_MAX, "%.2000s/d/g%u.db%s", harness_dir(), machine->number, end);
    else
        snprintf(path, PATH_MAX, "%.2000s/d/%s.db%s", harness_dir(), world_names[machine->name],
                 end);
}

static struct ds_client *open_store(const char *file, enum ds_side side)
{
    char source[PATH_MAX + 8];
    struct ds_source_options options = {.side = side, .side_given = true};
    struct ds_client *client = NULL;
    struct ds_call call;
    ds_call_init(&call, TIMEOUT_MS);
    snprintf(source, sizeof source, "local:%s", file);
    if (ds_source_open(source, &options, &call, &client) != 0)
        fail_msg("%s: %s", source, call.text);
    return client;
}

static void close_store(struct ds_client *client)
{
    struct ds_call call;
    ds_call_init(&call, TIMEOUT_MS);
    ds_client_free(client, &call);
}

static void open_peer(struct world_machine *machine)
{
    char path[PATH_MAX];
    file_of(machine, "", path);
    machine->peer = open_store(path, DS_SIDE_GUEST);
}

static void close_peer(struct world_machine *machine)
{
    close_store(machine->peer);
    machine->peer = NULL;
}

static void make_template(void)
{
    struct ds_client *client = open_store("template", DS_SIDE_HOST);
    for (unsigned i = 0; i < WORLD_DATASETS; i++) {
        struct ds_attributes attributes = {.host = DS_ACCESS_READ_WRITE,
                                           .guest = DS_ACCESS_READ_WRITE};
        struct ds_call call;
        ds_call_init(&call, TIMEOUT_MS);
        assert_int_equal(ds_client_create(client, &call, world_datasets[i], &attributes), 0);
    }
    close_store(client);
    int fd DS_AUTO_CLOSE = harness_open("template", O_RDONLY);
    ssize_t len = read(fd, template, sizeof template);
    assert_in_range(len, 1, sizeof template - 1);
    template_bytes = (size_t)len;
}

static unsigned roll_free_name(void)
{
    unsigned name = roll(WORLD_NAMES);
    while (world_called(name))
        name = (name + 1) % WORLD_NAMES;
    return name;
}

/* It is there, but nobody has been told. */
static void prepare(struct world_machine *machine)
{
    char path[PATH_MAX];
    unsigned name = roll_free_name();
    *machine = (struct world_machine){.exists = true, .number = ++last_number, .name = name};
    file_of(machine, "", path);
    int fd DS_AUTO_CLOSE = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, template, template_bytes), template_bytes);
    open_peer(machine);
}

static void spell(const struct world_machine *machine, char spec[PATH_MAX])
{
    char path[PATH_MAX - 64];
    snprintf(path, sizeof path, "%.2000s/d/g%u.db", harness_dir(), machine->number);
    snprintf(spec, PATH_MAX, "vm-%u=%s=%s", machine->number, world_names[machine->name], path);
}

void world_begin(bool over_rest, unsigned (*random)(unsigned sides))
{
    char spec[PATH_MAX];
    rest = over_rest;
    roll = random;
    last_number = 0;
    assert_ok(mkdir("d", 0700));
    make_template();
    prepare(&world_machines[0]);
    spell(&world_machines[0], spec);
    if (rest)
        sim_start_rest_with("--vm", spec);
    for (unsigned i = 1; i < WORLD_MACHINES; i++)
        world_make(&world_machines[i]);
}

const char *world_source(void)
{
    static char source[PATH_MAX];
    snprintf(source, sizeof source, "local:%.2000s/d/", harness_dir());
    return rest ? sim_rest_url() : source;
}

void world_make(struct world_machine *machine)
{
    char spec[PATH_MAX];
    prepare(machine);
    spell(machine, spec);
    if (rest)
        assert_string_equal(sim_control("add %s", spec), "ok");
}

static void drop(struct world_machine *machine)
{
    for (unsigned i = 0; i < WORLD_DATASETS * WORLD_KEYS; i++) {
        char **value = &machine->values[i / WORLD_KEYS][i % WORLD_KEYS];
        free(*value);
        *value = NULL;
    }
    close_peer(machine);
    machine->exists = false;
}

/* What is in SQLite's log goes before the file, which is how anybody comes to it. */
static const char *const ends[] = {"-wal", "-shm", ""};

void world_delete(struct world_machine *machine)
{
    drop(machine);
    if (rest) {
        assert_string_equal(sim_control("state vm-%u gone", machine->number), "ok");
        return;
    }
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char path[PATH_MAX];
        file_of(machine, ends[i], path);
        assert_true(unlink(path) == 0 || (*ends[i] && errno == ENOENT));
    }
}

void world_rename(struct world_machine *machine)
{
    struct world_machine renamed = *machine;
    renamed.name = roll_free_name();
    if (rest) {
        machine->name = renamed.name;
        assert_string_equal(
            sim_control("rename vm-%u %s", machine->number, world_names[machine->name]), "ok");
        return;
    }
    close_peer(machine);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char from[PATH_MAX], to[PATH_MAX];
        file_of(machine, ends[i], from);
        file_of(&renamed, ends[i], to);
        assert_true(rename(from, to) == 0 || (*ends[i] && errno == ENOENT));
    }
    machine->name = renamed.name;
    open_peer(machine);
}

struct world_machine *world_called(unsigned name)
{
    for (unsigned i = 0; i < WORLD_MACHINES; i++)
        if (world_machines[i].exists && world_machines[i].name == name)
            return &world_machines[i];
    return NULL;
}

void world_end(void)
{
    for (unsigned i = 0; i < WORLD_MACHINES; i++)
        if (world_machines[i].exists)
            drop(&world_machines[i]);
}
