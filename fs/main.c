/* datasetfs: mounts the DataSets of a virtual machine as a file system, or runs a command on them.
 */
#include "client.h"
#include "command.h"
#include "command_line.h"
#include "help.h"
#include "kernel/memory.h"
#include "log.h"
#include "mount_helper.h"
#include "serve.h"

#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* 0, unless the text could not be written. */
static int print(const char *text)
{
    if (fputs(text, stdout) >= 0 && fflush(stdout) == 0)
        return FS_EXIT_OK;
    ds_log(DS_LOG_ERROR, "standard output: %s", strerror(errno));
    return FS_EXIT_SYSTEM;
}

/* Descriptors 0 to 2 are for what they are for: started without them, the next files to be opened
 * would take their places, and then be replaced in the background. What was closed stays of no use:
 * what is to be printed there fails. */
static void fill_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        int filled = fcntl(fd, F_GETFD) < 0
                         ? open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY)
                         : fd;

        if (filled != fd)
            return;
    }
}

static int parse(struct fs_options *options, int argc, char *argv[], char *why)
{
    if (fs_mount_helper_called(argv[0]))
        return fs_mount_helper_parse(options, argc, argv, why);
    return fs_command_line_parse(options, argc, argv, why);
}

static int print_version(void)
{
    char text[512];

    snprintf(text, sizeof(text), "datasetfs " DS_VERSION " (libfuse %s, %s)\n", fuse_pkgversion(),
             ds_source_libraries());
    return print(text);
}

int main(int argc, char *argv[])
{
    struct fs_options options;
    char why[DS_OPTION_WHY_BYTES];
    int status;

    fill_descriptors();
    if (argc > 1 && !fs_mount_helper_called(argv[0]) && ds_command_is(argv[1]))
        return ds_command_run(argc - 1, argv + 1, fuse_pkgversion());
    fs_memory_begin();
    if (parse(&options, argc, argv, why) != 0) {
        ds_log(DS_LOG_ERROR, "%s", why);
        return FS_EXIT_USAGE;
    }
    if (options.debug)
        ds_log_set_level(DS_LOG_DEBUG);
    if (options.help) {
        status = print(fs_help());
    } else if (options.version) {
        status = print_version();
    } else {
        status = fs_serve(&options);
    }
    fs_options_clear(&options);
    return status;
}
