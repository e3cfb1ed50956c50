/* The options that mean something to datasetfs itself, and what each does with its value. */
#include "option_own.h"

#include "text/scratch_name.h"
#include "utf8.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int set_seconds(const char *value, uint64_t min, uint64_t max, int64_t *out_ms)
{
    uint64_t seconds;
    if (!fs_option_number(value, 10, min, max, &seconds))
        return -EINVAL;
    *out_ms = (int64_t)seconds * 1000;
    return 0;
}

static int set_timeout(struct fs_option_parser *parser, const struct fs_option *option,
                       const char *value)
{
    (void)option;
    return set_seconds(value, 1, 3600, &parser->options->timeout_ms);
}

static int set_ttl(struct fs_option_parser *parser, const struct fs_option *option,
                   const char *value)
{
    (void)option;
    return set_seconds(value, 0, 86400, &parser->options->ttl_ms);
}

static int set_scratch_delay(struct fs_option_parser *parser, const struct fs_option *option,
                             const char *value)
{
    (void)option;
    return set_seconds(value, 1, 86400, &parser->options->scratch_delay_ms);
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

static int set_cache(struct fs_option_parser *parser, const struct fs_option *option,
                     const char *value)
{
    (void)option;
    char digits[24];
    size_t len = strspn(value, "0123456789");
    int shift = suffix_shift(value + len);
    if (shift < 0 || len >= sizeof digits)
        return -EINVAL;
    memcpy(digits, value, len);
    digits[len] = '\0';
    uint64_t number;
    if (!fs_option_number(digits, 10, 0, (4ULL << 30) >> shift, &number))
        return -EINVAL;
    parser->options->cache_bytes = number << shift;
    return 0;
}

static int set_max_threads(struct fs_option_parser *parser, const struct fs_option *option,
                           const char *value)
{
    (void)option;
    uint64_t number;
    if (!fs_option_number(value, 10, 2, 256, &number))
        return -EINVAL;
    parser->options->max_threads = (unsigned)number;
    return 0;
}

static int set_readahead(struct fs_option_parser *parser, const struct fs_option *option,
                         const char *value)
{
    (void)option;
    uint64_t number;
    if (!fs_option_number(value, 10, 0, FS_READAHEAD_MAX, &number))
        return -EINVAL;
    parser->options->readahead = (unsigned)number;
    return 0;
}

static int set_channels(struct fs_option_parser *parser, const struct fs_option *option,
                        const char *value)
{
    (void)option;
    uint64_t number;
    if (!fs_option_number(value, 10, 1, 4, &number))
        return -EINVAL;
    parser->options->source_options.channels = (unsigned)number;
    return 0;
}

static int set_parallel(struct fs_option_parser *parser, const struct fs_option *option,
                        const char *value)
{
    (void)option;
    uint64_t number;
    if (!fs_option_number(value, 10, 1, 64, &number))
        return -EINVAL;
    parser->options->source_options.transfers = (unsigned)number;
    return 0;
}

/* Keeps a copy in `owned`, to which the source's option then refers. */
static int keep_text(const char *value, char **owned, const char **text)
{
    if (!*value)
        return -EINVAL;
    char *copy = strdup(value);
    if (!copy)
        return -ENOMEM;
    free(*owned);
    *owned = copy;
    *text = copy;
    return 0;
}

static int set_credentials(struct fs_option_parser *parser, const struct fs_option *option,
                           const char *value)
{
    (void)option;
    return keep_text(value, &parser->options->credentials,
                     &parser->options->source_options.credentials);
}

static int set_cacert(struct fs_option_parser *parser, const struct fs_option *option,
                      const char *value)
{
    (void)option;
    return keep_text(value, &parser->options->cacert, &parser->options->source_options.cacert);
}

static int set_scratch(struct fs_option_parser *parser, const struct fs_option *option,
                       const char *value)
{
    bool none = strcmp(value, "none") == 0;
    (void)option;
    if (!none && !fs_scratch_name_globs_valid(value))
        return -EINVAL;
    char *copy = strdup(none ? "" : value);
    if (!copy)
        return -ENOMEM;
    free(parser->options->scratch);
    parser->options->scratch = copy;
    return 0;
}

/* What libcurl takes, though one key only: SHA-256 in base64 has 43 digits and one "=". */
static bool is_pin(const char *value)
{
    static const char prefix[] = "sha256//";
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    enum { HASH_DIGITS = 43 };
    if (strncmp(value, prefix, strlen(prefix)) != 0)
        return false;
    value += strlen(prefix);
    return strspn(value, digits) == HASH_DIGITS && !strcmp(value + HASH_DIGITS, "=");
}

static int set_pin(struct fs_option_parser *parser, const struct fs_option *option,
                   const char *value)
{
    (void)option;
    if (!is_pin(value))
        return -EINVAL;
    return keep_text(value, &parser->options->pin, &parser->options->source_options.pin);
}

static int set_insecure(struct fs_option_parser *parser, const struct fs_option *option,
                        const char *value)
{
    (void)option;
    (void)value;
    parser->options->source_options.insecure = true;
    return 0;
}

static int set_delay_connect(struct fs_option_parser *parser, const struct fs_option *option,
                             const char *value)
{
    (void)option;
    (void)value;
    parser->options->source_options.delay_connect = true;
    return 0;
}

static int set_uid(struct fs_option_parser *parser, const struct fs_option *option,
                   const char *value)
{
    (void)option;
    uint64_t number;
    if (!fs_option_number(value, 10, 0, UINT32_MAX - 1, &number))
        return -EINVAL;
    parser->options->uid = (uid_t)number;
    return 0;
}

static int set_gid(struct fs_option_parser *parser, const struct fs_option *option,
                   const char *value)
{
    (void)option;
    uint64_t number;
    if (!fs_option_number(value, 10, 0, UINT32_MAX - 1, &number))
        return -EINVAL;
    parser->options->gid = (gid_t)number;
    return 0;
}

static int set_umask(struct fs_option_parser *parser, const struct fs_option *option,
                     const char *value)
{
    (void)option;
    uint64_t number;
    if (!fs_option_number(value, 8, 0, 0777, &number))
        return -EINVAL;
    parser->options->umask = (mode_t)number;
    return 0;
}

static int set_side(struct fs_option_parser *parser, const struct fs_option *option,
                    const char *value)
{
    (void)option;
    bool guest = !strcasecmp(value, "guest");
    if (!guest && strcasecmp(value, "host") != 0)
        return -EINVAL;
    parser->options->source_options.side = guest ? DS_SIDE_GUEST : DS_SIDE_HOST;
    parser->options->source_options.side_given = true;
    return 0;
}

static int set_commit(struct fs_option_parser *parser, const struct fs_option *option,
                      const char *value)
{
    (void)option;
    bool close = !strcmp(value, "close");
    if (!close && strcmp(value, "write") != 0)
        return -EINVAL;
    parser->options->commit_at_close = close;
    return 0;
}

static int set_access(const char *value, enum ds_access *out)
{
    enum ds_access access = ds_access_parse(value);
    if (access == DS_ACCESS_UNKNOWN)
        return -EINVAL;
    *out = access;
    return 0;
}

static int set_host_access(struct fs_option_parser *parser, const struct fs_option *option,
                           const char *value)
{
    (void)option;
    return set_access(value, &parser->options->defaults.host);
}

static int set_guest_access(struct fs_option_parser *parser, const struct fs_option *option,
                            const char *value)
{
    (void)option;
    return set_access(value, &parser->options->defaults.guest);
}

static int set_description(struct fs_option_parser *parser, const struct fs_option *option,
                           const char *value)
{
    size_t len = strlen(value);
    if (len > DS_DESCRIPTION_MAX_BYTES || !ds_utf8_valid(value, len))
        return fs_option_refuse(parser->why, "option '%s': expected %s", option->name,
                                option->expected);
    char *copy = strdup(value);
    if (!copy)
        return -ENOMEM;
    free(parser->options->defaults.description);
    parser->options->defaults.description = copy;
    return 0;
}

static int set_omit(struct fs_option_parser *parser, const struct fs_option *option,
                    const char *value)
{
    (void)option;
    (void)value;
    parser->options->defaults.omit_from_snapshot_and_clone = DS_FLAG_ON;
    return 0;
}

static int set_flag(struct fs_option_parser *parser, const struct fs_option *option,
                    const char *value)
{
    (void)value;
    *(bool *)((char *)parser->options + option->flag) = true;
    return 0;
}

static int set_rw(struct fs_option_parser *parser, const struct fs_option *option,
                  const char *value)
{
    (void)option;
    (void)value;
    parser->options->read_only = false;
    return 0;
}

static int refuse_credentials(struct fs_option_parser *parser, const struct fs_option *option,
                              const char *value)
{
    (void)value;
    return fs_option_refuse(
        parser->why,
        "option '%s': credentials do not belong on the command line, where others can "
        "read them",
        option->name);
}

#define ACCESS "NONE, READ_ONLY or READ_WRITE"
#define CREDENTIALS .metavar = "TEXT", .value_optional = true, .set = refuse_credentials

const struct fs_option fs_option_own[] = {
    {"side", "host|guest", "host or guest", "whose eyes to see through (default host)",
     .set = set_side},
    {"ro", .help = "refuse every change", .flag = offsetof(struct fs_options, read_only),
     .set = set_flag},
    {"uid", "N", "a user's number", "owner of all files (default: who mounts)", .set = set_uid},
    {"gid", "N", "a group's number", "group of all files (default: who mounts)", .set = set_gid},
    {"umask", "OCTAL", "octal permission bits from 0 to 777",
     "permission bits to take away (default 077)", .set = set_umask},
    {"timeout", "SECONDS", "seconds from 1 to 3600", "deadline of one operation (default 10)",
     .set = set_timeout},
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
    {"channels", "N", "a number from 1 to 4", "open connections to the host, for tools (default 1)",
     .set = set_channels},
    {"credentials", "FILE", "the name of a file",
     "user and password for https (lines username= password=)", .set = set_credentials},
    {"cacert", "FILE", "the name of a file", "authorities to trust, for https (PEM)",
     .set = set_cacert},
    {"pin", "HASH", "sha256//BASE64 of the server's public key",
     "the server's public key, for https", .set = set_pin},
    {"insecure", .help = "do not verify the server's certificate, for https", .set = set_insecure},
    {"parallel", "N", "a number from 1 to 64", "requests at once, for https (default 24)",
     .set = set_parallel},
    {"delay_connect", .help = "mount although the store cannot be reached yet",
     .set = set_delay_connect},
    {"force", .help = "rmdir deletes a DataSet with its entries",
     .flag = offsetof(struct fs_options, force), .set = set_flag},
    {"host_access", "ACCESS", ACCESS, "of new DataSets (default READ_WRITE)",
     .set = set_host_access},
    {"guest_access", "ACCESS", ACCESS, "of new DataSets (default READ_WRITE)",
     .set = set_guest_access},
    {"description", "TEXT", "UTF-8 text of at most 1024 bytes", "of new DataSets (default empty)",
     .set = set_description},
    {"omit_from_snapshot_and_clone", .help = "of new DataSets (default off)", .set = set_omit},
    {"xattr", .help = "show attributes of DataSets as extended attributes too",
     .flag = offsetof(struct fs_options, xattr), .set = set_flag},

    {"rw", .set = set_rw},
    {"password", CREDENTIALS},
    {"passwd", CREDENTIALS},
    {"pass", CREDENTIALS},
    {"username", CREDENTIALS},
    {.name = NULL},
};
