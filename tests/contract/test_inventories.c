/* Runs the suite of inventories for each kind; a new one is one line in `targets`. */
#include "inventories.h"

#include "cleanup.h"

#include <dirent.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct inventory_target *const targets[] = {&inventory_target_local,
                                                         &inventory_target_rest};
static const struct inventory_target *target;

enum { TIMEOUT_MS = 60000 };

/* What each test is given. */
struct world {
    char *directory; /* of the program's own files */
    char *machines;  /* below it, of theirs */
    struct ds_inventory *inventory;
    struct ds_call call;
};

static struct ds_call *call_of(struct world *w)
{
    ds_call_init(&w->call, TIMEOUT_MS);
    return &w->call;
}

static void path_of(const struct world *w, const char *name, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/%s.db", w->machines, name);
}

/* An empty file is a store that is about to be made. */
static void make_file(const struct world *w, const char *name)
{
    char path[PATH_MAX];
    path_of(w, name, path);
    FILE *file = fopen(path, "wxe");
    assert_non_null(file);
    assert_int_equal(fclose(file), 0);
}

static void make_machine(struct world *w, const char *name)
{
    make_file(w, name);
    if (w->inventory && target->came)
        target->came(w->directory, name);
}

static void drop_machine(struct world *w, const char *name)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char path[PATH_MAX + 8];
        path_of(w, name, path);
        strcat(path, ends[i]);
        assert_true(unlink(path) == 0 || (i && errno == ENOENT));
    }
    if (target->went)
        target->went(w->directory, name);
}

static void open_inventory(struct world *w, const struct ds_machine_filter *filter)
{
    assert_int_equal(target->open(w->directory, filter, call_of(w), &w->inventory), 0);
}

static void close_inventory(struct world *w)
{
    ds_inventory_free(w->inventory, call_of(w));
    w->inventory = NULL;
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->directory = contract_make_directory();
    assert_true(asprintf(&w->machines, "%s/machines", w->directory) > 0);
    assert_int_equal(mkdir(w->machines, 0700), 0);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    close_inventory(w);
    if (target->end)
        target->end();
    free(w->machines);
    contract_remove_directory(w->directory);
    free(w);
    return 0;
}

/* The names of all machines, with a space behind each. */
static void expect_list(struct world *w, const char *names)
{
    struct ds_machines machines DS_CLEANUP(ds_machines_clear) = {0};
    struct ds_buf listed DS_CLEANUP(ds_buf_free) = {0};
    int err = ds_inventory_list(w->inventory, call_of(w), &machines);
    if (err)
        fail_msg("list: %s: %s", strerror(-err), w->call.text);
    assert_int_equal(ds_buf_puts(&listed, ""), 0);
    for (size_t i = 0; i < machines.count; i++)
        assert_int_equal(ds_buf_printf(&listed, "%s ", machines.list[i].name), 0);
    assert_string_equal(listed.data, names);
    assert_string_equal(w->call.text, "");
}

/* The id of the machine of that name, in memory that the next call but one uses again. */
static const char *id_of(struct world *w, const char *name)
{
    static char ids[2][DS_NAME_MAX_BYTES + 1];
    static int turn;
    struct ds_machines machines DS_CLEANUP(ds_machines_clear) = {0};
    char *id = ids[turn++ % 2];
    int err = ds_inventory_find(w->inventory, call_of(w), DS_MACHINE_BY_NAME, name, &machines);
    if (err)
        fail_msg("find %s: %s: %s", name, strerror(-err), w->call.text);
    assert_int_equal(machines.count, 1);
    assert_string_equal(machines.list[0].name, name);
    snprintf(id, sizeof ids[0], "%s", machines.list[0].id);
    return id;
}

static void expect_missing(struct world *w, enum ds_machine_by by, const char *text)
{
    struct ds_machines machines = {.left_out = 7};
    assert_int_equal(ds_inventory_find(w->inventory, call_of(w), by, text, &machines), -ENOENT);
    assert_string_equal(w->call.text, "");
    assert_int_equal(machines.left_out, 7);
}

static struct ds_client *open_machine(struct world *w, const char *id)
{
    struct ds_client *client = NULL;
    int err = ds_inventory_open_machine(w->inventory, call_of(w), id, &client);
    if (err)
        fail_msg("open %s: %s: %s", id, strerror(-err), w->call.text);
    return client;
}

