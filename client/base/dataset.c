/* The data model's small parts: access words, attributes, lists of names. */
#include "dataset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const access_names[] = {
    [DS_ACCESS_UNKNOWN] = "UNKNOWN",
    [DS_ACCESS_NONE] = "NONE",
    [DS_ACCESS_READ_ONLY] = "READ_ONLY",
    [DS_ACCESS_READ_WRITE] = "READ_WRITE",
};

const char *ds_access_name(enum ds_access access)
{
    return access_names[access];
}

enum ds_access ds_access_parse(const char *word)
{
    for (enum ds_access access = DS_ACCESS_NONE; access <= DS_ACCESS_READ_WRITE; access++)
        if (!strcasecmp(word, access_names[access]))
            return access;
    return DS_ACCESS_UNKNOWN;
}

enum ds_access ds_attributes_access(const struct ds_attributes *attributes, enum ds_side side)
{
    return side == DS_SIDE_HOST ? attributes->host : attributes->guest;
}

int ds_attributes_copy(struct ds_attributes *to, const struct ds_attributes *from)
{
    char *description = NULL;
    if (from->description) {
        description = strdup(from->description);
        if (!description)
            return -ENOMEM;
    }
    *to = *from;
    to->description = description;
    return 0;
}

void ds_attributes_clear(struct ds_attributes *attributes)
{
    free(attributes->description);
    *attributes = (struct ds_attributes){0};
}

/* Bytes of names. A listing may have a hundred thousand of them: each of its own would take three
 * times as much. */
struct ds_names_block {
    struct ds_names_block *before;
    size_t size, used;
    char bytes[];
};

enum { BLOCK_FIRST_BYTES = 128, BLOCK_MAX_BYTES = 64 * 1024 };

/* Room for `size` bytes in the last block, or in a new one; NULL when there is no memory. */
static char *make_room(struct ds_names *list, size_t size)
{
    struct ds_names_block *last = list->blocks;
    if (!last || last->size - last->used < size) {
        size_t whole = last ? last->size * 2 : BLOCK_FIRST_BYTES;
        if (whole > BLOCK_MAX_BYTES)
            whole = BLOCK_MAX_BYTES;
        if (whole < size)
            whole = size;
        struct ds_names_block *block = malloc(sizeof *block + whole);
        if (!block)
            return NULL;
        *block = (struct ds_names_block){.before = last, .size = whole};
        list->blocks = last = block;
    }
    last->used += size;
    return last->bytes + last->used - size;
}

int ds_names_add(struct ds_names *list, const char *name)
{
    size_t size = strlen(name) + 1;
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 16;
        char **names = reallocarray(list->names, capacity, sizeof *names);
        if (!names)
            return -ENOMEM;
        list->names = names;
        list->capacity = capacity;
    }
    char *copy = make_room(list, size);
    if (!copy)
        return -ENOMEM;
    list->names[list->count++] = memcpy(copy, name, size);
    return 0;
}

void ds_names_clear(struct ds_names *list)
{
    while (list->blocks) {
        struct ds_names_block *block = list->blocks;
        list->blocks = block->before;
        free(block);
    }
    free(list->names);
    *list = (struct ds_names){0};
}
