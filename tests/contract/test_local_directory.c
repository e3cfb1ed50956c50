/* What is particular to the inventory of a directory of store files. */
#include "contract.h"
#include "inventories.h"

#include "cleanup.h"

#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static char *directory;
static struct ds_call call;

static struct ds_call *new_call(void)
{
    ds_call_init(&call, 60000);
    return &call;
}

static int setup(void **state)
{
    (void)state;
    directory = contract_make_directory();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    contract_remove_directory(directory);
    return 0;
}

static void path_of(const char *name, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/%s", directory, name);
}

static void make_file(const char *name)
{
    char path[PATH_MAX];
    path_of(name, path);
    FILE *file = fopen(path, "wxe");
    assert_non_null(file);
    assert_int_equal(fclose(file), 0);
}

static int open_source(const char *path, const struct ds_source_options *options,
                       struct ds_inventory **out)
{
    char *source DS_AUTO_FREE = NULL;
    assert_true(asprintf(&source, "local:%s", path) > 0);
    return ds_inventory_open(source, options, new_call(), out);
}

static struct ds_inventory *open_directory(bool read_only)
{
    struct ds_source_options options = {.side = DS_SIDE_HOST, .read_only = read_only};
    struct ds_inventory *inventory = NULL;
    char path[PATH_MAX];
    path_of("", path);
    assert_int_equal(open_source(path, &options, &inventory), 0);
    return inventory;
}

static void expect_listed(struct ds_inventory *inventory, size_t count, const char *first)
{
    struct ds_machines machines DS_CLEANUP(ds_machines_clear) = {0};
    assert_int_equal(ds_inventory_list(inventory, new_call(), &machines), 0);
    assert_int_equal(machines.count, count);
    assert_string_equal(machines.list[0].name, first);
    assert_string_equal(machines.list[0].id, first);
    assert_int_equal(machines.list[0].power, DS_POWER_UNKNOWN);
}

static void test_which_files_are_machines(void **state)
{
    (void)state;
    char path[PATH_MAX];
    char link[PATH_MAX];
    make_file("web.db");
    make_file("web.db-wal");
    make_file("web.db-shm");
    make_file("notes");
    make_file(".db");
    make_file("db");
    path_of("folder.db", path);
    assert_int_equal(mkdir(path, 0700), 0);
    path_of("web.db", path);
    path_of("zlink.db", link);
    assert_int_equal(symlink(path, link), 0);
    path_of("zdangling.db", link);
    assert_int_equal(symlink("nothing", link), 0);
    make_file("z\xFF.db");
    struct ds_inventory *inventory = open_directory(false);
    expect_listed(inventory, 2, "web");
    struct ds_machines machines DS_CLEANUP(ds_machines_clear) = {0};
    assert_int_equal(ds_inventory_list(inventory, new_call(), &machines), 0);
    assert_int_equal(machines.left_out, 1);
    assert_string_equal(machines.list[1].name, "zlink");
    ds_machines_clear(&machines);
    static const char *const none[] = {"folder", "zdangling", "notes", "web.db", "."};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_int_equal(
            ds_inventory_find(inventory, new_call(), DS_MACHINE_BY_NAME, none[i], &machines),
            -ENOENT);
    ds_inventory_free(inventory, new_call());
}

static void test_only_a_directory_with_a_slash(void **state)
{
    (void)state;
    struct ds_source_options options = {0};
    struct ds_inventory *inventory = NULL;
    char path[PATH_MAX];
    assert_true(ds_inventory_is("local:x/"));
    assert_true(ds_inventory_is("local:/"));
    assert_false(ds_inventory_is("local:x"));
    assert_false(ds_inventory_is("local:"));
    assert_false(ds_inventory_is("tools:unix=/x/"));
    path_of("missing/", path);
    assert_int_equal(open_source(path, &options, &inventory), -ENOENT);
    assert_non_null(strstr(call.text, "there is no such directory"));
    make_file("file");
    path_of("file/", path);
    assert_int_equal(open_source(path, &options, &inventory), -ENOTDIR);
    assert_non_null(strstr(call.text, "local:FILE"));
    assert_null(inventory);
}

static void test_filters_of_vcenter_are_refused(void **state)
{
    (void)state;
    struct ds_machine_filter filter = {.powers = 1U << DS_POWER_ON};
    struct ds_source_options options = {.machines = &filter};
    char why[DS_WHY_BYTES] = "";
    assert_int_equal(ds_inventory_check("local:/x/", &options, why), -EINVAL);
    assert_non_null(strstr(why, "for https://HOST only"));
    filter.powers = 0;
    assert_int_equal(ds_inventory_check("local:/x/", &options, why), 0);
    assert_int_equal(ds_source_check("local:/x.db", &options, why), -EINVAL);
    assert_non_null(strstr(why, "https://HOST and local:DIRECTORY/ only"));
}

/* A machine that was listed and is gone when it is opened stays gone. */
static void test_opening_makes_nothing(void **state)
{
    (void)state;
    char path[PATH_MAX];
    struct ds_client *client = NULL;
    struct ds_inventory *inventory = open_directory(false);
    assert_int_equal(ds_inventory_open_machine(inventory, new_call(), "web", &client), -ENODEV);
    assert_int_equal(ds_inventory_open_machine(inventory, new_call(), "../x", &client), -ENODEV);
    assert_null(client);
    path_of("web.db", path);
    assert_int_equal(access(path, F_OK), -1);
    ds_inventory_free(inventory, new_call());
}

static void test_read_only_makes_no_store(void **state)
{
    (void)state;
    char path[PATH_MAX];
    struct stat status;
    struct ds_client *client = NULL;
    struct ds_names names DS_CLEANUP(ds_names_clear) = {0};
    make_file("web.db");
    struct ds_inventory *inventory = open_directory(true);
    assert_int_equal(ds_inventory_open_machine(inventory, new_call(), "web", &client), -ENODEV);
    assert_non_null(strstr(call.text, "there is no store in it yet"));
    path_of("web.db", path);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, 0);
    ds_inventory_free(inventory, new_call());

    inventory = open_directory(false);
    assert_int_equal(ds_inventory_open_machine(inventory, new_call(), "web", &client), 0);
    ds_client_free(client, new_call());
    ds_inventory_free(inventory, new_call());
    inventory = open_directory(true);
    assert_int_equal(ds_inventory_open_machine(inventory, new_call(), "web", &client), 0);
    assert_int_equal(ds_client_list(client, new_call(), &names), 0);
    ds_client_free(client, new_call());
    ds_inventory_free(inventory, new_call());
}

/* "No such machine" must be the directory's word. */
static void test_the_directory_goes(void **state)
{
    (void)state;
    struct ds_machines machines = {0};
    char path[PATH_MAX];
    struct ds_inventory *inventory = open_directory(false);
    path_of("", path);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(ds_inventory_list(inventory, new_call(), &machines), -EIO);
    assert_true(call.text[0]);
    assert_int_equal(ds_inventory_find(inventory, new_call(), DS_MACHINE_BY_NAME, "web", &machines),
                     -EIO);
    assert_true(call.text[0]);
    assert_int_equal(mkdir(path, 0700), 0);
    ds_inventory_free(inventory, new_call());
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_which_files_are_machines),       TEST(test_only_a_directory_with_a_slash),
        TEST(test_filters_of_vcenter_are_refused), TEST(test_opening_makes_nothing),
        TEST(test_read_only_makes_no_store),       TEST(test_the_directory_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
