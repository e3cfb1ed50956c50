/* What -o says of the store. */
#include "store_options.h"

#include "utf8.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct ds_store_options ds_store_options_default(void)
{
    return (struct ds_store_options){.source.side = DS_SIDE_HOST, .timeout_ms = 10000};
}

void ds_store_options_clear(struct ds_store_options *options)
{
    free(options->credentials);
    free(options->cacert);
    free(options->pin);
    if (options->machines != NULL)
        ds_machine_filter_clear(options->machines);
    free(options->machines);
    ds_attributes_clear(&options->attributes);
    *options = (struct ds_store_options){0};
}

static int set_side(void *to, const struct ds_option *option, const char *value)
{
    struct ds_store_options *options = to;
    bool guest = strcasecmp(value, "guest") == 0;

    (void)option;
    if (!guest && strcasecmp(value, "host") != 0)
        return -EINVAL;
    options->source.side = guest ? DS_SIDE_GUEST : DS_SIDE_HOST;
    options->source.side_given = true;
    return 0;
}

static int set_timeout(void *to, const struct ds_option *option, const char *value)
{
    struct ds_store_options *options = to;

    (void)option;
    return ds_option_seconds(value, 1, 3600, &options->timeout_ms);
}

static int set_number(const char *value, uint64_t max, unsigned *out)
{
    uint64_t number;

    if (!ds_option_number(value, 10, 1, max, &number))
        return -EINVAL;
    *out = (unsigned)number;
    return 0;
}

static int set_channels(void *to, const struct ds_option *option, const char *value)
{
    struct ds_store_options *options = to;

    (void)option;
    return set_number(value, 4, &options->source.channels);
}

static int set_parallel(void *to, const struct ds_option *option, const char *value)
{
    struct ds_store_options *options = to;

    (void)option;
    return set_number(value, 64, &options->source.transfers);
}

static int set_rate(void *to, const struct ds_option *option, const char *value)
{
    struct ds_store_options *options = to;
    uint64_t number;

    (void)option;
    if (!ds_option_number(value, 10, 0, 10000, &number))
        return -EINVAL;
    options->source.rate = (unsigned)number;
    options->source.rate_given = true;
    return 0;
}

/* Keeps a copy in `owned`, to which the source's option then refers. */
static int keep_text(const char *value, char **owned, const char **text)
{
    char *copy;

    if (*value == '\0')
        return -EINVAL;
    copy = strdup(value);
    if (copy == NULL)
        return -ENOMEM;
    free(*owned);
    *owned = copy;
    *text = copy;
    return 0;
}

static int set_credentials(void *to, const struct ds_option *option, const char *value)
{
    struct ds_store_options *options = to;

    (void)option;
    return keep_text(value, &options->credentials, &options->source.credentials);
}

static int set_cacert(void *to, const struct ds_option *option, const char *value)
{
    struct ds_store_options *options = to;

    (void)option;
    return keep_text(value, &options->cacert, &options->source.cacert);
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
    return strspn(value, digits) == HASH_DIGITS && strcmp(value + HASH_DIGITS, "=") == 0;
}

static int set_pin(void *to, const struct ds_option *option, const char *value)
{
    struct ds_store_options *options = to;

    (void)option;
    return is_pin(value) ? keep_text(value, &options->pin, &options->source.pin) : -EINVAL;
}

static int set_insecure(void *to, const struct ds_option *option, const char *value)
{
    struct ds_store_options *options = to;

    (void)option, (void)value;
    options->source.insecure = true;
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

static int set_host_access(void *to, const struct ds_option *option, const char *value)
{
    struct ds_store_options *options = to;

    (void)option;
    return set_access(value, &options->attributes.host);
}

static int set_guest_access(void *to, const struct ds_option *option, const char *value)
{
    struct ds_store_options *options = to;

    (void)option;
    return set_access(value, &options->attributes.guest);
}

static int set_description(void *to, const struct ds_option *option, const char *value)
{
    struct ds_store_options *options = to;
    size_t len = strlen(value);
    char *copy;

    (void)option;
    if (len > DS_DESCRIPTION_MAX_BYTES || !ds_utf8_valid(value, len))
        return -EINVAL;
    copy = strdup(value);
    if (copy == NULL)
        return -ENOMEM;
    free(options->attributes.description);
    options->attributes.description = copy;
    return 0;
}

static int set_omit(void *to, const struct ds_option *option, const char *value)
{
    struct ds_store_options *options = to;
    bool off = value != NULL && strcasecmp(value, "off") == 0;

    (void)option;
    if (value != NULL && !off && strcasecmp(value, "on") != 0)
        return -EINVAL;
    options->attributes.omit_from_snapshot_and_clone = off ? DS_FLAG_OFF : DS_FLAG_ON;
    return 0;
}

#define ACCESS "NONE, READ_ONLY or READ_WRITE"
#define REFUSED "credentials do not belong on the command line, where others can read them"

const struct ds_option ds_store_option[] = {
    {"side", "host|guest", "host or guest", "whose eyes to see through (default host)",
     .set = set_side},
    {"timeout", "SECONDS", "seconds from 1 to 3600", "deadline of one operation (default 10)",
     .set = set_timeout},
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
    {"rate", "N", "a number from 0 to 10000", "requests a second, for https (200 for https://HOST)",
     .set = set_rate},
    {"host_access", "ACCESS", ACCESS, "of new DataSets (default READ_WRITE)",
     .set = set_host_access},
    {"guest_access", "ACCESS", ACCESS, "of new DataSets (default READ_WRITE)",
     .set = set_guest_access},
    {"description", "TEXT", "UTF-8 text of at most 1024 bytes", "of new DataSets (default empty)",
     .value_hidden = true, .set = set_description},
    {"omit_from_snapshot_and_clone", "on|off", "on or off", "of new DataSets (default off)",
     .value_optional = true, .set = set_omit},

    {"password", .refused = REFUSED},
    {"passwd", .refused = REFUSED},
    {"pass", .refused = REFUSED},
    {"username", .refused = REFUSED},
    {.name = NULL},
};
