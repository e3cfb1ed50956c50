/* Filters of a vCenter's inventory that take several requests, or what was found out before: nobody
 * is missing because of that. */
#include "vcenter_world.h"

#include "cleanup.h"

#include <stdio.h>

static const char *const places[] = {"datacenter=datacenter-1=dc1", "host=host-1=h1=datacenter-1",
                                     "folder=group-v1=top", "folder=group-v2=old=group-v1", NULL};

static void open_it(struct vcenter *v)
{
    v->options.machines = &v->filter;
    int err = vcenter_open(v);
    if (err)
        fail_msg("open: %s: %s", strerror(-err), v->call.text);
}

static int find(struct vcenter *v, enum ds_machine_by by, const char *text)
{
    struct ds_machines machines DS_CLEANUP(ds_machines_clear) = {0};
    return ds_inventory_find(v->inventory, vcenter_call(v), by, text, &machines);
}

/* However many names are given. */
static void test_many_names(void **state)
{
    enum { NAMES = 130 };
    struct vcenter *v = *state;
    char name[16];
    vcenter_start(v, NAMES + 20, NULL);
    for (int i = 0; i < NAMES; i++) {
        snprintf(name, sizeof name, "m%05d", i);
        assert_int_equal(ds_names_add(&v->filter.globs, name), 0);
    }
    open_it(v);
    vcenter_expect(v, NAMES);
    assert_int_equal(VCENTER_COUNT(v, "rest=rest-vms"), 2);
    assert_int_equal(VCENTER_COUNT(v, "rest=rest-vms names="), 0); /* a URL has its limits */
}

/* What looks like a name and is a pattern is none. */
static void test_patterns(void **state)
{
    static const struct {
        const char *pattern;
        size_t fit;
    } patterns[] = {{"m0000?", 3}, {"m0000[12]", 2}, {"m*", 3}, {"m0000\\1", 1}, {"m00001", 1}};
    struct vcenter *v = *state;
    vcenter_start(v, 3, NULL);
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        vcenter_close(v);
        ds_names_clear(&v->filter.globs);
        assert_int_equal(ds_names_add(&v->filter.globs, patterns[i].pattern), 0);
        open_it(v);
        vcenter_expect(v, patterns[i].fit);
    }
    assert_int_equal(VCENTER_COUNT(v, "rest=rest-vms names=\"m00001\" status=200"), 2);
}

/* A folder that is made after the mount has found out which there are: who is moved there is not
 * gone, and costs what finding that out costs, once. */
static void test_new_folder(void **state)
{
    struct vcenter *v = *state;
    vcenter_start(v, 4, places);
    assert_int_equal(ds_names_add(&v->filter.folders, "top"), 0);
    open_it(v);
    vcenter_expect(v, 4);
    assert_int_equal(VCENTER_COUNT(v, "rest=rest-folders"), 3);
    VCENTER_ORDER(v, "place folder=group-v3=new=group-v2");
    VCENTER_ORDER(v, "move vm-1001 group-v3");
    vcenter_expect(v, 4);
    assert_int_equal(VCENTER_COUNT(v, "rest=rest-folders"), 3 + 4);
    vcenter_expect(v, 4);
    VCENTER_ORDER(v, "place folder=group-v4=newer=group-v3");
    VCENTER_ORDER(v, "move vm-1002 group-v4");
    /* A name that nobody has is looked for once: whose it was has an id. */
    size_t before = VCENTER_COUNT(v, "rest=");
    assert_int_equal(find(v, DS_MACHINE_BY_NAME, "nobody"), -ENOENT);
    assert_int_equal(VCENTER_COUNT(v, "rest=") - before, 1);
    assert_int_equal(find(v, DS_MACHINE_BY_ID, "vm-1002"), 0);
    before = VCENTER_COUNT(v, "rest=");
    vcenter_expect(v, 4);
    assert_int_equal(VCENTER_COUNT(v, "rest=") - before, 1);
    /* Who is gone, or out of the folder, is so, and once more costs no more. */
    VCENTER_ORDER(v, "state vm-1003 gone");
    VCENTER_ORDER(v, "place folder=group-v5=elsewhere");
    VCENTER_ORDER(v, "move vm-1004 group-v5");
    assert_int_equal(find(v, DS_MACHINE_BY_ID, "vm-1004"), -ENOENT);
    before = VCENTER_COUNT(v, "rest=rest-vms");
    vcenter_expect(v, 2);
    assert_int_equal(VCENTER_COUNT(v, "rest=rest-vms") - before, 2); /* and none by its id */
    before = VCENTER_COUNT(v, "rest=");
    vcenter_expect(v, 2);
    assert_int_equal(VCENTER_COUNT(v, "rest=") - before, 1);
}

