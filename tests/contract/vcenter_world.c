/* A simulated vCenter with machines in clusters, on hosts and in folders. */
#include "vcenter_world.h"

#include "simulator.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TIMEOUT_MS = 120000, ARGUMENTS_MAX = 40 };

struct ds_call *vcenter_call(struct vcenter *v)
{
    ds_call_init(&v->call, TIMEOUT_MS);
    return &v->call;
}

int vcenter_setup(void **state)
{
    struct vcenter *v = calloc(1, sizeof *v);
    assert_non_null(v);
    v->directory = contract_make_directory();
    *state = v;
    return 0;
}

int vcenter_teardown(void **state)
{
    struct vcenter *v = *state;
    char path[PATH_MAX];
    vcenter_close(v);
    snprintf(path, sizeof path, "%s/port", v->directory);
    bool runs = access(path, F_OK) == 0;
    bool left = runs && strcmp(VCENTER_ORDER(v, "sessions"), "0") != 0;
    simulator_end();
    contract_remove_directory(v->directory);
    ds_machine_filter_clear(&v->filter);
    free(v);
    assert_false(left);
    return 0;
}

static void make_files(const struct vcenter *v, size_t count)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/machines", v->directory);
    assert_int_equal(mkdir(path, 0700), 0);
    for (size_t i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s/machines/m%05zu.db", v->directory, i);
        FILE *file = fopen(path, "wxe");
        assert_non_null(file);
        assert_int_equal(fclose(file), 0);
    }
}

void vcenter_start_with(struct vcenter *v, size_t count, const char *const *places,
                        const char *const *arguments)
{
    char machines[PATH_MAX];
    const char *all[ARGUMENTS_MAX];
    size_t at = 0;
    struct rest_server server;
    make_files(v, count);
    snprintf(machines, sizeof machines, "%s/machines", v->directory);
    for (; places && *places; places++) {
        assert_true(at + 6 < ARGUMENTS_MAX);
        all[at++] = "--place";
        all[at++] = *places;
    }
    all[at++] = "--vm-directory";
    all[at++] = machines;
    for (; arguments && *arguments; arguments++) {
        assert_true(at + 1 < ARGUMENTS_MAX);
        all[at++] = *arguments;
    }
    all[at] = NULL;
    assert_int_equal(rest_server_use(v->directory, all, &server), 0);
}

void vcenter_start(struct vcenter *v, size_t count, const char *const *places)
{
    vcenter_start_with(v, count, places, NULL);
}

int vcenter_open(struct vcenter *v)
{
    struct rest_server server;
    char source[64];
    assert_int_equal(rest_server_use(v->directory, NULL, &server), 0);
    snprintf(source, sizeof source, "https://127.0.0.1:%u", server.port);
    struct ds_source_options options = v->options;
    options.credentials = server.credentials;
    options.cacert = server.certificate;
    return ds_inventory_open(source, &options, vcenter_call(v), &v->inventory);
}

void vcenter_close(struct vcenter *v)
{
    ds_inventory_free(v->inventory, vcenter_call(v));
    v->inventory = NULL;
}

void vcenter_list(struct vcenter *v, size_t count, struct ds_machines *out)
{
    int err = ds_inventory_list(v->inventory, vcenter_call(v), out);
    if (err)
        fail_msg("list: %s: %s", strerror(-err), v->call.text);
    assert_int_equal(out->count, count);
    for (size_t i = 0; i + 1 < out->count; i++)
        assert_true(strcmp(out->list[i].name, out->list[i + 1].name) <= 0);
}

void vcenter_expect(struct vcenter *v, size_t count)
{
    struct ds_machines machines = {0};
    vcenter_list(v, count, &machines);
    ds_machines_clear(&machines);
}
