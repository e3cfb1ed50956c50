/* Lists of virtual machines: their order, one of each id, what they cost. */
#include "inventory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void add(struct ds_machines *machines, const char *id, const char *name, enum ds_power power)
{
    assert_int_equal(ds_machines_add(machines, id, name, power), 0);
}

static void expect(const struct ds_machines *machines, size_t at, const char *id, const char *name,
                   bool ambiguous)
{
    assert_string_equal(machines->list[at].id, id);
    assert_string_equal(machines->list[at].name, name);
    assert_true(ds_machines_is_ambiguous(machines, at) == ambiguous);
}

static void test_order(void **state)
{
    (void)state;
    struct ds_machines machines = {0};
    add(&machines, "vm-10", "b", DS_POWER_ON);
    add(&machines, "vm-11", "c", DS_POWER_ON);
    add(&machines, "vm-9", "b", DS_POWER_ON);
    add(&machines, "vm-100", "a", DS_POWER_ON);
    add(&machines, "vm-8", "b", DS_POWER_ON);
    assert_int_equal(ds_machines_sort(&machines), 0);
    assert_int_equal(machines.count, 5);
    expect(&machines, 0, "vm-100", "a", false);
    expect(&machines, 1, "vm-8", "b", true);
    expect(&machines, 2, "vm-9", "b", true);
    expect(&machines, 3, "vm-10", "b", true);
    expect(&machines, 4, "vm-11", "c", false);
    ds_machines_clear(&machines);
    assert_null(machines.list);
}

static void test_one_of_each_id(void **state)
{
    (void)state;
    struct ds_machines machines = {0};
    add(&machines, "vm-1", "before", DS_POWER_OFF);
    add(&machines, "vm-2", "a", DS_POWER_ON);
    add(&machines, "vm-1", "between", DS_POWER_OFF);
    add(&machines, "vm-1", "after", DS_POWER_SUSPENDED);
    add(&machines, "vm-2", "a", DS_POWER_ON);
    assert_int_equal(ds_machines_sort(&machines), 0);
    assert_int_equal(machines.count, 2);
    expect(&machines, 0, "vm-2", "a", false);
    expect(&machines, 1, "vm-1", "after", false);
    assert_int_equal(machines.list[1].power, DS_POWER_SUSPENDED);
    ds_machines_clear(&machines);
}

static void test_none(void **state)
{
    (void)state;
    struct ds_machines machines = {0};
    assert_int_equal(ds_machines_sort(&machines), 0);
    assert_int_equal(machines.count, 0);
    ds_machines_clear(&machines);
}

static long resident_bytes(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%*d %9ld", &pages), 1); // NOLINT: nine digits are no overflow
    fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}

static void test_what_one_costs(void **state)
{
    (void)state;
    enum { COUNT = 50000, MAX_BYTES = 200 };
    struct ds_machines machines = {0};
    long before = resident_bytes();
    for (int i = 0; i < COUNT; i++) {
        char id[32];
        char name[32];
        snprintf(id, sizeof id, "vm-%d", 100000 + i);
        snprintf(name, sizeof name, "production-web-%05d", COUNT - i);
        add(&machines, id, name, DS_POWER_ON);
    }
    assert_int_equal(ds_machines_sort(&machines), 0);
    assert_int_equal(machines.count, COUNT);
    assert_true(resident_bytes() - before < (long)COUNT * MAX_BYTES);
    ds_machines_clear(&machines);
}

static void test_power_names(void **state)
{
    (void)state;
    assert_string_equal(ds_power_name(DS_POWER_UNKNOWN), "unknown");
    assert_string_equal(ds_power_name(DS_POWER_ON), "on");
    assert_string_equal(ds_power_name(DS_POWER_OFF), "off");
    assert_string_equal(ds_power_name(DS_POWER_SUSPENDED), "suspended");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),       cmocka_unit_test(test_one_of_each_id),
        cmocka_unit_test(test_none),        cmocka_unit_test(test_what_one_costs),
        cmocka_unit_test(test_power_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