/* More folders than go into one query: two lists, between which a machine may move. */
static void test_moves_between_queries(void **state)
{
    enum { FOLDERS = 150 };
    struct vcenter *v = *state;
    vcenter_start(v, 4, places);
    for (int i = 0; i < FOLDERS; i++)
        VCENTER_ORDER(v, "place folder=group-v%d=f%d=group-v1", 1000 + i, i);
    VCENTER_ORDER(v, "move vm-1001 group-v%d", 1000 + FOLDERS - 1);
    assert_int_equal(ds_names_add(&v->filter.folders, "top"), 0);
    open_it(v);
    size_t before = VCENTER_COUNT(v, "rest=rest-vms");
    /* Nobody knows it yet, and it is in neither list of the first round. */
    VCENTER_ORDER(v, "after rest-vms 1 move vm-1001 group-v1000");
    vcenter_expect(v, 4);
    assert_int_equal(VCENTER_COUNT(v, "rest=rest-vms") - before, 4);
    VCENTER_ORDER(v, "move vm-1001 group-v%d", 1000 + FOLDERS - 1);
    before = VCENTER_COUNT(v, "rest=rest-vms");
    /* Known, and missed: asked for by its id. */
    VCENTER_ORDER(v, "after rest-vms 1 move vm-1001 group-v1000");
    vcenter_expect(v, 4);
    assert_int_equal(VCENTER_COUNT(v, "rest=rest-vms") - before, 4);
    assert_int_equal(VCENTER_COUNT(v, "rest=rest-vms", "vms=\"vm-1001\" status=200"), 2);
    before = VCENTER_COUNT(v, "rest=rest-vms");
    vcenter_expect(v, 4);
    assert_int_equal(VCENTER_COUNT(v, "rest=rest-vms") - before, 2);
}

/* Who has no name counts once, however often it is listed. */
static void test_no_name_in_two_rounds(void **state)
{
    enum { FOLDERS = 150 };
    struct vcenter *v = *state;
    struct ds_machines machines DS_CLEANUP(ds_machines_clear) = {0};
    char path[PATH_MAX];
    vcenter_start(v, 4, places);
    for (int i = 0; i < FOLDERS; i++)
        VCENTER_ORDER(v, "place folder=group-v%d=f%d=group-v1", 1000 + i, i);
    assert_int_equal(ds_names_add(&v->filter.folders, "top"), 0);
    open_it(v);
    snprintf(path, sizeof path, "%s/reply", v->directory);
    FILE *reply = fopen(path, "we");
    assert_non_null(reply);
    fprintf(reply, "200 application/json\n[{\"vm\":\"vm-1\",\"name\":7}]");
    assert_int_equal(fclose(reply), 0);
    size_t before = VCENTER_COUNT(v, "rest=rest-vms");
    VCENTER_ORDER(v, "fault say=%s:command=rest-vms", path);
    vcenter_list(v, 0, &machines);
    assert_int_equal(VCENTER_COUNT(v, "rest=rest-vms") - before, 4);
    assert_int_equal(machines.left_out, 2); /* one in each list */
}

/* vSphere stores a '/' in the names of folders as it does in those of machines. */
static void test_names_of_folders(void **state)
{
    struct vcenter *v = *state;
    vcenter_start(v, 3, (const char *const[]){"host=host-1=h1", "folder=group-v1=a%2fb", NULL});
    assert_int_equal(ds_names_add(&v->filter.folders, "a/b"), 0);
    open_it(v);
    vcenter_expect(v, 3);
    vcenter_close(v);
    ds_names_clear(&v->filter.folders);
    assert_int_equal(ds_names_add(&v->filter.folders, "a/c"), 0);
    assert_int_equal(vcenter_open(v), -ENODEV);
    assert_non_null(strstr(v->call.text, "there is no folder 'a/c'"));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, vcenter_setup, vcenter_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_many_names),
        TEST(test_patterns),
        TEST(test_new_folder),
        TEST(test_moves_between_queries),
        TEST(test_no_name_in_two_rounds),
        TEST(test_names_of_folders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
