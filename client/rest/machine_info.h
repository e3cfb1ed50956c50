/* What vCenter tells of the virtual machine itself. */
#ifndef DS_REST_MACHINE_INFO_H
#define DS_REST_MACHINE_INFO_H

#include "store.h"

struct ds_machine_info {
    char power[32];   /* "POWERED_ON", "POWERED_OFF", "SUSPENDED"; empty: not told */
    unsigned version; /* of the virtual hardware, 20 for vmx-20; 0: not told */
};

/* Asks for it, after its id where it is known by name. `*id`, which belongs to `rest`, is set as
 * soon as that is known, else NULL. Errors as ds_machine_need(); -ENODEV there is no machine of
 * that id; -EOPNOTSUPP, -EACCES, …: the server does not tell, which need not keep its DataSets from
 * being of use. With words. */
int ds_machine_info_ask(struct ds_rest *rest, struct ds_call *call, const char **id,
                        struct ds_machine_info *out);

/* The server has listed the machine's DataSets: what kept it from that is over. */
void ds_machine_info_supported(struct ds_rest *rest);

/* The server does not support DataSets of this machine, -EOPNOTSUPP with words. Where its hardware
 * is too old, which is asked for unless that was answered before, other words say so. */
void ds_machine_info_explain(struct ds_rest *rest, struct ds_call *call);

#endif
