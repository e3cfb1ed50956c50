/* The command line. Pure, but for asking who the caller is. */
#include "command_line.h"

#include "inventory.h"
#include "option_kernel.h"
#include "option_own.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct parser {
    struct fs_options *options;
    struct fs_option_words kernel;
    bool sloppy; /* unknown options are dropped */
    char *why;   /* DS_OPTION_WHY_BYTES */
};

static int parse_list(struct parser *parser, const char *list)
{
    const struct ds_option_table tables[] = {
        {fs_option_own, parser->options},
        {ds_store_option, &parser->options->store},
        {ds_machine_option, &parser->options->store},
        {fs_option_kernel, &parser->kernel},
    };
    return (parser->sloppy ? ds_option_parse_known : ds_option_parse_list)(
        tables, sizeof tables / sizeof *tables, list, parser->why);
}

static int parse_argument(struct parser *parser, const char *argument)
{
    struct fs_options *options = parser->options;
    char **place = !options->source ? &options->source : &options->mountpoint;
    if (*place) {
        int shown = ds_option_shown_bytes(argument);
        return ds_option_refuse(parser->why, "unexpected argument%s%.*s%s: usage: " FS_USAGE,
                                shown ? " '" : "", shown, argument, shown ? "'" : "");
    }
    *place = strdup(argument);
    return *place ? 0 : -ENOMEM;
}

/* Short flags in one argument, such as "-fd" or "-oro". `next` is the argument behind it, NULL if
 * there is none. True in `*used_next` if it belonged to -o. */
static int parse_flags(struct parser *parser, const char *flags, const char *next, bool *used_next)
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
                return ds_option_refuse(parser->why, "option '-o' needs a value: -o OPTION,...");
            return parse_list(parser, *used_next ? next : flags + 1);
        default:
            return ds_option_refuse_unknown(parser->why, (char[]){'-', *flags, '\0'});
        }
    }
    return 0;
}

static int parse_long(struct parser *parser, const char *argument)
{
    if (!strcmp(argument, "--help"))
        parser->options->help = true;
    else if (!strcmp(argument, "--version"))
        parser->options->version = true;
    else
        return ds_option_refuse_unknown(parser->why, argument);
    return 0;
}

static int parse_arguments(struct parser *parser, int argc, char *const argv[])
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

static int check(const struct parser *parser)
{
    const struct fs_options *options = parser->options;
    if (!options->mountpoint)
        return ds_option_refuse(parser->why, "missing %sMOUNTPOINT: usage: " FS_USAGE,
                                options->source ? "" : "SOURCE and ");
    if (!*options->mountpoint)
        return ds_option_refuse(parser->why, "MOUNTPOINT is empty: usage: " FS_USAGE);
    if (parser->kernel.allow_other && parser->kernel.allow_root)
        return ds_option_refuse(parser->why,
                                "options 'allow_other' and 'allow_root' exclude each other");

    char why[DS_WHY_BYTES] = "";
    int err = ds_inventory_is(options->source)
                  ? ds_inventory_check(options->source, &options->store.source, why)
                  : ds_source_check(options->source, &options->store.source, why);
    return err ? ds_option_refuse(parser->why, "%s", why) : 0;
}

/* Of DataSets to be made. Without a description when there is no memory. */
static void complete_attributes(struct ds_attributes *attributes)
{
    if (!attributes->description)
        attributes->description = strdup("");
    if (attributes->host == DS_ACCESS_UNKNOWN)
        attributes->host = DS_ACCESS_READ_WRITE;
    if (attributes->guest == DS_ACCESS_UNKNOWN)
        attributes->guest = DS_ACCESS_READ_WRITE;
    if (attributes->omit_from_snapshot_and_clone == DS_FLAG_UNKNOWN)
        attributes->omit_from_snapshot_and_clone = DS_FLAG_OFF;
}

/* Fills in what was not given. 0 or -ENOMEM. */
static int complete(const struct parser *parser)
{
    struct fs_options *options = parser->options;
    options->allow_other = parser->kernel.allow_other;
    options->store.source.read_only = options->read_only;
    complete_attributes(&options->store.attributes);
    if (asprintf(&options->kernel_options, "%s%snosuid,nodev,noexec",
                 options->read_only ? "ro," : "",
                 parser->kernel.words.data ? parser->kernel.words.data : "") < 0)
        options->kernel_options = NULL;
    return options->store.attributes.description && options->kernel_options ? 0 : -ENOMEM;
}

static int parse(struct fs_options *options, int argc, char *const argv[], bool sloppy, char *why)
{
    struct parser parser = {.options = options, .sloppy = sloppy, .why = why};
    *why = '\0';
    *options = (struct fs_options){
        .store = ds_store_options_default(),
        .uid = getuid(),
        .gid = getgid(),
        .umask = FS_UMASK_DEFAULT,
        .cache_bytes = 16 << 20,
        .scratch_delay_ms = 10000,
        .readahead = FS_READAHEAD_MAX,
        .max_threads = 32,
    };
    int err = parse_arguments(&parser, argc, argv);
    bool help = options->help;
    bool version = options->version;
    if (!err && !help && !version)
        err = check(&parser);
    if (!err && !help && !version)
        err = complete(&parser);
    ds_buf_free(&parser.kernel.words);
    if (err || help || version)
        fs_options_clear(options);
    if (!err) {
        options->help = help;
        options->version = version;
    }
    return err;
}

int fs_command_line_parse(struct fs_options *options, int argc, char *const argv[], char *why)
{
    return parse(options, argc, argv, false, why);
}

int fs_command_line_parse_sloppy(struct fs_options *options, int argc, char *const argv[],
                                 char *why)
{
    return parse(options, argc, argv, true, why);
}
