/* The contract of an inventory: all virtual machines behind one SOURCE, each of which has a client
 * of its own (client.h). `https://HOST` is a vCenter's, `local:DIRECTORY/` that of the store files
 * in a directory: FILE.db is the machine FILE.
 *
 * What holds for the operations of client.h holds for these: they block until the store has
 * answered, the call's deadline has come or it is cancelled; 0 or a negative errno; a failure
 * leaves out-parameters unchanged and, unless it is a plain -ENOENT, words in call->text. Any
 * thread may call any of them at any time, but the freeing. -EAGAIN is repeated with back-off until
 * the deadline, and what broke on the way once.
 */
#ifndef DS_INVENTORY_H
#define DS_INVENTORY_H

#include "client.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ds_inventory;

enum ds_power { DS_POWER_UNKNOWN, DS_POWER_ON, DS_POWER_OFF, DS_POWER_SUSPENDED, DS_POWER_COUNT };

/* A machine as it is listed. The texts belong to the list. */
struct ds_machine {
    const char *id;   /* of the managed object, such as "vm-42"; of a store file, its name again */
    const char *name; /* as people say it: UTF-8, not empty, in no way escaped (machine_name.h);
                       * others may have the same */
    enum ds_power power; /* UNKNOWN: the listing does not tell */
};

/* Machines by their names, those of one name by their ids, so that they stand together. Zeroed is
 * empty. One takes some 40 bytes beside its texts. */
struct ds_machines {
    struct ds_machine *list; /* owned */
    size_t count;
    size_t capacity;
    struct ds_names text; /* owned: the ids and names */
    size_t left_out;      /* machines that were told besides, with an id or a name that is none */
};

/* Which machines there are at all, for listing and finding alike. Of several of a kind one must
 * fit, and something of each kind that is given. */
struct ds_machine_filter {
    /* Names of vCenter's, or ids ("group-v3", "domain-c8", "datacenter-2"). A folder's machines are
     * also those in the folders below it. */
    struct ds_names folders;
    struct ds_names clusters;
    struct ds_names datacenters;
    struct ds_names globs; /* patterns of glob(7), one of which the machine's name must match */
    unsigned powers;       /* of 1u << enum ds_power; 0: any */
};

/* Frees the content and zeroes it. Harmless on a zeroed one. */
void ds_machine_filter_clear(struct ds_machine_filter *filter);

enum ds_inventory_op { DS_INVENTORY_LIST, DS_INVENTORY_FIND, DS_INVENTORY_OP_COUNT };

enum ds_machine_by { DS_MACHINE_BY_ID, DS_MACHINE_BY_NAME };

struct ds_inventory_ops {
    const char *name; /* "local", "rest" */

    /* All machines, in any order; never -ENOENT. Globs need not be heeded. */
    int (*list)(struct ds_inventory *inventory, struct ds_call *call, struct ds_machines *out);

    /* Those that the id or the name fits, in any order; none is no failure. Globs as above. */
    int (*find)(struct ds_inventory *inventory, struct ds_call *call, enum ds_machine_by by,
                const char *text, struct ds_machines *out);

    /* As ds_inventory_open_machine(). */
    int (*open_machine)(struct ds_inventory *inventory, struct ds_call *call, const char *id,
                        struct ds_client **out);

    /* As ds_inventory_free(). */
    void (*free)(struct ds_inventory *inventory, struct ds_call *call);
};

/* Embedded as the first member of each kind's own struct. */
struct ds_inventory {
    const struct ds_inventory_ops *ops;
    struct ds_caps caps;                    /* that each machine's client will have */
    const struct ds_machine_filter *filter; /* borrowed, NULL: none; constant */
    unsigned
        parallel; /* machines asked at once to advantage; 0 or 1: one after the other is best */
    atomic_uint_fast64_t requests[DS_INVENTORY_OP_COUNT]; /* sent to the store */
};

/* For kinds: counts one request that goes to the store. */
void ds_inventory_count(struct ds_inventory *inventory, enum ds_inventory_op op);

/* True if `source` has the form of an inventory: "https://" and HOST[:PORT] without anything
 * behind, not even a slash; "local:" and a name that ends with one. ds_source_check() refuses the
 * first and leaves the second to opening, which fails. */
bool ds_inventory_is(const char *source);

/* As ds_source_check() for an inventory's SOURCE. -EINVAL also for one of options->machines that
 * this kind of SOURCE has nothing to filter by. */
int ds_inventory_check(const char *source, const struct ds_source_options *options, char *why);

/* Opens the inventory of a checked SOURCE. Unless options->delay_connect the store is tried once: a
 * vCenter by a login and one listing, which need not be whole. `options` are borrowed for the time
 * of the call, options->machines until the end of the inventory. Errors as ds_source_open();
 * -ENOENT and -ENOTDIR, with words, where there is no such DIRECTORY. */
int ds_inventory_open(const char *source, const struct ds_source_options *options,
                      struct ds_call *call, struct ds_inventory **out);

/* All machines that the filter lets through and this user may see; the caller clears the list.
 * Never a part of them in place of the whole: where some cannot be asked for, or it shows that some
 * are missing, that is an error with words. -ENODEV: what the filter names does not exist. */
int ds_inventory_list(struct ds_inventory *inventory, struct ds_call *call,
                      struct ds_machines *out);

/* The one machine of that id or name, as a list of one, in one request whatever was listed before;
 * the caller clears it. -ENOENT: there is none, or the filter keeps it out; -ENOTUNIQ: several
 * have that name, and the words give their ids; -ENODEV as above. */
int ds_inventory_find(struct ds_inventory *inventory, struct ds_call *call, enum ds_machine_by by,
                      const char *text, struct ds_machines *out);

/* A client of the machine with that id, without a request and whether or not there is such a
 * machine: from where it is missing, each of its operations is -ENODEV. A store file is opened now,
 * and not made; of a vCenter all clients share the session, the connections and the requests at
 * once. ds_client_free() closes it, before the inventory is freed. -ENODEV; errors as
 * ds_source_open(). */
int ds_inventory_open_machine(struct ds_inventory *inventory, struct ds_call *call, const char *id,
                              struct ds_client **out);

/* What each machine's client can do. */
const struct ds_caps *ds_inventory_caps(const struct ds_inventory *inventory);

/* So many machines are asked faster at once than one after the other; at least 1. */
unsigned ds_inventory_parallel(const struct ds_inventory *inventory);

/* Requests sent so far for listing or finding machines. From any thread. */
uint64_t ds_inventory_requests(const struct ds_inventory *inventory, enum ds_inventory_op op);

/* Ends the session and all connections, bounded by `call`, and frees. Harmless on NULL. */
void ds_inventory_free(struct ds_inventory *inventory, struct ds_call *call);

/* "on", "off", "suspended"; "unknown". */
const char *ds_power_name(enum ds_power power);

/* Appends a machine with copies of the texts. 0 or -ENOMEM. */
int ds_machines_add(struct ds_machines *machines, const char *id, const char *name,
                    enum ds_power power);

/* Puts them in their order; of several with one id the last one that was added stays. 0 or
 * -ENOMEM, then nothing has changed. */
int ds_machines_sort(struct ds_machines *machines);

/* True if the machine beside the one at `at` has the same name. Only of a sorted list. */
bool ds_machines_is_ambiguous(const struct ds_machines *machines, size_t at);

/* Frees the content and zeroes the list. Harmless on a zeroed one. */
void ds_machines_clear(struct ds_machines *machines);

#endif
