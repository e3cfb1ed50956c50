/* The command line. Pure, but for asking who the caller is. */
#include "command_line.h"

#include "option_kernel.h"
#include "option_own.h"
#include "utf8.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { SHOWN_MAX_BYTES = 80 /* of a wrong value, in a message */ };

/* How many bytes of a wrong value or argument a message may show; 0 if it looks like credentials.
 */
static int shown_bytes(const char *value)
{
    if (strchr(value, '@'))
        return 0;
    return (int)ds_utf8_prefix(value, strnlen(value, SHOWN_MAX_BYTES), NULL);
}

/* Names an unknown option, unless it does not look like the name of one. */
static int refuse_unknown(char *why, const char *word)
{
    size_t len = strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.");
    if (!len || len > SHOWN_MAX_BYTES || strchr(word, '@') || (word[len] && word[len] != '='))
        return fs_option_refuse(why, "unknown option (see datasetfs -h)");
    return fs_option_refuse(why, "unknown option '%.*s' (see datasetfs -h)", (int)len, word);
}

/* Says what is wrong with the value of a known option. */
static int refuse_value(char *why, const struct fs_option *option, const char *value)
{
    int shown = shown_bytes(value);
    return fs_option_refuse(why, "option '%s%s%.*s': expected %s", option->name, shown ? "=" : "",
                            shown, value, option->expected);
}

/* The option of that name, or NULL. */
static const struct fs_option *find(const char *name)
{
    const struct fs_option *option = fs_option_in(fs_option_own, name);
    return option ? option : fs_option_in(fs_option_kernel, name);
}

/* One word of -o, which may be changed. */
static int parse_word(struct fs_option_parser *parser, char *word)
{
    if (!strncasecmp(word, "x-", 2))
        return 0;
    char *equals = strchr(word, '=');
    char *value = equals ? equals + 1 : NULL;
    if (equals)
        *equals = '\0';
    const struct fs_option *option = find(word);
    if (!option)
        return refuse_unknown(parser->why, word);
    if (value && !option->metavar)
        return fs_option_refuse(parser->why, "option '%s' takes no value", option->name);
    if (!value && option->metavar && !option->value_optional)
        return fs_option_refuse(parser->why, "option '%s' needs a value: %s", option->name,
                                option->expected);
    int err = option->set(parser, option, value);
    if (err == -EINVAL && !*parser->why)
        refuse_value(parser->why, option, value);
    return err;
}

/* Cuts the next word off `*rest`, undoing the escapes in place. */
static char *next_word(char **rest)
{
    char *word = *rest;
    char *in = word;
    char *out = word;
    while (*in && *in != ',') {
        if (*in == '\\' && (in[1] == ',' || in[1] == '\\'))
            in++;
        *out++ = *in++;
    }
    *rest = *in ? in + 1 : in;
    *out = '\0';
    return word;
}

static int parse_list(struct fs_option_parser *parser, const char *list)
{
    char *copy = strdup(list);
    if (!copy)
        return -ENOMEM;
    int err = 0;
    char *rest = copy;
    while (*rest && !err) {
        char *word = next_word(&rest);
        if (*word)
            err = parse_word(parser, word);
    }
    free(copy);
    return err;
}

static int parse_argument(struct fs_option_parser *parser, const char *argument)
{
    struct fs_options *options = parser->options;
    char **place = !options->source ? &options->source : &options->mountpoint;
    if (*place) {
        int shown = shown_bytes(argument);
        return fs_option_refuse(parser->why, "unexpected argument%s%.*s%s: usage: " FS_OPTION_USAGE,
                                shown ? " '" : "", shown, argument, shown ? "'" : "");
    }
    *place = strdup(argument);
    return *place ? 0 : -ENOMEM;
}

/* Short flags in one argument, such as "-fd" or "-oro". `next` is the argument behind it, NULL if
 * there is none. True in `*used_next` if it belonged to -o. */
