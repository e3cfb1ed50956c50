#include "vms.h"

#include "cleanup.h"
#include "out.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STORE_TIMEOUT_MS 60000
/* Stores that are open at once; each has some descriptors. */
#define OPEN_MAX_STORES 200
#define FIRST_ID 1001

void sim_vms_init(struct sim_vms *vms)
{
    *vms = (struct sim_vms){0};
    pthread_mutex_init(&vms->lock, NULL);
    pthread_cond_init(&vms->opened, NULL);
}

/* With the lock, as all that has no sim_ in its name. */
static struct sim_vm *find(const struct sim_vms *vms, const char *id)
{
    for (size_t i = 0; i < vms->count; i++) {
        if (!strcmp(vms->list[i]->id, id))
            return vms->list[i];
    }
    return NULL;
}

struct sim_vm *sim_vms_find(struct sim_vms *vms, const char *id)
{
    DS_LOCK_SCOPE(&vms->lock);
    return find(vms, id);
}

const char *sim_vms_id_of(struct sim_vms *vms, const char *name)
{
    DS_LOCK_SCOPE(&vms->lock);
    for (size_t i = 0; i < vms->count; i++) {
        if (!strcmp(vms->list[i]->name, name) && atomic_load(&vms->list[i]->state) != SIM_VM_GONE)
            return vms->list[i]->id;
    }
    return NULL;
}

static void free_vm(struct sim_vm *vm)
{
    free(vm->id);
    free(vm->name);
    free(vm->file);
    free(vm);
}

static int make_room(struct sim_vms *vms)
{
    if (vms->count < vms->room)
        return 0;
    size_t room = vms->room ? vms->room * 2 : 16;
    struct sim_vm **list = reallocarray(vms->list, room, sizeof(struct sim_vm *));
    if (!list)
        return -ENOMEM;
    vms->list = list;
    vms->room = room;
    return 0;
}

/* The next place of the kind, round and round; NULL if there is none. */
static const char *next_place(const struct sim_vms *vms, enum sim_place_kind kind, size_t *at)
{
    const struct sim_place *place = sim_places_next(&vms->places, kind, at);
    if (!place) {
        *at = 0;
        place = sim_places_next(&vms->places, kind, at);
    }
    return place ? place->id : NULL;
}

static int add(struct sim_vms *vms, const char *id, const char *name, const char *file, bool lazy)
{
    if (find(vms, id))
        return -EEXIST;
    struct sim_vm *vm = calloc(1, sizeof *vm);
    if (!vm)
        return -ENOMEM;
    vm->lazy = lazy;
    vm->id = strdup(id);
    vm->name = strdup(name);
    vm->file = strdup(file);
    if (!vm->id || !vm->name || !vm->file || make_room(vms) != 0) {
        free_vm(vm);
        return -ENOMEM;
    }
    vm->host = next_place(vms, SIM_HOST, &vms->next_host);
    vm->folder = next_place(vms, SIM_FOLDER, &vms->next_folder);
    vms->list[vms->count++] = vm;
    return 0;
}

int sim_vms_add(struct sim_vms *vms, const char *spec)
{
    char *copy DS_AUTO_FREE = strdup(spec);
    if (!copy)
        return -ENOMEM;
    char *name = strchr(copy, '=');
    char *file = name ? strchr(name + 1, '=') : NULL;
    if (!file || name == copy || file == name + 1 || !file[1])
        return -EINVAL;
    *name++ = '\0';
    *file++ = '\0';
    DS_LOCK_SCOPE(&vms->lock);
    return add(vms, copy, name, file, false);
}

static int is_store(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return len > 3 && !strcmp(entry->d_name + len - 3, ".db");
}

static int add_file(struct sim_vms *vms, const char *directory, const char *file)
{
    struct ds_buf name DS_CLEANUP(ds_buf_free) = {0};
    struct ds_buf path DS_CLEANUP(ds_buf_free) = {0};
    char id[32];
    snprintf(id, sizeof id, "vm-%zu", FIRST_ID + vms->count);
    for (size_t i = 0; file[i + 3]; i++) {
        if (file[i] == '%' || file[i] == '\\')
            sim_out_text(&name, file[i] == '%' ? "%25" : "%5c");
        else
            sim_out_bytes(&name, file + i, 1);
    }
    sim_out_format(&path, "%s/%s", directory, file);
    return add(vms, id, name.data ? name.data : "", path.data ? path.data : "", true);
}

int sim_vms_add_directory(struct sim_vms *vms, const char *directory)
{
    struct dirent **entries = NULL;
    int count = scandir(directory, &entries, is_store, alphasort);
    int err = count < 0 ? -errno : 0;
    DS_LOCK_SCOPE(&vms->lock);
    for (int i = 0; i < count; i++) {
        if (!err)
            err = add_file(vms, directory, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return err;
}

int sim_vms_set_state(struct sim_vms *vms, const char *id, const char *word)
{
    static const char *const words[] = {
        [SIM_VM_ON] = "poweredOn",        [SIM_VM_OFF] = "poweredOff",
        [SIM_VM_SUSPENDED] = "suspended", [SIM_VM_UNSUPPORTED] = "unsupported",
        [SIM_VM_GONE] = "gone",
    };
    struct sim_vm *vm = sim_vms_find(vms, id);
    if (!vm)
        return -ENOENT;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!strcmp(words[i], word)) {
            atomic_store(&vm->state, (int)i);
            return 0;
        }
    }
    return -EINVAL;
}

