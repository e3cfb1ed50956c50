/* More machines than vCenter lists in one request: by which parts they are asked for, how often,
 * and what happens when machines move, come and go meanwhile. */
#include "vcenter_world.h"

#include "cleanup.h"

#include <stdio.h>

enum { MACHINES = 5000, LIST_MAX = 4000 };

/* Each cluster has a fifth of the machines on one host; the last fifth is on a host in none. */
static const char *const places[] = {"datacenter=datacenter-1=dc1",
                                     "cluster=domain-c1=c1=datacenter-1",
                                     "cluster=domain-c2=c2=datacenter-1",
                                     "cluster=domain-c3=c3=datacenter-1",
                                     "cluster=domain-c4=c4=datacenter-1",
                                     "host=host-1=h1=domain-c1",
                                     "host=host-2=h2=domain-c2",
                                     "host=host-3=h3=domain-c3",
                                     "host=host-4=h4=domain-c4",
                                     "host=host-5=h5=datacenter-1",
                                     NULL};
enum { PARTS = 5 };

static void start(struct vcenter *v, const char *const *where)
{
    vcenter_start(v, MACHINES, where);
    v->options.transfers = 1; /* one part after the other, clusters first */
    int err = vcenter_open(v);
    if (err)
        fail_msg("open: %s: %s", strerror(-err), v->call.text);
}

/* What one listing of so many machines asks for, and has answered with so much at once. */
static void expect_requests(struct vcenter *v, size_t machines, size_t lists, size_t parts)
{
    size_t all = VCENTER_COUNT(v, "rest=");
    size_t vms = VCENTER_COUNT(v, "rest=rest-vms");
    vcenter_expect(v, machines);
    assert_int_equal(VCENTER_COUNT(v, "rest=rest-vms") - vms, parts);
    assert_int_equal(VCENTER_COUNT(v, "rest=") - all, lists + parts);
}

static void test_up_to_4000_by_one_request(void **state)
{
    struct vcenter *v = *state;
    vcenter_start(v, 4000, places);
    assert_int_equal(vcenter_open(v), 0);
    expect_requests(v, 4000, 0, 1);
    expect_requests(v, 4000, 0, 1);
    /* One more, and the request is in vain once only. */
    VCENTER_ORDER(v, "add vm-1=one=%s/one.db", v->directory);
    expect_requests(v, 4001, 3, 1 + 2 * PARTS);
    expect_requests(v, 4001, 2, PARTS);
    /* And one less again. */
    VCENTER_ORDER(v, "state vm-1 gone");
    vcenter_expect(v, 4000);
    expect_requests(v, 4000, 0, 1);
}

/* A folder that has become too large is asked for twice when it is first divided, though its
 * machines are known: who is on what this user may not see need not be among them. */
static void test_a_folder_that_becomes_too_large(void **state)
{
    struct vcenter *v = *state;
    const char *where[16] = {"folder=group-v1=all"};
    for (size_t i = 0; places[i]; i++)
        where[i + 1] = places[i];
    vcenter_start(v, LIST_MAX, where);
    v->options.machines = &v->filter;
    assert_int_equal(ds_names_add(&v->filter.folders, "group-v1"), 0);
    assert_int_equal(vcenter_open(v), 0);
    expect_requests(v, LIST_MAX, 0, 1);
    VCENTER_ORDER(v, "add vm-1=one=%s/one.db", v->directory);
    expect_requests(v, LIST_MAX + 1, 2, 1 + 2 * PARTS + 1);
    expect_requests(v, LIST_MAX + 1, 2, PARTS);
}

static void test_by_clusters_and_hosts(void **state)
{
    struct vcenter *v = *state;
    start(v, places);
    assert_int_equal(VCENTER_COUNT(v, "rest="), 2);
    assert_int_equal(VCENTER_COUNT(v, "rest=rest-vms status=500"), 1);
    /* Nothing tells yet of who moves: without folders each part is asked for twice. */
    expect_requests(v, MACHINES, 3, 2 * PARTS);
    assert_int_equal(VCENTER_COUNT(v, "rest=rest-hosts standalone=\"true\""), 1);
    assert_int_equal(VCENTER_COUNT(v, "rest=rest-vms clusters=\"domain-c3\" status=200"), 2);
    assert_int_equal(VCENTER_COUNT(v, "rest=rest-vms hosts=\"host-5\" status=200"), 2);
    expect_requests(v, MACHINES, 2, PARTS);
    expect_requests(v, MACHINES, 2, PARTS);
    assert_string_equal(VCENTER_ORDER(v, "sessions"), "1");
}

