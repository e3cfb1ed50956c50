/* Giving up rights, in the order in which each step still may. */
#include "confine.h"

#include "cleanup.h"
#include "confine_calls.h"
#include "confine_files.h"
#include "file_access.h"
#include "log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int ds_confine_directory(struct ds_confine *confine, const char *path, bool change)
{
    struct ds_confine_place *places;
    struct ds_confine_place place = {.change = change};

    for (size_t i = 0; i < confine->count; i++)
        if (strcmp(confine->places[i].path, path) == 0 && confine->places[i].change == change)
            return 0;
    places = realloc(confine->places, (confine->count + 1) * sizeof(*places));
    if (places == NULL)
        return -ENOMEM;
    confine->places = places;
    place.path = strdup(path);
    if (place.path == NULL)
        return -ENOMEM;
    places[confine->count++] = place;
    return 0;
}

static int add_parent(struct ds_confine *confine, const char *file, bool change)
{
    char *copy DS_AUTO_FREE = strdup(file);

    return copy == NULL ? -ENOMEM : ds_confine_directory(confine, dirname(copy), change);
}

/* Where `path` leads to; an open file that was removed has a name still. False if nowhere. */
static bool follow(const char *path, char real[PATH_MAX])
{
    ssize_t len;

    if (realpath(path, real) != NULL)
        return true;
    len = readlink(path, real, PATH_MAX - 1);
    real[len > 0 ? len : 0] = '\0';
    return *real == '/';
}

int ds_confine_file(struct ds_confine *confine, const char *path, bool change)
{
    char real[PATH_MAX];
    int err = add_parent(confine, path, change);

    return err == 0 && follow(path, real) ? add_parent(confine, real, change) : err;
}

void ds_confine_clear(struct ds_confine *confine)
{
    for (size_t i = 0; i < confine->count; i++)
        free(confine->places[i].path);
    free(confine->places);
    free(confine->store);
    *confine = (struct ds_confine){0};
}

static uint64_t bit(int capability)
{
    return UINT64_C(1) << capability;
}

/* What this thread may have. */
static uint64_t permitted(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

    if (syscall(SYS_capget, &header, data) != 0)
        return 0;
    return data[0].permitted | (uint64_t)data[1].permitted << 32;
}

/* 0 or a negative errno. */
static int set_capabilities(uint64_t effective, uint64_t kept)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {
        {.effective = (uint32_t)effective, .permitted = (uint32_t)kept},
        {.effective = (uint32_t)(effective >> 32), .permitted = (uint32_t)(kept >> 32)},
    };

    return syscall(SYS_capset, &header, data) == 0 ? 0 : -errno;
}

/* What fails for another reason is told when it is opened. */
static bool may_at(int directory, const char *name, int mode)
{
    int err = ds_file_access(directory, name, mode);

    return err != -EACCES && err != -ENOSYS;
}

static bool may(const char *path, int mode)
{
    return may_at(AT_FDCWD, path, mode);
}

/* All stores in the directory. */
static bool may_use_files_in(const char *directory, const char *end, int mode)
{
    DIR *stream = opendir(directory);
    const struct dirent *entry;
    bool all = stream != NULL || errno != EACCES;

    while (stream != NULL && all && (entry = readdir(stream)) != NULL) {
        size_t len = strlen(entry->d_name);

        if (len > strlen(end) && strcmp(entry->d_name + len - strlen(end), end) == 0)
            all = may_at(dirfd(stream), entry->d_name, mode);
    }
    if (stream != NULL)
        closedir(stream);
    return all;
}

/* With no capability: SQLite makes files beside what it changes. */
static bool may_use_store(const struct ds_confine *confine)
{
    int mode = confine->store_read ? R_OK : R_OK | W_OK;
    char copy[PATH_MAX];

    if (confine->store_end != NULL)
        return may(confine->store, mode | X_OK) &&
               may_use_files_in(confine->store, confine->store_end, mode);
    snprintf(copy, sizeof copy, "%s", confine->store);
    return may(confine->store, mode) && may(dirname(copy), (confine->store_read ? 0 : W_OK) | X_OK);
}

/* As somebody else in matters of files. From root to another user and back this moves what may be
 * done to any file out of and into the effective capabilities, so they are set last. */
static bool can_as(const struct ds_confine *confine, uint64_t all, uid_t user, gid_t group)
{
    bool can;

    if (set_capabilities(all, all) != 0)
        return false;
    setfsgid(group);
    setfsuid(user);
    can = set_capabilities(0, all) == 0 && may_use_store(confine);
    (void)set_capabilities(all, all);
    return can;
}

/* Who uses the store; false if nobody can without CAP_DAC_OVERRIDE. */
static bool become_user_of_store(const struct ds_confine *confine, uint64_t all)
{
    struct stat status[2] = {0};
    char copy[PATH_MAX];

    if (can_as(confine, all, 0, getegid()))
        return true;
    snprintf(copy, sizeof copy, "%s", confine->store);
    if (stat(confine->store, &status[0]) == 0 &&
        can_as(confine, all, status[0].st_uid, status[0].st_gid))
        return true;
    if (stat(dirname(copy), &status[1]) == 0 &&
        can_as(confine, all, status[1].st_uid, status[1].st_gid))
        return true;
    setfsuid(0);
    setfsgid(getegid());
    return false;
}

/* 0 or a negative errno. */
static int drop_capabilities(const struct ds_confine *confine)
{
    uint64_t all = permitted();
    uint64_t kept = confine->port ? bit(CAP_NET_BIND_SERVICE) : 0;

    if (confine->store != NULL && geteuid() == 0 && !become_user_of_store(confine, all)) {
        kept |= bit(CAP_DAC_OVERRIDE);
        ds_log(DS_LOG_WARNING,
               "neither root nor an owner may use the store and its directory by their modes: the "
               "daemon goes on passing them");
    }
    kept &= all;
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    /* Without CAP_SETPCAP these stay, and are of no use without a program to run. */
    for (int number = 0; number <= 63; number++)
        if ((kept & bit(number)) == 0)
            (void)prctl(PR_CAPBSET_DROP, number, 0, 0, 0);
    return set_capabilities(kept, kept);
}

static void tell(const char *what, int err)
{
    if (err != 0 && err != -EOPNOTSUPP)
        ds_log(DS_LOG_WARNING, "not confined by %s: %s", what, strerror(-err));
}

void ds_confine_apply(const struct ds_confine *confine)
{
    int err = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : -errno;
    int calls, files;

    tell("no_new_privs", err);
    files = ds_confine_files(confine);
    tell("landlock", files);
    tell("capabilities", drop_capabilities(confine));
    calls = ds_confine_calls();
    tell("seccomp", calls);
    if (files == -EOPNOTSUPP || calls == -EOPNOTSUPP)
        ds_log(DS_LOG_INFO, "the daemon is not confined by %s%s%s: %s",
               files == -EOPNOTSUPP ? "landlock" : "",
               files == -EOPNOTSUPP && calls == -EOPNOTSUPP ? " nor by " : "",
               calls == -EOPNOTSUPP ? "seccomp" : "",
               files == -EOPNOTSUPP || ds_confine_calls_built()
                   ? "this kernel or this program lacks it"
                   : "this program was built without libseccomp");
}

struct ds_confine_offers ds_confine_offers(void)
{
    return (struct ds_confine_offers){
        .files = ds_confine_files_version(),
        .calls = prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0,
        .calls_built = ds_confine_calls_built(),
    };
}
