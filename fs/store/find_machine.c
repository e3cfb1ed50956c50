/* Asking an inventory. */
#include "find_machine.h"

#include "cleanup.h"
#include "file_name.h"
#include "inventory.h"
#include "kernel/error_log.h"
#include "machine_name.h"
#include "model/absent_machines.h"
#include "model/datasets.h"
#include "model/machines.h"
#include "model/node.h"
#include "turn.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* With fs->lock: the last listing, if there is one. */
static int give(struct fs *fs, struct fs_listing **out)
{
    if (fs->machines.listing == NULL)
        return -ENOENT;
    *out = fs->machines.listing;
    (*out)->refs++;
    return 0;
}

/* What cannot be shown must not hide the rest, nor be missing without a word. */
static void report_left_out(struct fs_request *request, size_t count)
{
    struct fs_error_log_about about = {0};
    char text[128];

    if (count == 0)
        return;
    snprintf(text, sizeof(text), "%zu %s not shown: the name or the id is none", count,
             count == 1 ? "machine is" : "machines are");
    fs_error_log_note(request->fs->kernel.errors, fs_opcode_name(request->opcode), &about, -EPROTO,
                      text);
}

int fs_find_list(struct fs_request *request, struct fs_listing **out)
{
    struct fs *fs = request->fs;
    struct ds_machines machines DS_CLEANUP(ds_machines_clear) = {0};
    uint64_t asked;
    int err;

    pthread_mutex_lock(&fs->lock);
    err = fs_vm_is_silent(fs->vm) ? give(fs, out) : -ENOENT;
    asked = fs_clock_moment(&fs->clock);
    pthread_mutex_unlock(&fs->lock);
    if (err == 0)
        return 0;
    err = fs_turn_begin(request, fs->vm, false);
    if (err != 0)
        return err;
    err = ds_inventory_list(fs->machines.inventory, &request->call, &machines);
    fs_turn_end(request, fs->vm);
    if (err != 0)
        return err;
    report_left_out(request, machines.left_out);
    pthread_mutex_lock(&fs->lock);
    /* One that was asked for later may have come before it. */
    if (fs->machines.listing == NULL || fs->machines.listing->asked < asked)
        err = fs_machines_listed(fs, &machines, asked, request->tid);
    if (err == 0)
        err = give(fs, out);
    pthread_mutex_unlock(&fs->lock);
    return err;
}

int fs_find_listed(struct fs_request *request, int64_t max_age_ms, struct fs_listing **out)
{
    struct fs *fs = request->fs;
    bool young;

    pthread_mutex_lock(&fs->lock);
    young = fs_machines_listed_lately(fs, max_age_ms, request->tid) && give(fs, out) == 0;
    pthread_mutex_unlock(&fs->lock);
    return young ? 0 : fs_find_list(request, out);
}

/* With fs->lock: whether others have the name of a machine that was found by its id, as far as that
 * is known. */
static bool is_ambiguous(const struct fs *fs, const struct ds_machine *machine)
{
    const struct fs_vm *vm = fs_machines_of_id(fs, machine->id);
    char file_name[DS_FILE_NAME_MAX_BYTES + 1];
    const struct fs_vm *other;

    if (vm != NULL && vm->machine.ambiguous && strcmp(vm->machine.name, machine->name) == 0)
        return true;
    ds_machine_name_encode(machine->name, machine->id, false, file_name);
    other = fs_machines_shown(fs, file_name);
    return other != NULL && other != vm && fs_machines_believes(other);
}

/* With fs->lock: what the last listing tells of one machine. */
static int recall(const struct fs *fs, enum ds_machine_by by, const char *text, struct fs_vm **out)
{
    char file_name[DS_FILE_NAME_MAX_BYTES + 1];
    struct fs_vm *vm;

    ds_machine_name_encode(text, text, false, file_name);
    vm = by == DS_MACHINE_BY_ID ? fs_machines_of_id(fs, text) : fs_machines_shown(fs, file_name);
    if (vm == NULL || !vm->machine.shown || !fs_machines_believes(vm))
        return -ENOENT;
    *out = vm;
    return 0;
}

/* Asks for one machine, and learns it, unless a listing that was asked for later came before the
 * answer: then that counts. With the lock afterwards, also when it fails. `*out`: not to be used
 * after that lock. */
static int ask(struct fs_request *request, enum ds_machine_by by, const char *text,
               struct fs_vm **out)
{
    struct fs *fs = request->fs;
    struct ds_machines machines DS_CLEANUP(ds_machines_clear) = {0};
    bool ambiguous = false;
    uint64_t asked;
    int err;

