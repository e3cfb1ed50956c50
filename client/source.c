/* SOURCE string -> client. */
#include "source.h"

#include "base/path.h"
#include "cleanup.h"
#include "inventory.h"
#include "local/directory.h"
#include "local/examine.h"
#include "local/local.h"
#include "rest/credentials.h"
#include "rest/examine.h"
#include "rest/probe.h"
#include "rest/rest.h"
#include "rest/server.h"
#include "rest/url.h"
#include "text.h"
#include "tools/examine.h"
#include "tools/tools.h"
#include "utf8.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* What the Makefile's CLIENTS leaves out is 0. It is linked with what is called where it is 1, and
 * so may not be called elsewhere. */
#ifndef DS_WITH_local
#define DS_WITH_local 1
#endif
#ifndef DS_WITH_rest
#define DS_WITH_rest 1
#endif
#ifndef DS_WITH_tools
#define DS_WITH_tools 1
#endif

static const char local_prefix[] = "local:";
static const char unix_prefix[] = "tools:unix=";
static const char program_prefix[] = "tools:vmtoolsd=";
enum { LOCAL_PREFIX_BYTES = sizeof local_prefix - 1 };

/* What stands behind `prefix`, or NULL if `source` does not begin with it. */
static const char *behind(const char *source, const char *prefix)
{
    size_t len = strlen(prefix);
    return strncmp(source, prefix, len) ? NULL : source + len;
}

