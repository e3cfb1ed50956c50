/* The options that mean something to datasetfs itself, and what each does with its value. */
#include "option_own.h"

#include "text/scratch_name.h"
#include "utf8.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int set_ttl(void *to, const struct ds_option *option, const char *value)
{
    struct fs_options *options = to;

    (void)option;
    return ds_option_seconds(value, 0, 86400, &options->ttl_ms);
}

static int set_scratch_delay(void *to, const struct ds_option *option, const char *value)
{
    struct fs_options *options = to;

    (void)option;
    return ds_option_seconds(value, 1, 86400, &options->scratch_delay_ms);
}

/* The power of two that a size's suffix stands for, or -1. */
static int suffix_shift(const char *suffix)
{
    static const char *const suffixes[] = {"", "K", "M", "G"};
    for (int i = 0; i < 4; i++)
        if (!strcasecmp(suffix, suffixes[i]))
            return 10 * i;
    return -1;
}

static int set_cache(void *to, const struct ds_option *option, const char *value)
{
    struct fs_options *options = to;

    (void)option;
    char digits[24];
    size_t len = strspn(value, "0123456789");
    int shift = suffix_shift(value + len);
    if (shift < 0 || len >= sizeof digits)
        return -EINVAL;
    memcpy(digits, value, len);
    digits[len] = '\0';
    uint64_t number;
    if (!ds_option_number(digits, 10, 0, (4ULL << 30) >> shift, &number))
        return -EINVAL;
    options->cache_bytes = number << shift;
    return 0;
}

static int set_max_threads(void *to, const struct ds_option *option, const char *value)
{
    struct fs_options *options = to;

    (void)option;
    uint64_t number;
    if (!ds_option_number(value, 10, 2, 256, &number))
        return -EINVAL;
    options->max_threads = (unsigned)number;
    return 0;
}

static int set_readahead(void *to, const struct ds_option *option, const char *value)
{
    struct fs_options *options = to;

    (void)option;
    uint64_t number;
    if (!ds_option_number(value, 10, 0, FS_READAHEAD_MAX, &number))
        return -EINVAL;
    options->readahead = (unsigned)number;
    return 0;
}

static int set_scratch(void *to, const struct ds_option *option, const char *value)
{
    struct fs_options *options = to;

    bool none = strcmp(value, "none") == 0;
    (void)option;
    if (!none && !fs_scratch_name_globs_valid(value))
        return -EINVAL;
    char *copy = strdup(none ? "" : value);
    if (!copy)
        return -ENOMEM;
    free(options->scratch);
    options->scratch = copy;
    return 0;
}

static int set_uid(void *to, const struct ds_option *option, const char *value)
{
    struct fs_options *options = to;

    (void)option;
    uint64_t number;
    if (!ds_option_number(value, 10, 0, UINT32_MAX - 1, &number))
        return -EINVAL;
    options->uid = (uid_t)number;
    return 0;
}

static int set_gid(void *to, const struct ds_option *option, const char *value)
{
    struct fs_options *options = to;

    (void)option;
    uint64_t number;
    if (!ds_option_number(value, 10, 0, UINT32_MAX - 1, &number))
        return -EINVAL;
    options->gid = (gid_t)number;
    return 0;
}

static int set_umask(void *to, const struct ds_option *option, const char *value)
{
    struct fs_options *options = to;

    (void)option;
    uint64_t number;
    if (!ds_option_number(value, 8, 0, 0777, &number))
        return -EINVAL;
    options->umask = (mode_t)number;
    return 0;
}

static int set_commit(void *to, const struct ds_option *option, const char *value)
{
    struct fs_options *options = to;

    (void)option;
    bool close = !strcmp(value, "close");
    if (!close && strcmp(value, "write") != 0)
        return -EINVAL;
    options->commit_at_close = close;
    return 0;
}

static int set_rw(void *to, const struct ds_option *option, const char *value)
{
    struct fs_options *options = to;

    (void)option;
    (void)value;
    options->read_only = false;
    return 0;
}

const struct ds_option fs_option_own[] = {
    {"ro", .help = "refuse every change", .flag = offsetof(struct fs_options, read_only),
     .set = ds_option_set_flag},
    {"uid", "N", "a user's number", "owner of all files (default: who mounts)", .set = set_uid},
    {"gid", "N", "a group's number", "group of all files (default: who mounts)", .set = set_gid},
    {"umask", "OCTAL", "octal permission bits from 0 to 777",
     "permission bits to take away (default 077)", .set = set_umask},
    {"ttl", "SECONDS", "seconds from 0 to 86400",
     "how long a value is served without asking (default 0)", .set = set_ttl},
    {"commit", "write|close", "write or close", "what sends a value (default write)",
     .set = set_commit},
    {"cache", "SIZE", "bytes up to 4G, such as 512K or 16M", "memory for values (default 16M)",
     .set = set_cache},
    {"readahead", "N", "a number from 0 to 65536",
     "values fetched ahead of a reader at once, at most", .set = set_readahead},
    {"scratch", "GLOB:...", "globs divided by ':', or none",
     "names of temporary files (default: see datasetfs(8))", .set = set_scratch},
    {"scratch_delay", "SECONDS", "seconds from 1 to 86400",
     "how long they are held back (default 10)", .set = set_scratch_delay},
    {"max_threads", "N", "a number from 2 to 256", "threads at most (default 32)",
     .set = set_max_threads},
    {"delay_connect", .help = "mount although the store cannot be reached yet",
     .flag = offsetof(struct fs_options, store.source.delay_connect), .set = ds_option_set_flag},
    {"force", .help = "rmdir deletes a DataSet with its entries",
     .flag = offsetof(struct fs_options, force), .set = ds_option_set_flag},
    {"xattr", .help = "show attributes of DataSets as extended attributes too",
     .flag = offsetof(struct fs_options, xattr), .set = ds_option_set_flag},
    {"nosandbox", .help = "let the daemon keep its rights, to look for faults",
     .flag = offsetof(struct fs_options, no_sandbox), .set = ds_option_set_flag},

    {"rw", .set = set_rw},
    {.name = NULL},
};
