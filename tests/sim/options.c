#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATUS_USAGE 2

static const char usage[] =
    "usage: datasets-sim --store FILE --rpc unix:PATH [OPTION...]\n"
    "       datasets-sim --https 127.0.0.1:PORT --cert FILE --key FILE --user NAME\n"
    "                    --password-file FILE --vm ID=NAME=FILE [OPTION...]\n"
    "Serves the store's DataSets as an ESX host does over the tools channel, or those of virtual\n"
    "machines as a vCenter does over REST, or both, until SIGTERM.\n"
    "\n"
    "  --store FILE          the store of 'datasetfs local:FILE', made if missing\n"
    "  --rpc unix:PATH       where to listen, mode 0600\n"
    "  --control unix:PATH   where to take lines: 'fault SPEC', 'clear', 'fired' (how often\n"
    "                        faults have struck), 'cuts' (how often a connection\n"
    "                        was ended by one of cut-…), 'expire' (ends all sessions), 'sessions' "
    "(how\n"
    "                        many there are), 'most' (how many requests of REST were under\n"
    "                        way at once since that was asked last), 'token' (of the last\n"
    "                        login), 'state VM STATE', 'destroy VM DATASET'; 'add ID=NAME=FILE', "
    "'rename VM NAME', 'move\n"
    "                        VM HOST|FOLDER', 'id NAME', 'place KIND=ID=NAME=PARENT', 'hide ID';\n"
    "                        'after COMMAND N LINE' (does that behind the Nth request of the\n"
    "                        command from now on, before its answer); answers 'ok', 'ok WORD' or\n"
    "                        'error WORDS'\n"
    "  --log FILE            append one line per request\n"
    "  --ready-fd N          write 'ready' there when listening\n"
    "  -h, --help            this text\n"
    "\n"
    "What the channel leaves open; the first word is the default:\n"
    "  --failure json|rpc|rpc-json\n"
    "                        1 {\"result\":false,...}, 0 ID: TEXT, 0 {\"result\":false,...}\n"
    "  --missing omit|error  a get of a missing key\n"
    "  --not-found ID,TEXT   error-id and error-message of what is missing; --missing error\n"
    "  --access-spelling host|host-access|host_access|hostAccess\n"
    "  --access-nested       the access stands in an object of its own\n"
    "  --access-none         a query does not tell the access\n"
    "  --entries property|keyvalue\n"
    "                        {KEY:VALUE}, {\"key\":KEY,\"value\":VALUE}\n"
    "  --raw-control         leave most control characters unescaped\n"
    "  --page BYTES          of a reply's text (1048576)\n"
    "\n";

static const char usage_of_faults[] =
    "\n"
    "  --fault SPEC          KIND[:command=NAME][:vm=ID][:count=N][:skip=N], repeatable; of\n"
    "                        several that match the first strikes. NAME is a command's, such as\n"
    "                        datasets-set-entry, or rest- and login, logout, vms, vm,\n"
    "                        datacenters, clusters, hosts, folders, list, create, query, update,\n"
    "                        destroy, list-keys, get, set or remove; N requests are struck (all),\n"
    "                        after sparing N (0)\n"
    "    delay=MS            the reply waits\n"
    "    close               no reply, the connection is closed\n"
    "    never-reply         no reply, the connection stays open\n"
    "    delay-before=MS, close-before, never-reply-before\n"
    "                        the same before the request is carried out\n"
    "    drop-after=BYTES    close after so much of the reply\n"
    "    drop-request-after=BYTES\n"
    "                        close after so much of the request; with command=, not before the\n"
    "                        command is seen (96 bytes, or the whole request); channel only\n"
    "    garbage             bytes that are no packet, then close; REST: 200 and a page of HTML,\n"
    "                        not carried out\n"
    "    truncate            a packet, or a body, whose text is cut in half\n"
    "    reset-on-connect    close at once\n"
    "    busy                error-id resource-busy, RESOURCE_BUSY; not carried out\n"
    "    error=ID            a failure with this error-id or error_type; not carried out\n"
    "    rpc-error=TEXT      the reply '0 TEXT'; not carried out; channel only\n"
    "    say=FILE            the reply in FILE, byte for byte, beginning with '1 ' or '0 ', or "
    "for\n"
    "                        REST with a line 'STATUS TYPE' before the body; not carried out\n"
    "    say-after=FILE      the same, carried out\n"
    "    slow=MS             a pause before each byte of the reply, REST: of its body\n"
    "    one-request         a connection serves one request and closes when another comes;\n"
    "                        channel only\n"
    "  REST only, the first four not carried out:\n"
    "    status=NUMBER       this status without a body\n"
    "    retry-after=SECONDS 503 with this header\n"
    "    redirect=PATH       302 to there\n"
    "    huge=BYTES          200 and a JSON string of so many letters\n"
    "    status-after=NUMBER this status without a body, though it was carried out\n"
    "    header=BYTES        one more header of this length\n"
    "    cut-head=BYTES      close after so much of the reply, status line and headers included,\n"
    "                        if these are longer\n"
    "    cut-connection=BYTES\n"
    "                        each new connection ends after so many bytes of TLS from here, and\n"
    "                        those that there are at once\n";

