/* The command line of a command. */
#include "arguments.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { WAIT_DEFAULT_MS = 300 * 1000, INTERVAL_DEFAULT_MS = 1000 };

static int set_text(void *to, const struct ds_option *option, const char *value)
{
    *(const char **)((char *)to + option->flag) = value;
    return 0;
}

static int set_wait(void *to, const struct ds_option *option, const char *value)
{
    struct ds_arguments *arguments = to;

    (void)option;
    return ds_option_seconds(value, 0, 31536000, &arguments->wait_ms);
}

static int set_interval(void *to, const struct ds_option *option, const char *value)
{
    struct ds_arguments *arguments = to;

    (void)option;
    return ds_option_seconds(value, 1, 86400, &arguments->interval_ms);
}

#define FLAG(member) .flag = offsetof(struct ds_arguments, member), .set = ds_option_set_flag
#define TEXT(member) .flag = offsetof(struct ds_arguments, member), .set = set_text

static const struct ds_option own[] = {
    {"json", FLAG(json)},
    {"null", FLAG(nul)},
    {"force", FLAG(force)},
    {"replace", FLAG(replace)},
    {"dry-run", FLAG(dry_run)},
    {"exists", FLAG(exists)},
    {"gone", FLAG(gone)},
    {"equals", "VALUE", TEXT(equals)},
    {"not-equals", "VALUE", TEXT(not_equals)},
    {"write", "DATASET", TEXT(write)},
    {"timeout", "SECONDS", "seconds from 0, which is for ever, to 31536000", .set = set_wait},
    {"interval", "SECONDS", "seconds from 1 to 86400", .set = set_interval},
    {.name = NULL},
};

struct parser {
    struct ds_arguments *arguments;
    const char **words; /* behind SOURCE */
    char *why;
};

static bool takes(const struct ds_verb *verb, const char *name, size_t len)
{
    const char *word = verb->takes;

    while (word != NULL && *word != '\0') {
        size_t length = strcspn(word, " ");

        if (length == len && strncmp(word, name, len) == 0)
            return true;
        word += length;
        word += strspn(word, " ");
    }
    return false;
}

static int refuse(const struct parser *parser, const char *what)
{
    const struct ds_verb *verb = parser->arguments->verb;

    return ds_option_refuse(parser->why, "%s: usage: datasetfs %s %s", what, verb->name,
                            verb->usage);
}

/* --NAME, --NAME=VALUE or --NAME and VALUE in the next argument. */
static int parse_long(struct parser *parser, const char *text, const char *next, bool *used_next)
{
    const struct ds_verb *verb = parser->arguments->verb;
    const struct ds_option *option = own;
    const char *equals = strchr(text, '=');
    size_t len = equals != NULL ? (size_t)(equals - text) : strlen(text);
    int err;

    if (len == strlen("help") && strncmp(text, "help", len) == 0 && equals == NULL) {
        parser->arguments->help = true;
        return 0;
    }
    if (!takes(verb, text, len))
        return refuse(parser, "unknown option");
    while (strncmp(option->name, text, len) != 0 || option->name[len] != '\0')
        option++;
    if (option->metavar == NULL)
        return equals == NULL ? option->set(parser->arguments, option, NULL)
                              : refuse(parser, "an option with a value that takes none");
    *used_next = equals == NULL;
    if (*used_next && next == NULL)
        return ds_option_refuse(parser->why, "option '--%s' needs a value: --%s %s", option->name,
                                option->name, option->metavar);
    err = option->set(parser->arguments, option, *used_next ? next : equals + 1);
    return err == -EINVAL ? ds_option_refuse(parser->why, "option '--%s': expected %s",
                                             option->name, option->expected)
                          : err;
}

static int parse_store_options(struct parser *parser, const char *list)
{
    const struct ds_option_table tables[] = {
        {ds_store_option, &parser->arguments->store},
        {ds_machine_option, &parser->arguments->store},
    };

    return ds_option_parse_list(tables, 1 + parser->arguments->verb->machines, list, parser->why);
}