static void test_lists_by_name(void **state)
{
    struct world *w = *state;
    open_inventory(w, NULL);
    expect_list(w, "");
    make_machine(w, "web-02");
    make_machine(w, "db");
    make_machine(w, "web-01");
    make_machine(w, "Größe 1");
    make_machine(w, "100%");
    make_machine(w, "vm-42");
    expect_list(w, "100% Größe 1 db vm-42 web-01 web-02 ");
}

static void test_finds_by_name_and_id(void **state)
{
    struct world *w = *state;
    struct ds_machines machines DS_CLEANUP(ds_machines_clear) = {0};
    make_machine(w, "web-01");
    make_machine(w, "100% a");
    open_inventory(w, NULL);
    const char *id = id_of(w, "100% a");
    assert_int_equal(ds_inventory_find(w->inventory, call_of(w), DS_MACHINE_BY_ID, id, &machines),
                     0);
    assert_int_equal(machines.count, 1);
    assert_string_equal(machines.list[0].id, id);
    assert_string_equal(machines.list[0].name, "100% a");
    expect_missing(w, DS_MACHINE_BY_NAME, "web-0");
    expect_missing(w, DS_MACHINE_BY_NAME, "WEB-01");
    expect_missing(w, DS_MACHINE_BY_NAME, "../machines/web-01");
    expect_missing(w, DS_MACHINE_BY_NAME, "");
    expect_missing(w, DS_MACHINE_BY_NAME, "a\xFF");
    expect_missing(w, DS_MACHINE_BY_ID, "vm-999999");
    expect_missing(w, DS_MACHINE_BY_ID, "");
}

static void test_globs_bind_lists_and_lookups(void **state)
{
    struct world *w = *state;
    struct ds_machine_filter filter = {0};
    make_machine(w, "web-01");
    make_machine(w, "db-01");
    make_machine(w, "cache");
    open_inventory(w, NULL);
    char id[DS_NAME_MAX_BYTES + 1];
    snprintf(id, sizeof id, "%s", id_of(w, "db-01"));
    close_inventory(w);
    assert_int_equal(ds_names_add(&filter.globs, "web-*"), 0);
    assert_int_equal(ds_names_add(&filter.globs, "c?che"), 0);
    open_inventory(w, &filter);
    expect_list(w, "cache web-01 ");
    expect_missing(w, DS_MACHINE_BY_NAME, "db-01");
    expect_missing(w, DS_MACHINE_BY_ID, id);
    id_of(w, "web-01");
    close_inventory(w);
    ds_names_clear(&filter.globs);
    assert_int_equal(ds_names_add(&filter.globs, "db-01"), 0);
    open_inventory(w, &filter);
    expect_list(w, "db-01 ");
    expect_missing(w, DS_MACHINE_BY_NAME, "web-01");
    id_of(w, "db-01");
    close_inventory(w);
    ds_names_clear(&filter.globs);
}

static void test_each_machine_has_its_own_store(void **state)
{
    struct world *w = *state;
    struct ds_attributes none = {0};
    make_machine(w, "a");
    make_machine(w, "b");
    open_inventory(w, NULL);
    struct ds_client *a = open_machine(w, id_of(w, "a"));
    struct ds_client *b = open_machine(w, id_of(w, "b"));
    struct ds_client *again = open_machine(w, id_of(w, "a"));
    assert_int_equal(ds_client_create(a, call_of(w), "d", &none), 0);
    assert_int_equal(ds_client_create(b, call_of(w), "d", &none), 0);
    assert_int_equal(ds_client_set(a, call_of(w), "d", "k", "of a", 4, NULL), 0);
    struct ds_buf value = {0};
    assert_int_equal(ds_client_get_one(again, call_of(w), "d", "k", &value), 0);
    assert_string_equal(value.data, "of a");
    ds_buf_free(&value);
    assert_int_equal(ds_client_get_one(b, call_of(w), "d", "k", &value), -ENOENT);
    ds_client_free(again, call_of(w));
    ds_client_free(a, call_of(w));
    ds_client_free(b, call_of(w));
}