enum {
    OPTION_STORE = 256,
    OPTION_RPC,
    OPTION_CONTROL,
    OPTION_LOG,
    OPTION_READY_FD,
    OPTION_FAILURE,
    OPTION_MISSING,
    OPTION_ACCESS_SPELLING,
    OPTION_ACCESS_NESTED,
    OPTION_ACCESS_NONE,
    OPTION_ENTRIES,
    OPTION_RAW_CONTROL,
    OPTION_PAGE,
    OPTION_NOT_FOUND,
    OPTION_FAULT
};

static const struct option own[] = {
    {"store", required_argument, NULL, OPTION_STORE},
    {"rpc", required_argument, NULL, OPTION_RPC},
    {"control", required_argument, NULL, OPTION_CONTROL},
    {"log", required_argument, NULL, OPTION_LOG},
    {"ready-fd", required_argument, NULL, OPTION_READY_FD},
    {"failure", required_argument, NULL, OPTION_FAILURE},
    {"missing", required_argument, NULL, OPTION_MISSING},
    {"not-found", required_argument, NULL, OPTION_NOT_FOUND},
    {"access-spelling", required_argument, NULL, OPTION_ACCESS_SPELLING},
    {"access-nested", no_argument, NULL, OPTION_ACCESS_NESTED},
    {"access-none", no_argument, NULL, OPTION_ACCESS_NONE},
    {"entries", required_argument, NULL, OPTION_ENTRIES},
    {"raw-control", no_argument, NULL, OPTION_RAW_CONTROL},
    {"page", required_argument, NULL, OPTION_PAGE},
    {"fault", required_argument, NULL, OPTION_FAULT},
    {"help", no_argument, NULL, 'h'},
};

#define OPTIONS_MAX 64

/* The position of `word` among `words`, which NULL ends; -1 if it is not there. */
static int choose(const char *word, const char *const *words)
{
    for (int i = 0; words[i]; i++) {
        if (!strcmp(words[i], word))
            return i;
    }
    return -1;
}

static bool parse_path(const char *word, const char **out)
{
    if (strncmp(word, "unix:", 5) != 0 || !word[5])
        return false;
    *out = word + 5;
    return true;
}

static int parse_number(const char *word, size_t max, size_t *out)
{
    if (!*word || strspn(word, "0123456789") != strlen(word))
        return -EINVAL;
    *out = strlen(word) <= 9 ? strtoull(word, NULL, 10) : max + 1;
    return *out <= max ? 0 : -ERANGE;
}

static bool parse_failure(const char *word, struct sim_shape *shape)
{
    static const char *const words[] = {"json", "rpc", "rpc-json", NULL};
    int chosen = choose(word, words);
    shape->failure = (enum sim_failure)chosen;
    return chosen >= 0;
}

static bool parse_access_spelling(const char *word, struct sim_shape *shape)
{
    static const char *const words[] = {"host", "host-access", "host_access", "hostAccess", NULL};
    if (choose(word, words) < 0)
        return false;
    shape->access_infix = word + strlen("host");
    return true;
}

