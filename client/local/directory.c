/* The inventory of the store files in a directory. */
#include "directory.h"

#include "cleanup.h"
#include "local.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char suffix[] = ".db";
enum { SUFFIX_BYTES = sizeof suffix - 1 };

struct directory {
    struct ds_inventory inventory; /* first, see inventory.h */
    char *path;                    /* ends in a slash; owned */
    bool read_only;
    struct ds_open_stores *open; /* owned */
};

static struct directory *directory_of(struct ds_inventory *inventory)
{
    return (struct directory *)inventory;
}

static void close_stream(DIR **stream)
{
    if (*stream)
        closedir(*stream);
}

static int fail_opening(struct ds_call *call, const char *path, int error)
{
    return ds_call_fail(call, -error, "%s: %s", path,
                        error == ENOENT    ? "there is no such directory"
                        : error == ENOTDIR ? "this is no directory: name one, or local:FILE"
                                           : strerror(error));
}

static int fail_reading(struct ds_call *call, const char *path, int error)
{
    return ds_call_fail(call, error == EACCES ? -EACCES : -EIO, "%s: %s", path, strerror(error));
}

/* The bytes of the machine's name in a file's; 0: it is no machine's. */
static size_t machine_length(const char *file)
{
    size_t len = strlen(file);
    return len > SUFFIX_BYTES && !strcmp(file + len - SUFFIX_BYTES, suffix) ? len - SUFFIX_BYTES
                                                                            : 0;
}

/* True for a file, and for a link to one. */
static bool is_file(int directory, const char *name, unsigned char type)
{
    struct stat status;
    if (type != DT_UNKNOWN && type != DT_LNK)
        return type == DT_REG;
    return fstatat(directory, name, &status, 0) == 0 && S_ISREG(status.st_mode);
}

static int read_names(DIR *stream, const char *path, struct ds_call *call,
                      struct ds_machines *machines)
{
    char name[NAME_MAX + 1];
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(stream); // NOLINT: the stream is this call's own
        if (!entry)
            return errno ? fail_reading(call, path, errno) : 0;
        size_t len = machine_length(entry->d_name);
        if (!len || !is_file(dirfd(stream), entry->d_name, entry->d_type))
            continue;
        memcpy(name, entry->d_name, len);
        name[len] = '\0';
        int err = ds_machines_add(machines, name, name, DS_POWER_UNKNOWN);
        if (!err)
            err = ds_call_check(call);
        if (err)
            return err;
    }
}

static int list(struct ds_inventory *inventory, struct ds_call *call, struct ds_machines *out)
{
    const char *path = directory_of(inventory)->path;
    DIR *stream DS_CLEANUP(close_stream) = opendir(path);
    ds_inventory_count(inventory, DS_INVENTORY_LIST);
    if (!stream)
        return fail_reading(call, path, errno);
    ds_call_set_sent(call, DS_SENT_ANSWERED);
    return read_names(stream, path, call, out);
}

/* The file of the machine with that id, owned by the caller; NULL with 0 if there can be none. */
static int name_file(const struct directory *directory, const char *id, char **out)
{
    *out = NULL;
    if (strchr(id, '/') || strlen(id) + SUFFIX_BYTES > NAME_MAX)
        return 0;
    if (asprintf(out, "%s%s%s", directory->path, id, suffix) >= 0)
        return 0;
    *out = NULL;
    return -ENOMEM;
}

static int find(struct ds_inventory *inventory, struct ds_call *call, enum ds_machine_by by,
                const char *text, struct ds_machines *out)
{
    struct directory *directory = directory_of(inventory);
    struct stat status;
    char *file DS_AUTO_FREE = NULL;
    int err = name_file(directory, text, &file);
    (void)by; /* the id is the name */
    if (err || !file)
        return err;
    ds_inventory_count(inventory, DS_INVENTORY_FIND);
    bool found = stat(file, &status) == 0;
    if (!found && errno != ENOENT && errno != ELOOP)
        return fail_reading(call, file, errno);
    /* A directory that is gone says nothing of its machines. */
    if (!found && access(directory->path, F_OK) != 0)
        return fail_reading(call, directory->path, errno);
    ds_call_set_sent(call, DS_SENT_ANSWERED);
    return found && S_ISREG(status.st_mode) ? ds_machines_add(out, text, text, DS_POWER_UNKNOWN)
                                            : 0;
}

static int open_machine(struct ds_inventory *inventory, struct ds_call *call, const char *id,
                        struct ds_client **out)
{
    struct directory *directory = directory_of(inventory);
    char *file DS_AUTO_FREE = NULL;
    int err = name_file(directory, id, &file);
    if (!err && !file)
        err = ds_call_fail(call, -ENODEV, "there is no virtual machine '%.150s'", id);
    if (err)
        return err;
    return ds_local_open_listed(file, inventory->caps.side, directory->read_only, directory->open,
                                call, out);
}

static void free_directory(struct ds_inventory *inventory, struct ds_call *call)
{
    struct directory *directory = directory_of(inventory);
    (void)call;
    ds_open_stores_free(directory->open);
    free(directory->path);
    free(directory);
}

static const struct ds_inventory_ops directory_ops = {
    .name = "local",
    .list = list,
    .find = find,
    .open_machine = open_machine,
    .free = free_directory,
};

/* Stores that are elsewhere, and have a link in the directory. */
static int prepare_links(const char *path, struct ds_confine *confine)
{
    DIR *stream DS_CLEANUP(close_stream) = opendir(path);
    const struct dirent *entry;
    int err = 0;
    while (stream && !err && (entry = readdir(stream))) { // NOLINT: one thread
        char *file DS_AUTO_FREE = NULL;
        bool may_lead = entry->d_type == DT_LNK || entry->d_type == DT_UNKNOWN;
        if (!may_lead || !machine_length(entry->d_name))
            continue;
        if (asprintf(&file, "%s%s", path, entry->d_name) < 0)
            file = NULL;
        err = file ? ds_confine_file(confine, file, true) : -ENOMEM;
    }
    return err;
}

int ds_directory_prepare(const char *path, bool read_only, struct ds_confine *confine)
{
    int err = ds_local_prepare(path, read_only, confine);
    confine->store_end = suffix;
    return err ? err : prepare_links(path, confine);
}

int ds_directory_open(const char *path, const struct ds_source_options *options,
                      struct ds_call *call, struct ds_inventory **out)
{
    DIR *stream DS_CLEANUP(close_stream) = opendir(path);
    if (!stream)
        return fail_opening(call, path, errno);
    struct directory *directory = calloc(1, sizeof *directory);
    if (!directory)
        return -ENOMEM;
    directory->path = strdup(path);
    directory->open = ds_open_stores_new();
    if (!directory->path || !directory->open) {
        free_directory(&directory->inventory, call);
        return -ENOMEM;
    }
    directory->read_only = options->read_only;
    directory->inventory.ops = &directory_ops;
    directory->inventory.caps = ds_local_caps(options->side);
    directory->inventory.filter = options->machines;
    *out = &directory->inventory;
    return 0;
}
