/* The machines of an inventory as a table. */
#include "machine_table.h"

#include "cleanup.h"
#include "control.h"
#include "inventory.h"
#include "model/machines.h"
#include "snapshot.h"
#include "store/find_machine.h"

#include <stdio.h>

enum { HARDWARE_BYTES = 16 };

/* What the machine's store has told of its hardware; empty if it was not asked yet. One that lists
 * DataSets has hardware that can, which version is not asked for. */
static const char *hardware_of(const struct ds_client *client, char hardware[HARDWARE_BYTES])
{
    unsigned version = client != NULL ? ds_client_hardware(client) : 0;

    *hardware = '\0';
    if (version != 0)
        snprintf(hardware, HARDWARE_BYTES, "vmx-%u", version);
    else if (client != NULL && ds_client_support(client) == DS_SUPPORT_YES)
        snprintf(hardware, HARDWARE_BYTES, "vmx-%d+", DS_HARDWARE_MIN);
    return hardware;
}

/* Why there can be no DataSets; empty if nothing of the kind is known. */
static const char *problem_of(const struct ds_client *client)
{
    unsigned version;

    if (client == NULL || ds_client_support(client) != DS_SUPPORT_NO)
        return "";
    version = ds_client_hardware(client);
    return version != 0 && version < DS_HARDWARE_MIN
               ? "its hardware is too old for DataSets, which need vmx-20"
               : "vCenter, the host or the hardware is too old for DataSets";
}

static int print_machine(const struct fs_vm *vm, struct ds_buf *out)
{
    char hardware[HARDWARE_BYTES];

    return ds_buf_printf(out, "%s\t%s\t%s\t%s\t%s\n", vm->machine.id, vm->machine.file_name,
                         ds_power_name(vm->machine.power), hardware_of(vm->client, hardware),
                         problem_of(vm->client));
}

/* Each machine that is listed, in one line. */
static int print(struct fs_request *request, struct fs_node *node, int64_t max_age_ms,
                 struct ds_buf *out)
{
    struct fs *fs = request->fs;
    struct fs_listing *listing;
    int err = fs_find_listed(request, max_age_ms, &listing);

    (void)node;
    if (err != 0)
        return err;
    err = ds_buf_puts(out, "# id\tname\tpower\thardware\tproblem\n");
    DS_LOCK_SCOPE(&fs->lock);
    for (size_t i = 0; i < listing->names.count && err == 0; i++) {
        const struct fs_vm *vm = fs_machines_shown(fs, listing->names.names[i]);

        if (vm != NULL)
            err = print_machine(vm, out);
    }
    fs_listing_unref(listing);
    return err;
}

int fs_table_know(struct fs_request *request, struct fs_node *node)
{
    return fs_snapshot_know(request, node, print);
}

int fs_table_open(struct fs_request *request, struct fs_node *node)
{
    return fs_control_open(request, node, print);
}
