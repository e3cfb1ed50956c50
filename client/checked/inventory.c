/* The checked calls on inventories: what is no id or name, patterns, the order, words. */
#include "inventory.h"

#include "cleanup.h"
#include "log.h"
#include "repeat.h"
#include "utf8.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>

/* Of machines with the same name, so many ids are told. */
enum { TOLD_IDS = 8 };

struct question {
    struct ds_inventory *inventory;
    enum ds_inventory_op op;
    enum ds_machine_by by;
    const char *text;
    struct ds_machines *out;
};

static int ask(void *context, struct ds_call *call)
{
    const struct question *question = context;
    struct ds_inventory *inventory = question->inventory;
    ds_machines_clear(question->out); /* of a try that failed */
    if (question->op == DS_INVENTORY_LIST)
        return inventory->ops->list(inventory, call, question->out);
    return inventory->ops->find(inventory, call, question->by, question->text, question->out);
}

static bool is_text(const char *text)
{
    size_t len = strlen(text);
    return len && len <= DS_NAME_MAX_BYTES && ds_utf8_valid(text, len);
}

/* Whether one of the patterns fits, if there are any. */
static bool is_wanted(const struct ds_inventory *inventory, const char *name)
{
    const struct ds_names *globs = inventory->filter ? &inventory->filter->globs : NULL;
    if (!globs || !globs->count)
        return true;
    for (size_t i = 0; i < globs->count; i++)
        if (fnmatch(globs->names[i], name, 0) == 0)
            return true;
    return false;
}

/* Takes out what can be no machine, which is counted, and what is not wanted. */
static void select_machines(const struct ds_inventory *inventory, struct ds_machines *machines)
{
    size_t kept = 0;
    for (size_t i = 0; i < machines->count; i++) {
        const struct ds_machine *machine = &machines->list[i];
        bool good = is_text(machine->id) && is_text(machine->name);
        if (!good)
            machines->left_out++;
        else if (is_wanted(inventory, machine->name))
            machines->list[kept++] = *machine;
    }
    machines->count = kept;
}

static int run(struct question *question, struct ds_call *call, struct ds_machines *machines)
{
    question->out = machines;
    int err = ds_repeat_read(ask, question, call);
    if (err)
        return err;
    select_machines(question->inventory, machines);
    return ds_machines_sort(machines);
}

/* Sees to the call's words, as of ds_client_*(). */
static int finish(struct ds_call *call, const char *what, int err)
{
    call->error = err;
    if (!err || err == -ENOENT)
        call->text[0] = '\0';
    else if (!call->text[0])
        ds_call_fail(call, err, "%s",
                     err == -EPROTO ? "what the store answers is not understood" : strerror(-err));
    if (err)
        ds_log(DS_LOG_DEBUG, "%s: %s: %s", what, strerror(-err), call->text);
    return err;
}

int ds_inventory_list(struct ds_inventory *inventory, struct ds_call *call, struct ds_machines *out)
{
    struct ds_machines machines = {0};
    struct question question = {.inventory = inventory, .op = DS_INVENTORY_LIST};
    call->text[0] = '\0';
    int err = run(&question, call, &machines);
    if (err)
        ds_machines_clear(&machines);
    else
        *out = machines;
    return finish(call, "list machines", err);
}

static int fail_ambiguous(struct ds_call *call, const char *name,
                          const struct ds_machines *machines)
{
    struct ds_buf told DS_CLEANUP(ds_buf_free) = {0};
    for (size_t i = 0; i < machines->count && i < TOLD_IDS; i++)
        if (ds_buf_printf(&told, "%s%.32s", i ? ", " : "", machines->list[i].id) != 0)
            return -ENOMEM;
    return ds_call_fail(
        call, -ENOTUNIQ, "%zu virtual machines are named '%.60s': use one of their ids: %s%s",
        machines->count, name, told.data, machines->count > TOLD_IDS ? ", ..." : "");
}

int ds_inventory_find(struct ds_inventory *inventory, struct ds_call *call, enum ds_machine_by by,
                      const char *text, struct ds_machines *out)
{
    struct ds_machines machines = {0};
    struct question question = {
        .inventory = inventory, .op = DS_INVENTORY_FIND, .by = by, .text = text};
    call->text[0] = '\0';
    int err = is_text(text) ? run(&question, call, &machines) : 0;
    if (!err && !machines.count)
        err = -ENOENT;
    else if (!err && machines.count > 1)
        err = fail_ambiguous(call, text, &machines);
    if (err)
        ds_machines_clear(&machines);
    else
        *out = machines;
    return finish(call, text, err);
}

struct opening {
    struct ds_inventory *inventory;
    const char *id;
    struct ds_client **out;
};

static int open_once(void *context, struct ds_call *call)
{
    const struct opening *opening = context;
    struct ds_inventory *inventory = opening->inventory;
    return inventory->ops->open_machine(inventory, call, opening->id, opening->out);
}

int ds_inventory_open_machine(struct ds_inventory *inventory, struct ds_call *call, const char *id,
                              struct ds_client **out)
{
    struct opening opening = {.inventory = inventory, .id = id, .out = out};
    call->text[0] = '\0';
    int err = is_text(id) ? ds_repeat_read(open_once, &opening, call)
                          : ds_call_fail(call, -ENODEV, "this is no virtual machine's id");
    return finish(call, id, err);
}

void ds_inventory_free(struct ds_inventory *inventory, struct ds_call *call)
{
    if (inventory)
        inventory->ops->free(inventory, call);
}