__attribute__((format(printf, 2, 3))) static int refuse(char *why, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(why, DS_WHY_BYTES, format, list);
    va_end(list);
    why[ds_utf8_prefix(why, strlen(why), NULL)] = '\0';
    ds_text_clean(why); /* a word of the command line may have lines */
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

static bool is_url(const char *source)
{
    return starts_with(source, "https://") || starts_with(source, "http://");
}

static int refuse_left_out(char *why, const char *kind)
{
    return refuse(why, "this datasetfs was built without %s: expected %s%s%s%s%s", kind,
                  DS_WITH_tools ? "tools" : "",
                  DS_WITH_tools && (DS_WITH_rest || DS_WITH_local) ? " or " : "",
                  DS_WITH_rest ? "https://HOST/VM" : "",
                  DS_WITH_rest && DS_WITH_local ? " or " : "", DS_WITH_local ? "local:FILE" : "");
}

static int check_url(const char *source, const struct ds_source_options *options, bool server,
                     char *why)
{
    struct ds_url url;
    if (starts_with(source, "http://"))
        return refuse(why, "http:// would send the password in clear: use https://");
    if (!DS_WITH_rest)
        return refuse_left_out(why, server ? "https://HOST" : "https://HOST/VM");
    int err = server ? ds_url_parse_server(source, &url, why) : ds_url_parse(source, &url, why);
    if (err)
        return err;
    ds_url_clear(&url);
    if (options->side_given)
        return refuse(why, "-o side= is for local:FILE only; https:// is always the host side");
    if (options->insecure && (options->cacert || options->pin))
        return refuse(why, "-o insecure and cacert= or pin= exclude each other");
    return 0;
}

/* Options that would do nothing for another SOURCE, where somebody may believe that they do. */
static int check_no_url(const struct ds_source_options *options, char *why)
{
    const char *wrong = options->credentials  ? "credentials"
                        : options->cacert     ? "cacert"
                        : options->pin        ? "pin"
                        : options->insecure   ? "insecure"
                        : options->rate_given ? "rate"
                                              : NULL;
    return wrong ? refuse(why, "-o %s is for https:// only", wrong) : 0;
}

static int check_tools(const char *source, const struct ds_source_options *options, char *why)
{
    const char *socket_path = behind(source, unix_prefix);
    const char *program = behind(source, program_prefix);
    if (!DS_WITH_tools)
        return refuse_left_out(why, "tools");
    if (options->side_given)
        return refuse(why, "-o side= is for local:FILE only; tools is always the guest side");
    if (socket_path && !*socket_path)
        return refuse(why, "tools:unix= needs the path of a socket");
    if (program && !*program)
        return refuse(why, "tools:vmtoolsd= needs the path of a program");
    if (socket_path || program || !strcmp(source, "tools") || !strcmp(source, "tools:vmtoolsd"))
        return 0;
    return refuse(why, "expected tools, tools:vmtoolsd, tools:vmtoolsd=PATH or tools:unix=PATH");
}

int ds_source_check(const char *source, const struct ds_source_options *options, char *why)
{
    if (options->machines)
        return refuse(why, "-o folder=, cluster=, datacenter=, power= and machines= are for "
                           "https://HOST and local:DIRECTORY/ only");
    if (is_url(source))
        return check_url(source, options, false, why);
    int err = check_no_url(options, why);
    if (err)
        return err;
    if (is_tools(source))
        return check_tools(source, options, why);
    if (!strncmp(source, local_prefix, LOCAL_PREFIX_BYTES)) {
        if (!DS_WITH_local)
            return refuse_left_out(why, "local:FILE");
        if (!source[LOCAL_PREFIX_BYTES])
            return refuse(why, "local: needs the name of the store file: local:FILE");
        return 0;
    }
    /* What looks like user:password@host is not repeated to whoever reads the log. */
    if (strchr(source, '@') || !ds_utf8_valid(source, strlen(source)))
        return refuse(why, "unknown SOURCE: expected tools, https://HOST/VM or local:FILE");
    return refuse(why,
                  "unknown SOURCE '%.70s': expected tools, https://HOST/VM or local:FILE, such as "
                  "local:/x.db",
                  source);
}

/* True for "https://HOST" with nothing behind, not even what would be wrong there. */
static bool is_server(const char *source)
{
    static const char scheme[] = "https://";
    return starts_with(source, scheme) &&
           !source[strcspn(source + strlen(scheme), "/?#") + strlen(scheme)];
}

/* DIRECTORY/, or NULL. */
static const char *directory_in(const char *source)
{
    const char *path = behind(source, local_prefix);
    return path && *path && path[strlen(path) - 1] == '/' ? path : NULL;
}

bool ds_inventory_is(const char *source)
{
    return is_server(source) || directory_in(source);
}

int ds_inventory_check(const char *source, const struct ds_source_options *options, char *why)
{
    const struct ds_machine_filter *filter = options->machines;
    struct ds_source_options others = *options;
    if (filter && directory_in(source) &&
        (filter->folders.count || filter->clusters.count || filter->datacenters.count ||
         filter->powers))
        return refuse(why,
                      "-o folder=, cluster=, datacenter= and power= are for https://HOST only: "
                      "a store file has none");
    if (is_server(source))
        return check_url(source, options, true, why);
    others.machines = NULL;
    return ds_source_check(source, &others, why);
}

/* The file name in `source`, or NULL if it has none. */
static const char *file_in(const char *source)
{
    static const char *const prefixes[] = {local_prefix, unix_prefix, program_prefix};
    const char *file = NULL;
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes && !file; i++)
        file = behind(source, prefixes[i]);
    return file;
}

int ds_source_absolute(const char *source, char **out)
{
    char *absolute = NULL;
    const char *file = file_in(source);
    char *name DS_AUTO_FREE = file ? ds_path_absolute(file) : NULL;
    if (file && !name)
        return errno ? -errno : -ENOMEM;
    if (!file)
        absolute = strdup(source);
    else if (asprintf(&absolute, "%.*s%s", (int)(file - source), source, name) < 0)
        absolute = NULL;
    if (!absolute)
        return -ENOMEM;
    *out = absolute;
    return 0;
}