static int parse_flags(struct fs_option_parser *parser, const char *flags, const char *next,
                       bool *used_next)
{
    for (; *flags; flags++) {
        switch (*flags) {
        case 'd':
            parser->options->debug = true;
            parser->options->foreground = true;
            break;
        case 'f':
            parser->options->foreground = true;
            break;
        case 'h':
            parser->options->help = true;
            break;
        case 'V':
            parser->options->version = true;
            break;
        case 'o':
            *used_next = !flags[1];
            if (*used_next && !next)
                return fs_option_refuse(parser->why, "option '-o' needs a value: -o OPTION,...");
            return parse_list(parser, *used_next ? next : flags + 1);
        default:
            return refuse_unknown(parser->why, (char[]){'-', *flags, '\0'});
        }
    }
    return 0;
}

static int parse_long(struct fs_option_parser *parser, const char *argument)
{
    if (!strcmp(argument, "--help"))
        parser->options->help = true;
    else if (!strcmp(argument, "--version"))
        parser->options->version = true;
    else
        return refuse_unknown(parser->why, argument);
    return 0;
}

static int parse_arguments(struct fs_option_parser *parser, int argc, char *const argv[])
{
    int err = 0;
    bool options_ended = false;
    for (int i = 1; i < argc && !err && !parser->options->help && !parser->options->version; i++) {
        bool used_next = false;
        if (options_ended || argv[i][0] != '-' || !argv[i][1])
            err = parse_argument(parser, argv[i]);
        else if (!strcmp(argv[i], "--"))
            options_ended = true;
        else if (argv[i][1] == '-')
            err = parse_long(parser, argv[i]);
        else
            err = parse_flags(parser, argv[i] + 1, i + 1 < argc ? argv[i + 1] : NULL, &used_next);
        if (used_next)
            i++;
    }
    return err;
}

static int check(const struct fs_option_parser *parser)
{
    const struct fs_options *options = parser->options;
    if (!options->mountpoint)
        return fs_option_refuse(parser->why, "missing %sMOUNTPOINT: usage: " FS_OPTION_USAGE,
                                options->source ? "" : "SOURCE and ");
    if (!*options->mountpoint)
        return fs_option_refuse(parser->why, "MOUNTPOINT is empty: usage: " FS_OPTION_USAGE);
    if (options->allow_other && parser->allow_root)
        return fs_option_refuse(parser->why,
                                "options 'allow_other' and 'allow_root' exclude each other");

    char why[DS_WHY_BYTES] = "";
    int err = ds_source_check(options->source, &options->source_options, why);
    return err ? fs_option_refuse(parser->why, "%s", why) : 0;
}

/* Fills in what was not given. 0 or -ENOMEM. */
static int complete(const struct fs_option_parser *parser)
{
    struct fs_options *options = parser->options;
    options->source_options.read_only = options->read_only;
    if (!options->defaults.description)
        options->defaults.description = strdup("");
    if (asprintf(&options->kernel_options, "%s%snosuid,nodev,noexec",
                 options->read_only ? "ro," : "",
                 parser->kernel.data ? parser->kernel.data : "") < 0)
        options->kernel_options = NULL;
    return options->defaults.description && options->kernel_options ? 0 : -ENOMEM;
}

int fs_command_line_parse(struct fs_options *options, int argc, char *const argv[], char *why)
{
    struct fs_option_parser parser = {.options = options, .why = why};
    *why = '\0';
    *options = (struct fs_options){
        .source_options.side = DS_SIDE_HOST,
        .uid = getuid(),
        .gid = getgid(),
        .umask = FS_UMASK_DEFAULT,
        .timeout_ms = 10000,
        .cache_bytes = 16 << 20,
        .scratch_delay_ms = 10000,
        .readahead = FS_READAHEAD_MAX,
        .max_threads = 32,
        .defaults = {.host = DS_ACCESS_READ_WRITE,
                     .guest = DS_ACCESS_READ_WRITE,
                     .omit_from_snapshot_and_clone = DS_FLAG_OFF},
    };
    int err = parse_arguments(&parser, argc, argv);
    bool help = options->help;
    bool version = options->version;
    if (!err && !help && !version)
        err = check(&parser);
    if (!err && !help && !version)
        err = complete(&parser);
    ds_buf_free(&parser.kernel);
    if (err || help || version)
        fs_options_clear(options);
    if (!err) {
        options->help = help;
        options->version = version;
    }
    return err;
}
