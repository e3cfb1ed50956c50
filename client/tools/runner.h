/* The process that runs the tools' program for one that may not run any. */
#ifndef DS_TOOLS_RUNNER_H
#define DS_TOOLS_RUNNER_H

#include "launch.h"

#include <stdbool.h>
#include <sys/types.h>

/* Starts it, with the rights that this process has now; it runs `program` (looked for in PATH if it
 * has no slash) and nothing else, and ends with this process. Call while there is one thread. 0 or
 * a negative errno. */
int ds_runner_start(const char *program);

bool ds_runner_started(void);

/* Runs the program with "--cmdfile" and its input's name, as ds_launch() does. Thread-safe. */
int ds_runner_run(const int fds[DS_LAUNCH_COUNT], pid_t *pid);

/* Kills what is left of the group and waits for its leader: its status as waitpid() gives it.
 * Thread-safe. */
int ds_runner_end(pid_t pid);

/* Ends it and waits for it. Harmless where there is none. */
void ds_runner_stop(void);

#endif
