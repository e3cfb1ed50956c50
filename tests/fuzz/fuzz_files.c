/* Programs that write into files of a mount, against plain strings: the whole daemon between a
 * kernel and a store that are not there. What the write policy has acknowledged is in the store,
 * and what .datasetfs takes is what it should be. */
#include "clock.h"
#include "control_steps.h"
#include "fuzz.h"
#include "kernel.h"
#include "memory_store.h"
#include "quiet_log.h"
#include "steps.h"

#include "dataset.h"
#include "fs/command_line.h"
#include "option.h"
#include "utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { FILES = 4, KEYS = 3, STEPS_MAX = 300 };
static const char *const keys[KEYS] = {"a", "b", "c"};
static const char *const paths[KEYS] = {"d/a", "d/b", "d/c"};

/* What a key holds, as all who have it open see it. */
struct plain {
    bool exists;
    bool vague; /* something was refused, or is no text yet: what holds then is looked at at the end
                 */
    struct ds_buf text;
};

struct file {
    struct kernel_file kernel;
    int key; /* -1: it was removed, and goes on by itself */
    int flags;
};

struct world {
    struct memory_store store;
    struct plain plain[KEYS];
    struct file files[FILES];
    struct file *file; /* that the steps are about */
    bool shaken; /* a change has failed: what is believed of DataSets may be wrong for a while */
};

static bool same(const struct ds_buf *plain, const char *data, size_t len)
{
    return plain->len == len && (!len || !memcmp(plain->data, data, len));
}

static const json_t *stored(const struct world *world, int key)
{
    return memory_store_value(&world->store, "d", keys[key]);
}

static bool is_open(const struct world *world, int key)
{
    for (int i = 0; i < FILES; i++)
        if (world->files[i].kernel.open && world->files[i].key == key)
            return true;
    return false;
}

/* The store holds what was acknowledged. */
static void require_stored(const struct world *world, int key)
{
    const struct plain *plain = &world->plain[key];
    const json_t *value = stored(world, key);
    if (plain->vague)
        return;
    require(plain->exists == (value != NULL));
    require(!value || same(&plain->text, json_string_value(value), json_string_length(value)));
}

/* All that is stored is text, and not too long. */
static void require_text(const struct world *world)
{
    for (int key = 0; key < KEYS; key++) {
        const json_t *value = stored(world, key);
        require(!value || json_string_length(value) <= DS_VALUE_MAX_BYTES);
        require(!value || ds_utf8_valid(json_string_value(value), json_string_length(value)));
    }
}

static struct plain *plain_of(struct world *world, const struct file *file)
{
    return file->key >= 0 ? &world->plain[file->key] : NULL;
}

static void blur(struct plain *plain)
{
    if (plain)
        plain->vague = true;
}

/* Letters: r, w or both; a: O_APPEND; t: O_TRUNC; c: O_CREAT; x: O_EXCL. */
static int flags_of(const struct step *step)
{
    bool reads = memchr(step->text, 'r', step->len);
    bool writes = memchr(step->text, 'w', step->len);
    int flags = writes ? (reads ? O_RDWR : O_WRONLY) : O_RDONLY;
    if (memchr(step->text, 'a', step->len))
        flags |= O_APPEND;
    if (memchr(step->text, 't', step->len) && writes)
        flags |= O_TRUNC;
    if (memchr(step->text, 'c', step->len))
        flags |= O_CREAT;
    if (memchr(step->text, 'x', step->len) && (flags & O_CREAT))
        flags |= O_EXCL;
    return flags;
}

static void close_file(struct world *world, struct file *file)
{
    struct plain *plain = plain_of(world, file);
    int key = file->key;
    if (!file->kernel.open)
        return;
    if (kernel_close(&file->kernel))
        blur(plain);
    if (key >= 0 && !is_open(world, key))
        require_stored(world, key);
}

static void open_file(struct world *world, const struct step *step)
{
    struct file *file = world->file;
    int key = (int)(step->number % KEYS);
    int flags = flags_of(step);
    struct plain *plain = &world->plain[key];
    close_file(world, file);
    int err = kernel_open(paths[key], flags, &file->kernel);
    if (!plain->vague) {
        if (!plain->exists)
            require(err == (flags & O_CREAT ? 0 : -ENOENT));
        else
            require(err == (flags & O_EXCL ? -EEXIST : 0));
    }
    if (err)
        return;
    file->key = key;
    file->flags = flags;
    plain->exists = true;
    if (flags & O_TRUNC)
        plain->text.len = 0;
}

static bool writes(const struct file *file)
{
    return file->kernel.open && (file->flags & O_ACCMODE) != O_RDONLY;
}

