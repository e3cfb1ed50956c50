/* Every call of a machine's store begins and ends here. */
#include "ask.h"

#include "cleanup.h"
#include "find_machine.h"
#include "inventory.h"
#include "model/machines.h"

#include <errno.h>

/* Takes the client away from a machine that was gone and is there again, which may be another one:
 * as soon as nobody else waits for it. */
static struct ds_client *take_old(const struct fs_request *request, struct fs_vm *vm)
{
    DS_LOCK_SCOPE(&vm->fs->lock);
    return vm->waiting == request && request->wait_next == NULL ? fs_machines_take_old_client(vm)
                                                                : NULL;
}

static bool has_client(const struct fs_vm *vm)
{
    DS_LOCK_SCOPE(&vm->fs->lock);
    return vm->client != NULL;
}

/* Opens the client of a machine of an inventory, unless it is open. It stays for as long as the
 * request is among those that wait. */
static int open_client(struct fs_request *request, struct fs_vm *vm)
{
    struct ds_client *client = NULL;
    int err;

    ds_client_free(take_old(request, vm), &request->call);
    if (has_client(vm))
        return 0;
    err = ds_inventory_open_machine(vm->fs->machines.inventory, &request->call, vm->machine.id,
                                    &client);
    if (err != 0)
        return err;
    pthread_mutex_lock(&vm->fs->lock);
    if (vm->client == NULL) { /* else somebody was faster */
        vm->client = client;
        client = NULL;
    }
    pthread_mutex_unlock(&vm->fs->lock);
    ds_client_free(client, &request->call);
    return 0;
}

int fs_ask_begin(struct fs_request *request, struct fs_vm *vm, bool change)
{
    bool one_of_many = fs_machines_any(vm->fs);
    int err = one_of_many ? fs_find_know(request, vm) : 0;

    if (err == 0)
        err = fs_turn_begin(request, vm, change);
    if (err != 0 || !one_of_many)
        return err;
    err = open_client(request, vm);
    if (err != 0)
        fs_turn_end(request, vm);
    return err;
}

void fs_ask_end(struct fs_request *request, struct fs_vm *vm)
{
    fs_turn_end(request, vm);
    if (!fs_machines_any(vm->fs) || request->call.error != -ENODEV)
        return;
    DS_LOCK_SCOPE(&vm->fs->lock);
    fs_machines_distrust(vm);
}
