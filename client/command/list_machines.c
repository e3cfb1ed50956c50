/* ls and info of an inventory. */
#include "list_machines.h"

#include "cleanup.h"
#include "log.h"
#include "machine_name.h"
#include "print.h"
#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int list(struct ds_session *session, struct ds_machines *out)
{
    int err = ds_inventory_list(session->inventory, ds_session_call(session), out);

    if (err == 0 && out->left_out > 0)
        ds_log(DS_LOG_WARNING, "%zu machines have no name or id that can be one, and are left out",
               out->left_out);
    return err;
}

static void print_line(const struct ds_machines *machines, size_t at)
{
    const struct ds_machine *machine = &machines->list[at];
    char name[DS_FILE_NAME_MAX_BYTES + 1];

    ds_machine_name_encode(machine->name, machine->id, ds_machines_is_ambiguous(machines, at),
                           name);
    if (isatty(STDOUT_FILENO) == 1)
        ds_text_clean(name);
    puts(name);
}

/* The machine as JSON, NULL if there is no memory. `whole`: not its name only. */
static json_t *object_of(const struct ds_machine *machine, bool whole)
{
    const char *power = ds_power_name(machine->power);

    if (!whole)
        return json_string(machine->name);
    return machine->power == DS_POWER_UNKNOWN
               ? json_pack("{s:s, s:s}", "name", machine->name, "id", machine->id)
               : json_pack("{s:s, s:s, s:s}", "name", machine->name, "id", machine->id, "power",
                           power);
}

static int print_json(const struct ds_machines *machines, bool whole)
{
    json_t *array = json_array();
    int err = array != NULL ? 0 : -ENOMEM;

    for (size_t i = 0; i < machines->count && err == 0; i++)
        if (json_array_append_new(array, object_of(&machines->list[i], whole)) != 0)
            err = -ENOMEM;
    if (err == 0)
        err = ds_print_json(array);
    json_decref(array);
    return err;
}

static enum ds_status end(struct ds_session *session, int err)
{
    return err == 0 ? DS_STATUS_OK : ds_session_fail(session, err, NULL, NULL);
}

enum ds_status ds_list_machines_names(struct ds_session *session)
{
    struct ds_machines machines DS_CLEANUP(ds_machines_clear) = {0};
    int err = list(session, &machines);

    if (err == 0 && session->arguments->json)
        return end(session, print_json(&machines, false));
    for (size_t i = 0; i < machines.count; i++)
        if (session->arguments->nul)
            ds_print_nul(machines.list[i].name, strlen(machines.list[i].name));
        else
            print_line(&machines, i);
    return end(session, err);
}

enum ds_status ds_list_machines_info(struct ds_session *session)
{
    struct ds_machines machines DS_CLEANUP(ds_machines_clear) = {0};
    int err = list(session, &machines);

    return end(session, err == 0 ? print_json(&machines, true) : err);
}
