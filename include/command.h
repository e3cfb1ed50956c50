/* Commands that need no mount: `datasetfs COMMAND [-o OPTION,…] [--] SOURCE [DATASET [KEY…]]`. */
#ifndef DS_COMMAND_H
#define DS_COMMAND_H

#include <stdbool.h>

/* True if the first word of a command line makes it a command: the disk is not looked at, and no
 * SOURCE is one of these words. */
bool ds_command_is(const char *word);

/* Runs it; argv[0] is the command's word. What goes wrong is told in one line each. The exit status
 * of the process (status.h). Ends the process by the signal that interrupted it, or by SIGPIPE.
 * `libfuse` is the version of the library that mounts are made with, which no command needs. */
int ds_command_run(int argc, char *const argv[], const char *libfuse);

/* The commands, a line each, for -h. */
const char *ds_command_help(void);

#endif
