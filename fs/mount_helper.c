/* The program as mount(8)'s helper: its flags, made into the command line of datasetfs. */
#include "mount_helper.h"

#include "cleanup.h"
#include "command_line.h"
#include "option.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define USAGE "mount.datasetfs SOURCE DIR [-sfnv] [-N NAMESPACE] [-o OPTION,...] [-t datasetfs]"

struct helper {
    char **words; /* of the command line that it becomes: options, "--", arguments; borrowed */
    int options;  /* how many of the words are options */
    const char *arguments[3]; /* SOURCE, DIR, and one too many, which the command line refuses */
    int argument_count;
    const char *name_space;
    bool check_only, sloppy, verbose;
    char *why;
};

bool fs_mount_helper_called(const char *name)
{
    const char *slash = name ? strrchr(name, '/') : NULL;
    return name && !strcmp(slash ? slash + 1 : name, "mount.datasetfs");
}

static void add_option(struct helper *helper, const char *word)
{
    helper->words[helper->options++] = (char *)word; /* read only, as argv is */
}

static int take_type(struct helper *helper, const char *type)
{
    if (!strcmp(type, "datasetfs") || !strcmp(type, "fuse.datasetfs"))
        return 0;
    return ds_option_refuse(helper->why,
                            "option '-t': expected the type datasetfs or fuse.datasetfs");
}

/* A flag that has a value: the rest of its argument, or the next one. */
static int take_value(struct helper *helper, char flag, const char *value)
{
    if (!value)
        return ds_option_refuse(helper->why, "option '-%c' needs a value: usage: " USAGE, flag);
    if (flag == 't')
        return take_type(helper, value);
    if (flag == 'N') {
        helper->name_space = value;
        return 0;
    }
    add_option(helper, "-o");
    add_option(helper, value);
    return 0;
}

/* The flags of one argument. True in `*used_next` if `next` was the value of the last of them. */
static int take_flags(struct helper *helper, const char *flags, const char *next, bool *used_next)
{
    for (; *flags; flags++) {
        switch (*flags) {
        case 's':
            helper->sloppy = true;
            break;
        case 'f':
            helper->check_only = true;
            break;
        case 'n':
            break;
        case 'v':
            helper->verbose = true;
            break;
        case 'h':
            add_option(helper, "-h");
            break;
        case 'V':
            add_option(helper, "-V");
            break;
        case 'N':
        case 'o':
        case 't':
            *used_next = !flags[1];
            return take_value(helper, *flags, *used_next ? next : flags + 1);
        default:
            return ds_option_refuse(helper->why, "unknown flag: usage: " USAGE);
        }
    }
    return 0;
}

static void take_argument(struct helper *helper, const char *argument)
{
    if (helper->argument_count < 3)
        helper->arguments[helper->argument_count++] = argument;
}

static int take_all(struct helper *helper, int argc, char *const argv[])
{
    int err = 0;
    bool flags_ended = false;
    for (int i = 1; i < argc && !err; i++) {
        bool used_next = false;
        if (flags_ended || argv[i][0] != '-' || !argv[i][1])
            take_argument(helper, argv[i]);
        else if (!strcmp(argv[i], "--"))
            flags_ended = true;
        else if (argv[i][1] == '-')
            add_option(helper, argv[i]);
        else
            err = take_flags(helper, argv[i] + 1, argv[i + 1], &used_next);
        if (used_next)
            i++;
    }
    return err;
}

/* What the command line of datasetfs has no word for. 0 or -ENOMEM. */
static int set_rest(const struct helper *helper, struct fs_options *options)
{
    options->check_only = helper->check_only;
    options->verbose = helper->verbose;
    if (!helper->name_space)
        return 0;
    options->name_space = strdup(helper->name_space);
    return options->name_space ? 0 : -ENOMEM;
}

int fs_mount_helper_parse(struct fs_options *options, int argc, char *const argv[], char *why)
{
    /* At most two words for each letter of an argument, and what stands between and behind. */
    size_t room = 8;
    for (int i = 1; i < argc; i++)
        room += 2 * strlen(argv[i]) + 2;
    char **words DS_AUTO_FREE = calloc(room, sizeof *words);
    struct helper helper = {.words = words, .why = why};
    *why = '\0';
    *options = (struct fs_options){0};
    if (!words)
        return -ENOMEM;
    add_option(&helper, "mount.datasetfs");
    int err = take_all(&helper, argc, argv);
    if (err)
        return err;
    int count = helper.options;
    words[count++] = (char[]){"--"};
    for (int i = 0; i < helper.argument_count; i++)
        words[count++] = (char *)helper.arguments[i];
    err = helper.sloppy ? fs_command_line_parse_sloppy(options, count, words, why)
                        : fs_command_line_parse(options, count, words, why);
    if (!err)
        err = set_rest(&helper, options);
    if (err)
        fs_options_clear(options);
    return err;
}
