/* Machines of an inventory as who administers them sees them: they are made, renamed and deleted
 * while it is mounted, in the directory "d" of the running test, or in the simulated vCenter. */
#ifndef INVENTORY_WORLD_H
#define INVENTORY_WORLD_H

#include "client.h"

#include <stdbool.h>

enum { WORLD_MACHINES = 3, WORLD_NAMES = 5, WORLD_DATASETS = 2, WORLD_KEYS = 4 };

struct world_machine {
    bool exists;
    unsigned number; /* no other one ever has it */
    unsigned name;   /* of world_names; machines that exist have different ones */
    char *values[WORLD_DATASETS][WORLD_KEYS]; /* that it should have, owned; NULL: no such key */
    struct ds_client *peer;                   /* its guest, while it exists */
};

extern const char *const world_names[WORLD_NAMES];
extern const char *const world_datasets[WORLD_DATASETS];
extern struct world_machine world_machines[WORLD_MACHINES];

/* Makes all machines, with their DataSets and no keys; `random` gives a number below `sides`. */
void world_begin(bool over_rest, unsigned (*random)(unsigned sides));
void world_end(void);

/* The SOURCE of a mount of all machines. Valid until the next call. */
const char *world_source(void);

/* One that does not exist. */
void world_make(struct world_machine *machine);

void world_delete(struct world_machine *machine);

/* To a name that no other one has. */
void world_rename(struct world_machine *machine);

/* The machine of that name, or NULL. */
struct world_machine *world_called(unsigned name);

#endif