static const char *const one_cluster[] = {"cluster=domain-c1=c1", "host=host-1=h1=domain-c1",
                                          "host=host-2=h2=domain-c1", "host=host-3=h3=domain-c1",
                                          NULL};

/* All machines are in one cluster: its hosts are the parts. */
static void test_a_cluster_that_is_too_large(void **state)
{
    struct vcenter *v = *state;
    start(v, one_cluster);
    expect_requests(v, MACHINES, 4, 1 + 2 * 3);
    expect_requests(v, MACHINES, 3, 1 + 3);
    assert_int_equal(VCENTER_COUNT(v, "rest=rest-hosts clusters=\"domain-c1\" status=200"), 2);
    /* The user sees the cluster, and some of its hosts. */
    VCENTER_ORDER(v, "hide host-2");
    struct ds_machines machines = {0};
    assert_int_equal(ds_inventory_list(v->inventory, vcenter_call(v), &machines), -EACCES);
    assert_non_null(strstr(v->call.text, "the cluster domain-c1 has more than 4000"));
    assert_null(machines.list);
}

static void test_a_host_that_is_too_large(void **state)
{
    struct vcenter *v = *state;
    struct ds_machines machines = {0};
    start(v, (const char *const[]){"host=host-1=h1", NULL});
    assert_int_equal(ds_inventory_list(v->inventory, vcenter_call(v), &machines), -ENOSPC);
    assert_non_null(strstr(v->call.text, "the host host-1 alone"));
}

static void expect_listed(const struct ds_machines *machines, const char *id, bool listed)
{
    size_t found = 0;
    for (size_t i = 0; i < machines->count; i++)
        found += !strcmp(machines->list[i].id, id);
    assert_int_equal(found, listed);
}

/* vm-1005 is on host-5, which is asked last; vm-1001 on host-1, which is asked first. */
static void test_moves_while_it_is_listed(void **state)
{
    struct vcenter *v = *state;
    struct ds_machines machines DS_CLEANUP(ds_machines_clear) = {0};
    start(v, places);
    /* Nobody knows it yet, and it is in none of the answers of the first round. */
    VCENTER_ORDER(v, "after rest-vms 1 move vm-1005 host-1");
    expect_requests(v, MACHINES, 3, 2 * PARTS);
    /* That looks like a host that cannot be seen: once more, until it does not. */
    VCENTER_ORDER(v, "move vm-1005 host-5");
    expect_requests(v, MACHINES, 3, 2 * PARTS);
    expect_requests(v, MACHINES, 2, PARTS);

    /* Known, and missed: asked for by its id. */
    VCENTER_ORDER(v, "after rest-vms 1 move vm-1005 host-1");
    size_t before = VCENTER_COUNT(v, "rest=rest-vms");
    vcenter_list(v, MACHINES, &machines);
    expect_listed(&machines, "vm-1005", true);
    assert_int_equal(VCENTER_COUNT(v, "rest=rest-vms vms=\"vm-1005\" status=200"), 1);
    assert_int_equal(VCENTER_COUNT(v, "rest=rest-vms") - before, PARTS + 1);
    ds_machines_clear(&machines);

    /* In two answers, and listed once. */
    VCENTER_ORDER(v, "after rest-vms 1 move vm-1001 host-5");
    before = VCENTER_COUNT(v, "rest=rest-vms");
    vcenter_list(v, MACHINES, &machines);
    expect_listed(&machines, "vm-1001", true);
    assert_int_equal(VCENTER_COUNT(v, "rest=rest-vms") - before, PARTS);
}

