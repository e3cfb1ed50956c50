/* What is particular to the inventory of a vCenter: what it asks for, filters, names. */
#include "vcenter_world.h"

#include "cleanup.h"

#include <pthread.h>
#include <stdio.h>

static void open_it(struct vcenter *v)
{
    int err = vcenter_open(v);
    if (err)
        fail_msg("open: %s: %s", strerror(-err), v->call.text);
}

static int find(struct vcenter *v, enum ds_machine_by by, const char *text, char *id)
{
    struct ds_machines machines DS_CLEANUP(ds_machines_clear) = {0};
    int err = ds_inventory_find(v->inventory, vcenter_call(v), by, text, &machines);
    if (!err && id)
        strcpy(id, machines.list[0].id);
    return err;
}

static struct ds_client *open_machine(struct vcenter *v, const char *id)
{
    struct ds_client *client = NULL;
    assert_int_equal(ds_inventory_open_machine(v->inventory, vcenter_call(v), id, &client), 0);
    return client;
}

/* One login for all, one request for each list and lookup, none to open a machine. */
static void test_requests(void **state)
{
    struct vcenter *v = *state;
    struct ds_names names DS_CLEANUP(ds_names_clear) = {0};
    vcenter_start(v, 3, NULL);
    open_it(v);
    assert_int_equal(VCENTER_COUNT(v, "rest="), 2);
    assert_int_equal(VCENTER_COUNT(v, "rest=rest-login", "status=201"), 1);
    assert_int_equal(VCENTER_COUNT(v, "rest=rest-vms status=200"), 1);
    vcenter_expect(v, 3);
    assert_int_equal(VCENTER_COUNT(v, "rest="), 3);
    assert_int_equal(find(v, DS_MACHINE_BY_ID, "vm-1002", NULL), 0);
    assert_int_equal(VCENTER_COUNT(v, "rest=rest-vms vms=\"vm-1002\" status=200"), 1);
    assert_int_equal(find(v, DS_MACHINE_BY_NAME, "m00002", NULL), 0);
    assert_int_equal(VCENTER_COUNT(v, "rest=rest-vms names=\"m00002\" status=200"), 1);
    struct ds_client *first = open_machine(v, "vm-1001");
    struct ds_client *second = open_machine(v, "vm-1003");
    assert_int_equal(VCENTER_COUNT(v, "rest="), 5);
    assert_int_equal(ds_client_list(first, vcenter_call(v), &names), 0);
    assert_int_equal(ds_client_list(second, vcenter_call(v), &names), 0);
    assert_int_equal(VCENTER_COUNT(v, "rest="), 7);
    ds_client_free(first, vcenter_call(v));
    ds_client_free(second, vcenter_call(v));
    assert_int_equal(VCENTER_COUNT(v, "rest="), 7);
    assert_string_equal(VCENTER_ORDER(v, "sessions"), "1");
    vcenter_close(v);
    assert_int_equal(VCENTER_COUNT(v, "rest="), 8);
    assert_int_equal(VCENTER_COUNT(v, "rest=rest-logout"), 1);
}

static void test_delayed(void **state)
{
    struct vcenter *v = *state;
    vcenter_start(v, 1, NULL);
    v->options.delay_connect = true;
    open_it(v);
    assert_int_equal(VCENTER_COUNT(v, "rest="), 0);
    assert_int_equal(find(v, DS_MACHINE_BY_ID, "vm-1001", NULL), 0);
    assert_int_equal(VCENTER_COUNT(v, "rest="), 2);
}

static void test_states_and_names(void **state)
{
    struct vcenter *v = *state;
    struct ds_machines machines DS_CLEANUP(ds_machines_clear) = {0};
    char id[64];
    vcenter_start(v, 4, NULL);
    VCENTER_ORDER(v, "state vm-1002 poweredOff");
    VCENTER_ORDER(v, "state vm-1003 suspended");
    VCENTER_ORDER(v, "rename vm-1004 a%%2Fb%%5cc%%25%%41");
    open_it(v);
    vcenter_list(v, 4, &machines);
    assert_string_equal(machines.list[0].name, "a/b\\c%%41");
    assert_int_equal(machines.list[0].power, DS_POWER_ON);
    assert_int_equal(machines.list[2].power, DS_POWER_OFF);
    assert_int_equal(machines.list[3].power, DS_POWER_SUSPENDED);
    /* A name as it is stored, and as it is meant where the server stores that. */
    VCENTER_ORDER(v, "rename vm-1003 x/y");
    VCENTER_ORDER(v, "rename vm-1004 p%%2fq");
    assert_int_equal(find(v, DS_MACHINE_BY_NAME, "x/y", id), 0);
    assert_string_equal(id, "vm-1003");
    assert_int_equal(find(v, DS_MACHINE_BY_NAME, "p/q", id), 0);
    assert_string_equal(id, "vm-1004");
    assert_int_equal(find(v, DS_MACHINE_BY_NAME, "p%2fq", id), -ENOENT);
}

