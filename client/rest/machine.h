/* The virtual machine behind a mount: its id, and whether it is still there. */
#ifndef DS_REST_MACHINE_H
#define DS_REST_MACHINE_H

#include "store.h"

/* Within so long of an answer that proves that the machine is there, "not found" is about something
 * else. */
#define DS_MACHINE_TRUST_MS 1000

/* The machine that the client is for, by its name or its id: nothing is asked yet. 0 or a negative
 * errno; to be ended in any case, if `rest` was zeroed but for turn.fd, which is -1. */
int ds_machine_begin(struct ds_rest *rest, const char *machine, bool by_name);

/* The machine's id, looked up by its name when it is first needed. `*vm` belongs to `rest`, until
 * its end. Errors of vm.h and -ENOMEM; then what was to be asked has not been sent. */
int ds_machine_need(struct ds_rest *rest, struct ds_call *call, const char **vm);

/* Notes an answer that a machine which is gone could not give; true if there was one lately. */
void ds_machine_seen(struct ds_rest *rest);
bool ds_machine_seen_lately(struct ds_rest *rest);

/* The server knows nothing under the id `vm`, not even a list of DataSets. 0 if a machine of the
 * mount's name has another id by now, which is in use from now on; -ENODEV, with words; or why that
 * cannot be told. What was seen lately no longer counts. */
int ds_machine_lost(struct ds_rest *rest, struct ds_call *call, const char *vm);

/* Frees what is known of it. */
void ds_machine_end(struct ds_rest *rest);

#endif
