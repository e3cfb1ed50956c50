/* The virtual machine behind a mount. */
#include "machine.h"

#include "cleanup.h"
#include "log.h"
#include "vm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is learned while the client is opened is the mount's to log; later it is ours. */
static int tell_machine(struct ds_rest *rest, const char *vm)
{
    static const char format[] = "the virtual machine '%s' is %s";
    if (rest->opened) {
        ds_log(DS_LOG_INFO, format, rest->named, vm);
        return 0;
    }
    free(rest->client.about);
    if (asprintf(&rest->client.about, format, rest->named, vm) >= 0)
        return 0;
    rest->client.about = NULL;
    return -ENOMEM;
}

/* Others may still use the id before: all stay until the end. */
static int take_id(struct ds_rest *rest, const char *vm)
{
    int err = ds_names_add(&rest->vms, vm);
    if (!err)
        rest->vm = rest->vms.names[rest->vms.count - 1];
    return err;
}

/* With the turn. */
static int find_machine(struct ds_rest *rest, struct ds_call *call)
{
    char *vm DS_AUTO_FREE = NULL;
    struct ds_vcenter *vcenter = rest->vcenter;
    int err = ds_vm_find(vcenter->session, vcenter->base, rest->named, call, &vm);
    if (err || (rest->vm && !strcmp(rest->vm, vm)))
        return err;
    err = tell_machine(rest, vm);
    return err ? err : take_id(rest, vm);
}

int ds_machine_begin(struct ds_rest *rest, const char *machine, bool by_name)
{
    rest->by_name = by_name;
    rest->named = strdup(machine);
    if (!rest->named)
        return -ENOMEM;
    return by_name ? ds_turns_init(&rest->turn, 1) : take_id(rest, machine);
}

int ds_machine_need(struct ds_rest *rest, struct ds_call *call, const char **vm)
{
    if ((*vm = rest->vm))
        return 0;
    int err = ds_turns_take(&rest->turn, call, true);
    if (err)
        return err;
    if (!rest->vm)
        err = find_machine(rest, call);
    ds_turns_give(&rest->turn);
    *vm = rest->vm;
    if (err) /* what was asked has not been sent */
        ds_call_set_sent(call, DS_SENT_NO);
    return err;
}

void ds_machine_seen(struct ds_rest *rest)
{
    atomic_store(&rest->seen_ms, ds_call_now_ms());
}

bool ds_machine_seen_lately(struct ds_rest *rest)
{
    return ds_call_now_ms() - atomic_load(&rest->seen_ms) < DS_MACHINE_TRUST_MS;
}

static int fail_gone(const struct ds_rest *rest, struct ds_call *call, const char *vm)
{
    if (rest->by_name)
        return ds_call_fail(call, -ENODEV, "%.150s", call->text);
    return ds_call_fail(call, -ENODEV,
                        "%.60s has no virtual machine %.60s any more, or this user may not see it",
                        rest->vcenter->base, vm);
}

int ds_machine_lost(struct ds_rest *rest, struct ds_call *call, const char *vm)
{
    atomic_store(&rest->seen_ms, ds_call_now_ms() - DS_MACHINE_TRUST_MS);
    if (!rest->by_name)
        return fail_gone(rest, call, vm);
    int err = ds_turns_take(&rest->turn, call, true);
    if (err)
        return err;
    bool same = !strcmp(rest->vm, vm);
    if (same)
        err = find_machine(rest, call);
    bool still_same = !strcmp(rest->vm, vm);
    ds_turns_give(&rest->turn);
    if (!err && still_same)
        err = ds_call_fail(call, -ENODEV,
                           "%.60s lists the virtual machine '%.60s' as %.40s and knows none of "
                           "that id",
                           rest->vcenter->base, rest->named, vm);
    return err == -ENODEV ? fail_gone(rest, call, vm) : err;
}

void ds_machine_end(struct ds_rest *rest)
{
    ds_turns_end(&rest->turn);
    ds_names_clear(&rest->vms);
    rest->vm = NULL;
    free(rest->named);
}