static void test_one_name_of_several(void **state)
{
    struct vcenter *v = *state;
    struct ds_machines machines DS_CLEANUP(ds_machines_clear) = {0};
    vcenter_start(v, 12, NULL);
    for (int i = 0; i < 10; i++)
        VCENTER_ORDER(v, "rename vm-%d same", 1001 + i);
    open_it(v);
    assert_int_equal(find(v, DS_MACHINE_BY_NAME, "same", NULL), -ENOTUNIQ);
    assert_non_null(strstr(v->call.text, "10 virtual machines are named 'same'"));
    assert_non_null(strstr(v->call.text, "vm-1001, vm-1002, "));
    assert_non_null(strstr(v->call.text, "vm-1008, ..."));
    assert_int_equal(find(v, DS_MACHINE_BY_ID, "vm-1005", NULL), 0);
    vcenter_list(v, 12, &machines);
    assert_false(ds_machines_is_ambiguous(&machines, 1));
    assert_true(ds_machines_is_ambiguous(&machines, 2));
    assert_true(ds_machines_is_ambiguous(&machines, 11));
    /* One is renamed, the others are gone: the name is one machine's again. */
    VCENTER_ORDER(v, "rename vm-1001 other");
    for (int i = 1; i < 9; i++)
        VCENTER_ORDER(v, "state vm-%d gone", 1001 + i);
    assert_int_equal(find(v, DS_MACHINE_BY_NAME, "same", NULL), 0);
    assert_int_equal(find(v, DS_MACHINE_BY_NAME, "other", NULL), 0);
    vcenter_expect(v, 4);
}

static const char *const places[] = {
    "datacenter=datacenter-1=dc1",       "datacenter=datacenter-2=dc2",
    "cluster=domain-c1=c1=datacenter-1", "cluster=domain-c2=c2=datacenter-2",
    "host=host-1=h1=domain-c1",          "host=host-2=h2=domain-c2",
    "host=host-3=h3=datacenter-2",       "folder=group-v1=vm=datacenter-1",
    "folder=group-v2=prod=group-v1",     "folder=group-v3=web=group-v2",
    "folder=group-v4=prod=group-v3",     NULL};

/* Twelve machines are on three hosts and in four folders in turn. */
static void open_filtered(struct vcenter *v, size_t count)
{
    vcenter_close(v);
    v->options.machines = &v->filter;
    open_it(v);
    vcenter_expect(v, count);
}

/* So many that vCenter does not list them are several, too. */
static void test_one_name_of_too_many(void **state)
{
    struct vcenter *v = *state;
    vcenter_start_with(v, 3, NULL, (const char *const[]){"--list-max", "2", NULL});
    for (int i = 1; i <= 3; i++)
        VCENTER_ORDER(v, "rename vm-%d same", 1000 + i);
    open_it(v);
    assert_int_equal(find(v, DS_MACHINE_BY_NAME, "same", NULL), -ENOTUNIQ);
    assert_non_null(strstr(v->call.text, "more virtual machines than vCenter lists"));
    assert_non_null(strstr(v->call.text, "named 'same': use one of their ids"));
    assert_int_equal(find(v, DS_MACHINE_BY_ID, "vm-1003", NULL), 0);
    VCENTER_ORDER(v, "fault error=UNABLE_TO_ALLOCATE_RESOURCE:command=rest-vms:count=1");
    assert_int_equal(find(v, DS_MACHINE_BY_ID, "vm-1003", NULL), -EPROTO);
}

static void test_clusters_and_datacenters(void **state)
{
    struct vcenter *v = *state;
    vcenter_start(v, 12, places);
    assert_int_equal(ds_names_add(&v->filter.clusters, "c1"), 0);
    open_filtered(v, 4);
    assert_int_equal(VCENTER_COUNT(v, "rest=rest-clusters names=\"c1\" status=200"), 1);
    assert_int_equal(VCENTER_COUNT(v, "rest=rest-vms clusters=\"domain-c1\" status=200"), 2);
    assert_int_equal(find(v, DS_MACHINE_BY_ID, "vm-1001", NULL), 0);
    assert_int_equal(find(v, DS_MACHINE_BY_ID, "vm-1002", NULL), -ENOENT);
    assert_int_equal(find(v, DS_MACHINE_BY_NAME, "m00001", NULL), -ENOENT);
    assert_int_equal(VCENTER_COUNT(v, "rest=rest-clusters"), 1);
    assert_int_equal(ds_names_add(&v->filter.clusters, "domain-c2"), 0);
    open_filtered(v, 8);
    assert_int_equal(ds_names_add(&v->filter.datacenters, "dc2"), 0);
    open_filtered(v, 4);
    ds_names_clear(&v->filter.clusters);
    open_filtered(v, 8);
    ds_names_clear(&v->filter.datacenters);
    assert_int_equal(ds_names_add(&v->filter.datacenters, "datacenter-1"), 0);
    open_filtered(v, 4);
}

