/* The contract of inventory.h as a suite, run for each kind. */
#ifndef CONTRACT_INVENTORIES_H
#define CONTRACT_INVENTORIES_H

#include "contract.h"
#include "inventory.h"

/* One kind. The machines are files machines/NAME.db in `directory`, which is there before `open` is
 * called. Both kinds have ids of their own making. */
struct inventory_target {
    const char *name;
    /* Opens the inventory; the first time in a test whatever it needs is started. */
    int (*open)(const char *directory, const struct ds_machine_filter *filter, struct ds_call *call,
                struct ds_inventory **out);
    /* Tells it what has changed in `directory`: the machine NAME has come, or gone with its file.
     * NULL: it sees that by itself. */
    void (*came)(const char *directory, const char *name);
    void (*went)(const char *directory, const char *name);
    void (*end)(void); /* NULL: nothing to do */
};

extern const struct inventory_target inventory_target_local;
extern const struct inventory_target inventory_target_rest;

#endif
