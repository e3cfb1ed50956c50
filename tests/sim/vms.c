#include "vms.h"

#include "cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STORE_TIMEOUT_MS 60000

int sim_vms_add(struct sim_vms *vms, const char *spec)
{
    size_t id = strcspn(spec, "=");
    size_t name = spec[id] ? strcspn(spec + id + 1, "=") : 0;
    if (id == 0 || name == 0 || spec[id + 1 + name] != '=' || !spec[id + name + 2])
        return -EINVAL;
    struct sim_vm *list = reallocarray(vms->list, vms->count + 1, sizeof *list);
    if (!list)
        return -ENOMEM;
    vms->list = list;
    struct sim_vm vm = {.id = strndup(spec, id),
                        .name = strndup(spec + id + 1, name),
                        .file = strdup(spec + id + name + 2)};
    int err = vm.id && vm.name && vm.file ? 0 : -ENOMEM;
    if (!err && sim_vms_find(vms, vm.id))
        err = -EEXIST;
    if (!err) {
        vms->list[vms->count++] = vm;
        return 0;
    }
    free(vm.id);
    free(vm.name);
    free(vm.file);
    return err;
}

struct sim_vm *sim_vms_find(struct sim_vms *vms, const char *id)
{
    for (size_t i = 0; i < vms->count; i++) {
        if (!strcmp(vms->list[i].id, id))
            return &vms->list[i];
    }
    return NULL;
}

int sim_vms_set_state(struct sim_vms *vms, const char *id, const char *word)
{
    static const char *const words[] = {
        [SIM_VM_ON] = "poweredOn",        [SIM_VM_OFF] = "poweredOff",
        [SIM_VM_SUSPENDED] = "suspended", [SIM_VM_UNSUPPORTED] = "unsupported",
        [SIM_VM_GONE] = "gone",
    };
    struct sim_vm *vm = sim_vms_find(vms, id);
    if (!vm)
        return -ENOENT;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!strcmp(words[i], word)) {
            atomic_store(&vm->state, (int)i);
            return 0;
        }
    }
    return -EINVAL;
}

int sim_vms_open_store(const char *file, enum ds_side side, struct ds_client **out)
{
    struct ds_source_options options = {.side = side, .side_given = true};
    char *source DS_AUTO_FREE = NULL;
    struct ds_call call;
    ds_call_init(&call, STORE_TIMEOUT_MS);
    if (asprintf(&source, "local:%s", file) < 0)
        return -ENOMEM;
    int err = ds_source_open(source, &options, &call, out);
    if (err)
        fprintf(stderr, "datasets-sim: %s: %s\n", file, call.text[0] ? call.text : strerror(-err));
    return err;
}

int sim_vms_open(struct sim_vms *vms)
{
    int err = 0;
    for (size_t i = 0; i < vms->count && !err; i++)
        err = sim_vms_open_store(vms->list[i].file, DS_SIDE_HOST, &vms->list[i].store);
    return err;
}

void sim_vms_clear(struct sim_vms *vms)
{
    struct ds_call call;
    ds_call_init(&call, STORE_TIMEOUT_MS);
    for (size_t i = 0; i < vms->count; i++) {
        ds_client_free(vms->list[i].store, &call);
        free(vms->list[i].id);
        free(vms->list[i].name);
        free(vms->list[i].file);
    }
    free(vms->list);
    *vms = (struct sim_vms){0};
}
