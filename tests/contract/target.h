/* The protocols that the suite is run for. */
#ifndef TARGET_H
#define TARGET_H

#include "client.h"

/* As `open` and `end` of struct contract_target. The second kind of tools is a host that makes
 * other use of the freedom that the interface leaves, and pages at 64 KiB. */
int contract_open_local(const char *directory, enum ds_side side, struct ds_call *call,
                        struct ds_client **out);
int contract_open_tools(const char *directory, enum ds_side side, struct ds_call *call,
                        struct ds_client **out);
int contract_open_tools_otherwise(const char *directory, enum ds_side side, struct ds_call *call,
                                  struct ds_client **out);
void contract_end_tools(void);

/* The host side over REST, the guest side straight at the store. The second kind is a vCenter that
 * speaks in other ways: legacy session and errors, other statuses, ids that are not the names. */
int contract_open_rest(const char *directory, enum ds_side side, struct ds_call *call,
                       struct ds_client **out);
int contract_open_rest_otherwise(const char *directory, enum ds_side side, struct ds_call *call,
                                 struct ds_client **out);
void contract_end_rest(void);

/* The host of tools through the stock program, which a preloaded library (tests/sim/fakevsock.c)
 * leads to the simulator. A call takes some 50 ms. */
int contract_open_vmtoolsd(const char *directory, enum ds_side side, struct ds_call *call,
                           struct ds_client **out);
void contract_end_vmtoolsd(void);
bool contract_missing_vmtoolsd(void);

#endif