static void test_folders_with_what_is_below(void **state)
{
    struct vcenter *v = *state;
    vcenter_start(v, 12, places);
    assert_int_equal(ds_names_add(&v->filter.folders, "group-v4"), 0);
    open_filtered(v, 3);
    assert_int_equal(find(v, DS_MACHINE_BY_ID, "vm-1004", NULL), 0);
    assert_int_equal(find(v, DS_MACHINE_BY_ID, "vm-1003", NULL), -ENOENT);
    ds_names_clear(&v->filter.folders);
    assert_int_equal(ds_names_add(&v->filter.folders, "web"), 0);
    open_filtered(v, 6);
    ds_names_clear(&v->filter.folders);
    /* Two folders have that name, one somewhere below the other. */
    assert_int_equal(ds_names_add(&v->filter.folders, "prod"), 0);
    open_filtered(v, 9);
    ds_names_clear(&v->filter.folders);
    assert_int_equal(ds_names_add(&v->filter.folders, "vm"), 0);
    open_filtered(v, 12);
    VCENTER_ORDER(v, "move vm-1001 group-v4");
    ds_names_clear(&v->filter.folders);
    assert_int_equal(ds_names_add(&v->filter.folders, "group-v4"), 0);
    open_filtered(v, 4);
}

static void test_power_and_names(void **state)
{
    struct vcenter *v = *state;
    vcenter_start(v, 12, places);
    VCENTER_ORDER(v, "state vm-1002 poweredOff");
    VCENTER_ORDER(v, "state vm-1003 suspended");
    v->filter.powers = 1U << DS_POWER_OFF;
    open_filtered(v, 1);
    v->filter.powers |= 1U << DS_POWER_SUSPENDED;
    open_filtered(v, 2);
    assert_int_equal(find(v, DS_MACHINE_BY_ID, "vm-1001", NULL), -ENOENT);
    assert_int_equal(find(v, DS_MACHINE_BY_ID, "vm-1002", NULL), 0);
    v->filter.powers |= 1U << DS_POWER_ON;
    assert_int_equal(ds_names_add(&v->filter.globs, "m0000[123]"), 0);
    open_filtered(v, 3);
    assert_int_equal(VCENTER_COUNT(v, "rest=rest-vms names="), 0);
    /* Patterns that are names are vCenter's to look for. */
    ds_names_clear(&v->filter.globs);
    assert_int_equal(ds_names_add(&v->filter.globs, "m00001"), 0);
    assert_int_equal(ds_names_add(&v->filter.globs, "100%"), 0);
    open_filtered(v, 1);
    assert_int_equal(
        VCENTER_COUNT(v, "rest=rest-vms", "names=\"m00001\" names=\"100%\" names=\"100%25\""), 2);
}

static void test_what_the_filter_names_must_exist(void **state)
{
    struct vcenter *v = *state;
    vcenter_start(v, 1, places);
    v->options.machines = &v->filter;
    assert_int_equal(ds_names_add(&v->filter.folders, "prod"), 0);
    assert_int_equal(ds_names_add(&v->filter.folders, "missing"), 0);
    assert_int_equal(vcenter_open(v), -ENODEV);
    assert_non_null(strstr(v->call.text, "there is no folder 'missing'"));
    ds_names_clear(&v->filter.folders);
    assert_int_equal(ds_names_add(&v->filter.clusters, "domain-c99"), 0);
    assert_int_equal(vcenter_open(v), -ENODEV);
    assert_non_null(strstr(v->call.text, "there is no cluster 'domain-c99'"));
}

static void test_no_list(void **state)
{
    struct vcenter *v = *state;
    vcenter_start_with(v, 1, NULL, (const char *const[]){"--no-vm-list", NULL});
    assert_int_equal(vcenter_open(v), -EOPNOTSUPP);
    assert_non_null(strstr(v->call.text, "does not list virtual machines"));
}