/* The way that a SOURCE of the guest goes; `*path` is ds_tools_open()'s. */
static enum ds_tools_way way_of(const char *source, const char **path)
{
    *path = behind(source, unix_prefix);
    if (*path)
        return DS_TOOLS_WAY_UNIX;
    *path = behind(source, program_prefix);
    return strcmp(source, "tools") ? DS_TOOLS_WAY_PROGRAM : DS_TOOLS_WAY_HOST;
}

static int open_tools(const char *source, const struct ds_source_options *options,
                      struct ds_call *call, struct ds_client **out)
{
    const char *path;
    enum ds_tools_way way = way_of(source, &path);
    return ds_tools_open(way, path, options, call, out);
}

int ds_source_prepare(const char *source, const struct ds_source_options *options,
                      struct ds_confine *confine)
{
    const char *path;
    if (DS_WITH_rest && is_url(source))
        return ds_rest_prepare(options, confine);
    if (DS_WITH_tools && is_tools(source)) {
        enum ds_tools_way way = way_of(source, &path);
        return ds_tools_prepare(way, path, confine);
    }
    if (!DS_WITH_local)
        return -EINVAL;
    path = directory_in(source);
    if (path)
        return ds_directory_prepare(path, options->read_only, confine);
    return ds_local_prepare(source + LOCAL_PREFIX_BYTES, options->read_only, confine);
}

void ds_source_forget_environment(void)
{
    if (DS_WITH_rest)
        ds_credentials_wipe_environment();
}

int ds_source_open(const char *source, const struct ds_source_options *options,
                   struct ds_call *call, struct ds_client **out)
{
    char why[DS_WHY_BYTES];
    int err = ds_source_check(source, options, why);
    if (err)
        return ds_call_fail(call, err, "%s", why);
    if (DS_WITH_rest && is_url(source))
        return ds_rest_open(source, options, call, out);
    if (DS_WITH_tools && is_tools(source))
        return open_tools(source, options, call, out);
    if (!DS_WITH_local)
        return -EINVAL;
    return ds_local_open(source + LOCAL_PREFIX_BYTES, options->side, options->read_only, call, out);
}

int ds_inventory_open(const char *source, const struct ds_source_options *options,
                      struct ds_call *call, struct ds_inventory **out)
{
    char why[DS_WHY_BYTES];
    int err = ds_inventory_check(source, options, why);
    if (err)
        return ds_call_fail(call, err, "%s", why);
    if (DS_WITH_local && directory_in(source))
        return ds_directory_open(directory_in(source), options, call, out);
    if (DS_WITH_rest && is_server(source))
        return ds_server_open(source, options, call, out);
    return -EINVAL;
}

const char *ds_source_libraries(void)
{
    static char words[256];
    snprintf(words, sizeof words, "jansson %s%s%s%s%s", jansson_version_str(),
             DS_WITH_local ? ", " : "", DS_WITH_local ? ds_local_library() : "",
             DS_WITH_rest ? ", " : "", DS_WITH_rest ? ds_probe_library() : "");
    return words;
}

static void examine_tools(const char *source, const struct ds_source_options *options,
                          struct ds_report *report, struct ds_client **out)
{
    const char *path;
    enum ds_tools_way way = way_of(source, &path);
    ds_tools_examine(way, path, options, report, out);
}

void ds_source_examine(const char *source, const struct ds_source_options *options,
                       struct ds_report *report, struct ds_client **out)
{
    if (DS_WITH_rest && is_url(source))
        ds_rest_examine(source, options, report, out);
    else if (DS_WITH_tools && is_tools(source))
        examine_tools(source, options, report, out);
    else if (DS_WITH_local)
        ds_local_examine(source + LOCAL_PREFIX_BYTES, options, report, out);
}

void ds_inventory_examine(const char *source, const struct ds_source_options *options,
                          struct ds_report *report, struct ds_inventory **out)
{
    if (DS_WITH_local && directory_in(source))
        ds_directory_examine(directory_in(source), options, report, out);
    else if (DS_WITH_rest && is_server(source))
        ds_server_examine(source, options, report, out);
}
