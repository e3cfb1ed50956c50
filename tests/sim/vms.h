/* The virtual machines of the simulated vCenter, each with a store of its own. */
#ifndef SIM_VMS_H
#define SIM_VMS_H

#include "client.h"
#include "places.h"

#include <pthread.h>
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

/* Lives until the end, also when the machine is gone. */
struct sim_vm {
    char *id; /* "vm-1"; constant, as `file` */
    char *file;
    bool lazy;        /* its store is opened when it is first needed; constant */
    atomic_int state; /* enum sim_vm_state */
    /* Under the lock of struct sim_vms. */
    char *name;
    const char *host;        /* id; NULL: none */
    const char *folder;      /* id; NULL: none */
    struct ds_client *store; /* as the management side sees it; NULL: not open */
    bool opening;            /* somebody opens it, or closes it */
    unsigned users;          /* of the store */
    unsigned long used;      /* when it was last taken: the highest is the latest */
};

/* Zeroed, but for the lock, is empty. */
struct sim_vms {
    pthread_mutex_t lock;
    pthread_cond_t opened; /* with the lock: some machine is no longer `opening` */
    struct sim_vm **list;  /* under the lock, as the rest */
    size_t count;
    size_t room;
    size_t open_count; /* stores */
    unsigned long clock;
    struct sim_places places;
    size_t next_host; /* where to go on when a machine is put on one */
    size_t next_folder;
};

void sim_vms_init(struct sim_vms *vms);

/* Adds ID=NAME=FILE, on the next of the hosts and in the next of the folders. 0; -EINVAL malformed;
 * -EEXIST the id is there; -ENOMEM. */
int sim_vms_add(struct sim_vms *vms, const char *spec);

/* Adds all NAME.db in the directory by their names, with ids from vm-1001 on. The names are stored
 * as vSphere stores them: '%' as "%25", '\' as "%5c". 0 or a negative errno. */
int sim_vms_add_directory(struct sim_vms *vms, const char *directory);

/* Changes of one machine: -ENOENT no such machine; -EINVAL no such state, host or folder; -ENOMEM.
 * A state is poweredOn, poweredOff, suspended, unsupported or gone. */
int sim_vms_set_state(struct sim_vms *vms, const char *id, const char *word);
int sim_vms_rename(struct sim_vms *vms, const char *id, const char *name);
int sim_vms_move(struct sim_vms *vms, const char *id, const char *to);

/* Adds a place (places.h). Hides a place from lists. */
int sim_vms_add_place(struct sim_vms *vms, const char *spec);
int sim_vms_hide(struct sim_vms *vms, const char *id);

/* The machine with that id, or NULL. The id of the one that has that name and is not gone, or NULL.
 */
struct sim_vm *sim_vms_find(struct sim_vms *vms, const char *id);
const char *sim_vms_id_of(struct sim_vms *vms, const char *name);

/* The machine's store, opened if it is not, until it is given back. Of those that nobody has some
 * are closed when many are open. Errors are ds_source_open()'s, said on standard error. */
int sim_vms_take(struct sim_vms *vms, struct sim_vm *vm, struct ds_client **out);
void sim_vms_give(struct sim_vms *vms, struct sim_vm *vm);

/* Opens the stores of the machines that were added one by one, so that what is wrong shows now. */
int sim_vms_open(struct sim_vms *vms);

/* Closes the stores and frees what was added. */
void sim_vms_clear(struct sim_vms *vms);

/* Opens local:FILE as one side sees it, saying on standard error what is wrong. */
int sim_vms_open_store(const char *file, enum ds_side side, struct ds_client **out);

#endif