static void test_busy_is_tried_again(void **state)
{
    struct vcenter *v = *state;
    vcenter_start(v, 2, NULL);
    open_it(v);
    VCENTER_ORDER(v, "fault busy:command=rest-vms:count=2");
    vcenter_expect(v, 2);
    VCENTER_ORDER(v, "fault close:command=rest-vms:count=1");
    vcenter_expect(v, 2);
    VCENTER_ORDER(v, "fault garbage:command=rest-vms:count=1");
    struct ds_machines machines = {0};
    assert_int_equal(ds_inventory_list(v->inventory, vcenter_call(v), &machines), -EOPNOTSUPP);
    VCENTER_ORDER(v, "fault truncate:command=rest-vms:count=1");
    assert_int_equal(ds_inventory_list(v->inventory, vcenter_call(v), &machines), -EPROTO);
    assert_true(v->call.text[0]);
    assert_string_equal(VCENTER_ORDER(v, "fired"), "5");
}

struct waiter {
    struct ds_client *client;
    struct ds_call call;
    int err;
};

static void *wait_for_list(void *argument)
{
    struct waiter *waiter = argument;
    struct ds_names names DS_CLEANUP(ds_names_clear) = {0};
    waiter->err = ds_client_list(waiter->client, &waiter->call, &names);
    return NULL;
}

/* A machine that never answers delays those who ask for it. */
static void test_one_machine_hangs(void **state)
{
    struct vcenter *v = *state;
    struct waiter waiter = {.err = 1};
    struct ds_names names DS_CLEANUP(ds_names_clear) = {0};
    pthread_t thread;
    vcenter_start(v, 3, NULL);
    open_it(v);
    VCENTER_ORDER(v, "fault never-reply:vm=vm-1002");
    waiter.client = open_machine(v, "vm-1002");
    ds_call_init(&waiter.call, 120000);
    assert_int_equal(pthread_create(&thread, NULL, wait_for_list, &waiter), 0);
    while (strcmp(VCENTER_ORDER(v, "fired"), "1") != 0)
        assert_int_equal(ds_call_sleep(&v->call, 5), 0);
    struct ds_client *other = open_machine(v, "vm-1001");
    assert_int_equal(ds_client_list(other, vcenter_call(v), &names), 0);
    vcenter_expect(v, 3);
    assert_int_equal(find(v, DS_MACHINE_BY_ID, "vm-1002", NULL), 0);
    assert_int_equal(waiter.err, 1);
    ds_call_cancel(&waiter.call);
    VCENTER_ORDER(v, "clear");
    vcenter_expect(v, 3); /* wakes the thread of transfers */
    pthread_join(thread, NULL);
    assert_int_equal(waiter.err, -EINTR);
    ds_client_free(other, vcenter_call(v));
    ds_client_free(waiter.client, vcenter_call(v));
}

/* Of many machines, each with a caller of its own, no more requests are under way at once than the
 * options let: over HTTP/1.1 as many connections are used. */
static void test_one_pool_for_all(void **state)
{
    enum { CALLERS = 12, TRANSFERS = 3, MS = 20 };
    struct vcenter *v = *state;
    struct waiter waiters[CALLERS] = {0};
    pthread_t threads[CALLERS];
    char word[32];
    size_t used = 0;
    vcenter_start(v, CALLERS, NULL);
    v->options.transfers = TRANSFERS;
    open_it(v);
    assert_int_equal(ds_inventory_caps(v->inventory)->parallel, TRANSFERS);
    VCENTER_ORDER(v, "fault delay=%d:command=rest-list", MS);
    for (int i = 0; i < CALLERS; i++) {
        char id[16];
        snprintf(id, sizeof id, "vm-%d", 1001 + i);
        waiters[i].client = open_machine(v, id);
        ds_call_init(&waiters[i].call, 120000);
    }
    for (int i = 0; i < CALLERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, wait_for_list, &waiters[i]), 0);
    for (int i = 0; i < CALLERS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < CALLERS; i++) {
        assert_int_equal(waiters[i].err, 0);
        ds_client_free(waiters[i].client, vcenter_call(v));
    }
    assert_int_equal(VCENTER_COUNT(v, "rest=rest-list", "status=200"), CALLERS);
    for (int i = 1; i <= CALLERS + 4; i++) {
        snprintf(word, sizeof word, "connection=%d ", i);
        used += VCENTER_COUNT(v, word, "rest=rest-list") > 0;
    }
    assert_in_range(used, 1, TRANSFERS);
    assert_int_equal(VCENTER_COUNT(v, "rest=rest-login"), 1);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, vcenter_setup, vcenter_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_requests),
        TEST(test_delayed),
        TEST(test_states_and_names),
        TEST(test_one_name_of_several),
        TEST(test_one_name_of_too_many),
        TEST(test_clusters_and_datacenters),
        TEST(test_folders_with_what_is_below),
        TEST(test_power_and_names),
        TEST(test_what_the_filter_names_must_exist),
        TEST(test_no_list),
        TEST(test_busy_is_tried_again),
        TEST(test_one_machine_hangs),
        TEST(test_one_pool_for_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
