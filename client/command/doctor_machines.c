/* What an inventory lets this side see. */
#include "doctor_machines.h"

#include "cleanup.h"
#include "machine_name.h"

#include <errno.h>

/* So many machines are asked for their DataSets, from the first one to the last one listed. */
enum { MACHINES_TRIED = 8 };

/* What was found of the machines that were tried. */
struct trial {
    size_t tried, listed, datasets;
    unsigned failed;
};

/* What the filter of -o says; NULL: nothing that is known here. */
static const char *advice_for_list(int err)
{
    switch (err) {
    case -EACCES:
        return "give the user read access (System.Read) to what the machines are on and in";
    case -ENODEV:
        return "correct -o folder=, cluster= or datacenter=";
    case -ENOSPC:
        return "mount a part of them: -o folder=, cluster= or datacenter=";
    case -EOPNOTSUPP:
        return "mount one machine by its id";
    case -ETIMEDOUT:
        return "try a longer -o timeout=";
    default:
        return NULL;
    }
}

static const char *advice_for_machine(int err)
{
    switch (err) {
    case -EACCES:
        return "give the user the privileges VirtualMachine.DataSets.* on the machines";
    case -EOPNOTSUPP:
        return "where it shall have DataSets, upgrade its compatibility to \"ESXi 8.0\" while it "
               "is off";
    case -ETIMEDOUT:
        return "try a longer -o timeout=";
    default:
        return NULL;
    }
}

/* One that is too old, or has just gone, does not keep the others from being of use. */
static void tell_failure(const struct ds_session *session, struct ds_report *report,
                         const char *name, int err, struct trial *trial)
{
    const char *words = ds_report_words(&session->call, err);

    if (err == -EOPNOTSUPP || err == -ENODEV) {
        ds_report_warn(report, "list", advice_for_machine(err), "%s: %s", name, words);
        return;
    }
    trial->failed++;
    ds_report_fail(report, "list", advice_for_machine(err), "%s: %s", name, words);
}

static void try_machine(struct ds_session *session, struct ds_report *report,
                        const struct ds_machines *machines, size_t at, struct trial *trial)
{
    const struct ds_machine *machine = &machines->list[at];
    struct ds_names names DS_CLEANUP(ds_names_clear) = {0};
    char name[DS_FILE_NAME_MAX_BYTES + 1];
    struct ds_client *client = NULL;
    int err = ds_inventory_open_machine(session->inventory, ds_session_call(session), machine->id,
                                        &client);

    if (err == 0)
        err = ds_client_list(client, ds_session_call(session), &names);
    ds_machine_name_encode(machine->name, machine->id, ds_machines_is_ambiguous(machines, at),
                           name);
    if (err != 0)
        tell_failure(session, report, name, err, trial);
    trial->tried++;
    trial->listed += err == 0;
    trial->datasets += names.count;
    ds_client_free(client, ds_session_call(session));
}

static void try_some(struct ds_session *session, struct ds_report *report,
                     const struct ds_machines *machines)
{
    size_t count = machines->count < MACHINES_TRIED ? machines->count : MACHINES_TRIED;
    struct trial trial = {0};

    for (size_t i = 0; i < count && !ds_session_interrupted(); i++)
        try_machine(session, report, machines,
                    count > 1 ? i * (machines->count - 1) / (count - 1) : 0, &trial);
    if (trial.listed > 0)
        ds_report_ok(report, "list", "%zu of the %zu machines that were tried; DataSets there: %zu",
                     trial.listed, trial.tried, trial.datasets);
    else if (trial.failed == 0)
        ds_report_skip(report, "list", "of no machine that was tried");
}

void ds_doctor_machines(struct ds_session *session, struct ds_report *report)
{
    static const char what[] = "machines";
    struct ds_machines machines DS_CLEANUP(ds_machines_clear) = {0};
    bool some = session->arguments->store.source.machines != NULL;
    int err = ds_inventory_list(session->inventory, ds_session_call(session), &machines);

    if (err != 0) {
        ds_report_fail(report, what, advice_for_list(err), "%s",
                       ds_report_words(&session->call, err));
        ds_report_skip(report, "list", "there are no machines to ask");
        return;
    }
    if (machines.left_out > 0)
        ds_report_warn(report, what, "let their owner name them anew, in UTF-8",
                       "%zu have names or ids that no mount can show", machines.left_out);
    if (machines.count == 0) {
        ds_report_warn(report, what,
                       some ? "look at -o folder=, cluster=, datacenter=, power= and machines="
                            : "let there be some that this user may see",
                       "there is none that this user may see%s",
                       some ? " and -o lets through" : "");
        ds_report_skip(report, "list", "there are no machines to ask");
        return;
    }
    ds_report_ok(report, what, "%zu%s", machines.count, some ? " that -o lets through" : "");
    try_some(session, report, &machines);
}