static void write_text(struct world *world, const struct step *step, bool page)
{
    struct file *file = world->file;
    struct plain *plain = plain_of(world, file);
    if (!writes(file) || !step->len || (page && (file->flags & O_ACCMODE) != O_RDWR))
        return;
    size_t offset = file->flags & O_APPEND && plain ? plain->text.len : step->number;
    int err = kernel_write(&file->kernel, offset, step->text, step->len, page);
    if (!plain)
        return;
    if (err || page || !ds_utf8_valid(step->text, step->len) || offset > plain->text.len) {
        require(err || page || plain->vague || offset <= plain->text.len);
        plain->vague = true;
        return;
    }
    size_t end = offset + step->len;
    if (end > plain->text.len) {
        require(!ds_buf_reserve(&plain->text, end - plain->text.len));
        plain->text.len = end;
    }
    memcpy(plain->text.data + offset, step->text, step->len);
    plain->vague = plain->vague || !ds_utf8_valid(plain->text.data, plain->text.len);
}

static void truncate_file(struct world *world, size_t size, bool by_handle)
{
    struct file *file = world->file;
    struct plain *plain = plain_of(world, file);
    if (!writes(file))
        return;
    int err = kernel_truncate(&file->kernel, size, by_handle);
    if (!plain)
        return;
    if (err || size > plain->text.len) {
        require(err || plain->vague);
        plain->vague = true;
        return;
    }
    plain->text.len = size;
    plain->vague = plain->vague || !ds_utf8_valid(plain->text.data, size);
}

static void synchronise(struct world *world, int (*call)(struct kernel_file *))
{
    struct file *file = world->file;
    if (!file->kernel.open)
        return;
    if (call(&file->kernel))
        blur(plain_of(world, file));
    else if (call == kernel_fsync && writes(file) && file->key >= 0)
        require_stored(world, file->key);
}

static void read_file(struct world *world)
{
    struct file *file = world->file;
    const struct plain *plain = plain_of(world, file);
    struct ds_buf text = {0};
    struct stat attr;
    if (!file->kernel.open || (file->flags & O_ACCMODE) == O_WRONLY)
        return;
    int err = kernel_read(&file->kernel, &text);
    require(err || !plain || plain->vague || same(&plain->text, text.data, text.len));
    ds_buf_free(&text);
    err = kernel_stat(&file->kernel, &attr);
    require(err || !plain || plain->vague || (size_t)attr.st_size == plain->text.len);
}

/* Who has it open goes on by himself. */
static void detach(struct world *world, int key)
{
    for (int i = 0; i < FILES; i++)
        if (world->files[i].key == key)
            world->files[i].key = -1;
}

static void unlink_key(struct world *world, int key)
{
    struct plain *plain = &world->plain[key];
    int err = kernel_unlink(paths[key]);
    if (err) {
        require(plain->vague || err == (plain->exists ? -EACCES : -ENOENT) || err == -ENOSPC ||
                err == -EIO);
        plain->vague = plain->vague || plain->exists;
        return;
    }
    detach(world, key);
    plain->exists = false;
    plain->text.len = 0;
    require_stored(world, key);
}

static void rename_key(struct world *world, int key)
{
    int to = (key + 1) % KEYS;
    struct plain *from = &world->plain[key];
    int err = kernel_rename(paths[key], paths[to]);
    if (err) {
        require(from->vague || from->exists || err == -ENOENT);
        from->vague = world->plain[to].vague =
            from->vague || from->exists || world->plain[to].vague;
        return;
    }
    detach(world, to);
    for (int i = 0; i < FILES; i++)
        if (world->files[i].key == key)
            world->files[i].key = to;
    ds_buf_free(&world->plain[to].text);
    world->plain[to] = *from;
    *from = (struct plain){.exists = false};
    require_stored(world, key);
    require_stored(world, to);
}

/* The other side sets a key, or removes it. */
static void set_behind(struct world *world, const struct step *step)
{
    int key = (int)(step->number % KEYS);
    json_t *entries = json_object_get(json_object_get(world->store.datasets, "d"), "entries");
    if (step->number >= KEYS) { /* one that no file name holds */
        char name[300];
        memset(name, 'n', sizeof name - 1);
        name[sizeof name - 1] = '\0';
        json_object_set_new(entries, name, json_string(""));
        return;
    }
    if (step->len && ds_utf8_valid(step->text, step->len))
        json_object_set_new(entries, keys[key], json_stringn(step->text, step->len));
    else
        json_object_del(entries, keys[key]);
    world->plain[key].vague = true;
}

static void fail_next(struct world *world, const struct step *step)
{
    world->store.fault = (enum memory_fault)(step->number % MEMORY_FAULTS);
    world->store.faults = step->len ? step->len % 4 : 1;
    world->shaken = true;
    for (int key = 0; key < KEYS; key++) /* whichever commit it is that fails */
        world->plain[key].vague = true;
}

