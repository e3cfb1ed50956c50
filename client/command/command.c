/* The commands, and how each is run. */
#include "command.h"

#include "log.h"
#include "verbs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define OPTIONS "[-o OPTION,...] [--] "

static const struct ds_verb verbs[] = {
    {.name = "ls",
     .usage = "[--json|-0] " OPTIONS "SOURCE [DATASET]",
     .help = "names of DataSets, or keys of one, or machines",
     .takes = "json null",
     .most = 1,
     .machines = true,
     .run = ds_ls_run},
    {.name = "info",
     .usage = OPTIONS "SOURCE [DATASET...]",
     .help = "attributes as JSON",
     .most = DS_WORDS_ANY,
     .machines = true,
     .run = ds_info_run},
    {.name = "get",
     .usage = "[--json|-0] " OPTIONS "SOURCE DATASET KEY...",
     .help = "a value; --json or -0: several, or all",
     .takes = "json null",
     .least = 1,
     .most = DS_WORDS_ANY,
     .fault = ds_get_fault,
     .run = ds_get_run},
    {.name = "set",
     .usage = OPTIONS "SOURCE DATASET KEY VALUE|-, or --json SOURCE DATASET",
     .help = "sets a value, or all of an object",
     .takes = "json",
     .least = 1,
     .most = 3,
     .value_last = true,
     .changes = true,
     .fault = ds_set_fault,
     .run = ds_set_run},
    {.name = "append",
     .usage = OPTIONS "SOURCE DATASET KEY VALUE|-",
     .help = "adds to the end of a value",
     .least = 3,
     .most = 3,
     .value_last = true,
     .changes = true,
     .run = ds_append_run},
    {.name = "rm",
     .usage = OPTIONS "SOURCE DATASET KEY...",
     .help = "removes keys",
     .least = 2,
     .most = DS_WORDS_ANY,
     .changes = true,
     .run = ds_rm_run},
    {.name = "create",
     .usage = OPTIONS "SOURCE DATASET",
     .help = "makes a DataSet, as -o host_access=,... say",
     .least = 1,
     .most = 1,
     .changes = true,
     .run = ds_create_run},
    {.name = "update",
     .usage = OPTIONS "SOURCE DATASET",
     .help = "changes what -o host_access=,... say",
     .least = 1,
     .most = 1,
     .changes = true,
     .fault = ds_update_fault,
     .run = ds_update_run},
    {.name = "delete",
     .usage = "[--force] " OPTIONS "SOURCE DATASET",
     .help = "deletes one; --force: with its entries",
     .takes = "force",
     .least = 1,
     .most = 1,
     .changes = true,
     .run = ds_delete_run},
    {.name = "export",
     .usage = OPTIONS "SOURCE [DATASET...]",
     .help = "DataSets with their entries as JSON",
     .most = DS_WORDS_ANY,
     .run = ds_export_run},
    {.name = "import",
     .usage = "[--replace] [--dry-run] " OPTIONS "SOURCE [FILE]",
     .help = "makes what export has printed",
     .takes = "replace dry-run",
     .most = 1,
     .changes = true,
     .run = ds_import_run},
    {.name = "wait",
     .usage =
         "[--equals VALUE|--not-equals VALUE|--exists|--gone] [--timeout S] [--interval S] " OPTIONS
         "SOURCE DATASET KEY, or PATH",
     .help = "until a key is there, or has a value",
     .takes = "equals not-equals exists gone timeout interval",
     .most = 2,
     .alone = true,
     .takes_path = true,
     .fault = ds_wait_fault,
     .run = ds_wait_run},
    {.name = "doctor",
     .usage = "[--write DATASET] " OPTIONS "SOURCE",
     .help = "looks at all that SOURCE needs; says what to do",
     .takes = "write",
     .alone = true,
     .machines = true,
     .run = ds_doctor_run},
};

enum { VERBS = sizeof verbs / sizeof *verbs };

static const struct ds_verb *find(const char *word)
{
    for (size_t i = 0; i < VERBS; i++)
        if (strcmp(verbs[i].name, word) == 0)
            return &verbs[i];
    return NULL;
}

bool ds_command_is(const char *word)
{
    return find(word) != NULL;
}

const char *ds_command_help(void)
{
    static char help[1024];
    size_t len = 0;

    for (size_t i = 0; i < VERBS && len < sizeof help; i++)
        len += (size_t)snprintf(help + len, sizeof help - len, "  %-9s%s\n", verbs[i].name,
                                verbs[i].help);
    return help;
}

static enum ds_status run(const struct ds_arguments *arguments, const char *libfuse)
{
    struct ds_session session;
    enum ds_status status;
    int err = ds_session_begin(&session, arguments);

    if (err != 0) {
        ds_log(DS_LOG_ERROR, "cannot start: %s", strerror(-err));
        return DS_STATUS_FAILED;
    }
    session.libfuse = libfuse;
    if (arguments->help) {
        printf("usage: datasetfs %s %s\n", arguments->verb->name, arguments->verb->usage);
        return ds_session_end(&session, DS_STATUS_OK);
    }
    status = arguments->verb->alone ? DS_STATUS_OK : ds_session_open(&session);
    if (status == DS_STATUS_OK)
        status = arguments->verb->run(&session);
    return ds_session_end(&session, status);
}

int ds_command_run(int argc, char *const argv[], const char *libfuse)
{
    struct ds_arguments arguments;
    char why[DS_OPTION_WHY_BYTES] = "";
    int err = ds_arguments_parse(&arguments, find(argv[0]), argc, argv, why);
    int status = DS_STATUS_USAGE;

    if (err != 0)
        ds_log(DS_LOG_ERROR, "%s", err == -EINVAL ? why : strerror(-err));
    else
        status = run(&arguments, libfuse);
    ds_arguments_clear(&arguments);
    return status;
}
