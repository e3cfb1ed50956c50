/* The machines of an inventory. */
#include "machines.h"

#include "call.h"
#include "datasets.h"
#include "kernel/forget.h"
#include "machine_name.h"
#include "node.h"
#include "text/digest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool fs_machines_any(const struct fs *fs)
{
    return fs->machines.inventory != NULL;
}

bool fs_machines_believes(const struct fs_vm *vm)
{
    return vm->machine.seen_ms != 0 &&
           (ds_call_now_ms() - vm->machine.seen_ms <= FS_MACHINES_TRUST_MS ||
            fs_vm_is_silent(vm->fs->vm));
}

struct fs_vm *fs_machines_shown(const struct fs *fs, const char *file_name)
{
    struct fs_vm *vm;

    HASH_FIND(machine.by_name, fs->machines.by_name, file_name, strlen(file_name), vm);
    return vm;
}

struct fs_vm *fs_machines_of_id(const struct fs *fs, const char *id)
{
    struct fs_vm *vm;

    HASH_FIND(machine.by_id, fs->machines.by_id, id, strlen(id), vm);
    return vm;
}

static void hide(struct fs *fs, struct fs_vm *vm)
{
    struct fs_node *directory = vm->machine.inodes[FS_VM_DIRECTORY];

    if (!vm->machine.shown)
        return;
    HASH_DELETE(machine.by_name, fs->machines.by_name, vm);
    vm->machine.shown = false;
    if (directory != NULL)
        fs_forget_soon(&fs->kernel, &directory->busy->stale);
}

void fs_machines_distrust(struct fs_vm *vm)
{
    vm->machine.seen_ms = 0;
    vm->machine.returned = vm->client != NULL;
}

void fs_machines_gone(struct fs *fs, struct fs_vm *vm)
{
    hide(fs, vm);
    fs_machines_distrust(vm);
}

/* Shows it under that name, which another machine may have had so far: whose it is by now, if not
 * of both, is asked for when it is used next. 0 or -ENOMEM. */
static int show(struct fs *fs, struct fs_vm *vm, const char *file_name)
{
    struct fs_vm *other;
    char *copy;

    if (vm->machine.shown && strcmp(vm->machine.file_name, file_name) == 0)
        return 0;
    copy = strdup(file_name);
    if (copy == NULL)
        return -ENOMEM;
    HASH_FIND(machine.by_name, fs->machines.by_name, file_name, strlen(file_name), other);
    if (other != NULL)
        fs_machines_gone(fs, other);
    hide(fs, vm);
    free(vm->machine.file_name);
    vm->machine.file_name = copy;
    HASH_ADD_KEYPTR(machine.by_name, fs->machines.by_name, copy, strlen(copy), vm);
    vm->machine.shown = FS_HASH_HAS(machine.by_name, vm);
    return vm->machine.shown ? 0 : -ENOMEM;
}

static struct fs_vm *add(struct fs *fs, const char *id)
{
    uint64_t seed = fs_digest(FS_INO_ROOT, id, strlen(id));
    struct fs_vm *vm = fs_vm_new(fs, seed, ds_inventory_caps(fs->machines.inventory), &fs->start);

    if (vm == NULL)
        return NULL;
    vm->machine.id = strdup(id);
    if (vm->machine.id != NULL)
        HASH_ADD_KEYPTR(machine.by_id, fs->machines.by_id, vm->machine.id, strlen(id), vm);
    if (vm->machine.id != NULL && FS_HASH_HAS(machine.by_id, vm))
        return vm;
    fs_vm_free(vm);
    return NULL;
}

/* 0 or -ENOMEM. */
static int take_name(struct fs_vm *vm, const char *name)
{
    char *copy;

    if (vm->machine.name != NULL && strcmp(vm->machine.name, name) == 0)
        return 0;
    copy = strdup(name);
    if (copy == NULL)
        return -ENOMEM;
    free(vm->machine.name);
    vm->machine.name = copy;
    return 0;
}

struct fs_vm *fs_machines_learn(struct fs *fs, const struct ds_machine *machine, bool ambiguous)
{
    struct fs_vm *vm = fs_machines_of_id(fs, machine->id);
    char file_name[DS_FILE_NAME_MAX_BYTES + 1];

    if (vm == NULL)
        vm = add(fs, machine->id);
    if (vm != NULL)
        vm->machine.ambiguous = ambiguous;
    ds_machine_name_encode(machine->name, machine->id, ambiguous, file_name);
    if (vm == NULL || take_name(vm, machine->name) != 0 || show(fs, vm, file_name) != 0)
        return NULL;
    vm->machine.power = machine->power;
    vm->machine.seen_ms = ds_call_now_ms();
    return vm;
}

