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

#define TEST(function) cmocka_unit_test_setup_teardown(function, vcenter_setup, vcenter_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_many_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
