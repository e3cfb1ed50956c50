/* What a store file needs to be of use. */
#include "examine.h"

#include "cleanup.h"
#include "directory.h"
#include "guard.h"
#include "integrity.h"
#include "local.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <pwd.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* What SQLite needs to take a change, such as the removal of a value, into its log. */
enum { ROOM_MIN_BYTES = 256 * 1024 };

#define BYTES_PER_MB 1000000ULL
#define NAME_BYTES 64

/* Of stores that cannot be read so many are named. */
enum { STORES_TOLD = 8 };

static const char *parent_of(const char *file, char folder[PATH_MAX])
{
    snprintf(folder, PATH_MAX, "%s", file);
    return dirname(folder);
}

/* There is no such file: anybody who changes something makes it, if its directory is there. */
static void tell_missing(const char *file, struct ds_report *report)
{
    char folder[PATH_MAX];
    const char *parent = parent_of(file, folder);
    if (access(parent, F_OK) != 0)
        ds_report_fail(report, "file", "make the directory, or name another file",
                       "%s: there is no directory %s", file, parent);
    else if (access(parent, W_OK) != 0)
        ds_report_fail(report, "file", "name a file in a directory of your own",
                       "%s is not there, and this user may not make it: %s", file, strerror(errno));
    else
        ds_report_warn(report, "file",
                       "mount it, or run datasetfs create: the first change makes it",
                       "%s is not there yet", file);
}

/* True if there is a file that can be looked into. */
static bool look_at_file(const char *file, struct ds_report *report, struct stat *status)
{
    if (stat(file, status) != 0 && errno == ENOENT) {
        tell_missing(file, report);
        return false;
    }
    if (stat(file, status) != 0) {
        ds_report_fail(report, "file",
                       errno == EACCES ? "let this user through the directories on the way" : NULL,
                       "%s: %s", file, strerror(errno));
        return false;
    }
    if (!S_ISREG(status->st_mode)) {
        ds_report_fail(report, "file", "name the store file itself", "%s is %s", file,
                       S_ISDIR(status->st_mode) ? "a directory" : "no regular file");
        return false;
    }
    ds_report_ok(report, "file", "%s, %lld bytes", file, (long long)status->st_size);
    return true;
}

/* The user's name, or number. */
static void name_of(uid_t uid, char name[NAME_BYTES])
{
    char room[4096];
    struct passwd user;
    struct passwd *found = NULL;
    if (getpwuid_r(uid, &user, room, sizeof room, &found) == 0 && found)
        snprintf(name, NAME_BYTES, "%s", found->pw_name);
    else
        snprintf(name, NAME_BYTES, "user %u", (unsigned)uid);
}

static void look_at_owner(const char *file, struct ds_report *report, const struct stat *status)
{
    struct ds_call *call = report->call(report->context);
    char owner[NAME_BYTES];
    unsigned mode = (unsigned)status->st_mode & 07777;
    name_of(status->st_uid, owner);
    if (ds_guard_check(file, call) != 0)
        ds_report_fail(report, "owner",
                       "only its owner, root and this user may decide what it holds",
                       "%s's, mode %04o: %s", owner, mode, call->text);
    else if (access(file, R_OK) != 0)
        ds_report_fail(report, "owner", "run as its owner, or let this user read it",
                       "%s's, mode %04o: %s", owner, mode, strerror(errno));
    else if (access(file, W_OK) != 0 && errno != EROFS) /* "space" tells of that */
        ds_report_warn(report, "owner",
                       "let this user write to it, or use -o ro while its owner has it mounted",
                       "%s's, mode %04o: this user may only read it (%s)", owner, mode,
                       strerror(errno));
    else if (mode & S_IROTH)
        ds_report_warn(report, "owner", "run chmod o-r on it if they should not",
                       "%s's, mode %04o: others can read it", owner, mode);
    else
        ds_report_ok(report, "owner", "%s's, mode %04o", owner, mode);
}

/* False if what is in the file is of no use. */
static bool look_inside(const char *file, struct ds_report *report)
{
    struct ds_call *call = report->call(report->context);
    int err = ds_integrity_check(file, call);
    const char *advice =
        err == -EIO      ? "stop what uses it, keep a copy, and restore a backup (datasetfs "
                           "export reads what can still be read)"
        : err == -EINVAL ? "name a file that datasetfs has made"
        : err == -EAGAIN ? "look who holds it: fuser FILE"
        : err == -EROFS  ? "have it mounted by who may write to it, who makes its log"
                         : NULL;
    if (err == -ETIMEDOUT)
        ds_report_warn(report, "integrity", "give it more time: -o timeout=SECONDS",
                       "not all of the file was looked at");
    else if (err)
        ds_report_fail(report, "integrity", advice, "%s", ds_report_words(call, err));
    else
        ds_report_ok(report, "integrity", "SQLite finds no fault");
    return !err || err == -ETIMEDOUT;
}