static void test_goes_and_comes_while_it_is_listed(void **state)
{
    struct vcenter *v = *state;
    struct ds_machines machines DS_CLEANUP(ds_machines_clear) = {0};
    start(v, places);
    vcenter_expect(v, MACHINES);
    VCENTER_ORDER(v, "after rest-vms 1 state vm-1005 gone");
    VCENTER_ORDER(v, "after rest-vms 1 rename vm-1010 new-name");
    VCENTER_ORDER(v, "after rest-vms 1 add vm-9=late=%s/late.db", v->directory);
    VCENTER_ORDER(v, "after rest-vms 1 move vm-9 host-5");
    vcenter_list(v, MACHINES, &machines);
    expect_listed(&machines, "vm-1005", false);
    expect_listed(&machines, "vm-9", true);
    expect_listed(&machines, "vm-1010", true);
    assert_string_equal(machines.list[MACHINES - 1].name, "new-name");
    /* It is asked for once, then it is known to be gone. */
    assert_int_equal(VCENTER_COUNT(v, "rest=rest-vms vms=\"vm-1005\" status=200"), 1);
    expect_requests(v, MACHINES, 2, PARTS);
}

/* What this user may not see of clusters and hosts. */
static void test_never_a_part_in_place_of_the_whole(void **state)
{
    struct vcenter *v = *state;
    struct ds_machines machines = {0};
    start(v, places);
    VCENTER_ORDER(v, "hide domain-c1");
    VCENTER_ORDER(v, "hide domain-c2");
    assert_int_equal(ds_inventory_list(v->inventory, vcenter_call(v), &machines), -EACCES);
    assert_non_null(strstr(v->call.text, "more than 4000 virtual machines"));
    assert_non_null(strstr(v->call.text, "of 3000 only"));
    assert_null(machines.list);
}

/* Of them there are enough elsewhere, so that the sum tells nothing: the folders do. */
static void test_what_only_folders_tell(void **state)
{
    struct vcenter *v = *state;
    char folders[3][64] = {"folder=group-v1=f1", "folder=group-v2=f2", "folder=group-v3=f3"};
    const char *where[16];
    size_t count = 0;
    for (; places[count]; count++)
        where[count] = places[count];
    where[count++] = folders[0];
    where[count++] = folders[1];
    where[count++] = folders[2];
    where[count] = NULL;
    start(v, where);
    for (int i = 0; i < 500; i++)
        VCENTER_ORDER(v, "move vm-%d host-4", 1001 + 5 * i);
    VCENTER_ORDER(v, "hide domain-c1");
    /* All folders together hold too many: then the first one is asked for, and the other two. */
    expect_requests(v, MACHINES, 3, PARTS - 1 + 3);
    VCENTER_ORDER(v, "add vm-9=late=%s/late.db", v->directory);
    VCENTER_ORDER(v, "move vm-9 host-1");
    expect_requests(v, MACHINES + 1, 3, PARTS - 1 + 3);
    /* Nothing is hidden any more from the parts: these are enough again. */
    for (int i = 0; i < 1000; i++)
        VCENTER_ORDER(v, "move vm-%d host-4", 1001 + 5 * i);
    VCENTER_ORDER(v, "move vm-9 host-4");
    expect_requests(v, MACHINES + 1, 3, PARTS - 1 + 3);
    expect_requests(v, MACHINES + 1, 2, PARTS - 1);
}

/* Of folders that do not go into one query only those of the part that is too large are asked for,
 * and of their machines only those that the filter lets through. */
static void test_folders_of_a_part(void **state)
{
    enum { EMPTY = 120, BELOW = 100, SECOND_HUNDRED = 11 };
    struct vcenter *v = *state;
    const char *where[16] = {"folder=group-v1=f1", "folder=group-v2=f2"};
    for (size_t i = 0; places[i]; i++)
        where[i + 2] = places[i];
    vcenter_start(v, MACHINES, where);
    v->options.machines = &v->filter;
    for (int i = 0; i < EMPTY; i++) {
        char id[32];
        snprintf(id, sizeof id, "group-v%d", 1000 + i);
        VCENTER_ORDER(v, "place folder=%s=e%d", id, i);
        assert_int_equal(ds_names_add(&v->filter.folders, id), 0);
    }
    for (int i = 0; i < BELOW; i++)
        VCENTER_ORDER(v, "place folder=group-v%d=b%d=group-v1", 2000 + i, i);
    /* Ids come first, and what is below comes last. */
    assert_int_equal(ds_names_add(&v->filter.folders, "f1"), 0);
    assert_int_equal(ds_names_add(&v->filter.folders, "f2"), 0);
    assert_int_equal(ds_names_add(&v->filter.datacenters, "dc1"), 0);
    v->filter.powers = 1U << DS_POWER_ON;
    VCENTER_ORDER(v, "state vm-1002 poweredOff");
    VCENTER_ORDER(v, "place datacenter=datacenter-2=dc2");
    VCENTER_ORDER(v, "place host=host-6=h6=datacenter-2");
    VCENTER_ORDER(v, "move vm-1003 host-6");
    for (int i = 0; i < 500; i++)
        VCENTER_ORDER(v, "move vm-%d host-4", 1001 + 5 * i);
    VCENTER_ORDER(v, "hide domain-c1");
    assert_int_equal(vcenter_open(v), 0);
    expect_requests(v, MACHINES - 2, 2, 3 + PARTS - 1 + SECOND_HUNDRED);
}