int fs_machines_listed(struct fs *fs, const struct ds_machines *machines, uint64_t asked, pid_t tid)
{
    struct ds_names names = {0};
    struct fs_listing *listing;
    struct fs_vm *vm, *next;
    int err = 0;

    /* What is not told of again in what follows is not there. */
    HASH_ITER (machine.by_name, fs->machines.by_name, vm, next) {
        vm->machine.seen_ms = 0;
    }
    for (size_t i = 0; i < machines->count && err == 0; i++) {
        vm = fs_machines_learn(fs, &machines->list[i], ds_machines_is_ambiguous(machines, i));
        err = vm != NULL ? ds_names_add(&names, vm->machine.file_name) : -ENOMEM;
    }
    if (err != 0) {
        ds_names_clear(&names);
        return err;
    }
    HASH_ITER (machine.by_name, fs->machines.by_name, vm, next) {
        if (vm->machine.seen_ms == 0)
            fs_machines_gone(fs, vm);
    }
    listing = fs_listing_new(&names, asked);
    if (listing == NULL)
        return -ENOMEM;
    fs_listing_unref(fs->machines.listing);
    fs->machines.listing = listing;
    fs->machines.listed_ms = ds_call_now_ms();
    fs->machines.listed_by = tid;
    return 0;
}

bool fs_machines_listed_lately(const struct fs *fs, int64_t max_age_ms, pid_t tid)
{
    int64_t age_ms = ds_call_now_ms() - fs->machines.listed_ms;

    return fs->machines.listing != NULL &&
           (age_ms < max_age_ms || (age_ms < FS_FRESH_MS && fs->machines.listed_by == tid));
}

static bool is_used(const struct fs_vm *vm)
{
    bool used = vm->waiting != NULL;

    for (size_t i = 0; i < FS_VM_INODES; i++)
        used = used || vm->machine.inodes[i] != NULL;
    for (const struct fs_dataset *dataset = vm->datasets; dataset != NULL && !used;
         dataset = dataset->hh.next)
        used = dataset->refs > 0;
    return used;
}

/* What its client has counted, which is about to be closed, stays counted. */
static void keep_counts(struct fs *fs, const struct fs_vm *vm)
{
    for (int op = 0; op < DS_OP_COUNT && vm->client != NULL; op++) {
        fs->machines.requests[op] += ds_client_requests(vm->client, op);
        fs->machines.errors[op] += ds_client_errors(vm->client, op);
    }
}

struct ds_client *fs_machines_take_old_client(struct fs_vm *vm)
{
    struct ds_client *client = vm->machine.returned ? vm->client : NULL;

    vm->machine.returned = false;
    if (client == NULL)
        return NULL;
    keep_counts(vm->fs, vm);
    vm->client = NULL;
    return client;
}

static struct fs_vm *take(struct fs *fs, struct fs_vm *vm)
{
    hide(fs, vm);
    HASH_DELETE(machine.by_id, fs->machines.by_id, vm);
    keep_counts(fs, vm);
    return vm;
}

struct fs_vm *fs_machines_take(struct fs *fs)
{
    return fs->machines.by_id != NULL ? take(fs, fs->machines.by_id) : NULL;
}

struct fs_vm *fs_machines_take_unused(struct fs *fs)
{
    struct fs_vm *vm, *next;

    HASH_ITER (machine.by_id, fs->machines.by_id, vm, next) {
        if (!vm->machine.shown && !is_used(vm))
            return take(fs, vm);
    }
    return NULL;
}

struct fs_error_log_about fs_machines_about(const struct fs_node *node)
{
    const struct fs_dataset *dataset = node->dataset;

    return (struct fs_error_log_about){
        .machine = dataset->vm->machine.file_name, .dataset = dataset->name, .key = node->key};
}

void fs_machines_below(struct fs_request *request, const struct fs_vm *vm)
{
    if (vm != vm->fs->vm)
        fs_request_below(request, vm->machine.file_name);
}

uint64_t fs_machines_requests(const struct fs *fs, enum ds_op op)
{
    uint64_t sum = fs->machines.requests[op];

    if (fs->vm->client != NULL)
        sum += ds_client_requests(fs->vm->client, op);
    for (const struct fs_vm *vm = fs->machines.by_id; vm != NULL; vm = vm->machine.by_id.next)
        sum += vm->client != NULL ? ds_client_requests(vm->client, op) : 0;
    return sum;
}

uint64_t fs_machines_errors(const struct fs *fs, enum ds_op op)
{
    uint64_t sum = fs->machines.errors[op];

    if (fs->vm->client != NULL)
        sum += ds_client_errors(fs->vm->client, op);
    for (const struct fs_vm *vm = fs->machines.by_id; vm != NULL; vm = vm->machine.by_id.next)
        sum += vm->client != NULL ? ds_client_errors(vm->client, op) : 0;
    return sum;
}