static void test_what_clients_can_do(void **state)
{
    struct world *w = *state;
    make_machine(w, "a");
    open_inventory(w, NULL);
    struct ds_client *client = open_machine(w, id_of(w, "a"));
    const struct ds_caps *told = ds_inventory_caps(w->inventory);
    const struct ds_caps *has = ds_client_caps(client);
    assert_int_equal(told->side, DS_SIDE_HOST);
    assert_true(told->can_create);
    assert_int_equal(told->can_append, has->can_append);
    assert_int_equal(told->batch_keys, has->batch_keys);
    assert_int_equal(told->parallel, has->parallel);
    ds_client_free(client, call_of(w));
}

/* What is asked of a machine that is not there is -ENODEV, whenever that is found out. */
static void expect_gone(struct world *w, const char *id)
{
    struct ds_client *client = NULL;
    struct ds_names names DS_CLEANUP(ds_names_clear) = {0};
    int err = ds_inventory_open_machine(w->inventory, call_of(w), id, &client);
    if (!err)
        err = ds_client_list(client, call_of(w), &names);
    assert_int_equal(err, -ENODEV);
    assert_true(w->call.text[0]);
    ds_client_free(client, call_of(w));
}

static void test_no_such_machine(void **state)
{
    struct world *w = *state;
    open_inventory(w, NULL);
    expect_gone(w, "vm-999999");
    expect_gone(w, "");
}

static void test_a_machine_goes_and_comes(void **state)
{
    struct world *w = *state;
    struct ds_attributes none = {0};
    struct ds_names names DS_CLEANUP(ds_names_clear) = {0};
    struct ds_attributes attributes DS_CLEANUP(ds_attributes_clear) = {0};
    make_machine(w, "a");
    make_machine(w, "b");
    open_inventory(w, NULL);
    char id[DS_NAME_MAX_BYTES + 1];
    snprintf(id, sizeof id, "%s", id_of(w, "a"));
    struct ds_client *client = open_machine(w, id);
    assert_int_equal(ds_client_create(client, call_of(w), "d", &none), 0);
    drop_machine(w, "a");
    assert_int_equal(ds_client_list(client, call_of(w), &names), -ENODEV);
    assert_true(w->call.text[0]);
    assert_int_equal(ds_client_set(client, call_of(w), "d", "k", "v", 1, NULL), -ENODEV);
    expect_missing(w, DS_MACHINE_BY_ID, id);
    expect_missing(w, DS_MACHINE_BY_NAME, "a");
    expect_gone(w, id);
    expect_list(w, "b ");
    /* The same name, and nothing of the one before. */
    make_machine(w, "a");
    expect_list(w, "a b ");
    assert_int_equal(ds_client_query(client, call_of(w), "d", &attributes), -ENODEV);
    ds_client_free(client, call_of(w));
    client = open_machine(w, id_of(w, "a"));
    assert_int_equal(ds_client_query(client, call_of(w), "d", &attributes), -ENOENT);
    ds_client_free(client, call_of(w));
}

static size_t count_descriptors(void)
{
    size_t count = 0;
    DIR *directory = opendir("/proc/self/fd");
    assert_non_null(directory);
    while (readdir(directory)) // NOLINT: no other thread has it
        count++;
    closedir(directory);
    return count;
}

static void test_many_are_opened_and_closed(void **state)
{
    enum { MACHINES = 40, ROUNDS = 5 };
    struct world *w = *state;
    struct ds_machines machines DS_CLEANUP(ds_machines_clear) = {0};
    struct ds_client *clients[MACHINES];
    for (int i = 0; i < MACHINES; i++) {
        char name[16];
        snprintf(name, sizeof name, "m%02d", i);
        make_file(w, name);
    }
    open_inventory(w, NULL);
    assert_int_equal(ds_inventory_list(w->inventory, call_of(w), &machines), 0);
    assert_int_equal(machines.count, MACHINES);
    size_t before = 0;
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < MACHINES; i++) {
            struct ds_names names DS_CLEANUP(ds_names_clear) = {0};
            clients[i] = open_machine(w, machines.list[i].id);
            assert_int_equal(ds_client_list(clients[i], call_of(w), &names), 0);
        }
        for (size_t i = 0; i < MACHINES; i++)
            ds_client_free(clients[i], call_of(w));
        /* The first round may open what all share. */
        if (round == 0)
            before = count_descriptors();
    }
    assert_int_equal(count_descriptors(), before);
}

/* One of several threads, each with a machine that is its own. */
struct worker {
    struct world *world;
    int number;
    struct ds_call call;
    int err;
    pthread_t thread;
};

