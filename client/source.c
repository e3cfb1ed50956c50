/* SOURCE string -> client. */
#include "client.h"

#include "local/local.h"
#include "utf8.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static const char local_prefix[] = "local:";
enum { LOCAL_PREFIX_BYTES = sizeof local_prefix - 1 };

__attribute__((format(printf, 2, 3))) static int refuse(char *why, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(why, DS_WHY_BYTES, format, list);
    va_end(list);
    why[ds_utf8_prefix(why, strlen(why), NULL)] = '\0';
    return -EINVAL;
}

static bool starts_with(const char *text, const char *prefix)
{
    return !strncasecmp(text, prefix, strlen(prefix));
}

static bool is_tools(const char *source)
{
    return !strcmp(source, "tools") || starts_with(source, "tools:");
}

/* True if the authority of a URL holds a user's name or password. */
static bool has_credentials(const char *url)
{
    const char *authority = strstr(url, "//") + 2;
    return memchr(authority, '@', strcspn(authority, "/?#")) != NULL;
}

static int check_url(const char *source, const struct ds_source_options *options, char *why)
{
    if (starts_with(source, "http://"))
        return refuse(why, "http:// would send the password in clear: use https://");
    if (has_credentials(source))
        return refuse(why, "user and password do not belong in SOURCE, where others can read them");
    if (options->side_given)
        return refuse(why, "-o side= is for local:FILE only; https:// is always the host side");
    return refuse(why, "this version does not speak https:// yet: expected local:FILE");
}

static int check_tools(const struct ds_source_options *options, char *why)
{
    if (options->side_given)
        return refuse(why, "-o side= is for local:FILE only; tools is always the guest side");
    return refuse(why, "this version does not speak tools yet: expected local:FILE");
}

int ds_source_check(const char *source, const struct ds_source_options *options, char *why)
{
    if (starts_with(source, "https://") || starts_with(source, "http://"))
        return check_url(source, options, why);
    if (is_tools(source))
        return check_tools(options, why);
    if (!strncmp(source, local_prefix, LOCAL_PREFIX_BYTES)) {
        if (!source[LOCAL_PREFIX_BYTES])
            return refuse(why, "local: needs the name of the store file: local:FILE");
        return 0;
    }
    /* What looks like user:password@host is not repeated to whoever reads the log. */
    if (strchr(source, '@') || !ds_utf8_valid(source, strlen(source)))
        return refuse(why, "unknown SOURCE: expected local:FILE");
    return refuse(why, "unknown SOURCE '%.80s': expected local:FILE, such as local:/var/lib/x.db",
                  source);
}

int ds_source_absolute(const char *source, char **out)
{
    char *absolute = NULL;
    if (strncmp(source, local_prefix, LOCAL_PREFIX_BYTES) != 0 ||
        source[LOCAL_PREFIX_BYTES] == '/') {
        absolute = strdup(source);
    } else {
        char *here = getcwd(NULL, 0);
        if (!here)
            return -errno;
        if (asprintf(&absolute, "%s%s/%s", local_prefix, here, source + LOCAL_PREFIX_BYTES) < 0)
            absolute = NULL;
        free(here);
    }
    if (!absolute)
        return -ENOMEM;
    *out = absolute;
    return 0;
}

int ds_source_open(const char *source, const struct ds_source_options *options,
                   struct ds_call *call, struct ds_client **out)
{
    char why[DS_WHY_BYTES];
    int err = ds_source_check(source, options, why);
    if (err)
        return ds_call_fail(call, err, "%s", why);
    return ds_local_open(source + LOCAL_PREFIX_BYTES, options->side, call, out);
}
