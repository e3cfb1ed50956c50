/* The virtual machines of the simulated vCenter, each with a store of its own. */
#ifndef SIM_VMS_H
#define SIM_VMS_H

#include "client.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

enum sim_vm_state {
    SIM_VM_ON,
    SIM_VM_OFF,
    SIM_VM_SUSPENDED,   /* its DataSets can be read only */
    SIM_VM_UNSUPPORTED, /* hardware below vmx-20: it has no DataSets */
    SIM_VM_GONE         /* nobody finds it, by its id nor by its name */
};

struct sim_vm {
    char *id; /* "vm-1" */
    char *name;
    char *file;
    struct ds_client *store; /* as the management side sees it */
    atomic_int state;        /* enum sim_vm_state */
};

/* Zeroed is empty. Machines are added before threads start; only states change later. */
struct sim_vms {
    struct sim_vm *list;
    size_t count;
};

/* Adds ID=NAME=FILE. 0; -EINVAL malformed; -EEXIST the id is there; -ENOMEM. */
int sim_vms_add(struct sim_vms *vms, const char *spec);

/* Sets the state that the word names: poweredOn, poweredOff, suspended, unsupported, gone. -EINVAL;
 * -ENOENT no such machine. */
int sim_vms_set_state(struct sim_vms *vms, const char *id, const char *word);

/* NULL if there is none. */
struct sim_vm *sim_vms_find(struct sim_vms *vms, const char *id);

/* Opens all stores. Errors are ds_source_open()'s, said on standard error. */
int sim_vms_open(struct sim_vms *vms);

/* Closes the stores and frees what was added. */
void sim_vms_clear(struct sim_vms *vms);

/* Opens local:FILE as one side sees it, saying on standard error what is wrong. */
int sim_vms_open_store(const char *file, enum ds_side side, struct ds_client **out);

#endif