int sim_vms_rename(struct sim_vms *vms, const char *id, const char *name)
{
    DS_LOCK_SCOPE(&vms->lock);
    struct sim_vm *vm = find(vms, id);
    if (!vm || !*name)
        return vm ? -EINVAL : -ENOENT;
    char *copy = strdup(name);
    if (!copy)
        return -ENOMEM;
    free(vm->name);
    vm->name = copy;
    return 0;
}

int sim_vms_move(struct sim_vms *vms, const char *id, const char *to)
{
    DS_LOCK_SCOPE(&vms->lock);
    struct sim_vm *vm = find(vms, id);
    const struct sim_place *place = sim_places_find(&vms->places, to);
    if (!vm)
        return -ENOENT;
    if (!place || (place->kind != SIM_HOST && place->kind != SIM_FOLDER))
        return -EINVAL;
    *(place->kind == SIM_HOST ? &vm->host : &vm->folder) = place->id;
    return 0;
}

int sim_vms_add_place(struct sim_vms *vms, const char *spec)
{
    DS_LOCK_SCOPE(&vms->lock);
    return sim_places_add(&vms->places, spec);
}

int sim_vms_hide(struct sim_vms *vms, const char *id)
{
    DS_LOCK_SCOPE(&vms->lock);
    struct sim_place *place = sim_places_find(&vms->places, id);
    if (!place)
        return -ENOENT;
    place->hidden = true;
    return 0;
}

int sim_vms_open_store(const char *file, enum ds_side side, struct ds_client **out)
{
    struct ds_source_options options = {.side = side, .side_given = true};
    char *source DS_AUTO_FREE = NULL;
    struct ds_call call;
    ds_call_init(&call, STORE_TIMEOUT_MS);
    if (asprintf(&source, "local:%s", file) < 0)
        return -ENOMEM;
    int err = ds_source_open(source, &options, &call, out);
    if (err)
        fprintf(stderr, "datasets-sim: %s: %s\n", file, call.text[0] ? call.text : strerror(-err));
    return err;
}

static void close_store(struct ds_client *store)
{
    struct ds_call call;
    ds_call_init(&call, STORE_TIMEOUT_MS);
    ds_client_free(store, &call);
}

/* The store that nobody has and that was taken longest ago. */
static struct sim_vm *find_idle(const struct sim_vms *vms)
{
    struct sim_vm *idle = NULL;
    for (size_t i = 0; i < vms->count; i++) {
        struct sim_vm *vm = vms->list[i];
        if (vm->store && !vm->users && !vm->opening && (!idle || vm->used < idle->used))
            idle = vm;
    }
    return idle;
}

/* Closes one store, without the lock for the while. */
static void close_idle(struct sim_vms *vms)
{
    struct sim_vm *idle = find_idle(vms);
    if (!idle)
        return;
    struct ds_client *store = idle->store;
    idle->store = NULL;
    idle->opening = true;
    vms->open_count--;
    pthread_mutex_unlock(&vms->lock);
    close_store(store);
    pthread_mutex_lock(&vms->lock);
    idle->opening = false;
    pthread_cond_broadcast(&vms->opened);
}

static int open_vm(struct sim_vms *vms, struct sim_vm *vm)
{
    struct ds_client *store = NULL;
    vm->opening = true;
    if (vms->open_count >= OPEN_MAX_STORES)
        close_idle(vms);
    pthread_mutex_unlock(&vms->lock);
    int err = sim_vms_open_store(vm->file, DS_SIDE_HOST, &store);
    pthread_mutex_lock(&vms->lock);
    vm->store = store;
    vms->open_count += !err;
    vm->opening = false;
    pthread_cond_broadcast(&vms->opened);
    return err;
}

int sim_vms_take(struct sim_vms *vms, struct sim_vm *vm, struct ds_client **out)
{
    int err = 0;
    DS_LOCK_SCOPE(&vms->lock);
    while (vm->opening)
        pthread_cond_wait(&vms->opened, &vms->lock);
    if (!vm->store)
        err = open_vm(vms, vm);
    if (err)
        return err;
    vm->users++;
    vm->used = ++vms->clock;
    *out = vm->store;
    return 0;
}

void sim_vms_give(struct sim_vms *vms, struct sim_vm *vm)
{
    DS_LOCK_SCOPE(&vms->lock);
    vm->users--;
}

int sim_vms_open(struct sim_vms *vms)
{
    int err = 0;
    for (size_t i = 0; i < vms->count && !err; i++) {
        struct ds_client *store;
        if (vms->list[i]->lazy)
            continue;
        err = sim_vms_take(vms, vms->list[i], &store);
        if (!err)
            sim_vms_give(vms, vms->list[i]);
    }
    return err;
}

void sim_vms_clear(struct sim_vms *vms)
{
    for (size_t i = 0; i < vms->count; i++) {
        if (vms->list[i]->store)
            close_store(vms->list[i]->store);
        free_vm(vms->list[i]);
    }
    free(vms->list);
    sim_places_clear(&vms->places);
    pthread_cond_destroy(&vms->opened);
    pthread_mutex_destroy(&vms->lock);
}