    pthread_mutex_lock(&fs->lock);
    asked = fs_clock_moment(&fs->clock);
    pthread_mutex_unlock(&fs->lock);
    err = fs_turn_begin(request, fs->vm, false);
    if (err == 0) {
        err = ds_inventory_find(fs->machines.inventory, &request->call, by, text, &machines);
        fs_turn_end(request, fs->vm);
    }
    pthread_mutex_lock(&fs->lock);
    if ((err == 0 || err == -ENOENT) && fs->machines.listing != NULL &&
        fs->machines.listing->asked > asked)
        return recall(fs, by, text, out);
    if (err != 0)
        return err;
    if (by == DS_MACHINE_BY_ID)
        ambiguous = is_ambiguous(fs, &machines.list[0]);
    *out = fs_machines_learn(fs, &machines.list[0], ambiguous);
    return *out != NULL ? 0 : -ENOMEM;
}

/* With fs->lock: the inode that the name leads to. */
static int node_of(struct fs_vm *vm, const char *file_name, struct fs_node **out)
{
    bool itself = vm->machine.shown && strcmp(vm->machine.file_name, file_name) == 0;

    *out = fs_node_of_vm(vm, itself ? FS_VM_DIRECTORY : FS_VM_LINK);
    return *out != NULL ? 0 : -ENOMEM;
}

static bool is_called(const struct fs_vm *vm, const struct ds_machine_name *wanted)
{
    return wanted->name == NULL || strcmp(vm->machine.name, wanted->name) == 0;
}

/* As fs_find_seek(), for a name that is not shown. */
static int seek_other(struct fs_request *request, const struct ds_machine_name *wanted,
                      struct fs_node **out)
{
    struct fs *fs = request->fs;
    struct fs_vm *vm;
    int err;

    pthread_mutex_lock(&fs->lock);
    vm = wanted->id != NULL ? fs_machines_of_id(fs, wanted->id) : NULL;
    if (vm == NULL || !fs_machines_believes(vm)) {
        pthread_mutex_unlock(&fs->lock);
        err = wanted->id != NULL ? ask(request, DS_MACHINE_BY_ID, wanted->id, &vm)
                                 : ask(request, DS_MACHINE_BY_NAME, wanted->name, &vm);
    } else {
        err = 0;
    }
    if (err == 0 && !is_called(vm, wanted))
        err = -ENOENT;
    if (err == 0)
        err = node_of(vm, request->name, out);
    else if (err == -ENOENT)
        fs_absent_machine_tell(fs, request->name);
    pthread_mutex_unlock(&fs->lock);
    /* There is no one machine of that name, as the words say. */
    return err == -ENOTUNIQ ? -ENOENT : err;
}

/* As fs_find_seek(), for a name that only a listing explains. */
static int seek_listed(struct fs_request *request, struct fs_node **out)
{
    struct fs *fs = request->fs;
    struct fs_listing *listing;
    struct fs_vm *vm;
    int err = fs_find_list(request, &listing);

    if (err != 0)
        return err;
    DS_LOCK_SCOPE(&fs->lock);
    fs_listing_unref(listing);
    vm = fs_machines_shown(fs, request->name);
    return vm != NULL ? node_of(vm, request->name, out) : -ENOENT;
}

int fs_find_seek(struct fs_request *request, struct fs_node **out)
{
    struct fs *fs = request->fs;
    struct ds_machine_name wanted DS_CLEANUP(ds_machine_name_clear) = {0};
    struct fs_vm *vm;
    bool known;
    int err = -ENOENT;

    pthread_mutex_lock(&fs->lock);
    vm = fs_machines_shown(fs, request->name);
    known = vm != NULL ? fs_machines_believes(vm) : fs_absent_machine_answers(fs, request->name);
    if (vm != NULL && known)
        err = node_of(vm, request->name, out);
    pthread_mutex_unlock(&fs->lock);
    if (known)
        return err;
    if (ds_file_name_is_shortened(request->name))
        return seek_listed(request, out);
    err = ds_machine_name_decode(request->name, &wanted);
    if (err != 0) /* then no machine can have that name */
        return err == -EINVAL || err == -EILSEQ ? -ENOENT : err;
    return seek_other(request, &wanted, out);
}

int fs_find_know(struct fs_request *request, struct fs_vm *vm)
{
    struct fs *fs = request->fs;
    struct fs_vm *found;
    bool known;
    int err;

    pthread_mutex_lock(&fs->lock);
    known = fs_machines_believes(vm);
    pthread_mutex_unlock(&fs->lock);
    if (known)
        return 0;
    err = ask(request, DS_MACHINE_BY_ID, vm->machine.id, &found);
    if (err == -ENOENT)
        fs_machines_gone(fs, vm);
    pthread_mutex_unlock(&fs->lock);
    return err == -ENOENT
               ? ds_call_fail(&request->call, -ENODEV, "the machine %s is gone", vm->machine.id)
               : err;
}
