/* What the parts of the REST client share: one virtual machine of a vCenter. */
#ifndef DS_REST_STORE_H
#define DS_REST_STORE_H

#include "../base/turns.h"
#include "client.h"
#include "ids.h"
#include "vcenter.h"

struct ds_rest {
    struct ds_client client;
    struct ds_vcenter *vcenter;
    bool shared;          /* the vCenter is an inventory's, and lives longer */
    char *named;          /* the machine, as SOURCE or the inventory says it; owned */
    bool by_name;         /* that is its name, not the id of a managed object */
    struct ds_turns turn; /* who has it looks for the machine; only of one known by its name */
    _Atomic(char *) vm;   /* the managed object's id; NULL until it is known; the last of `vms` */
    struct ds_names vms;  /* ids that the machine has had; for whoever has the turn */
    _Atomic int64_t seen_ms; /* when an answer last proved that it is there */
    bool opened;             /* constant once other threads use the client */
    struct ds_ids ids;
};

#endif
