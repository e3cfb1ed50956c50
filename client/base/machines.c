/* Lists of virtual machines. */
#include "inventory.h"

#include "cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { CAPACITY_FIRST = 16 };

const char *ds_power_name(enum ds_power power)
{
    static const char *const names[DS_POWER_COUNT] = {"unknown", "on", "off", "suspended"};
    return names[power];
}

static int make_room(struct ds_machines *machines)
{
    if (machines->count < machines->capacity)
        return 0;
    size_t capacity = machines->capacity ? machines->capacity * 2 : CAPACITY_FIRST;
    struct ds_machine *list = reallocarray(machines->list, capacity, sizeof *list);
    if (!list)
        return -ENOMEM;
    machines->list = list;
    machines->capacity = capacity;
    return 0;
}

int ds_machines_add(struct ds_machines *machines, const char *id, const char *name,
                    enum ds_power power)
{
    struct ds_names *text = &machines->text;
    int err = make_room(machines);
    if (!err)
        err = ds_names_add(text, id);
    if (!err)
        err = ds_names_add(text, name);
    if (err)
        return err;
    machines->list[machines->count++] = (struct ds_machine){
        .id = text->names[text->count - 2], .name = text->names[text->count - 1], .power = power};
    return 0;
}

/* Of one id the one that was added last stands first. */
static int compare_ids(const void *a, const void *b)
{
    const struct ds_machine *left = *(const struct ds_machine *const *)a;
    const struct ds_machine *right = *(const struct ds_machine *const *)b;
    int order = strcmp(left->id, right->id);
    return order ? order : (left < right) - (left > right);
}

/* "vm-9" before "vm-10": ids that grow in length grow in number. */
static int compare(const void *a, const void *b)
{
    const struct ds_machine *left = a;
    const struct ds_machine *right = b;
    int order = strcmp(left->name, right->name);
    size_t left_len = strlen(left->id);
    size_t right_len = strlen(right->id);
    if (order)
        return order;
    return left_len != right_len ? (left_len > right_len) - (left_len < right_len)
                                 : strcmp(left->id, right->id);
}

/* Leaves those that are told once more without a name. */
static int mark_repeated(struct ds_machines *machines)
{
    struct ds_machine **by_id DS_AUTO_FREE = calloc(machines->count, sizeof *by_id);
    if (!by_id)
        return -ENOMEM;
    for (size_t i = 0; i < machines->count; i++)
        by_id[i] = &machines->list[i];
    qsort(by_id, machines->count, sizeof *by_id, compare_ids);
    for (size_t i = 1, first = 0; i < machines->count; i++) {
        if (!strcmp(by_id[first]->id, by_id[i]->id))
            by_id[i]->name = NULL;
        else
            first = i;
    }
    return 0;
}

int ds_machines_sort(struct ds_machines *machines)
{
    int err = machines->count ? mark_repeated(machines) : 0;
    size_t kept = 0;
    if (err)
        return err;
    for (size_t i = 0; i < machines->count; i++)
        if (machines->list[i].name)
            machines->list[kept++] = machines->list[i];
    machines->count = kept;
    if (kept)
        qsort(machines->list, kept, sizeof *machines->list, compare);
    return 0;
}

bool ds_machines_is_ambiguous(const struct ds_machines *machines, size_t at)
{
    const struct ds_machine *machine = &machines->list[at];
    return (at > 0 && !strcmp(machine[-1].name, machine->name)) ||
           (at + 1 < machines->count && !strcmp(machine[1].name, machine->name));
}

void ds_machines_clear(struct ds_machines *machines)
{
    ds_names_clear(&machines->text);
    free(machines->list);
    *machines = (struct ds_machines){0};
}