static bool parse_switch(const char *word, const char *off, const char *on, bool *out)
{
    const char *const words[] = {off, on, NULL};
    int chosen = choose(word, words);
    *out = chosen == 1;
    return chosen >= 0;
}

/* The options that take no number and no fault. False if the argument is wrong. */
static bool take_plain(int option, const char *argument, struct sim_options *out)
{
    switch (option) {
    case OPTION_STORE:
        out->store = argument;
        return *argument != '\0';
    case OPTION_RPC:
        return parse_path(argument, &out->rpc_path);
    case OPTION_CONTROL:
        return parse_path(argument, &out->control_path);
    case OPTION_LOG:
        out->log = argument;
        return true;
    case OPTION_FAILURE:
        return parse_failure(argument, &out->shape);
    case OPTION_MISSING:
        return parse_switch(argument, "omit", "error", &out->shape.missing_is_error);
    case OPTION_NOT_FOUND:
        out->shape.not_found = argument;
        return out->shape.missing_is_error = true;
    case OPTION_ACCESS_SPELLING:
        return parse_access_spelling(argument, &out->shape);
    case OPTION_ACCESS_NESTED:
        return out->shape.access_nested = true;
    case OPTION_ACCESS_NONE:
        return out->shape.access_none = true;
    case OPTION_ENTRIES:
        return parse_switch(argument, "property", "keyvalue", &out->shape.entries_key_value);
    default:
        return out->shape.raw_control = true;
    }
}

/* 0, or a negative errno if the option's argument is wrong. */
static int take(int option, const char *argument, struct sim_faults *faults,
                struct sim_options *out)
{
    size_t number = 0;
    int err;
    switch (option) {
    case OPTION_READY_FD:
        err = parse_number(argument, 1 << 20, &number);
        out->ready_fd = (int)number;
        return err;
    case OPTION_PAGE:
        return parse_number(argument, (size_t)1 << 22, &out->shape.page_bytes);
    case OPTION_FAULT:
        return sim_faults_add(faults, argument);
    default:
        return take_plain(option, argument, out) ? 0 : -EINVAL;
    }
}

/* All that -h says; the exit status. */
static int print_help(void)
{
    if (printf("%s%s%s", usage, sim_rest_options_usage, usage_of_faults) > 0 && fflush(stdout) == 0)
        return EXIT_SUCCESS;
    perror("datasets-sim: standard output");
    return EXIT_FAILURE;
}

/* The rows of all options, and an empty one. */
static void collect(struct option all[OPTIONS_MAX])
{
    size_t more = 0;
    size_t count = sizeof own / sizeof *own;
    const struct option *rest = sim_rest_options_table(&more);
    if (count + more >= OPTIONS_MAX)
        abort();
    memcpy(all, own, sizeof own);
    memcpy(all + count, rest, more * sizeof *rest);
    all[count + more] = (struct option){0};
}

int sim_options_parse(int argc, char **argv, struct sim_faults *faults, struct sim_vms *vms,
                      struct sim_options *out)
{
    struct option all[OPTIONS_MAX];
    int index = 0;
    collect(all);
    *out = (struct sim_options){
        .ready_fd = -1, .shape = sim_shape_default, .rest = {.shape = sim_rest_shape_default}};
    for (int option; (option = getopt_long(argc, argv, "h", all, &index)) != -1;) {
        if (option == 'h') {
            return print_help();
        }
        if (option == '?')
            return STATUS_USAGE;
        int err = option == 'r' ? sim_rest_options_take(all[index].name, optarg, vms, &out->rest)
                                : take(option, optarg, faults, out);
        if (err) {
            fprintf(stderr, "datasets-sim: --%s cannot be '%s': %s\n", all[index].name, optarg,
                    strerror(-err));
            return STATUS_USAGE;
        }
    }
    bool good = optind == argc && (out->rest.given || out->rpc_path);
    if (good && (out->store || !out->rpc_path))
        return !out->rest.given || sim_rest_options_finish(&out->rest, out->store, vms)
                   ? -1
                   : STATUS_USAGE;
    fputs("datasets-sim: expected --store FILE --rpc unix:PATH or --https (-h shows all)\n",
          stderr);
    return STATUS_USAGE;
}