static struct ds_call *renew(struct worker *worker)
{
    ds_call_init(&worker->call, TIMEOUT_MS);
    return &worker->call;
}

/* Finds its machine, writes to it and reads that back. */
static int use_machine(struct worker *worker, const char *name, const char *value)
{
    struct ds_inventory *inventory = worker->world->inventory;
    struct ds_machines found DS_CLEANUP(ds_machines_clear) = {0};
    struct ds_buf read DS_CLEANUP(ds_buf_free) = {0};
    struct ds_attributes none = {0};
    struct ds_client *client = NULL;
    int err = ds_inventory_find(inventory, renew(worker), DS_MACHINE_BY_NAME, name, &found);
    if (!err)
        err = ds_inventory_open_machine(inventory, renew(worker), found.list[0].id, &client);
    if (err)
        return err;
    err = ds_client_create(client, renew(worker), "d", &none);
    if (!err || err == -EEXIST)
        err = ds_client_set(client, renew(worker), "d", "k", value, strlen(value), NULL);
    if (!err)
        err = ds_client_get_one(client, renew(worker), "d", "k", &read);
    if (!err && strcmp(read.data, value) != 0)
        err = -EBADMSG;
    ds_client_free(client, renew(worker));
    return err;
}

static void *work(void *argument)
{
    enum { ROUNDS = 10 };
    struct worker *worker = argument;
    char name[16];
    char value[48];
    snprintf(name, sizeof name, "m%d", worker->number);
    for (int round = 0; round < ROUNDS && !worker->err; round++) {
        struct ds_machines machines DS_CLEANUP(ds_machines_clear) = {0};
        snprintf(value, sizeof value, "%s round %d", name, round);
        worker->err = use_machine(worker, name, value);
        if (!worker->err)
            worker->err = ds_inventory_list(worker->world->inventory, renew(worker), &machines);
    }
    return NULL;
}

static void test_any_thread_at_any_time(void **state)
{
    enum { WORKERS = 6 };
    struct world *w = *state;
    struct worker workers[WORKERS] = {0};
    for (int i = 0; i < WORKERS; i++) {
        char name[16];
        snprintf(name, sizeof name, "m%d", i);
        make_file(w, name);
    }
    open_inventory(w, NULL);
    for (int i = 0; i < WORKERS; i++) {
        workers[i].world = w;
        workers[i].number = i;
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < WORKERS; i++)
        pthread_join(workers[i].thread, NULL);
    for (int i = 0; i < WORKERS; i++)
        if (workers[i].err)
            fail_msg("worker %d: %s: %s", i, strerror(-workers[i].err), workers[i].call.text);
}

static void test_requests_are_counted(void **state)
{
    struct world *w = *state;
    make_machine(w, "a");
    open_inventory(w, NULL);
    uint64_t lists = ds_inventory_requests(w->inventory, DS_INVENTORY_LIST);
    expect_list(w, "a ");
    assert_int_equal(ds_inventory_requests(w->inventory, DS_INVENTORY_LIST), lists + 1);
    uint64_t finds = ds_inventory_requests(w->inventory, DS_INVENTORY_FIND);
    id_of(w, "a");
    expect_missing(w, DS_MACHINE_BY_NAME, "b");
    /* These can be no machine's: nobody is asked. */
    expect_missing(w, DS_MACHINE_BY_NAME, "");
    expect_missing(w, DS_MACHINE_BY_ID, "\xFF");
    assert_int_equal(ds_inventory_requests(w->inventory, DS_INVENTORY_FIND), finds + 2);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

static const struct CMUnitTest tests[] = {
    TEST(test_lists_by_name),
    TEST(test_finds_by_name_and_id),
    TEST(test_globs_bind_lists_and_lookups),
    TEST(test_each_machine_has_its_own_store),
    TEST(test_what_clients_can_do),
    TEST(test_no_such_machine),
    TEST(test_a_machine_goes_and_comes),
    TEST(test_many_are_opened_and_closed),
    TEST(test_any_thread_at_any_time),
    TEST(test_requests_are_counted),
};

int main(void)
{
    int failed = 0;
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        target = targets[i];
        failed +=
            _cmocka_run_group_tests(target->name, tests, sizeof tests / sizeof *tests, NULL, NULL);
    }
    return failed != 0;
}
