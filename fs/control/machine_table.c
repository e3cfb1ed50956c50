/* The machines of an inventory as a table. */
#include "machine_table.h"

#include "cleanup.h"
#include "control.h"
#include "inventory.h"
#include "model/machines.h"
#include "snapshot.h"
#include "store/find_machine.h"

/* Each machine that is listed: its id, its power state, its file name, between tabs. */
static int print(struct fs_request *request, struct fs_node *node, int64_t max_age_ms,
                 struct ds_buf *out)
{
    struct fs *fs = request->fs;
    struct fs_listing *listing;
    int err = fs_find_list(request, &listing);

    (void)node, (void)max_age_ms;
    if (err != 0)
        return err;
    err = ds_buf_puts(out, "# id\tpower\tname\n");
    DS_LOCK_SCOPE(&fs->lock);
    for (size_t i = 0; i < listing->names.count && err == 0; i++) {
        const struct fs_vm *vm = fs_machines_shown(fs, listing->names.names[i]);

        if (vm != NULL)
            err = ds_buf_printf(out, "%s\t%s\t%s\n", vm->machine.id,
                                ds_power_name(vm->machine.power), vm->machine.file_name);
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