/* Once they are known, those on what is hidden later are still there: they are asked for by id. */
static void test_who_is_known_stays(void **state)
{
    struct vcenter *v = *state;
    start(v, places);
    for (int i = 0; i < 500; i++)
        VCENTER_ORDER(v, "move vm-%d host-4", 1001 + 5 * i);
    vcenter_expect(v, MACHINES);
    VCENTER_ORDER(v, "hide domain-c1");
    expect_requests(v, MACHINES, 2, PARTS - 1 + 5);
}

static void test_a_part_that_fails(void **state)
{
    struct vcenter *v = *state;
    struct ds_machines machines = {0};
    start(v, places);
    vcenter_expect(v, MACHINES);
    VCENTER_ORDER(v, "fault error=UNAUTHORIZED:command=rest-vms:skip=3:count=1");
    assert_int_equal(ds_inventory_list(v->inventory, vcenter_call(v), &machines), -EACCES);
    assert_true(v->call.text[0]);
    VCENTER_ORDER(v, "fault error=ERROR:command=rest-clusters:count=1");
    assert_int_equal(ds_inventory_list(v->inventory, vcenter_call(v), &machines), -EIO);
    VCENTER_ORDER(v, "fault error=UNABLE_TO_ALLOCATE_RESOURCE:command=rest-hosts:count=1");
    assert_int_equal(ds_inventory_list(v->inventory, vcenter_call(v), &machines), -ENOSPC);
    assert_non_null(strstr(v->call.text, "more hosts than vCenter lists"));
    assert_null(machines.list);
    /* Busy for a moment: all is asked for again. */
    VCENTER_ORDER(v, "fault busy:command=rest-vms:skip=2:count=1");
    vcenter_expect(v, MACHINES);
    assert_string_equal(VCENTER_ORDER(v, "fired"), "4");
    /* Of what was answered before that nothing counts. */
    VCENTER_ORDER(v, "after rest-vms 1 state vm-1001 gone");
    VCENTER_ORDER(v, "after rest-vms 1 move vm-1005 host-1");
    VCENTER_ORDER(v, "fault busy:command=rest-vms:skip=%d:count=1", PARTS);
    vcenter_expect(v, MACHINES - 1);
    assert_string_equal(VCENTER_ORDER(v, "fired"), "5");
}

/* An answer about the last of so many hosts with so many machines, the last of which has no name.
 */
static void write_reply(const struct vcenter *v, int hosts, int count, char path[PATH_MAX])
{
    int last = count / hosts * hosts;
    snprintf(path, PATH_MAX, "%s/reply", v->directory);
    FILE *reply = fopen(path, "we");
    assert_non_null(reply);
    fprintf(reply, "200 application/json\n[");
    for (int i = hosts; i < last; i += hosts)
        fprintf(reply, "{\"vm\":\"vm-%d\",\"name\":\"m%d\"},", 1000 + i, i);
    fprintf(reply, "{\"vm\":\"vm-%d\",\"name\":7}]", 1000 + last);
    assert_int_equal(fclose(reply), 0);
}

/* Who has no name counts: without it there are no more than vCenter lists, but it has more. */
static void test_one_without_a_name(void **state)
{
    struct vcenter *v = *state;
    struct ds_machines machines DS_CLEANUP(ds_machines_clear) = {0};
    char path[PATH_MAX];
    vcenter_start(v, LIST_MAX, places);
    v->options.transfers = 1;
    assert_int_equal(vcenter_open(v), 0);
    VCENTER_ORDER(v, "add vm-1=one=%s/one.db", v->directory);
    vcenter_expect(v, LIST_MAX + 1);
    write_reply(v, PARTS, LIST_MAX, path);
    VCENTER_ORDER(v, "fault say=%s:command=rest-vms:skip=4:count=1", path);
    assert_int_equal(ds_inventory_list(v->inventory, vcenter_call(v), &machines), 0);
    assert_string_equal(VCENTER_ORDER(v, "fired"), "1");
    assert_int_equal(machines.left_out, 1);
    assert_int_equal(machines.count, LIST_MAX + 1); /* by its id it has one */
}