static void look_at_room(const char *file, struct ds_report *report, const struct stat *status)
{
    struct statvfs disk;
    uint64_t size = (uint64_t)status->st_size;
    if (statvfs(file, &disk) != 0) {
        ds_report_warn(report, "space", NULL, "%s: %s", file, strerror(errno));
        return;
    }
    uint64_t free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
    uint64_t more = size < DS_TOTAL_MAX_BYTES ? DS_TOTAL_MAX_BYTES - size : 0;
    if (disk.f_flag & ST_RDONLY)
        ds_report_warn(report, "space", "use -o ro, or mount the medium for writing",
                       "the medium is read-only");
    else if (free_bytes < ROOM_MIN_BYTES)
        ds_report_fail(report, "space", "make room there, or move the store",
                       "no space is left where the store file lies (%llu bytes)",
                       (unsigned long long)free_bytes);
    else if (free_bytes < more)
        ds_report_warn(report, "space", "make room there before it fills up",
                       "%llu MB are free, and the store may grow by %llu MB",
                       (unsigned long long)(free_bytes / BYTES_PER_MB),
                       (unsigned long long)(more / BYTES_PER_MB));
    else
        ds_report_ok(report, "space", "%llu MB are free",
                     (unsigned long long)(free_bytes / BYTES_PER_MB));
}

const char *ds_local_library(void)
{
    static char words[64];
    snprintf(words, sizeof words, "SQLite %s", sqlite3_libversion());
    return words;
}

void ds_local_examine(const char *file, const struct ds_source_options *options,
                      struct ds_report *report, struct ds_client **out)
{
    struct stat status;
    ds_report_ok(report, "library", "%s", ds_local_library());
    if (!look_at_file(file, report, &status))
        return;
    look_at_owner(file, report, &status);
    look_at_room(file, report, &status);
    if (!look_inside(file, report))
        return;
    struct ds_call *call = report->call(report->context);
    int err = ds_local_open(file, options->side, options->read_only, call, out);
    if (err)
        ds_report_fail(report, "store", NULL, "%s", ds_report_words(call, err));
}

static int try_store(struct ds_inventory *inventory, const char *id, struct ds_call *call)
{
    struct ds_client *client = NULL;
    struct ds_names names DS_CLEANUP(ds_names_clear) = {0};
    int err = ds_inventory_open_machine(inventory, call, id, &client);
    if (!err)
        err = ds_client_list(client, call, &names);
    ds_client_free(client, call);
    return err;
}

/* True if the store has gone since it was listed. */
static bool is_gone(struct ds_inventory *inventory, const char *id, struct ds_report *report)
{
    struct ds_machines found DS_CLEANUP(ds_machines_clear) = {0};
    struct ds_call *call = report->call(report->context);
    return ds_inventory_find(inventory, call, DS_MACHINE_BY_ID, id, &found) == -ENOENT;
}

static const char *advice_for_store(int err)
{
    return err == -EINVAL || err == -ENODEV ? "move it elsewhere, or let -o machines= leave it out"
                                            : "look at it alone: datasetfs doctor local:FILE";
}

static void try_stores(struct ds_inventory *inventory, const struct ds_machines *machines,
                       struct ds_report *report)
{
    size_t bad = 0;
    for (size_t i = 0; i < machines->count && !report->interrupted(); i++) {
        const char *id = machines->list[i].id;
        struct ds_call *call = report->call(report->context);
        int err = try_store(inventory, id, call);
        char words[DS_CALL_TEXT_BYTES];
        snprintf(words, sizeof words, "%s", err ? ds_report_words(call, err) : "");
        if (!err || (err == -ENODEV && is_gone(inventory, id, report)))
            continue;
        if (bad++ < STORES_TOLD)
            ds_report_fail(report, "store", advice_for_store(err), "%s", words);
    }
    if (bad > STORES_TOLD)
        ds_report_fail(report, "store", NULL, "the same holds for %zu more", bad - STORES_TOLD);
    if (!bad && machines->count)
        ds_report_ok(report, "store", "each of the %zu can be read", machines->count);
}

void ds_directory_examine(const char *path, const struct ds_source_options *options,
                          struct ds_report *report, struct ds_inventory **out)
{
    struct ds_machines machines DS_CLEANUP(ds_machines_clear) = {0};
    struct ds_inventory *inventory;
    struct ds_call *call = report->call(report->context);
    ds_report_ok(report, "library", "%s", ds_local_library());
    int err = ds_directory_open(path, options, call, &inventory);
    if (err) {
        ds_report_fail(report, "directory",
                       err == -ENOENT    ? "make it, or name another one"
                       : err == -ENOTDIR ? "without the slash at the end it is one store"
                                         : "let this user read it",
                       "%s", ds_report_words(call, err));
        ds_report_skip(report, "machines", "they cannot be listed");
        return;
    }
    if (access(path, W_OK) != 0)
        ds_report_warn(report, "directory",
                       "let this user write to it, or use -o ro: beside each store lies its log",
                       "%s: this user may only read it (%s)", path, strerror(errno));
    else
        ds_report_ok(report, "directory", "%s", path);
    *out = inventory;
    /* What cannot be listed is told by who lists the machines. */
    if (ds_inventory_list(inventory, report->call(report->context), &machines) == 0)
        try_stores(inventory, &machines, report);
}
