/* A simulated vCenter with machines in clusters, on hosts and in folders, and an inventory of it.
 */
#ifndef VCENTER_WORLD_H
#define VCENTER_WORLD_H

#include "contract.h"
#include "inventory.h"

/* What each test is given, as `*state`. */
struct vcenter {
    char *directory;
    struct ds_machine_filter filter;
    struct ds_source_options
        options; /* for opening; `machines` is the filter once it has something */
    struct ds_inventory *inventory;
    struct ds_call call;
};

/* Beginning and end of a test; at the end no session may be left. */
int vcenter_setup(void **state);
int vcenter_teardown(void **state);

/* Starts it with `count` machines "m00000", "m00001" and so on, whose ids are vm-1001 and so on,
 * and these places ("cluster=domain-c1=c1", …; NULL ends them). The machines are on the hosts and
 * in the folders in turn. */
void vcenter_start(struct vcenter *v, size_t count, const char *const *places);

/* The same with further arguments. */
void vcenter_start_with(struct vcenter *v, size_t count, const char *const *places,
                        const char *const *arguments);

/* Opens the inventory as the options say. The result of ds_inventory_open(). */
int vcenter_open(struct vcenter *v);
void vcenter_close(struct vcenter *v);

/* The test's call, begun anew with plenty of time. */
struct ds_call *vcenter_call(struct vcenter *v);

/* Lists all machines, which must succeed, and asserts how many they are; the caller clears them. */
void vcenter_list(struct vcenter *v, size_t count, struct ds_machines *out);

/* The same, and forgets them. */
void vcenter_expect(struct vcenter *v, size_t count);

/* Sends a line to the simulator's control; what it answers behind "ok". */
#define VCENTER_ORDER(v, ...) rest_server_control((v)->directory, __VA_ARGS__)

/* Requests so far of that kind ("rest-vms"), in whose line of the log all these words stand. */
#define VCENTER_COUNT(v, ...) REST_SERVER_COUNT((v)->directory, __VA_ARGS__)

#include "rest_server.h"

#endif