/* And once, though all are asked for twice. */
static void test_one_without_a_name_in_two_rounds(void **state)
{
    struct vcenter *v = *state;
    struct ds_machines machines DS_CLEANUP(ds_machines_clear) = {0};
    char path[PATH_MAX];
    vcenter_start(v, LIST_MAX, places);
    v->options.transfers = 1;
    VCENTER_ORDER(v, "add vm-1=one=%s/one.db", v->directory);
    assert_int_equal(vcenter_open(v), 0);
    write_reply(v, PARTS, LIST_MAX, path);
    VCENTER_ORDER(v, "fault say=%s:command=rest-vms:skip=4:count=1", path);
    VCENTER_ORDER(v, "fault say=%s:command=rest-vms:skip=8:count=1", path);
    vcenter_list(v, LIST_MAX, &machines);
    assert_string_equal(VCENTER_ORDER(v, "fired"), "2");
    assert_int_equal(machines.left_out, 1);
}

/* Nor is a cluster smaller without it. */
static void test_one_without_a_name_in_a_cluster(void **state)
{
    enum { HOSTS = 3 };
    struct vcenter *v = *state;
    char path[PATH_MAX];
    vcenter_start(v, LIST_MAX + 1, one_cluster);
    v->options.transfers = 1;
    assert_int_equal(vcenter_open(v), 0);
    write_reply(v, HOSTS, LIST_MAX + 1, path);
    VCENTER_ORDER(v, "fault say=%s:command=rest-vms:skip=%d:count=1", path, HOSTS);
    vcenter_expect(v, LIST_MAX + 1); /* the second round tells its name */
    assert_string_equal(VCENTER_ORDER(v, "fired"), "1");
}

/* What is asked for by parts is only what the filter lets through. */
static void test_filters(void **state)
{
    struct vcenter *v = *state;
    v->options.machines = &v->filter;
    assert_int_equal(ds_names_add(&v->filter.clusters, "c1"), 0);
    assert_int_equal(ds_names_add(&v->filter.clusters, "domain-c2"), 0);
    start(v, places);
    expect_requests(v, 2 * MACHINES / PARTS, 0, 1);
    for (int i = 0; i < MACHINES; i++)
        if (i % PARTS > 1)
            VCENTER_ORDER(v, "move vm-%d host-1", 1001 + i);
    VCENTER_ORDER(v, "add vm-1=one=%s/one.db", v->directory);
    VCENTER_ORDER(v, "move vm-1 host-2");
    VCENTER_ORDER(v, "move vm-1001 host-3");
    /* Too many of two clusters, and of one of them. */
    size_t vms = VCENTER_COUNT(v, "rest=rest-vms");
    struct ds_machines machines = {0};
    assert_int_equal(ds_inventory_list(v->inventory, vcenter_call(v), &machines), 0);
    assert_int_equal(machines.count, MACHINES);
    expect_listed(&machines, "vm-1", true);
    expect_listed(&machines, "vm-1001", false);
    ds_machines_clear(&machines);
    assert_int_equal(VCENTER_COUNT(v, "rest=rest-vms") - vms, 1 + 2 * 2);
    assert_int_equal(VCENTER_COUNT(v, "rest=rest-hosts standalone"), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, vcenter_setup, vcenter_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_up_to_4000_by_one_request),
        TEST(test_a_folder_that_becomes_too_large),
        TEST(test_by_clusters_and_hosts),
        TEST(test_a_cluster_that_is_too_large),
        TEST(test_a_host_that_is_too_large),
        TEST(test_moves_while_it_is_listed),
        TEST(test_goes_and_comes_while_it_is_listed),
        TEST(test_never_a_part_in_place_of_the_whole),
        TEST(test_what_only_folders_tell),
        TEST(test_folders_of_a_part),
        TEST(test_who_is_known_stays),
        TEST(test_a_part_that_fails),
        TEST(test_one_without_a_name),
        TEST(test_one_without_a_name_in_two_rounds),
        TEST(test_one_without_a_name_in_a_cluster),
        TEST(test_filters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
