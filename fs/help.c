/* The text of -h. */
#include "help.h"

#include "command.h"
#include "command_line.h"
#include "option_kernel.h"
#include "option_own.h"

#include <stdio.h>

enum {
    HELP_BYTES = 8192,
    HELP_COLUMN = 31,
};

/* Appends one option's line at `at`, where `room` bytes are left; returns the bytes that it needs.
 */
static size_t print_option(const struct ds_option *option, char *at, size_t room)
{
    char left[HELP_COLUMN];
    bool shows = option->metavar && !option->value_optional;
    snprintf(left, sizeof left, "%s%s%s", option->name, shows ? "=" : "",
             shows ? option->metavar : "");
    return (size_t)snprintf(at, room, "  %-*s%s\n", HELP_COLUMN, left, option->help);
}

/* The same for all of a table that are shown. */
static size_t print_table(const struct ds_option *table, char *at, size_t room)
{
    size_t len = 0;
    for (; table->name; table++)
        if (table->help && len < room)
            len += print_option(table, at + len, room - len);
    return len;
}

const char *fs_help(void)
{
    static const char head[] =
        "usage: " FS_USAGE " [-f] [-d]\n"
        "       datasetfs COMMAND [-o OPTION,...] SOURCE [DATASET [KEY...]]\n"
        "       datasetfs -h | -V\n"
        "\n"
        "Mounts the DataSets of a virtual machine: a DataSet is a directory, an entry a file.\n"
        "\n"
        "SOURCE:\n"
        "  tools                   the guest's side, inside a virtual machine, as root\n"
        "  tools:vmtoolsd[=PATH]   the same by running vmtoolsd\n"
        "  tools:unix=PATH         the same on a Unix socket (a simulated host)\n"
        "  https://HOST[:PORT]/VM  the host's side, over vCenter; VM is an id or a name\n"
        "  local:FILE              a store file on this machine; made if it is missing\n"
        "  https://HOST[:PORT]     all machines of a vCenter, each a directory\n"
        "  local:DIRECTORY/        the same for the store files FILE.db in a directory\n"
        "\n"
        "Flags:\n"
        "  -f   stay in the foreground\n"
        "  -d   the same, and tell on standard error what happens\n"
        "  -h   show this help\n"
        "  -V   show the version\n"
        "\n"
        "Commands, which need no mount (datasetfs COMMAND -h):\n";
    static char help[HELP_BYTES];
    if (*help)
        return help;
    size_t len = (size_t)snprintf(help, sizeof help, "%s", head);
    len += (size_t)snprintf(help + len, sizeof help - len,
                            "%s\nOptions (-o), besides the generic words of fstab:\n",
                            ds_command_help());
    len += print_table(fs_option_own, help + len, sizeof help - len);
    len += print_table(ds_store_option, help + len, sizeof help - len);
    len += print_table(ds_machine_option, help + len, sizeof help - len);
    print_table(fs_option_kernel, help + len, sizeof help - len);
    return help;
}
