#include "places.h"

#include "cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const kinds[SIM_PLACE_KINDS] = {"datacenter", "cluster", "host", "folder"};

const char *sim_place_kind_name(enum sim_place_kind kind)
{
    return kinds[kind];
}

struct sim_place *sim_places_find(const struct sim_places *places, const char *id)
{
    for (size_t i = 0; i < places->count; i++) {
        if (!strcmp(places->list[i].id, id))
            return &places->list[i];
    }
    return NULL;
}

static void clear(struct sim_place *place)
{
    free(place->id);
    free(place->name);
    free(place->parent);
}

static bool find_kind(const char *word, enum sim_place_kind *out)
{
    for (size_t i = 0; word && i < SIM_PLACE_KINDS; i++) {
        if (!strcmp(kinds[i], word)) {
            *out = (enum sim_place_kind)i;
            return true;
        }
    }
    return false;
}

/* Appends the place, which is taken. */
static int append(struct sim_places *places, struct sim_place *place)
{
    struct sim_place *list = reallocarray(places->list, places->count + 1, sizeof *list);
    if (!list || !place->id || !place->name || !place->parent) {
        places->list = list ? list : places->list;
        clear(place);
        return -ENOMEM;
    }
    places->list = list;
    places->list[places->count++] = *place;
    return 0;
}

int sim_places_add(struct sim_places *places, const char *spec)
{
    char *rest = NULL;
    char *copy DS_AUTO_FREE = strdup(spec);
    if (!copy)
        return -ENOMEM;
    const char *kind = strtok_r(copy, "=", &rest);
    const char *id = strtok_r(NULL, "=", &rest);
    const char *name = strtok_r(NULL, "=", &rest);
    const char *parent = strtok_r(NULL, "", &rest);
    struct sim_place place = {0};
    if (!find_kind(kind, &place.kind) || !name || (parent && !sim_places_find(places, parent)))
        return -EINVAL;
    if (sim_places_find(places, id))
        return -EEXIST;
    place.id = strdup(id);
    place.name = strdup(name);
    place.parent = strdup(parent ? parent : "");
    return append(places, &place);
}

const struct sim_place *sim_places_next(const struct sim_places *places, enum sim_place_kind kind,
                                        size_t *at)
{
    while (*at < places->count) {
        const struct sim_place *place = &places->list[(*at)++];
        if (place->kind == kind)
            return place;
    }
    return NULL;
}

bool sim_places_is_in(const struct sim_places *places, const char *id, const char *in)
{
    while (id && *id) {
        if (!strcmp(id, in))
            return true;
        const struct sim_place *place = sim_places_find(places, id);
        id = place ? place->parent : NULL;
    }
    return false;
}

void sim_places_clear(struct sim_places *places)
{
    for (size_t i = 0; i < places->count; i++)
        clear(&places->list[i]);
    free(places->list);
    *places = (struct sim_places){0};
}