static void take_file_step(struct world *world, const struct step *step)
{
    switch (step->what) {
    case 'h':
        world->file = &world->files[step->number % FILES];
        break;
    case 'o':
        open_file(world, step);
        break;
    case 'x':
        close_file(world, world->file);
        break;
    case 'w':
    case 'p':
        write_text(world, step, step->what == 'p');
        break;
    case 't':
    case 'T':
        truncate_file(world, step->number, step->what == 't');
        break;
    case 'f':
        synchronise(world, kernel_flush);
        break;
    case 's':
        synchronise(world, kernel_fsync);
        break;
    case 'r':
        read_file(world);
        break;
    default:
        break;
    }
}

static void take_step(struct world *world, const struct step *step)
{
    switch (step->what) {
    case 'u':
        unlink_key(world, (int)(step->number % KEYS));
        break;
    case 'm':
        rename_key(world, (int)(step->number % KEYS));
        break;
    case 'd':
        clock_us += (int64_t)step->number * 1000;
        kernel_run_due();
        break;
    case 'b':
        set_behind(world, step);
        break;
    case 'e':
        fail_next(world, step);
        break;
    case 'i':
    case 'v':
    case 'c':
    case 'k':
    case 'l':
        control_step(&world->store, world->shaken, step);
        break;
    default:
        take_file_step(world, step);
        break;
    }
}

/* Bits: 1 commit=close; 2 ttl=5; 4 cache=0; 8 force; 16 no append; 32 the guest's side. */
static void read_options(size_t bits, struct fs_options *options)
{
    char list[] = "xattr,commit=write,ttl=0,cache=16M";
    char *words[] = {(char[]){"datasetfs"}, (char[]){"local:s"}, (char[]){"m"}, (char[]){"-o"},
                     list};
    char why[DS_OPTION_WHY_BYTES];
    require(!fs_command_line_parse(options, 5, words, why));
    options->commit_at_close = bits & 1;
    options->ttl_ms = bits & 2 ? 5000 : 0;
    options->cache_bytes = bits & 4 ? 0 : options->cache_bytes;
    options->force = bits & 8;
}

/* What all have closed is what the store holds, for whoever opens it anew. */
static void finish(struct world *world)
{
    world->store.faults = 0;
    for (int i = 0; i < FILES; i++)
        close_file(world, &world->files[i]);
    clock_us += INT64_C(120) * 1000000;
    kernel_run_due();
    for (int key = 0; key < KEYS; key++) {
        const json_t *value = stored(world, key);
        struct kernel_file file = {.open = false};
        struct ds_buf text = {0};
        int err = kernel_open(paths[key], O_RDONLY, &file);
        require(err == (value ? 0 : -ENOENT) || err == -ESTALE);
        if (!err) {
            require(!kernel_read(&file, &text));
            require(same(&text, json_string_value(value), json_string_length(value)));
            kernel_close(&file);
        }
        ds_buf_free(&text);
    }
}

/* z: options, first of all. h: the steps for files are about this one of four. o and a key: opens
 * it as the letters say; w and an offset, p likewise as a page of a memory map, t and T (not by the
 * open file) and a size, f flushes, s synchronises, x closes, r reads. u and a key: removes it; m:
 * renames it to the next one. d: so many milliseconds pass. i: writes .datasetfs/info/e; v:
 * extended attributes of e; c: reads a file of .datasetfs; k: makes or removes e; l: lists. b and a
 * key: the other side sets it; e: the next changes of the store fail. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world world = {.file = NULL};
    struct fs_options options;
    struct steps steps = steps_of(data, size);
    struct step step;
    struct ds_call call;
    size_t bits = 0;
    struct steps first = steps;
    if (next_step(&first, &step) && step.what == 'z') {
        bits = step.number;
        steps = first;
    }
    clock_us = 0;
    read_options(bits, &options);
    memory_store_begin(&world.store, bits & 32 ? DS_SIDE_GUEST : DS_SIDE_HOST, !(bits & 16),
                       json_pack("{s:{s:s, s:s, s:{}}}", "d", "host", "READ_WRITE", "guest",
                                 "READ_WRITE", "entries"));
    for (int i = 0; i < FILES; i++)
        world.files[i].key = -1;
    world.file = &world.files[0];
    kernel_mount(&options, &world.store.client);
    for (int i = 0; i < STEPS_MAX && next_step(&steps, &step); i++) {
        take_step(&world, &step);
        require_text(&world);
    }
    finish(&world);
    kernel_unmount();
    require_text(&world);
    ds_call_init(&call, 60000);
    ds_client_free(&world.store.client, &call);
    for (int key = 0; key < KEYS; key++)
        ds_buf_free(&world.plain[key].text);
    fs_options_clear(&options);
    return 0;
}