static int parse_option(struct parser *parser, const char *argument, const char *next,
                        bool *used_next)
{
    if (argument[1] == '-')
        return parse_long(parser, argument + 2, next, used_next);
    if (argument[1] == 'o') {
        *used_next = argument[2] == '\0';
        if (*used_next && next == NULL)
            return ds_option_refuse(parser->why, "option '-o' needs a value: -o OPTION,...");
        return parse_store_options(parser, *used_next ? next : argument + 2);
    }
    if (strcmp(argument, "-0") == 0 && takes(parser->arguments->verb, "null", strlen("null"))) {
        parser->arguments->nul = true;
        return 0;
    }
    if (strcmp(argument, "-h") == 0) {
        parser->arguments->help = true;
        return 0;
    }
    return refuse(parser, "unknown option");
}

/* True if what comes next is a value, not an option. */
static bool is_at_value(const struct ds_arguments *arguments)
{
    return arguments->verb->value_last && !arguments->json && arguments->count >= 2;
}

static int parse_all(struct parser *parser, int argc, char *const argv[])
{
    struct ds_arguments *arguments = parser->arguments;
    bool ended = false;
    int err = 0;

    for (int i = 1; i < argc && err == 0 && !arguments->help; i++) {
        bool used_next = false;

        if (ended || is_at_value(arguments) || argv[i][0] != '-' || argv[i][1] == '\0') {
            if (arguments->source == NULL)
                arguments->source = argv[i];
            else
                parser->words[arguments->count++] = argv[i];
        } else if (strcmp(argv[i], "--") == 0) {
            ended = true;
        } else {
            err = parse_option(parser, argv[i], i + 1 < argc ? argv[i + 1] : NULL, &used_next);
        }
        if (used_next)
            i++;
    }
    return err;
}

/* Whether SOURCE is written correctly, and suits the command. */
static int check_source(const struct parser *parser)
{
    struct ds_arguments *arguments = parser->arguments;
    const struct ds_source_options *options = &arguments->store.source;
    char why[DS_WHY_BYTES] = "";
    int err;

    arguments->store.source.read_only = !arguments->verb->changes;
    arguments->inventory = ds_inventory_is(arguments->source);
    if (arguments->inventory &&
        (!arguments->verb->machines || arguments->count > 0 || arguments->write != NULL))
        return refuse(parser, "SOURCE is all machines: name one of them, https://HOST/VM or "
                              "local:DIRECTORY/VM.db");
    err = arguments->inventory ? ds_inventory_check(arguments->source, options, why)
                               : ds_source_check(arguments->source, options, why);
    return err == 0 ? 0 : ds_option_refuse(parser->why, "%s", why);
}

static int check(const struct parser *parser)
{
    struct ds_arguments *arguments = parser->arguments;
    const struct ds_verb *verb = arguments->verb;

    if (arguments->source == NULL)
        return refuse(parser, "missing SOURCE");
    if (arguments->count < verb->least)
        return refuse(parser, arguments->count == 0   ? "missing DATASET"
                              : arguments->count == 1 ? "missing KEY"
                                                      : "missing VALUE");
    if (arguments->count > verb->most)
        return refuse(parser, "too many arguments");
    if (arguments->json && arguments->nul)
        return refuse(parser, "--json and -0 exclude each other");
    if (verb->fault != NULL && verb->fault(arguments) != NULL)
        return refuse(parser, verb->fault(arguments));
    if (verb->takes_path && arguments->count == 0)
        return 0;
    return check_source(parser);
}

int ds_arguments_parse(struct ds_arguments *arguments, const struct ds_verb *verb, int argc,
                       char *const argv[], char *why)
{
    struct parser parser = {.arguments = arguments, .why = why};
    int err;

    *arguments = (struct ds_arguments){.verb = verb,
                                       .store = ds_store_options_default(),
                                       .wait_ms = WAIT_DEFAULT_MS,
                                       .interval_ms = INTERVAL_DEFAULT_MS};
    *why = '\0';
    parser.words = calloc((size_t)argc, sizeof(*parser.words));
    arguments->words = (char *const *)parser.words;
    if (parser.words == NULL)
        return -ENOMEM;
    err = parse_all(&parser, argc, argv);
    return err == 0 && !arguments->help ? check(&parser) : err;
}

void ds_arguments_clear(struct ds_arguments *arguments)
{
    free((void *)arguments->words);
    ds_store_options_clear(&arguments->store);
    *arguments = (struct ds_arguments){0};
}
