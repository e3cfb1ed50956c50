/* Filters of a vCenter's inventory that take several requests, or what was found out before: nobody
 * is missing because of that. */
#include "vcenter_world.h"

#include <stdio.h>

static void open_it(struct vcenter *v)
{
    v->options.machines = &v->filter;
    int err = vcenter_open(v);
    if (err)
        fail_msg("open: %s: %s", strerror(-err), v->call.text);
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
        TEST(test_names_of_folders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
