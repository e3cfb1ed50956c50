/* What -o says of the store, beside SOURCE itself, and of DataSets to be made; for mounts and
 * commands. */
#ifndef DS_STORE_OPTIONS_H
#define DS_STORE_OPTIONS_H

#include "inventory.h"
#include "option.h"

#include <stdint.h>

struct ds_store_options {
    struct ds_source_options source; /* side= channels= parallel= insecure */
    /* credentials=FILE, cacert=FILE, pin=sha256//HASH; `source` refers to them. */
    char *credentials;
    char *cacert;
    char *pin;
    /* folder= cluster= datacenter= machines=, each any number of times, and power=; `source` refers
     * to it. NULL: none was given. */
    struct ds_machine_filter *machines;
    int64_t timeout_ms;              /* timeout=SECONDS, 1 to 3600, default 10 */
    struct ds_attributes attributes; /* host_access= guest_access= description=
                                        omit_from_snapshot_and_clone; not given: UNKNOWN, NULL */
};

/* What holds when nothing is said. */
struct ds_store_options ds_store_options_default(void);

/* Of struct ds_store_options, up to one without a name. */
extern const struct ds_option ds_store_option[];

/* The same: those that say which machines of an inventory. */
extern const struct ds_option ds_machine_option[];

/* Frees what the options own and zeroes them. */
void ds_store_options_clear(struct ds_store_options *options);

#endif
