#include "rest_list.h"

#include "cleanup.h"
#include "out.h"

#include <errno.h>
#include <string.h>

static const char *const power_states[] = {
    [SIM_VM_ON] = "POWERED_ON",
    [SIM_VM_OFF] = "POWERED_OFF",
    [SIM_VM_SUSPENDED] = "SUSPENDED",
    [SIM_VM_UNSUPPORTED] = "POWERED_ON",
    [SIM_VM_GONE] = "",
};

static void put_string(struct ds_buf *out, const char *text)
{
    sim_out_json(out, text, strlen(text), false);
}

/* What a filter is held against: one text, or a place, which is in others. */
struct subject {
    const struct sim_places *places;
    const char *text;
    const char *place; /* id */
};

static bool fits(const struct subject *subject, const char *wanted)
{
    if (subject->text)
        return !strcmp(subject->text, wanted);
    return sim_places_is_in(subject->places, subject->place, wanted);
}

/* True if one of the filters of that name fits, or there is none. */
static bool is_wanted(const struct sim_rest_route *route, const char *name,
                      const struct subject *subject)
{
    bool asked = false;
    for (size_t i = 0; i < route->filters; i++) {
        if (strcmp(route->filter[i].name, name) != 0)
            continue;
        asked = true;
        if (fits(subject, route->filter[i].text))
            return true;
    }
    return !asked;
}

static bool has_text(const struct sim_rest_route *route, const char *name, const char *text)
{
    return is_wanted(route, name, &(struct subject){.text = text ? text : ""});
}

static bool is_at(const struct sim_rest_route *route, const char *name,
                  const struct sim_places *places, const char *place)
{
    return is_wanted(route, name, &(struct subject){.places = places, .place = place});
}

static bool is_vm_wanted(const struct sim_rest_route *route, const struct sim_places *places,
                         const struct sim_vm *vm)
{
    int state = atomic_load(&vm->state);
    return state != SIM_VM_GONE && has_text(route, "vms", vm->id) &&
           has_text(route, "names", vm->name) && has_text(route, "hosts", vm->host) &&
           has_text(route, "folders", vm->folder) &&
           has_text(route, "power_states", power_states[state]) &&
           is_at(route, "clusters", places, vm->host) &&
           is_at(route, "datacenters", places, vm->host);
}

static void put_vm(struct ds_buf *out, const struct sim_vm *vm)
{
    sim_out_text(out, "{\"memory_size_MiB\":1024,\"vm\":");
    put_string(out, vm->id);
    sim_out_text(out, ",\"name\":");
    put_string(out, vm->name);
    sim_out_format(out, ",\"power_state\":\"%s\",\"cpu_count\":1}",
                   power_states[atomic_load(&vm->state)]);
}

int sim_rest_list_vms(struct sim_vms *vms, size_t most, const struct sim_rest_route *route,
                      struct sim_rest_reply *reply)
{
    struct ds_buf *out = &reply->body;
    size_t count = 0;
    DS_LOCK_SCOPE(&vms->lock);
    sim_out_text(out, "[");
    for (size_t i = 0; i < vms->count; i++) {
        if (!is_vm_wanted(route, &vms->places, vms->list[i]))
            continue;
        sim_out_text(out, count++ ? "," : "");
        put_vm(out, vms->list[i]);
    }
    sim_out_text(out, "]");
    if (count > most) {
        sim_out_cut(out, 0);
        return -ENOSPC;
    }
    sim_rest_reply_json(reply, 200);
    return 0;
}

static bool is_place_wanted(const struct sim_rest_route *route, const struct sim_places *places,
                            const struct sim_place *place)
{
    static const char *const by_id[SIM_PLACE_KINDS] = {"datacenters", "clusters", "hosts",
                                                       "folders"};
    const struct sim_place *parent = sim_places_find(places, place->parent);
    bool standalone = !parent || parent->kind == SIM_DATACENTER;
    return !place->hidden && has_text(route, by_id[place->kind], place->id) &&
           has_text(route, "names", place->name) &&
           has_text(route, "parent_folders", place->parent) &&
           has_text(route, "standalone", standalone ? "true" : "false") &&
           has_text(route, "type", "VIRTUAL_MACHINE") &&
           (place->kind == SIM_CLUSTER || is_at(route, "clusters", places, place->id)) &&
           (place->kind == SIM_DATACENTER || is_at(route, "datacenters", places, place->id));
}

int sim_rest_list_places(struct sim_vms *vms, const struct sim_rest_route *route,
                         struct sim_rest_reply *reply)
{
    static const enum sim_place_kind kinds[SIM_REST_OP_COUNT] = {
        [SIM_REST_DATACENTERS] = SIM_DATACENTER,
        [SIM_REST_CLUSTERS] = SIM_CLUSTER,
        [SIM_REST_HOSTS] = SIM_HOST,
        [SIM_REST_FOLDERS] = SIM_FOLDER,
    };
    enum sim_place_kind kind = kinds[route->op];
    struct ds_buf *out = &reply->body;
    size_t count = 0;
    size_t at = 0;
    DS_LOCK_SCOPE(&vms->lock);
    sim_out_text(out, "[");
    for (const struct sim_place *place; (place = sim_places_next(&vms->places, kind, &at));) {
        if (!is_place_wanted(route, &vms->places, place))
            continue;
        sim_out_format(out, "%s{\"%s\":", count++ ? "," : "", sim_place_kind_name(kind));
        put_string(out, place->id);
        sim_out_text(out, ",\"name\":");
        put_string(out, place->name);
        sim_out_text(out, "}");
    }
    sim_out_text(out, "]");
    sim_rest_reply_json(reply, 200);
    return 0;
}

int sim_rest_tell_vm(struct sim_vms *vms, const struct sim_vm *vm, struct sim_rest_reply *reply)
{
    struct ds_buf *out = &reply->body;
    int state = atomic_load(&vm->state);
    DS_LOCK_SCOPE(&vms->lock);
    sim_out_text(out, "{\"name\":");
    put_string(out, vm->name);
    sim_out_format(out, ",\"power_state\":\"%s\",\"hardware\":{\"version\":\"VMX_%d\"}}",
                   power_states[state], state == SIM_VM_UNSUPPORTED ? 19 : 20);
    sim_rest_reply_json(reply, 200);
    return 0;
}
